#!/usr/bin/env python3
"""In front of a service: each request must bring a grant for exactly itself, which is redeemed before the request goes on.

    COUNTERSIGN_KEY=csk_… enforce.py --url https://countersign.internal --listen 127.0.0.1:9191 --routes routes.json

Answers the checks of nginx's auth_request (X-Original-Method, X-Original-URI) and of Envoy's ext_authz over HTTP (the method and
path of the request itself, its body where with_request_body is set). 200: go on; anything else: do not. Whatever goes wrong is no.

routes.json, first match wins, what matches nothing is refused:
    [{"method": "DELETE", "path": "^/orders/(?P<id>[0-9]+)$", "action": "orders.delete", "resource": {"type": "order", "id": "{id}"}}]
"""
import argparse
import http.client
import http.server
import json
import os
import re
import ssl
import urllib.parse

BODY_BYTES_MAX = 256 * 1024
SCHEME = "Grant "


def match(routes, method, target):
    """(action, resource) of the request, by the table; None when the table does not know it."""
    path = urllib.parse.urlsplit(target).path
    for route in routes:
        found = re.fullmatch(route["path"], path) if route["method"] == method else None
        if found:
            values = found.groupdict()
            return route["action"], {name: text.format_map(values) for name, text in route["resource"].items()}
    return None


def arguments(target, body):
    """What runs beside the path: the query and the JSON body. The approver saw the same."""
    found = {name: values[0] for name, values in urllib.parse.parse_qs(urllib.parse.urlsplit(target).query, strict_parsing=True).items()} \
        if "?" in target else {}
    if body:
        given = json.loads(body)
        if not isinstance(given, dict) or set(given) & set(found):
            raise ValueError("the body must be an object without names of the query")
        found.update(given)
    return found


class Gateway:
    def __init__(self, url, key):
        self.url, self.key = urllib.parse.urlsplit(url), key

    def redeem(self, token, action, resource, args):
        kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
        more = {"context": ssl.create_default_context()} if self.url.scheme == "https" else {}
        connection = kind(self.url.hostname, self.url.port, timeout=10, **more)
        try:
            properties = {"properties": {"args": args}} if args else {}
            body = {"token": token, "action": {"name": action, **properties}, "resource": resource}
            connection.request("POST", "/v1/grants/redeem", json.dumps(body),
                               {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


class Check(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def refuse(self, why, status=403):
        self.answer(status, X_Countersign_Refused=why)

    def check(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self.refuse("body_too_large")
        body = self.rfile.read(length)
        target = self.headers.get("X-Original-URI") or self.path
        method = self.headers.get("X-Original-Method") or self.command
        credential = self.headers.get("Authorization") or ""
        if not credential.startswith(SCHEME):
            return self.refuse("no_grant", 401)
        found = match(self.server.routes, method, target)
        if found is None:
            return self.refuse("no_route")
        status, answer = self.server.gateway.redeem(credential[len(SCHEME):], *found, arguments(target, body))
        if status != 200:
            return self.refuse(answer.get("code", "refused"))
        self.answer(200, X_Countersign_Grant=answer["grant"], X_Countersign_Fence=answer["fence"], X_Countersign_Request=answer["request"])

    def guarded(self):
        try:
            self.check()
        except Exception as problem:  # closed, whatever it was
            self.refuse(type(problem).__name__)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = guarded

    def log_message(self, *_):
        pass


def serve(address, routes, url, key):
    server = http.server.ThreadingHTTPServer(address, Check)
    server.routes, server.gateway = routes, Gateway(url, key)
    return server


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--listen", default="127.0.0.1:9191")
    parser.add_argument("--routes", required=True)
    options = parser.parse_args()
    host, port = options.listen.rsplit(":", 1)
    with open(options.routes) as file:
        routes = json.load(file)
    serve((host, int(port)), routes, options.url, os.environ["COUNTERSIGN_KEY"]).serve_forever()


if __name__ == "__main__":
    main()
