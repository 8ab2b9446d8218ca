"""Every reason for which a grant does not redeem, reached through the HTTP API: by token, and as an OAuth client."""
import unittest
import urllib.parse

from support.gateway import eventually
from support.standard import Described

POLICY = """
version: 1
defaults: { verdict: deny, risk: low, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
rules:
  - name: refunds
    match: { action: payments.refund }
    verdict: VERDICT
    grant: { ttl: 60s, claim_within: 10m, audience: [payments, closed] }
  - name: closed
    match: { action: payments.own }
    verdict: allow
    grant: { bearer: false }
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
STATUS = {"unknown_grant": 404, "args_mismatch": 403, "wrong_audience": 403, "wrong_holder": 403, "policy_changed": 403, "frozen": 403,
          "expired": 409, "superseded_token": 409, "already_redeemed": 409, "revoked": 409, "lapsed": 409}


class Refusals(unittest.TestCase):
    """Each test brings about one refusal; the last asks whether none was left out."""
    seen = set()

    def setUp(self):
        self.gateway = Described(policy=POLICY.replace("VERDICT", "allow"),
                                 config="exchange: [{ audience: payments }, { audience: closed }]\n").start()
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.key = self.gateway.add_caller("runner", audiences=["payments"])
        self.dana = self.gateway.add_person("dana", ["oncall"])
        self.count = 0

    def grant(self, audience="payments", action="payments.refund"):
        self.count += 1
        return self.gateway.submit(self.key, action=action, args={"n": self.count}, want=(201,), **({"audience": audience} if audience else {}))

    def exchange(self, shown, key=None, token=None):
        body = {"grant_type": EXCHANGE, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "subject_token": token or shown["grant"]["token"], "audience": "payments"}
        return self.gateway.call("POST", "/oauth/token", urllib.parse.urlencode(body), key or self.key, FORM)

    def refused(self, code, shown, key=None, token=None, args=None, exchanges=True):
        """Redeeming is refused for this reason, exchanging too, and both are entries."""
        got = self.gateway.redeem(key or self.key, shown, token=token, args=args, want=(STATUS[code],))
        self.assertEqual((code, f"urn:countersign:problem:{code}", STATUS[code]), (got["code"], got["type"], got["status"]))
        expected = 1
        if exchanges:
            answer = self.exchange(shown, key, token)
            self.assertEqual((400, code), (answer.status, answer.json["code"]), answer)
            expected = 2
        entries = self.gateway.entries("grant.refused", expected)
        self.assertEqual([code] * expected, [entry["data"]["reason"] for entry in entries])
        Refusals.seen.add(code)
        return got

    def publish(self, verdict):
        text = POLICY.replace("VERDICT", verdict)
        if verdict == "deny":
            text = text.replace("    grant: { ttl: 60s, claim_within: 10m, audience: [payments, closed] }\n", "")
        (self.gateway.folder / "policy" / "policy.yaml").write_text(text)
        self.gateway.admin("POST", "/v1/policies/reload")

    def test_unknown_grant(self):
        shown = self.grant()
        self.refused("unknown_grant", shown, token=shown["grant"]["token"][:-4] + "AAAA")

    def test_wrong_audience(self):
        self.refused("wrong_audience", self.grant(), key=self.gateway.add_caller("stranger"))

    def test_wrong_holder(self):
        """Where nobody may redeem for another, only the holder does, whoever serves the audience."""
        (self.gateway.folder / "policy" / "policy.yaml").write_text(POLICY.replace("VERDICT", "allow").replace("ttl: 60s", "bearer: false, ttl: 60s"))
        self.gateway.admin("POST", "/v1/policies/reload")
        self.refused("wrong_holder", self.grant(), key=self.gateway.add_caller("service", audiences=["payments"]))

    def test_already_redeemed(self):
        shown = self.grant()
        first = self.gateway.redeem(self.key, shown)
        got = self.refused("already_redeemed", shown)
        self.assertEqual((True, first["fence"]), (got["yours"], got["fence"]))
        other = self.gateway.redeem(self.gateway.add_caller("service", audiences=["payments"]), shown, want=(409,))
        self.assertEqual((False, True), (other["yours"], "fence" not in other))

    def test_frozen(self):
        shown = self.grant()
        self.gateway.admin("POST", "/v1/freezes", {"scope": "tenant", "reason": "drill"})
        self.refused("frozen", shown)

    def test_revoked(self):
        shown = self.grant()
        self.gateway.ok("POST", f"/v1/grants/{shown['grant']['id']}/revoke", {}, self.key)
        self.refused("revoked", shown)

    def test_lapsed(self):
        shown = self.grant()
        self.gateway.advance(seconds=10 * 60 + 1)
        eventually(lambda: self.gateway.show(self.key, shown["id"])["grant"]["state"] == "lapsed", "it lapses")
        self.refused("lapsed", shown)

    def test_superseded_token(self):
        shown = self.grant()
        self.gateway.show(self.key, shown["id"])
        self.refused("superseded_token", shown)

    def test_expired(self):
        shown = self.grant()
        self.gateway.advance(seconds=61)
        self.refused("expired", shown)

    def test_args_mismatch(self):
        self.refused("args_mismatch", self.grant(), args={"n": 99}, exchanges=False)

    def test_policy_changed(self):
        shown = self.grant()
        self.publish("deny")
        self.refused("policy_changed", shown)

    def test_policy_changed_where_nobody_voted(self):
        shown = self.grant()
        self.publish("require_approval")
        self.refused("policy_changed", shown)

    def test_z_none_was_left_out(self):
        names = {name.removeprefix("test_") for name in dir(self) if name.startswith("test_") and name.removeprefix("test_") in STATUS}
        self.assertEqual(set(STATUS), names, "each reason has its test")
        if len(self.seen) > 1:
            self.assertEqual(set(STATUS), self.seen)


if __name__ == "__main__":
    unittest.main()
