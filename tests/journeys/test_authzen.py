"""AuthZEN through real sockets: what an evaluation says, what it records, and that it consumes nothing."""
import json
import unittest

from support.standard import Described

ASK = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "orders.get"}, "resource": {"type": "order", "id": "1"}}


def asked(action="orders.get", resource="order/1", **more):
    kind, name = resource.split("/", 1)
    return {"subject": {"type": "user", "id": "alice"}, "action": {"name": action},
            "resource": {"type": kind, "id": name}, **more}


class Evaluation(unittest.TestCase):
    def evaluate(self, gateway, key, body, want=(200,)):
        return gateway.ok("POST", "/access/v1/evaluation", body, key, want=want)

    def test_policy_says_yes_no_or_ask_a_person_and_each_is_an_entry(self):
        with Described() as gateway:
            key = gateway.add_caller()
            self.assertEqual({"decision": True}, self.evaluate(gateway, key, asked()))
            denied = self.evaluate(gateway, key, asked("payments.refund", "payroll/may"))
            self.assertEqual((False, "policy_denied", "Payroll is changed by people only."),
                             (denied["decision"], denied["context"]["reason"], denied["context"]["message"]))
            needs = self.evaluate(gateway, key, asked("payments.refund"))
            self.assertEqual((False, "approval_required"), (needs["decision"], needs["context"]["reason"]))
            entries = gateway.entries("evaluated", 3)
            self.assertEqual(["allow", "deny", "require_approval"], [entry["data"]["verdict"] for entry in entries])
            self.assertEqual([denied["context"]["evaluation_id"], needs["context"]["evaluation_id"]],
                             [entry["data"]["evaluation"] for entry in entries[1:]])
            self.assertEqual([], gateway.ok("GET", "/v1/requests", secret=key)["requests"], "no request was made")

    def test_an_evaluation_consumes_nothing(self):
        with Described() as gateway:
            key, dana = gateway.add_caller(), gateway.add_person("dana", ["oncall"])
            request = gateway.submit(key)["id"]
            gateway.vote(dana, request)
            body = asked("payments.refund", "order/4711")
            body["action"]["properties"] = {"args": {"amount": 125}}
            for _ in range(3):
                self.assertEqual("approval_required", self.evaluate(gateway, key, body)["context"]["reason"])
            gateway.redeem(key, gateway.show(key, request))

    def test_a_batch_stops_where_its_semantic_says(self):
        with Described() as gateway:
            key = gateway.add_caller()
            items = [asked(), asked("x.delete"), asked(), asked("x.delete")]
            for semantic, decisions in (("execute_all", [True, False, True, False]), ("deny_on_first_deny", [True, False]),
                                        ("permit_on_first_permit", [True])):
                got = gateway.ok("POST", "/access/v1/evaluations",
                                 {"evaluations": items, "options": {"evaluations_semantic": semantic, "vendor": 1}}, key)
                self.assertEqual({"evaluations": [{"decision": decision} for decision in decisions]}, got)
            gateway.entries("evaluated", 7)  # what was not reached was not evaluated

    def test_what_is_wrong_with_an_item_is_its_own_no(self):
        with Described() as gateway:
            key = gateway.add_caller()
            other = asked()
            other["subject"] = {"type": "robot", "id": "r2"}
            got = gateway.ok("POST", "/access/v1/evaluations",
                             {"evaluations": [asked(), {"subject": 7}, "nothing", other, asked()]}, key)["evaluations"]
            self.assertEqual([True, False, False, False, True], [item["decision"] for item in got])
            self.assertEqual([400, 400, 403], [item["context"]["error"]["status"] for item in got[1:4]])
            for body, code in (({"evaluations": {}}, "wrong_type"), ({"evaluations": [{}] * 101}, "too_many"),
                               ({"evaluations": [{}], "options": {"evaluations_semantic": "all"}}, "wrong_type")):
                answer = gateway.call("POST", "/access/v1/evaluations", body, key)
                self.assertEqual((400, code), (answer.status, answer.json["code"]))

    def test_the_agent_is_one_the_caller_speaks_for(self):
        with Described() as gateway:
            key = gateway.add_caller("two", agents=["bot", "batch"])
            gateway.add_caller("other", agents=["stranger"])
            acting = lambda act: {**ASK, "subject": {"type": "user", "id": "alice", "properties": {"act": act}}}
            self.assertTrue(self.evaluate(gateway, key, acting({"sub": "batch"}))["decision"])
            for body, status, code in ((ASK, 400, "agent_ambiguous"), (acting({"sub": "stranger"}), 403, "agent_not_registered"),
                                       (acting({"sub": "bot", "act": {"sub": "x"}}), 400, "wrong_type"),
                                       (acting("bot"), 400, "wrong_type"), (acting({}), 400, "missing_member")):
                answer = gateway.call("POST", "/access/v1/evaluation", body, key)
                self.assertEqual((status, code), (answer.status, answer.json["code"]), body)
            self.assertEqual(["batch"], [entry["data"]["agent"] for entry in gateway.entries("evaluated", 1)])

    def test_a_freeze_and_a_denial_by_a_person_are_a_no(self):
        with Described() as gateway:
            key, dana = gateway.add_caller(), gateway.add_person("dana", ["oncall"])
            gateway.vote(dana, gateway.submit(key)["id"], "deny")
            body = asked("payments.refund", "order/4711")
            body["action"]["properties"] = {"args": {"amount": 125}}
            self.assertEqual("recently_denied", self.evaluate(gateway, key, body)["context"]["reason"])
            gateway.admin("POST", "/v1/freezes", {"scope": "tenant", "reason": "drill"})
            self.assertEqual("frozen", self.evaluate(gateway, key, asked())["context"]["reason"])

    def test_rules_that_name_who_may_use_it_mean_the_caller_too(self):
        policy = """
version: 1
defaults: { verdict: deny, risk: low }
rules:
  - { name: ship, match: { action: stock.ship }, verdict: allow, grant: { audience: [warehouse] } }
"""
        with Described(policy=policy) as gateway:
            stranger, warehouse = gateway.add_caller("a"), gateway.add_caller("b", audiences=["warehouse"])
            self.assertEqual("audience_not_allowed", self.evaluate(gateway, stranger, asked("stock.ship"))["context"]["reason"])
            self.assertTrue(self.evaluate(gateway, warehouse, asked("stock.ship"))["decision"])

    def test_only_callers_ask_and_only_in_json(self):
        with Described() as gateway:
            key, dana = gateway.add_caller(), gateway.add_person("dana")
            for secret, status, code in ((None, 401, "no_credential"), (dana, 403, "not_allowed")):
                answer = gateway.call("POST", "/access/v1/evaluation", ASK, secret)
                self.assertEqual((status, code), (answer.status, answer.json["code"]))
            answer = gateway.call("POST", "/access/v1/evaluation", json.dumps(ASK), key, {"Content-Type": "text/plain"})
            self.assertEqual((400, "wrong_media_type"), (answer.status, answer.json["code"]))

    def test_the_request_id_comes_back_as_it_was_sent(self):
        with Described() as gateway:
            key = gateway.add_caller()
            for sent in ("bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "a/b:c=d+e,f(\"g\")", "x" * 200):
                for body in (ASK, {}):
                    answer = gateway.call("POST", "/access/v1/evaluation", body, key, {"X-Request-ID": sent})
                    self.assertEqual(sent, answer.headers["X-Request-ID"])
            for sent in ("two words", "x" * 201, "\u00e9"):
                got = gateway.call("POST", "/access/v1/evaluation", ASK, key, {"X-Request-ID": sent}).headers["X-Request-ID"]
                self.assertTrue(got.startswith("rid_"), got)

    def test_the_metadata_names_what_is_offered(self):
        with Described(config="issuer: https://pdp.example\n") as gateway:
            found = gateway.ok("GET", "/.well-known/authzen-configuration")
            self.assertEqual("https://pdp.example", found["policy_decision_point"])
            self.assertEqual("https://pdp.example/access/v1/evaluation", found["access_evaluation_endpoint"])
            self.assertEqual([], [name for name in found if name.startswith("search")])


if __name__ == "__main__":
    unittest.main()
