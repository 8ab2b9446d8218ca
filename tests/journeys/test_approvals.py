"""What people do with a request before its end, at the doors: edits, questions."""
import os
import subprocess
import threading
import unittest

import support.gateway as support
from support.gateway import Gateway, eventually


class Edits(unittest.TestCase):
    def test_a_call_that_waits_is_answered_by_an_edit_and_runs_the_edited(self):
        with Gateway() as gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key, want=(202,))
            path = f"/v1/requests/{asked['id']}"
            answers = []

            def wait():
                answers.append(gateway.ok("GET", path, None, key, headers={"Prefer": "wait=60"}, want=(202,)))

            waiter = threading.Thread(target=wait)
            waiter.start()
            eventually(lambda: gateway.metric("countersign_waiters_parked") == 1, "it is parked")
            gateway.ok("POST", path + "/edits", {"revision": 1, "digest": asked["digest"], "args": {"amount": 40}}, dana)
            waiter.join(30)
            told = answers[0]
            self.assertEqual(("pending", 2, 1), (told["state"], told["revision"], told["news"]))
            self.assertEqual([{"from": 125, "path": "/amount", "to": 40}], told["edits"][0]["changes"])
            gateway.vote(dana, asked["id"])
            shown = gateway.show(key, asked["id"])
            gateway.redeem(key, shown, args={"amount": 125}, want=(403,))
            gateway.redeem(key, shown)

    def test_news_between_two_waits_are_not_missed(self):
        with Gateway() as gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key, want=(202,))
            path = f"/v1/requests/{asked['id']}"
            gateway.ok("POST", path + "/edits", {"revision": 1, "digest": asked["digest"], "args": {}}, dana)
            told = gateway.ok("GET", path + "?seen=0", None, key, headers={"Prefer": "wait=60"}, want=(202,))
            self.assertEqual(1, told["news"])


class Questions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway().start()
        cls.dana = cls.gateway.add_person("dana", ["oncall"])
        cls.key = cls.gateway.add_caller()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None, None, None)

    def start(self, *words, secret=None):
        return subprocess.Popen(
            [str(support.BUILD / "countersign"), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "COUNTERSIGN_URL": f"http://127.0.0.1:{self.gateway.port}",
                 "COUNTERSIGN_KEY" if secret is None else "COUNTERSIGN_TOKEN": secret or self.key})

    def ask(self, order, *options):
        process = self.start("request", "payments.refund", "--resource", f"order/{order}", "--subject", "user/alice", *options)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        def found():
            listed = self.gateway.ok("GET", "/v1/requests?inbox=true", secret=self.dana)["requests"]
            return [r for r in listed if r["resource"]["id"] == str(order)]
        return process, eventually(found, "it reaches the inbox")[0]["id"]

    def question(self, request, text):
        self.gateway.ok("POST", f"/v1/requests/{request}/comments", {"text": text}, self.dana)

    def answers(self, request):
        comments = self.gateway.ok("GET", f"/v1/requests/{request}/comments", secret=self.dana)["comments"]
        return [c["text"] for c in comments if c["by"] == "agent"]

    def test_a_blocked_command_prints_the_question_and_another_answers_it(self):
        process, request = self.ask(1)
        process.stderr.readline()  # waiting
        self.question(request, "Which ticket?")
        self.assertEqual("question from dana: Which ticket?\n", process.stderr.readline())
        self.assertEqual(f"answer with: countersign answer {request} TEXT\n", process.stderr.readline())
        said = self.start("answer", request, "T-1")
        self.assertEqual(("", 0), (said.communicate()[1], said.returncode))
        self.assertEqual(["T-1"], self.answers(request))
        asked = self.start("comment", request, "And the customer?", secret=self.dana)
        self.assertEqual(("", 0), (asked.communicate()[1], asked.returncode))
        self.assertEqual("question from dana: And the customer?\n", process.stderr.readline())
        self.gateway.vote(self.dana, request)
        out, err = process.communicate(timeout=30)
        self.assertEqual(0, process.returncode, err)

    def test_a_command_of_the_agents_answers_by_itself(self):
        process, request = self.ask(2, "--on-question", 'echo "you asked: $COUNTERSIGN_QUESTION"')
        self.question(request, "Why; `true`?")
        eventually(lambda: self.answers(request) == ["you asked: Why; `true`?"], "it is answered")
        self.gateway.vote(self.dana, request, "deny")
        process.communicate(timeout=30)
        self.assertEqual(3, process.returncode)

    def test_a_command_that_fails_answers_nothing(self):
        process, request = self.ask(3, "--on-question", "exit 3")
        self.question(request, "Why?")
        for line in process.stderr:
            if "gave no answer" in line:
                break
        self.assertEqual([], self.answers(request))
        self.gateway.vote(self.dana, request, "deny")
        process.communicate(timeout=30)

    def test_a_call_that_waits_is_answered_by_a_question(self):
        asked = self.gateway.submit(self.key, resource="order/4", want=(202,))
        path = f"/v1/requests/{asked['id']}"
        answers = []
        waiter = threading.Thread(target=lambda: answers.append(
            self.gateway.ok("GET", path, None, self.key, headers={"Prefer": "wait=60"}, want=(202,))))
        before = self.gateway.metric("countersign_waiters_parked")
        waiter.start()
        eventually(lambda: self.gateway.metric("countersign_waiters_parked") > before, "it is parked")
        self.question(asked["id"], "Why?")
        waiter.join(30)
        self.assertEqual("Why?", answers[0]["question"]["text"])
        # Whoever waits again without an answer waits: it has been told.
        self.assertEqual(202, self.gateway.call("GET", path + "?seen=1", None, self.key, headers={"Prefer": "wait=1"}).status)

    def run_as(self, token, *words):
        process = self.start(*words, secret=token)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def test_a_person_at_a_terminal_sees_who_was_asked_who_is_on_it_and_repeats(self):
        first = self.gateway.submit(self.key, resource="order/5", args={"n": 1}, want=(202,))
        second = self.gateway.submit(self.key, resource="order/5", args={"n": 2}, want=(202,))
        self.assertEqual(0, self.run_as(self.dana, "watch", first["id"])[0])
        out = self.run_as(self.dana, "show", first["id"])[1]
        self.assertRegex(out, r"asked +oncall since 20")
        self.assertRegex(out, r"watching +dana is on it until 20")
        self.assertRegex(out, r"repeats +2 are pending")
        self.assertIn("no longer", self.run_as(self.dana, "watch", first["id"], "--stop")[1])
        self.assertNotIn("watching", self.run_as(self.dana, "show", first["id"])[1])
        # It was shown, and that is noted.
        shown = self.gateway.show(self.dana, first["id"])
        self.assertIn("viewed_at", shown["dwell"])
        self.assertNotIn("viewed_at", self.gateway.show(self.dana, second["id"])["dwell"])
        self.gateway.advance(5)
        self.assertEqual(0, self.run_as(self.dana, "approve", first["id"], "--digest", shown["digest"], "--yes")[0])
        self.assertNotIn("quick", self.gateway.show(self.dana, first["id"])["votes"][0])
        self.gateway.vote(self.dana, second["id"])
        self.assertTrue(self.gateway.show(self.dana, second["id"])["votes"][0]["quick"])

    def test_a_person_at_a_terminal_edits(self):
        asked = self.gateway.submit(self.key, resource="order/6", args={"n": 1}, want=(202,))
        status, out, err = self.run_as(self.dana, "edit", asked["id"], "--args", '{"n":2}', "--digest", asked["digest"], "--yes",
                                       "--reason", "two")
        self.assertEqual((0, ""), (status, err))
        self.assertIn("revision 2", out)
        out = self.run_as(self.dana, "show", asked["id"])[1]
        self.assertIn("edited by dana, revision 2: two", out)
        self.assertIn("/n: 1 -> 2", out)
        self.gateway.vote(self.dana, asked["id"], "deny")


