"""A workload without an API key exchanges its grant, evaluates and asks: by the token of its own issuer."""
import json
import shutil
import time
import unittest
import urllib.parse

from support import jwt
from support.standard import Described
from support.workload import Key

POLICY = """
version: 1
defaults: { verdict: deny, risk: low }
rules:
  - { name: read, match: { action: bucket.read }, verdict: allow, grant: { audience: [payments] } }
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def config(folder):
    return f"""
exchange: [{{ audience: payments }}]
identity:
  audiences: ["https://gate.example"]
  issuers:
    - name: cluster
      issuer: "https://issuer.example"
      keys_file: {folder}/jwks.json
      algorithms: [ES256]
      callers: [{{ match: {{ sub: billing }}, caller: runner, agent: bot }}]
"""


@unittest.skipUnless(shutil.which("openssl"), "the openssl command is not installed")
class Workloads(unittest.TestCase):
    def setUp(self):
        self.gateway = Described(policy=POLICY, scripted=False)
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.signer = Key(self.gateway.folder, "ES256", "a")
        (self.gateway.folder / "jwks.json").write_text(json.dumps({"keys": [self.signer.jwk()]}))
        self.gateway.extra_config = config(self.gateway.folder)
        self.gateway.start()
        self.gateway.add_caller("runner", audiences=["payments"])

    def token(self, **more):
        now = int(time.time())
        return self.signer.token({"iss": "https://issuer.example", "sub": "billing", "aud": "https://gate.example", "iat": now,
                                  "exp": now + 300, **more})

    def exchange(self, secret, grant, **more):
        body = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": "payments", "subject_token": grant,
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", **more}
        return self.gateway.call("POST", "/oauth/token", urllib.parse.urlencode(body), secret, FORM)

    def test_its_token_is_its_credential_at_every_standard_door(self):
        mine = self.token()
        action = {"name": "bucket.read"}
        asked = {"subject": {"type": "user", "id": "alice"}, "action": action, "resource": {"type": "bucket", "id": "a"}}
        # The rule names an audience, which the caller of an evaluation must serve too.
        self.assertEqual({"decision": True}, self.gateway.ok("POST", "/access/v1/evaluation", asked, mine))
        grant = self.gateway.ok("POST", "/v1/requests", {**asked, "audience": "payments"}, mine)["grant"]["token"]
        expired = self.exchange(self.token(exp=int(time.time()) - 100, iat=int(time.time()) - 400), grant)
        self.assertEqual((401, "invalid_client"), (expired.status, expired.json["error"]))
        other = self.exchange(mine, grant, client_id="somebody")
        self.assertEqual((401, "invalid_client"), (other.status, other.json["error"]))
        answer = self.exchange(mine, grant, client_id="runner")
        self.assertEqual(200, answer.status, answer)
        claims = jwt.verify(answer.json["access_token"], self.gateway.ok("GET", "/jwks.json"))
        self.assertEqual(("payments", "bot"), (claims["aud"], claims["agent"]))
        got = self.gateway.call("POST", "/oauth/introspect", urllib.parse.urlencode({"token": answer.json["access_token"]}), mine, FORM)
        self.assertTrue(got.json["active"])


if __name__ == "__main__":
    unittest.main()
