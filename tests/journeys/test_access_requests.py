"""AuthZEN Access Request and Approval Profile, draft 1: denied, asked for, approved, evaluated again."""
import unittest

from support.gateway import POLICY
from support.standard import Described

ERROR = "urn:openid:authzen:access-request:error:"


def refund(order="4711", amount=125, **more):
    return {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "order", "id": order},
            "action": {"name": "payments.refund", "properties": {"args": {"amount": amount}}},
            "context": {"env": "prod"}, **more}


class AccessRequests(unittest.TestCase):
    def setUp(self):
        self.gateway = Described(config="issuer: https://pdp.example\n").start()
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.key = self.gateway.add_caller()
        self.dana = self.gateway.add_person("dana", ["oncall"])

    def evaluate(self, body, secret=None):
        return self.gateway.ok("POST", "/access/v1/evaluation", body, secret or self.key)

    def denial(self, body):
        context = self.evaluate(body)["context"]
        return {"evaluation_id": context["evaluation_id"], "expires_at": context["access_request"]["expires_at"]}

    def ask(self, body, secret=None, headers=None):
        return self.gateway.call("POST", "/access/v1/requests", body, secret or self.key, headers)

    def path(self, task):
        self.assertTrue(task["status_endpoint"].startswith("https://pdp.example/access/v1/requests/arq_"))
        return task["status_endpoint"].removeprefix("https://pdp.example")

    def requests(self):
        return self.gateway.ok("GET", "/v1/requests", secret=self.key)["requests"]

    def publish(self, verdict):
        """The same policy, but refunds are decided without people."""
        asks = "    verdict: require_approval\n    approval: { groups: [oncall], timeout: 15m }"
        self.assertIn(asks, POLICY)
        (self.gateway.folder / "policy" / "policy.yaml").write_text(POLICY.replace(asks, f"    verdict: {verdict}", 1))
        self.gateway.admin("POST", "/v1/policies/reload")

    def assert_problem(self, answer, status, kind):
        self.assertEqual((status, ERROR + kind, kind), (answer.status, answer.json["type"], answer.json["code"]), answer)

    def approved(self, body):
        """A task that a person approved, and its approval."""
        task = self.ask({**body, "denial": self.denial(body)}).json["task"]
        self.gateway.vote(self.dana, self.requests()[0]["id"])
        return self.gateway.ok("GET", self.path(task), secret=self.key)["result"]["approval"]

    def test_denied_asked_for_approved_and_evaluated_again_once(self):
        body = refund()
        first = self.evaluate(body)
        self.assertEqual((False, "approval_required"), (first["decision"], first["context"]["reason"]))
        self.assertEqual("https://pdp.example/access/v1/requests", first["context"]["access_request"]["endpoint"])
        asked = {**body, "context": {"env": "prod", "business_justification": "the parcel was lost"},
                 "denial": {"evaluation_id": first["context"]["evaluation_id"],
                            "expires_at": first["context"]["access_request"]["expires_at"]}}
        answer = self.ask(asked)
        task = answer.json["task"]
        self.assertEqual((202, "pending", self.path(task)), (answer.status, task["status"], answer.headers["Location"]))
        self.assertNotIn("result", answer.json)
        shown = self.gateway.show(self.dana, self.requests()[0]["id"])
        self.assertEqual(("the parcel was lost", {"env": "prod"}), (shown["why"], shown["context"]),
                         "what was added on the way is told, and not bound")
        self.gateway.vote(self.dana, shown["id"])
        done = self.gateway.ok("GET", self.path(task), secret=self.key)
        self.assertEqual(("approved", "reevaluate"), (done["task"]["status"], done["result"]["mode"]))
        again = {**body, "context": {"env": "prod", "approval": done["result"]["approval"]}}
        for _ in range(2):
            self.assertEqual("approval_required", self.evaluate(body)["context"]["reason"], "no approval, nothing used")
        yes = self.evaluate(again)
        self.assertTrue(yes["decision"])
        redemption = yes["context"]["urn:countersign:redemption"]
        self.assertEqual(redemption["grant"], yes["context"]["approval"]["id"])
        no = self.evaluate(again)
        self.assertEqual((False, "approval_expired", "request"),
                         (no["decision"], no["context"]["reason"], no["context"]["next_action"]))
        self.assertIn("access_request", no["context"])
        self.gateway.ok("POST", f"/v1/grants/{redemption['grant']}/effect", {"effect": "succeeded"}, self.key)
        redeemed = self.gateway.entries("grant.redeemed", 1)[0]["data"]
        self.assertEqual(("evaluation", 0), (redeemed["how"], redeemed["mint"]))

    def test_an_approval_is_for_exactly_what_was_approved_and_for_who_asked(self):
        body = refund()
        approval = self.approved(body)
        other = self.gateway.add_caller("other", agents=["stranger"])
        cases = [({**refund(amount=126)}, self.key, "out_of_scope", "request"),
                 ({**refund(order="4712")}, self.key, "out_of_scope", "request"),
                 ({**refund(), "context": {"env": "test"}}, self.key, "out_of_scope", "request"),
                 ({**refund(), "context": {}}, self.key, "out_of_scope", "request"),
                 (body, other, "approval_unverifiable", "none")]
        for asked, secret, reason, next_action in cases:
            asked = {**asked, "context": {**asked["context"], "approval": approval}}
            got = self.evaluate(asked, secret)
            self.assertEqual((False, reason, next_action),
                             (got["decision"], got["context"]["reason"], got["context"]["next_action"]), asked)
        unknown = {**body, "context": {"env": "prod", "approval": {**approval, "id": "grt_" + "0" * 26}}}
        self.assertEqual("approval_unverifiable", self.evaluate(unknown)["context"]["reason"])
        extra = {**body, "context": {"env": "prod", "trace": "t", "approval": approval}}
        self.assertTrue(self.evaluate(extra)["decision"], "a member that was not evaluated before is not compared")

    def test_an_approval_ends_with_time_revocation_freeze_and_policy(self):
        lapsed = self.approved(refund("1"))
        self.gateway.advance(seconds=20 * 60)
        again = lambda order, approval: self.evaluate({**refund(order), "context": {"env": "prod", "approval": approval}})
        self.assertEqual("approval_expired", again("1", lapsed)["context"]["reason"])
        revoked, frozen = (self.approved(refund(order)) for order in ("2", "3"))
        self.gateway.ok("POST", f"/v1/grants/{revoked['id']}/revoke", {}, self.key)
        self.assertEqual("approval_expired", again("2", revoked)["context"]["reason"])
        freeze = self.gateway.admin("POST", "/v1/freezes", {"scope": "tenant", "reason": "drill"})
        got = again("3", frozen)["context"]
        self.assertEqual(("frozen", "none"), (got["reason"], got["next_action"]))
        self.gateway.admin("POST", f"/v1/freezes/{freeze['id']}/thaw")
        now = self.approved(refund("5"))
        self.publish("deny")
        got = again("5", now)["context"]
        self.assertEqual(("policy_denied", "none"), (got["reason"], got["next_action"]))
        self.assertNotIn("access_request", got)

    def test_denied_and_withdrawn_tasks_are_told_apart(self):
        tasks = []
        for order in ("1", "2", "3"):
            body = refund(order)
            tasks.append(self.path(self.ask({**body, "denial": self.denial(body)}).json["task"]))
        newest = [request["id"] for request in self.requests()]
        self.gateway.vote(self.dana, newest[2], "deny")
        cancelled = self.gateway.ok("POST", tasks[1] + "/cancel", {"reason": "not needed"}, self.key)
        self.assertEqual("cancelled", cancelled["task"]["status"])
        self.assert_problem(self.gateway.call("POST", tasks[1] + "/cancel", {}, self.key), 409, "invalid_task_state")
        self.gateway.advance(seconds=16 * 60)
        states = []
        for path in tasks:
            self.gateway.show(self.key, newest[0])
            states.append(self.gateway.ok("GET", path, secret=self.key))
        self.assertEqual(["denied", "cancelled"], [state["task"]["status"] for state in states[:2]])
        self.assertFalse(any("result" in state for state in states))
        other = self.gateway.add_caller("other")
        for method, path in (("GET", tasks[0]), ("POST", tasks[0] + "/cancel"), ("GET", "/access/v1/requests/arq_" + "0" * 26)):
            self.assert_problem(self.gateway.call(method, path, secret=other), 404, "unknown_task")

    def test_several_things_are_one_task(self):
        bodies = [refund(order) for order in ("1", "2")]
        common = {"subject": bodies[0]["subject"], "context": {"env": "prod"}}
        items = [{"resource": body["resource"], "action": body["action"], "denial": self.denial(body)} for body in bodies]
        answer = self.ask({**common, "items": items})
        self.assertEqual(202, answer.status)
        path = self.path(answer.json["task"])
        first, second = (request["id"] for request in reversed(self.requests()))
        self.gateway.vote(self.dana, first)
        task = self.gateway.ok("GET", path, secret=self.key)["task"]
        self.assertEqual(("pending", ["approved", "pending"]), (task["status"], [item["status"] for item in task["items"]]))
        self.gateway.vote(self.dana, second, "deny")
        task = self.gateway.ok("GET", path, secret=self.key)["task"]
        self.assertEqual(("partial", ["approved", "denied"]), (task["status"], [item["status"] for item in task["items"]]))
        self.assertEqual([bodies[0]["resource"], bodies[1]["resource"]], [item["resource"] for item in task["items"]])
        approval = task["items"][0]["result"]["approval"]
        self.assertTrue(self.evaluate({**bodies[0], "context": {"env": "prod", "approval": approval}})["decision"])
        self.assert_problem(self.ask({**common, "items": items}), 400, "invalid_denial_binding")

    def test_what_policy_allows_meanwhile_is_approved_at_once(self):
        body = refund()
        denial = self.denial(body)
        self.publish("allow")
        answer = self.ask({**body, "denial": denial})
        self.assertEqual((201, "approved"), (answer.status, answer.json["task"]["status"]))
        self.assertEqual("reevaluate", answer.json["result"]["mode"])

    def test_a_retry_finds_the_same_task(self):
        body = refund()
        asked = {**body, "denial": self.denial(body)}
        first = self.ask(asked, headers={"Idempotency-Key": "k-1"}).json["task"]["id"]
        same = dict(reversed(asked.items()))
        for headers, sent in (({"Idempotency-Key": '"k-1"'}, same), ({}, asked)):
            self.assertEqual(first, self.ask(sent, headers=headers).json["task"]["id"])
        self.assert_problem(self.ask({**asked, "client": {"id": "x"}}, headers={"Idempotency-Key": "k-1"}), 409, "duplicate_request")
        self.assertEqual(first, self.ask({**body, "denial": self.denial(body)}).json["task"]["id"], "the same is pending already")
        self.assertEqual(1, len(self.requests()))

    def test_a_denial_must_be_ours_fresh_and_of_this(self):
        body = refund()
        denial = self.denial(body)
        other = self.gateway.add_caller("other")
        self.assert_problem(self.ask({**refund(amount=9), "denial": denial}), 400, "invalid_denial_binding")
        self.assert_problem(self.ask({**body, "context": {}, "denial": denial}), 400, "invalid_denial_binding")
        self.assert_problem(self.ask({**body, "denial": denial}, other), 400, "invalid_denial_binding")
        self.assert_problem(self.ask({**body, "denial": {**denial, "evaluation_id": "evl_" + "0" * 26}}), 400, "invalid_denial_binding")
        denied = self.evaluate({**refund(), "action": {"name": "x.delete"}})["context"]
        self.assertNotIn("access_request", denied)
        self.assert_problem(self.ask({**refund(), "action": {"name": "x.delete"},
                                      "denial": {**denial, "evaluation_id": denied["evaluation_id"]}}), 400, "invalid_denial_binding")
        for wrong, code in (({"denial": None}, "missing_member"), ({"denial": {"evaluation_id": "evl_1"}}, "missing_member"),
                            ({"callback": {"endpoint": "https://x.example"}}, "callback_not_offered"),
                            ({"items": []}, "wrong_type"), ({"client": {"actor": {"id": "a", "act": {}}}}, "wrong_type")):
            answer = self.ask({**body, "denial": denial, **wrong})
            self.assertEqual((400, code), (answer.status, answer.json["code"]), wrong)
        self.gateway.advance(seconds=15 * 60)
        self.assert_problem(self.ask({**body, "denial": denial}), 410, "expired_denial")
        self.assertEqual([], self.requests())

    def test_the_agent_may_be_named_by_subject_or_client(self):
        key = self.gateway.add_caller("two", agents=["bot", "batch"])
        body = refund()
        acting = {**body, "subject": {**body["subject"], "properties": {"act": {"sub": "batch"}}}}
        context = self.evaluate(acting, key)["context"]
        denial = {"evaluation_id": context["evaluation_id"], "expires_at": context["access_request"]["expires_at"]}
        # The actor moved to `client`, as ARAP has it: `act` is no part of what is bound.
        plain = {**body, "subject": {**body["subject"], "properties": {}}, "denial": denial}
        answer = self.gateway.call("POST", "/access/v1/requests", {**acting, "denial": denial, "client": {"actor": {"id": "bot"}}}, key)
        self.assertEqual((400, "wrong_type"), (answer.status, answer.json["code"]))
        task = self.gateway.ok("POST", "/access/v1/requests", {**plain, "client": {"actor": {"id": "batch"}}}, key)["task"]
        request = self.gateway.ok("GET", "/v1/requests", secret=key)["requests"][0]
        self.assertEqual("batch", request["agent"])
        self.gateway.vote(self.dana, request["id"])
        approval = self.gateway.ok("GET", self.path(task), secret=key)["result"]["approval"]
        other = {**acting, "subject": {**acting["subject"], "properties": {"act": {"sub": "bot"}}}}
        got = self.evaluate({**other, "context": {"env": "prod", "approval": approval}}, key)
        self.assertEqual("out_of_scope", got["context"]["reason"], "another agent's approval")
        self.assertTrue(self.evaluate({**acting, "context": {"env": "prod", "approval": approval}}, key)["decision"])


if __name__ == "__main__":
    unittest.main()
