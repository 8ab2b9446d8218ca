"""Callbacks of tasks (ARAP draft 1): who asked is told of the end, where the operator lets it be, at least once, signed."""
import base64
import hashlib
import hmac
import json
import subprocess
import unittest

from support.gateway import BUILD, eventually
from support.peers import Receiver
from support.standard import Described

SECRET = "whsec_" + base64.b64encode(b"an obviously fake secret, 32 byt").decode()


def refund(order):
    return {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "order", "id": order},
            "action": {"name": "payments.refund", "properties": {"args": {"amount": 125}}}}


class TaskCallbacks(unittest.TestCase):
    def start(self, networks="[127.0.0.0/8]", http="true", hosts=None):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)
        gateway = Described()
        secret = gateway.folder / "hook.secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        self.host = f"127.0.0.1:{self.receiver.port}"
        gateway.extra_config = (f"issuer: https://pdp.example\nchannels:\n  - name: tasks\n    kind: callback\n    callers: [runner]\n"
                                f"    hosts: [agents.example, '{hosts or self.host}']\n    allow_http: {http}\n    secret_file: {secret}\n"
                                f"    allow_networks: {networks}\n")
        self.gateway = gateway
        self.addCleanup(gateway.__exit__, None, None, None)
        gateway.start()
        self.key = gateway.add_caller()
        self.dana = gateway.add_person("dana", ["oncall"])

    def item(self, order, key=None):
        body = refund(order)
        context = self.gateway.ok("POST", "/access/v1/evaluation", body, key or self.key)["context"]
        return {**body, "denial": {"evaluation_id": context["evaluation_id"], "expires_at": context["access_request"]["expires_at"]}}

    def ask(self, body, callback, key=None):
        return self.gateway.call("POST", "/access/v1/requests", {**body, "callback": callback}, key or self.key)

    def asked(self, order="4711", **more):
        answer = self.ask(self.item(order), {"endpoint": self.receiver.url, **more})
        self.assertEqual(202, answer.status, answer)
        return answer.json["task"]

    def request(self, order="4711"):
        listed = self.gateway.ok("GET", "/v1/requests", secret=self.key)["requests"]
        return next(one["id"] for one in listed if f"order/{order}" in json.dumps(one) or order == one["resource"].get("id"))

    def notices(self, state):
        return self.gateway.admin("GET", f"/v1/notices?state={state}")["notices"]

    def verify(self, headers, body):
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        made = hmac.new(base64.b64decode(SECRET[6:]), text, hashlib.sha256).digest()
        self.assertEqual("v1," + base64.b64encode(made).decode(), headers["webhook-signature"])

    def test_the_end_of_a_task_is_told_to_who_asked_signed_and_without_inside_facts(self):
        self.start()
        task = self.asked(state="mine-42")
        self.assertEqual([], self.receiver.came, "what is pending is not told")
        self.gateway.vote(self.dana, self.request())
        eventually(lambda: self.receiver.came, "it is told")
        (path, headers, body), = self.receiver.came
        self.assertEqual("/hook", path)
        self.verify(headers, body)
        self.assertEqual({"state": "mine-42", "task": {"id": task["id"], "status": "approved", "status_endpoint": task["status_endpoint"]}},
                         json.loads(body))
        sent, = eventually(lambda: self.notices("sent"), "it is settled")
        self.assertEqual(("tasks", "task.approved", self.receiver.url, headers["webhook-id"]),
                         (sent["channel"], sent["event"], sent["recipient"], sent["id"]))
        told = self.gateway.entries("notice.sent", 1)[0]["data"]
        self.assertEqual(("tasks", "task.approved"), (told["channel"], told["purpose"]))

    def test_several_things_are_told_once_when_the_last_is_over(self):
        self.start()
        items = [self.item(order) for order in ("1", "2")]
        asked = {"subject": refund("1")["subject"], "items": [{name: item[name] for name in ("resource", "action", "denial")} for item in items]}
        self.assertEqual(202, self.ask(asked, {"endpoint": self.receiver.url}).status)
        self.gateway.vote(self.dana, self.request("1"))
        self.assertEqual([], self.gateway.admin("GET", "/v1/notices")["notices"])
        self.gateway.vote(self.dana, self.request("2"), "deny")
        eventually(lambda: self.notices("sent"), "it is told")
        (_, _, body), = self.receiver.came
        self.assertEqual(("partial", False), (json.loads(body)["task"]["status"], "state" in json.loads(body)))

    def test_only_the_ends_that_were_asked_for_are_told(self):
        self.start()
        self.asked("1", events=["expired", "cancelled"])
        task = self.asked("2", events=["cancelled"])
        self.asked("3", events=["approved"])
        for order in ("1", "3"):
            self.gateway.vote(self.dana, self.request(order), "deny")
        self.gateway.ok("POST", task["status_endpoint"].removeprefix("https://pdp.example") + "/cancel", {}, self.key)
        eventually(lambda: self.notices("sent"), "the one is told")
        self.assertEqual(["task.cancelled"], [notice["event"] for notice in self.gateway.admin("GET", "/v1/notices")["notices"]])

    def test_a_receiver_that_fails_is_told_again_also_after_a_restart_under_the_same_id(self):
        self.start()
        self.receiver.answers = [500, 500]
        self.asked()
        self.gateway.vote(self.dana, self.request(), "deny")
        waiting = lambda attempts: [notice for notice in self.notices("waiting") if notice["attempts"] == attempts]
        eventually(lambda: waiting(1), "the failure is noted")
        self.assertEqual("answered 500", waiting(1)[0]["last_error"])
        self.gateway.kill()
        self.gateway.start()
        self.gateway.advance(seconds=6)
        eventually(lambda: waiting(2), "it was tried again")
        self.gateway.advance(seconds=400)
        eventually(lambda: self.notices("sent"), "it arrives")
        self.assertEqual(3, len(self.receiver.came))
        self.assertEqual(1, len({(headers["webhook-id"], body) for _, headers, body in self.receiver.came}))
        for _, headers, body in self.receiver.came:
            self.verify(headers, body)

    def test_a_receiver_that_wants_peace_for_an_hour_gets_it_alone(self):
        other = Receiver()
        self.addCleanup(other.stop)
        self.start(hosts="127.0.0.1:1', 'placeholder.example")
        self.gateway.stop()
        self.gateway.extra_config = self.gateway.extra_config.replace("127.0.0.1:1", self.host).replace("placeholder.example", f"127.0.0.1:{other.port}")
        self.gateway.start()
        self.receiver.otherwise = (503, {"Retry-After": "3600"}, b"")
        self.asked("1")
        self.gateway.vote(self.dana, self.request("1"), "deny")
        eventually(lambda: [notice for notice in self.notices("waiting") if notice["attempts"]], "it is asked to wait")
        self.assertEqual(202, self.ask(self.item("2"), {"endpoint": other.url}).status)
        self.gateway.vote(self.dana, self.request("2"), "deny")
        eventually(lambda: other.came, "another is told at once")

    def test_a_redirect_is_not_followed(self):
        self.start()
        elsewhere = Receiver()
        self.addCleanup(elsewhere.stop)
        self.receiver.answers = [(302, {"Location": elsewhere.url}, b""), (307, {"Location": elsewhere.url}, b"")]
        self.asked()
        self.gateway.vote(self.dana, self.request())
        for attempts, status in ((1, 302), (2, 307)):
            eventually(lambda: [one for one in self.notices("waiting") if one["attempts"] == attempts], "the failure is noted")
            self.assertEqual(f"answered {status}", self.notices("waiting")[0]["last_error"])
            self.gateway.advance(seconds=400)
        eventually(lambda: self.notices("sent"), "it arrives")
        self.assertEqual([], elsewhere.came)

    def test_a_private_address_is_not_reached_unless_it_is_allowed(self):
        self.start(networks="[10.0.0.0/8]")
        self.asked()
        self.gateway.vote(self.dana, self.request())
        notice, = eventually(lambda: [one for one in self.notices("waiting") if one["attempts"] == 1], "the failure is noted")
        self.assertIn("may reach", notice["last_error"])
        self.assertEqual([], self.receiver.came)

    def test_where_a_callback_may_not_lead_is_refused_before_anything_is_asked(self):
        self.start()
        other = self.gateway.add_caller("other")
        port = self.receiver.port
        for endpoint in ("https://evil.example/", "https://agents.example.evil.example/", "https://agents.example@evil.example/",
                         "https://agents.example:8443/", f"http://127.0.0.1:{port}1/", "ftp://agents.example/", "agents.example",
                         "https://agents.example/#x", "http://127.0.0.1/"):
            answer = self.ask(self.item("1"), {"endpoint": endpoint})
            self.assertEqual((400, "callback_not_offered"), (answer.status, answer.json["code"]), endpoint)
        answer = self.ask(self.item("1", other), {"endpoint": self.receiver.url}, other)
        self.assertEqual((400, "callback_not_offered"), (answer.status, answer.json["code"]), "another caller's channel")
        for callback, code in (("x", "wrong_type"), ({}, "missing_member"), ({"endpoint": 1}, "wrong_type"),
                               ({"endpoint": "https://agents.example/" + "a" * 1000}, "too_long"),
                               ({"endpoint": self.receiver.url, "state": {}}, "wrong_type"),
                               *(({"endpoint": self.receiver.url, "events": events}, "wrong_type")
                                 for events in ([], "approved", ["pending"], ["approved", "approved"], [1], ["approved"] * 7))):
            answer = self.ask(self.item("1"), callback)
            self.assertEqual((400, code), (answer.status, answer.json["code"]), callback)
        self.assertEqual([], self.gateway.ok("GET", "/v1/requests", secret=self.key)["requests"])

    def test_plain_http_must_be_allowed(self):
        self.start(http="false")
        self.assertEqual("callback_not_offered", self.ask(self.item("1"), {"endpoint": self.receiver.url}).json["code"])
        self.assertEqual(202, self.ask(self.item("1"), {"endpoint": "https://agents.example/done"}).status)

    def test_the_same_asked_again_keeps_its_callback(self):
        self.start()
        item = self.item("1")
        first = self.ask(item, {"endpoint": self.receiver.url, "state": "a"}).json["task"]["id"]
        self.assertEqual(first, self.ask(item, {"endpoint": self.receiver.url, "state": "a"}).json["task"]["id"])
        self.assertEqual(first, self.gateway.call("POST", "/access/v1/requests", item, self.key).json["task"]["id"])
        for callback in ({"endpoint": self.receiver.url + "2", "state": "a"}, {"endpoint": self.receiver.url, "state": "b"},
                         {"endpoint": self.receiver.url}, {"endpoint": self.receiver.url, "state": "a", "events": ["denied"]}):
            answer = self.ask(item, callback)
            self.assertEqual((409, "duplicate_request"), (answer.status, answer.json["code"]), callback)

    def test_a_host_that_is_allowed_no_more_is_told_no_more(self):
        self.start()
        self.receiver.answers = [500]
        self.asked()
        self.gateway.vote(self.dana, self.request())
        eventually(lambda: [one for one in self.notices("waiting") if one["attempts"] == 1], "the failure is noted")
        self.gateway.stop()
        self.gateway.extra_config = self.gateway.extra_config.replace(self.host, "127.0.0.1:1")
        self.gateway.start()
        self.gateway.advance(seconds=6)
        notice, = eventually(lambda: self.notices("stale"), "it is not sent")
        self.assertEqual("callback_not_allowed", notice["last_error"])
        self.assertEqual(1, len(self.receiver.came))

    def test_the_operator_tries_it(self):
        self.start()
        run = lambda *words: subprocess.run([str(BUILD / "countersign"), "channels", "test", "tasks", *words, "--socket", self.gateway.socket_path],
                                            capture_output=True, text=True, timeout=60)
        for words in ((), ("--to", "https://evil.example/")):
            refused = run(*words)
            self.assertNotEqual(0, refused.returncode)
            self.assertIn("one of the channel's hosts", refused.stdout + refused.stderr)
        self.assertEqual(0, run("--to", self.receiver.url).returncode)
        self.assertEqual("channel.test", json.loads(self.receiver.came[0][2])["type"])

    def test_a_channel_that_says_too_little_is_refused(self):
        self.start()
        self.gateway.stop()
        good = self.gateway.extra_config
        for old, new, said in (("callers: [runner]", "events: [x]", "events"), ("    callers: [runner]\n", "", "callers"),
                               ("callers: [runner]", "callers: [runner]\n    groups: [oncall]", "leave out"),
                               ("agents.example,", "'https://agents.example',", "is not a host")):
            self.assertIn(old, good)
            self.gateway.extra_config = good.replace(old, new)
            self.gateway.write_config()
            run = subprocess.run([str(BUILD / "countersignd"), "--check-config", "--config", str(self.gateway.folder / "countersign.yaml")], capture_output=True, text=True, timeout=60)
            self.assertEqual((78, True), (run.returncode, said in run.stdout + run.stderr), run)


if __name__ == "__main__":
    unittest.main()
