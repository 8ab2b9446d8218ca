"""npm's oidc-provider as the issuer of a workload's tokens: another's code signs, ours verifies by the keys it serves."""
import base64
import json
import shutil
import subprocess
import unittest
import urllib.parse
import urllib.request

from support.gateway import ROOT, Gateway, eventually

PACKAGES = ROOT / "web" / "node_modules"
AUDIENCE = "https://gate.example"
SECRET = "EXAMPLE-secret-of-a-workload-that-is-none"


class Issuer:
    def __init__(self):
        script = (ROOT / "tests" / "support" / "issuer.mjs").read_text()
        self.process = subprocess.Popen(["node", "--input-type=module", "-e", script, AUDIENCE, SECRET], cwd=ROOT / "web", text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.url = self._read()["issuer"]

    def _read(self):
        """The next line of JSON; the package prints warnings of its own between them."""
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise AssertionError(f"the issuer ended: {self.process.wait()}")

    def known(self, name):
        with urllib.request.urlopen(self.url + "/.well-known/openid-configuration", timeout=20) as answer:
            return json.load(answer)[name]

    def token(self, **more):
        form = {"grant_type": "client_credentials", "client_id": "billing", "scope": "ask", **more}
        basic = base64.b64encode(f"billing:{SECRET}".encode()).decode()
        asked = urllib.request.Request(self.known("token_endpoint"), urllib.parse.urlencode(form).encode(),
                                       {"Authorization": f"Basic {basic}"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.load(answer)["access_token"]

    def rotate(self):
        self.process.stdin.write("rotate\n")
        self.process.stdin.flush()
        return self._read()["kid"]

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@unittest.skipUnless(shutil.which("node") and (PACKAGES / "oidc-provider").exists(), "oidc-provider is not installed (npm ci in web/)")
class OidcPeers(unittest.TestCase):
    def setUp(self):
        self.issuer = Issuer()
        self.addCleanup(self.issuer.stop)
        self.gateway = Gateway(config=f"""
identity:
  audiences: ["{AUDIENCE}"]
  issuers:
    - name: provider
      issuer: "{self.issuer.url}"
      keys_url: {self.issuer.known("jwks_uri")}
      allow_http: true
      allow_networks: [127.0.0.0/8]
      algorithms: [ES256]
      types: [at+jwt]
      callers:
        - {{ match: {{ sub: billing, client_id: billing, scope: ask }}, caller: runner, agent: bot }}
""")
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.gateway.start()
        self.gateway.add_caller("runner")
        self.bob = self.gateway.add_person("bob", ["oncall"])
        self.first = self.issuer.token()
        eventually(lambda: self.status(self.first) == 201, "the keys are fetched and its token is taken")

    def status(self, token):
        body = {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "order", "id": "4711"}, "action": {"name": "order.get"}}
        return self.gateway.call("POST", "/v1/requests", body, token).status

    def refused(self, token, reason):
        self.gateway.log.clear()
        self.assertEqual(401, self.status(token))
        eventually(lambda: (self.gateway.logged("caller_refused") or {}).get("reason") == reason, f"the log says {reason}")

    def test_a_workload_asks_with_its_token_is_approved_and_redeems(self):
        asked = self.gateway.submit(self.first, want=(202,))
        self.gateway.vote(self.bob, asked["id"])
        shown = self.gateway.show(self.first, asked["id"])
        self.assertEqual("approved", shown["state"])
        later = self.issuer.token()  # another token of the same workload is the same caller
        self.assertNotEqual(self.first, later)
        redeemed = self.gateway.redeem(later, shown)
        self.assertIn("token", redeemed)
        self.gateway.redeem(later, shown, want=(409,))

    def test_a_token_for_somebody_else_is_refused(self):
        self.refused(self.issuer.token(resource="https://other.example"), "wrong_audience")
        self.assertEqual(201, self.status(self.issuer.token(resource=AUDIENCE)))

    def test_a_token_of_a_rotated_key_is_taken_once_the_keys_were_fetched_anew(self):
        self.assertEqual("key-2", self.issuer.rotate())
        token = self.issuer.token()
        self.refused(token, "unknown_key")  # which asks for a fetch, half a minute after the last
        self.assertEqual(201, self.status(self.first))
        self.gateway.advance(seconds=31)
        eventually(lambda: self.status(token) == 201, "the new key is fetched")
        self.refused(self.first, "unknown_key")


if __name__ == "__main__":
    unittest.main()
