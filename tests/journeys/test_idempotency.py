"""Idempotency-Key on calls that create or change, and what a client that sends too much is told."""
import unittest

from support.gateway import Gateway


def key(text):
    return {"Idempotency-Key": text}


class Keys(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway().start()
        self.addCleanup(self.gateway.__exit__, None, None, None)

    def problem(self, answer, status, code):
        self.assertEqual((status, code), (answer.status, answer.json["code"]), answer)

    def host(self, path, body, headers):
        return self.gateway.call("POST", path, body, host=True, headers=headers)

    def test_what_makes_something_new_is_made_once(self):
        self.gateway.add_caller()
        for path, body, other in (("/v1/agents", {"name": "a"}, {"name": "b"}), ("/v1/callers", {"name": "c", "agents": ["a"]}, {"name": "d"}),
                                  ("/v1/people", {"name": "dana"}, {"name": "omar"}), ("/v1/keys", {"caller": "runner"}, {"caller": "c"}),
                                  ("/v1/tokens", {"person": "dana"}, {"person": "omar"}),
                                  ("/v1/freezes", {"scope": "agent", "target": "a", "reason": "drill"}, {"scope": "tenant", "reason": "drill"}),
                                  ("/v1/signing-keys", {"algorithm": "ES256"}, {"algorithm": "RS256"})):
            with self.subTest(path):
                first = self.host(path, body, key(f"k{path}"))
                self.assertEqual(201, first.status, first)
                self.problem(self.host(path, body, key(f'"k{path}"')), 409, "already_done")
                self.problem(self.host(path, other, key(f"k{path}")), 422, "idempotency_mismatch")
        self.assertEqual(2, len([one for one in self.gateway.admin("GET", "/v1/credentials?owner=runner")["credentials"]
                                 if one["id"].startswith("key_")]))
        self.assertEqual(1, len(self.gateway.admin("GET", "/v1/freezes")["freezes"]))

    def test_the_same_change_again_finds_what_it_did(self):
        caller, dana = self.gateway.add_caller(), self.gateway.add_person("dana", ["oncall"])
        request = self.gateway.submit(caller)
        shown = self.gateway.show(dana, request["id"])
        vote = {"vote": "approve", "revision": 1, "digest": shown["digest"]}
        path = f"/v1/requests/{request['id']}/votes"
        for _ in range(2):
            self.assertEqual(200, self.gateway.call("POST", path, vote, dana, key("v")).status)
        self.problem(self.gateway.call("POST", path, {**vote, "vote": "deny"}, dana, key("v")), 422, "idempotency_mismatch")
        ready = self.gateway.show(caller, request["id"])
        body = {"token": ready["grant"]["token"], "action": ready["action"], "resource": ready["resource"]}
        first = self.gateway.call("POST", "/v1/grants/redeem", body, caller, key("r"))
        again = self.gateway.call("POST", "/v1/grants/redeem", body, caller, key("r"))
        self.assertEqual((200, 409, True, first.json["fence"]), (first.status, again.status, again.json["yours"], again.json["fence"]))
        self.problem(self.gateway.call("POST", "/v1/grants/redeem", {**body, "token": "x"}, caller, key("r")), 422, "idempotency_mismatch")

    def test_keys_are_ones_own_of_one_endpoint_and_last_a_day(self):
        caller, dana = self.gateway.add_caller(), self.gateway.add_person("dana", ["oncall"], admin=True)
        omar = self.gateway.add_person("omar", ["oncall"], admin=True)
        freeze = {"scope": "agent", "target": "bot", "reason": "drill"}
        self.assertEqual(201, self.gateway.call("POST", "/v1/freezes", freeze, dana, key("k")).status)
        self.assertEqual(201, self.gateway.call("POST", "/v1/freezes", freeze, omar, key("k")).status)
        self.problem(self.gateway.call("POST", "/v1/freezes", freeze, dana, key("k")), 409, "already_done")
        self.problem(self.gateway.call("POST", "/v1/freezes", {**freeze, "reason": "other"}, dana, key("k")), 422, "idempotency_mismatch")
        other = self.gateway.call("POST", "/v1/agents", {"name": "other"}, dana, key("k"))
        self.problem(other, 422, "idempotency_mismatch")
        self.gateway.call("POST", "/v1/requests", {}, caller, key("k"))
        self.problem(self.gateway.call("POST", "/v1/freezes", freeze, dana, key('a"b')), 400, "bad_idempotency_key")

    def test_a_call_that_was_refused_did_not_use_its_key(self):
        self.problem(self.host("/v1/keys", {"caller": "nobody"}, key("k")), 404, "unknown_caller")
        self.gateway.add_caller("nobody")
        self.assertEqual(201, self.host("/v1/keys", {"caller": "nobody"}, key("k")).status)

    def test_a_key_survives_a_restart(self):
        self.assertEqual(201, self.host("/v1/agents", {"name": "a"}, key("k")).status)
        self.gateway.restart()
        self.problem(self.host("/v1/agents", {"name": "a"}, key("k")), 409, "already_done")


class Rates(unittest.TestCase):
    def test_who_sends_too_much_is_told_the_quota(self):
        with Gateway(config="limits: { requests_per_second: 2 }\n") as gateway:
            secret = gateway.add_caller()
            answers = [gateway.call("GET", "/v1/me", secret=secret) for _ in range(6)]
            refused = [answer for answer in answers if answer.status == 429]
            self.assertTrue(refused)
            for answer in refused:
                self.assertEqual(('"requests";q=2;w=1', '"requests";r=0;t=1', "1", "rate_limited"),
                                 (answer.headers["RateLimit-Policy"], answer.headers["RateLimit"], answer.headers["Retry-After"],
                                  answer.json["code"]))


if __name__ == "__main__":
    unittest.main()
