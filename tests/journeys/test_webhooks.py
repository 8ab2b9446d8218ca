"""Webhooks: signed, thin, at least once, never to where they may not go; and receivers that fail in every way."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import unittest

import support.gateway as support
from support.gateway import Gateway, eventually

SECRET = "whsec_" + base64.b64encode(b"an obviously fake secret, 32 byt").decode()
OLD = "whsec_" + base64.b64encode(b"the former obviously fake secret").decode()


class Receiver:
    """Answers as told and remembers what came."""

    def __init__(self):
        self.came, self.answers = [], []  # answers: statuses, or callables taking the handler
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.append((self.path, dict(self.headers.items()), body))
                answer = receiver.answers.pop(0) if receiver.answers else 200
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                receiver.came.append(("GET " + self.path, {}, b""))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # broken connections are the point

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def verify(secrets, headers, body):
    """An independent check of the Standard Webhooks signature."""
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = {"v1," + base64.b64encode(hmac.new(base64.b64decode(secret[6:]), text, hashlib.sha256).digest()).decode() for secret in secrets}
    return wanted == set(headers["webhook-signature"].split(" "))


class Webhooks(unittest.TestCase):
    def start(self, networks="[127.0.0.0/8]", url=None, secrets=(SECRET,), more=""):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)
        gateway = Gateway()
        secret = gateway.folder / "hook.secret"
        secret.write_text("\n".join(secrets) + "\n")
        secret.chmod(0o600)
        url = url or f"http://127.0.0.1:{self.receiver.port}/hook"
        gateway.extra_config = (f"channels:\n  - name: ops\n    kind: webhook\n    url: {url}\n    allow_http: true\n"
                                f"    secret_file: {secret}\n    allow_networks: {networks}\n{more}")
        self.addCleanup(gateway.__exit__, None, None, None)
        gateway.start()
        self.dana = gateway.add_person("dana", ["oncall"])
        self.key = gateway.add_caller()
        return gateway

    def types(self):
        return [json.loads(body)["type"] for _, _, body in self.receiver.came]

    def notices(self, gateway, state):
        return gateway.admin("GET", f"/v1/notices?state={state}")["notices"]

    def test_an_edit_and_a_group_that_was_emptied_are_told(self):
        gateway = self.start()
        asked = gateway.submit(self.key, args={"card": "4111-fake"})
        edited = gateway.ok("POST", f"/v1/requests/{asked['id']}/edits",
                            {"revision": 1, "digest": asked["digest"], "args": {"card": "4112-fake"}}, self.dana)
        gateway.admin("DELETE", "/v1/groups/oncall/members/dana")
        wanted = ["request.edited", "request.pending", "request.stranded"]
        eventually(lambda: sorted(self.types()) == wanted, "both are told")
        told = {json.loads(body)["type"]: json.loads(body)["data"] for _, _, body in self.receiver.came}
        self.assertEqual((2, edited["digest"]), (told["request.edited"]["revision"], told["request.edited"]["digest"]))
        self.assertNotIn("4112", str(self.receiver.came))
        self.assertTrue(gateway.ok("GET", "/v1/requests", host=True)["requests"][0]["nobody_can_approve"])

    def test_a_request_and_its_end_are_told_signed_and_thin(self):
        gateway = self.start(secrets=(SECRET, OLD))
        asked = gateway.submit(self.key, args={"card": "4111-fake"})
        eventually(lambda: self.types() == ["request.pending"], "it is told")
        gateway.vote(self.dana, asked["id"])
        eventually(lambda: self.types() == ["request.pending", "request.approved"], "its end is told")
        for path, headers, body in self.receiver.came:
            self.assertEqual("/hook", path)
            self.assertTrue(verify((SECRET, OLD), headers, body), headers)
            data = json.loads(body)["data"]
            self.assertEqual((asked["id"], asked["digest"]), (data["request"], data["digest"]))
            self.assertNotIn(b"4111", body)
        self.assertEqual(2, len({headers["webhook-id"] for _, headers, _ in self.receiver.came}))
        eventually(lambda: len(self.notices(gateway, "sent")) == 2, "both are settled")

    def test_what_policy_decides_alone_is_told_to_nobody(self):
        gateway = self.start()
        gateway.submit(self.key, action="orders.get")
        gateway.submit(self.key)
        eventually(lambda: self.receiver.came, "the second is told")
        self.assertEqual(["request.pending"], self.types())

    @unittest.skipUnless(shutil.which("node") and (support.ROOT / "web/node_modules/standardwebhooks").exists(),
                         "the npm package standardwebhooks is not installed (npm ci in web/)")
    def test_the_reference_library_accepts_the_signature(self):
        gateway = self.start()
        gateway.submit(self.key)
        eventually(lambda: self.receiver.came, "it is told")
        _, headers, body = self.receiver.came[0]
        script = ("import {Webhook} from 'standardwebhooks'; const i=JSON.parse(process.argv[1]);"
                  "new Webhook(i.secret).verify(i.body, i.headers); console.log('good')")
        run = subprocess.run(["node", "--input-type=module", "-e", script, json.dumps(
            {"secret": SECRET, "body": body.decode(), "headers": {k.lower(): v for k, v in headers.items()}})],
            cwd=support.ROOT / "web", capture_output=True, text=True, timeout=60)
        self.assertEqual("good\n", run.stdout, run.stderr)

    def test_a_receiver_that_fails_is_tried_again_under_the_same_id(self):
        gateway = self.start()
        def hang_up(handler):
            handler.connection.shutdown(socket.SHUT_RDWR)
        def nonsense(handler):
            handler.wfile.write(b"\x00\xff garbage\r\n\r\n")
        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(64):
                handler.wfile.write(b"x" * 8192)
        def redirect(handler):
            handler.send_response(302)
            handler.send_header("Location", f"http://127.0.0.1:{self.receiver.port}/elsewhere")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        self.receiver.answers = [500, hang_up, nonsense, endless, redirect, 503, 200]
        gateway.submit(self.key)
        waits = [6, 340, 2000, 8000, 20000, 40000]
        for tried in range(1, 7):
            eventually(lambda: self.notices(gateway, "waiting") and self.notices(gateway, "waiting")[0]["attempts"] == tried
                       if tried < 3 else len(self.receiver.came) >= min(tried, 3), f"attempt {tried}")
            if tried == 2:
                break
            gateway.advance(waits[tried - 1])
        # The prompt is stale once its request has expired: what is retried longest is the end.
        gateway.advance(16 * 60)
        eventually(lambda: any(n["event"] == "request.expired" for n in self.notices(gateway, "waiting") + self.notices(gateway, "sent") + self.notices(gateway, "dead")), "it expires")
        for step in waits * 2:
            gateway.advance(step)
            if self.notices(gateway, "waiting") == []:
                break
        eventually(lambda: gateway.advance(3600) or not self.notices(gateway, "waiting"), "all are settled in the end", 30)
        self.assertNotIn("/elsewhere", [path for path, _, _ in self.receiver.came])
        self.assertNotIn("GET /elsewhere", [path for path, _, _ in self.receiver.came])
        prompts = {headers["webhook-id"] for _, headers, body in self.receiver.came if b'"request.pending"' in body}
        self.assertEqual(1, len(prompts))

    def test_what_waits_survives_a_restart(self):
        gateway = self.start()
        self.receiver.answers = [500]
        gateway.submit(self.key)
        eventually(lambda: self.notices(gateway, "waiting") and self.notices(gateway, "waiting")[0]["attempts"] == 1, "it failed once")
        gateway.kill()
        gateway.start()
        gateway.advance(10)
        eventually(lambda: len(self.receiver.came) == 2, "it is tried again")
        self.assertEqual(*[headers["webhook-id"] for _, headers, _ in self.receiver.came])

    def test_gone_means_dead_and_a_dead_notice_can_be_sent_again(self):
        gateway = self.start()
        self.receiver.answers = [410]
        gateway.submit(self.key)
        dead = eventually(lambda: self.notices(gateway, "dead"), "it is dead")[0]
        self.assertEqual("answered 410", dead["last_error"])
        self.assertEqual(1, gateway.metric("countersign_notices_dead_total"))
        gateway.admin("POST", f"/v1/notices/{dead['id']}/resend")
        eventually(lambda: len(self.notices(gateway, "sent")) == 1, "it is sent after all")
        self.assertEqual(409, gateway.call("POST", f"/v1/notices/{dead['id']}/resend", host=True).status)

    def test_addresses_that_are_not_public_are_not_reached_however_they_are_spelt(self):
        port = None
        for url in ("http://127.0.0.1:{}/", "http://2130706433:{}/", "http://0x7f.1:{}/", "http://localhost:{}/", "http://[::1]:{}/",
                    "http://[::ffff:127.0.0.1]:{}/", "http://0:{}/", "http://169.254.169.254/"):
            with self.subTest(url=url):
                receiver = Receiver()
                port = receiver.port
                gateway = Gateway()
                secret = gateway.folder / "hook.secret"
                secret.write_text(SECRET)
                secret.chmod(0o600)
                gateway.extra_config = (f"channels:\n  - {{ name: ops, kind: webhook, url: \"{url.format(port)}\", allow_http: true, "
                                        f"secret_file: {secret} }}\n")
                with gateway:
                    gateway.add_person("dana", ["oncall"])
                    gateway.submit(gateway.add_caller())
                    failed = eventually(lambda: [n for n in self.notices(gateway, "waiting") if n["attempts"] == 1], "it is refused")
                    self.assertEqual("its address is not one this channel may reach", failed[0]["last_error"])
                self.assertEqual([], receiver.came)
                receiver.stop()

    def test_a_channel_that_is_configured_wrong_is_refused_with_its_place(self):
        for words, said in (("{ name: ops }", "kind"), ("{ name: ops, kind: pigeon }", "not supported yet"),
                            ("{ name: ops, kind: webhook, url: \"http://x/\", secret_file: /nowhere }", "allow_http"),
                            ("{ name: ops, kind: webhook, url: \"https://x/\", secret_file: /nowhere }", "/nowhere"),
                            ("{ name: ops, kind: webhook, url: \"https://x/\" }", "secret_file")):
            with self.subTest(said=said):
                gateway = Gateway(config=f"channels:\n  - {words}\n")
                with self.assertRaisesRegex(AssertionError, said):
                    gateway.start()
                gateway.reader.join(5)
                gateway.process.stderr.close()
                shutil.rmtree(gateway.folder)