CRITICAL = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { groups: [oncall], timeout: 30m } }
tools:
  bank.pay: { args: { amount: number, to: string }, show: [to, amount], challenge: [to, amount] }
rules:
  - name: pay
    match: { action: bank.pay }
    verdict: require_approval
    risk: critical
    approval: { groups: [oncall], assurance: session, timeout: 1h }
"""


class Challenge(unittest.TestCase):
    def test_who_approves_a_critical_request_retypes_what_it_is_about(self):
        with Gateway(policy=CRITICAL) as gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key, action="bank.pay", args={"amount": 125.5, "to": "acct-4471"}, want=(202,))
            shown = gateway.show(dana, asked["id"])
            self.assertEqual((["to", "amount"], ["to", "amount"]), (shown["show"], shown["challenge"]))
            refused = gateway.vote(dana, asked["id"], want=(400,))
            self.assertEqual("retype_missing", refused["code"])
            refused = gateway.vote(dana, asked["id"], want=(400,), retyped={"to": "acct-4471", "amount": "125"})
            self.assertEqual("retype_mismatch", refused["code"])
            command = [str(support.BUILD / "countersign"), "approve", asked["id"], "--digest", asked["digest"], "--yes",
                       "--retype", "to=acct-4471", "--retype", "amount=125.5"]
            environment = {"PATH": os.environ["PATH"], "COUNTERSIGN_URL": f"http://127.0.0.1:{gateway.port}", "COUNTERSIGN_TOKEN": dana}
            run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)
            self.assertEqual((0, ""), (run.returncode, run.stderr))
            ended = gateway.show(dana, asked["id"])
            self.assertEqual(("approved", True), (ended["state"], ended["votes"][0]["retyped"]))
            run = subprocess.run([command[0], "show", asked["id"]], capture_output=True, text=True, env=environment, timeout=30)
            self.assertIn('facts       to: "acct-4471"\n            amount: 125.5\n', run.stdout)
