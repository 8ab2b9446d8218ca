"""npm's openid-client as an OAuth client of ours, and npm's jose as the reader of our tokens: others' code, not ours."""
import json
import shutil
import subprocess
import unittest

from support.gateway import ROOT
from support.standard import Described

PACKAGES = ROOT / "web" / "node_modules"
POLICY = """
version: 1
defaults: { verdict: deny, risk: low }
rules:
  - { name: read, match: { action: bucket.read }, verdict: allow, grant: { audience: [payments, cloud] } }
"""
CONFIG = "exchange: [{ audience: payments }, { audience: cloud, algorithm: RS256 }]\n"
CLIENT = """
import { Issuer } from 'openid-client'
const i = JSON.parse(process.argv[1])
const metadata = JSON.parse((await (await fetch(i.base + '/.well-known/oauth-authorization-server')).text()).replaceAll(i.issuer, i.base))
const client = new (new Issuer(metadata)).Client({ client_id: 'runner', client_secret: i.secret, token_endpoint_auth_method: i.method })
const jwt = 'urn:ietf:params:oauth:token-type:jwt', out = {}
const exchange = token => client.grant({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: token,
  subject_token_type: jwt, audience: 'payments' })
out.before = await client.introspect(i.tokens[0])
out.exchanged = await exchange(i.tokens[0])
out.after = await client.introspect(i.tokens[0])
out.token = await client.introspect(out.exchanged.access_token)
try { await exchange(i.tokens[0]) } catch (e) { out.again = [e.error, e.error_description] }
await client.revoke(i.tokens[1])
out.revoked = await client.introspect(i.tokens[1])
try { await exchange(i.tokens[1]) } catch (e) { out.refused = e.error }
const other = new (new Issuer(metadata)).Client({ client_id: 'runner', client_secret: 'csk_' + 'A'.repeat(43), token_endpoint_auth_method: i.method })
try { await other.introspect(i.tokens[0]) } catch (e) { out.stranger = e.error }
console.log(JSON.stringify(out))
"""
READER = """
import { createRemoteJWKSet, jwtVerify } from 'jose'
const i = JSON.parse(process.argv[1])
const keys = createRemoteJWKSet(new URL(i.base + '/jwks.json'))
const out = []
for (const [token, typ, audience] of i.tokens) {
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: i.issuer, audience, typ })
  out.push([protectedHeader.alg, payload.authorization_details[0].actions[0], payload.txn])
}
console.log(JSON.stringify(out))
"""


class Peers(unittest.TestCase):
    def setUp(self):
        self.gateway = Described(policy=POLICY, config=CONFIG, scripted=False).start()
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.key = self.gateway.add_caller("runner", audiences=["payments", "cloud"])

    def grant(self, number, audience="payments"):
        return self.gateway.submit(self.key, action="bucket.read", args={"n": number}, audience=audience, want=(201,))

    def run_node(self, script, **given):
        given = {"base": f"http://127.0.0.1:{self.gateway.port}", "issuer": "http://localhost:8080", **given}
        run = subprocess.run(["node", "--input-type=module", "-e", script, json.dumps(given)], capture_output=True, text=True, timeout=60,
                             cwd=ROOT / "web")
        self.assertEqual(0, run.returncode, run.stderr)
        return json.loads(run.stdout)

    @unittest.skipUnless(shutil.which("node") and (PACKAGES / "openid-client").exists(), "openid-client is not installed (npm ci in web/)")
    def test_openid_client_exchanges_introspects_and_revokes(self):
        for number, method in enumerate(("client_secret_basic", "client_secret_post")):
            with self.subTest(method):
                grants = [self.grant(10 * number + step) for step in range(2)]
                got = self.run_node(CLIENT, secret=self.key, method=method, tokens=[one["grant"]["token"] for one in grants])
                self.assertEqual((True, False, True, False), tuple(got[name]["active"] for name in ("before", "after", "token", "revoked")))
                self.assertEqual(("Bearer", grants[0]["id"]), (got["exchanged"]["token_type"], got["token"]["txn"]))
                self.assertEqual("invalid_request", got["again"][0])
                self.assertIn("redeemed before", got["again"][1])
                self.assertEqual(("invalid_request", "invalid_client"), (got["refused"], got["stranger"]))

    @unittest.skipUnless(shutil.which("node") and (PACKAGES / "jose").exists(), "jose is not installed (npm ci in web/)")
    def test_jose_reads_every_kind_of_token(self):
        import urllib.parse
        shown, exchanged = self.grant(1), self.grant(2, "cloud")
        body = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": "cloud",
                "subject_token": exchanged["grant"]["token"], "subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}
        token = self.gateway.call("POST", "/oauth/token", urllib.parse.urlencode(body), self.key,
                                  {"Content-Type": "application/x-www-form-urlencoded"}).json["access_token"]
        grant = shown["grant"]["token"]
        redeemed = self.gateway.redeem(self.key, shown)["token"]
        got = self.run_node(READER, tokens=[[grant, "countersign-grant+jwt", "payments"], [redeemed, "countersign-redeemed+jwt", "payments"],
                                            [token, "countersign-exchange+jwt", "cloud"]])
        self.assertEqual([["ES256", "bucket.read", shown["id"]]] * 2 + [["RS256", "bucket.read", exchanged["id"]]], got)


if __name__ == "__main__":
    unittest.main()
