"""Blind second vote: who has yet to vote on a critical request finds no trace of another's vote, wherever they look."""
import json
import os
import re
import subprocess
import unittest

import support.gateway as support
from support.description import Description, yaml
from support.gateway import Answer, Gateway
from support.websocket import WebSocket

POLICY = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [finance], timeout: 30m } }
rules:
  - name: wipe
    match: { action: disk.wipe }
    verdict: require_approval
    risk: critical
    approval:
      quorum: 3
      deny_quorum: 2
      groups: [finance]
      assurance: session
      timeout: 1h
      ladder: [{ after: 0s, to: [finance] }, { after: 30m, to: [leads] }]
  - { name: other, match: { action: other.* }, verdict: require_approval }
"""
WORDS = "words that nobody may read yet"
PASSWORD = "an obviously fake password"
# What every entry changes, whatever it is about; operators' figures without names.
COUNTS_ENTRIES = {"/v1/ledger/checkpoint", "/v1/ledger/consistency", "/metrics"}


@unittest.skipUnless(yaml, "python3-yaml is not installed")
class Blind(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway(policy=POLICY).start()
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.key = self.gateway.add_caller(owner=None)
        self.tokens = {name: self.gateway.add_person(name, groups, **roles) for name, groups, roles in (
            ("dana", ["finance"], {}), ("erin", ["finance"], {}), ("fay", ["finance"], {"admin": True, "auditor": True}),
            ("gus", ["leads"], {"auditor": True}), ("audrey", [], {"auditor": True}))}
        self.sessions = {name: self.sign_in(name) for name in self.tokens}
        self.request = self.gateway.submit(self.key, action="disk.wipe", resource="disk/1", want=(202,))
        self.description = Description()
        shown = {"revision": 1, "digest": self.request["digest"]}
        for name in ("dana", "fay", "gus"):  # looking is noted once, and not what is looked for here
            self.gateway.ok("POST", f"/v1/requests/{self.request['id']}/views", shown, self.tokens[name])

    def sign_in(self, name):
        link = self.gateway.admin("POST", f"/v1/people/{name}/enrolment")["link_path"]
        answer = self.gateway.call("POST", "/v1/enrol", {"secret": link.split("#")[1], "password": PASSWORD})
        self.assertEqual(201, answer.status, answer)
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": answer.json["csrf"]}

    def watch(self, name):
        session = self.sessions[name]
        socket = WebSocket(self.gateway.port, session["Cookie"])
        self.addCleanup(socket.close)
        socket.send({"hello": {"csrf": session["X-CSRF-Token"]}})
        socket.receive()
        return socket

    def look_everywhere(self, **credentials):
        """Every path that can be read, and what it says: the views of one principal."""
        seen = {}
        credentials["headers"] = {**credentials.get("headers", {}), "X-Request-ID": "the-same"}
        for method, template in self.description.operations:
            if method != "get":
                continue
            path = self.description.example_path((method, template))
            path = re.sub(r"req_[0-9a-z]{26}", self.request["id"], path)
            answers = [self.gateway.call("GET", path, **credentials)]
            if template == "/v1/requests":
                answers += [self.gateway.call("GET", path + query, **credentials) for query in
                            ("?inbox=true", "?state=pending", "?agent=bot", "?limit=1")]
            if template == "/v1/insights":  # counts back from now
                answers = [Answer(a.status, a.headers, re.sub(rb'"since":"[^"]*"', b"", a.body)) for a in answers]
            seen[template] = [(answer.status, answer.body.decode()) for answer in answers]
        return seen

    def at_a_terminal(self, name):
        environment = {"PATH": os.environ["PATH"], "COUNTERSIGN_URL": f"http://127.0.0.1:{self.gateway.port}",
                       "COUNTERSIGN_TOKEN": self.tokens[name]}
        return [subprocess.run([str(support.BUILD / "countersign"), *words], capture_output=True, text=True,
                               env=environment, timeout=30).stdout
                for words in (["show", self.request["id"]], ["inbox"], ["inbox", "--all"])]

    def views(self):
        principals = {name: {"secret": self.tokens[name]} for name in ("dana", "fay", "gus")}
        principals |= {f"{name} in a browser": {"headers": self.sessions[name]} for name in ("dana", "fay", "gus")}
        principals["agent"] = {"secret": self.key}
        seen = {who: self.look_everywhere(**credentials) for who, credentials in principals.items()}
        for name in ("dana", "fay", "gus"):
            seen[f"{name} at a terminal"] = {"countersign": self.at_a_terminal(name)}
        return seen

    def assert_same(self, before, after, hidden):
        looked = 0
        for who, paths in before.items():
            for path, was in paths.items():
                text = json.dumps(after[who][path])
                for trace in hidden:
                    self.assertNotIn(trace, text, f"{who} finds it at {path}")
                if path not in COUNTS_ENTRIES:
                    self.assertEqual(was, after[who][path], f"{who} sees a difference at {path}")
                looked += 1
        self.assertGreater(looked, 100)

    def next_about_another(self, socket):
        """What was told before the news of the request that is submitted now."""
        other = self.gateway.submit(self.key, action="other.thing", want=(202,), args={"n": id(socket)})
        told = []
        while True:
            message = socket.receive()
            if message.get("r", {}).get("id") == other["id"]:
                return told
            told.append(message)

    def vote(self, name, word, **more):
        shown = self.gateway.show(self.tokens[name], self.request["id"])
        return self.gateway.vote(self.tokens[name], self.request["id"], word, shown=shown, **more)

    def check_a_vote_leaves_no_trace(self, word):
        before = self.views()
        cast = self.vote("erin", word, reason=WORDS)
        self.assert_same(before, self.views(), [cast["vote"], WORDS])
        return cast

    def test_an_approval_leaves_no_trace(self):
        self.check_a_vote_leaves_no_trace("approve")

    def test_a_denial_leaves_no_trace(self):
        self.check_a_vote_leaves_no_trace("deny")

    def test_a_changed_and_an_uncounted_vote_leave_none(self):
        self.vote("erin", "approve")
        self.check_a_vote_leaves_no_trace("deny")
        before = self.views()
        self.gateway.admin("DELETE", "/v1/groups/finance/members/erin")
        after = self.views()
        for who in before:
            for path in ("/v1/requests/{request}/entries",):
                if path in before[who]:
                    self.assertEqual(before[who][path], after[who][path], who)

    def test_dashboards_of_those_who_have_yet_to_vote_are_told_nothing(self):
        sockets = {name: self.watch(name) for name in self.tokens}
        self.vote("erin", "approve")
        for name in ("dana", "fay", "gus"):
            self.assertEqual([], [m for m in self.next_about_another(sockets[name]) if m.get("k") in ("request", "vote")
                                  and m["r"]["id"] == self.request["id"]], name)
        for name in ("erin", "audrey"):
            self.assertIn(self.request["id"], [m["r"]["id"] for m in self.next_about_another(sockets[name]) if m["k"] == "request"])

    def test_who_has_voted_sees_the_others_and_may_only_turn_to_a_denial(self):
        cast = self.vote("erin", "deny", reason=WORDS)
        self.vote("dana", "approve")
        shown = self.gateway.show(self.tokens["dana"], self.request["id"])
        self.assertEqual([("erin", "deny"), ("dana", "approve")], [(v["person"], v["vote"]) for v in shown["votes"]])
        self.assertIn(cast["vote"], [v["id"] for v in shown["votes"]])
        refused = self.gateway.vote(self.tokens["erin"], self.request["id"], "approve", want=(409,))
        self.assertEqual("denial_stands", refused["code"])
        self.assertEqual("denied", self.vote("dana", "deny")["state"])

    def test_the_whole_ledger_is_not_for_who_has_yet_to_vote(self):
        answer = self.gateway.call("GET", "/v1/ledger/export", secret=self.tokens["fay"])
        self.assertEqual((409, "vote_first"), (answer.status, answer.json["code"]))
        self.assertEqual(200, self.gateway.call("GET", "/v1/ledger/export", secret=self.tokens["audrey"]).status)
        self.vote("fay", "approve")
        self.assertEqual(200, self.gateway.call("GET", "/v1/ledger/export", secret=self.tokens["fay"]).status)

    def test_who_is_not_asked_sees_them(self):
        cast = self.vote("erin", "approve")
        shown = self.gateway.show(self.tokens["audrey"], self.request["id"])
        self.assertEqual([cast["vote"]], [v["id"] for v in shown["votes"]])
        self.assertEqual(2, shown["missing"])

    def test_after_the_end_everybody_sees_them(self):
        self.vote("erin", "deny")
        self.vote("fay", "deny")
        shown = self.gateway.show(self.tokens["dana"], self.request["id"])
        self.assertEqual(["erin", "fay"], [v["person"] for v in shown["votes"]])
        self.assertEqual(2, len(self.gateway.show(self.key, self.request["id"])["votes"]))
