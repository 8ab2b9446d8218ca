"""What a browser does with the gateway, without one: keeps the cookie, sends the page's headers. Standard library only."""
import http.client
import json

from support.gateway import Answer

FAKE_PASSWORD = "obviously fake password"


class Browser:
    """One browser of one person at one address; `address` is the client's own on the loopback network."""

    def __init__(self, gateway, address="127.0.0.1", host="localhost"):
        self.gateway, self.address, self.host = gateway, address, host
        self.cookie = self.csrf = None
        self.known = None  # the cookie that stays when the session ends

    @property
    def authority(self):
        return f"{self.host}:{self.gateway.port}"

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=60, source_address=(self.address, 0))

    def headers(self, method):
        sent = {"Host": self.authority}
        if self.cookie or self.known:
            sent["Cookie"] = "; ".join(pair for pair in (self.cookie, self.known) if pair)
        if method != "GET":
            sent.update({"Content-Type": "application/json", "Origin": f"http://{self.authority}", "Sec-Fetch-Site": "same-origin"})
            if self.csrf:
                sent["X-CSRF-Token"] = self.csrf
        return sent

    def call(self, method, path, body=None, **changes):
        """`changes` are headers that differ from a browser's, by name with underscores; None leaves one out."""
        sent = self.headers(method)
        for name, value in changes.items():
            name = "-".join(word.capitalize() for word in name.split("_"))
            known = next((each for each in sent if each.lower() == name.lower()), name)
            sent.pop(known, None)
            if value is not None:
                sent[known] = value
        connection = self.connection()
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        self.keep(answer)
        return answer

    def keep(self, answer):
        for value in answer.headers.get_all("Set-Cookie") or []:
            pair, *attributes = [part.strip() for part in value.split(";")]
            if "-browser" in pair.split("=")[0]:
                self.known = pair
            else:
                self.cookie = None if "Max-Age=0" in attributes else pair
        if answer.status in (200, 201) and answer.body.startswith(b'{"csrf"'):
            self.csrf = answer.json["csrf"]

    # ---- steps ----
    def sign_in(self, name, password=FAKE_PASSWORD):
        return self.call("POST", "/v1/session", {"name": name, "password": password})

    def set_up(self, name, password=FAKE_PASSWORD, link=None):
        link = link or self.gateway.admin("POST", "/v1/setup/link")
        return self.call("POST", "/v1/setup", {"secret": link["link_path"].split("#")[1], "name": name, "password": password})

    def enrol(self, name, password=FAKE_PASSWORD, link=None):
        link = link or self.gateway.admin("POST", f"/v1/people/{name}/enrolment")
        return self.call("POST", "/v1/enrol", {"secret": link["link_path"].split("#")[1], "password": password})

    def is_signed_in(self):
        return self.call("GET", "/v1/session").status == 200

    def vote(self, request, word="approve", **changes):
        shown = self.call("GET", f"/v1/requests/{request}").json
        return self.call("POST", f"/v1/requests/{request}/votes",
                         {"vote": word, "revision": shown["revision"], "digest": shown["digest"]}, **changes)
