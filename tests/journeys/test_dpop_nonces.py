"""Nonces in DPoP proofs (RFC 9449 sections 8 and 9), where the operator wants them: by hand, and by a client that others wrote."""
import json
import shutil
import subprocess
import unittest
import urllib.parse

from support.gateway import ROOT
from support.standard import Described
from support.workload import Key

ISSUER = "http://localhost:8080"
POLICY = """
version: 1
defaults: { verdict: deny, risk: low }
rules:
  - { name: read, match: { action: bucket.read }, verdict: allow, grant: { audience: [payments] } }
"""
CONFIG = "exchange: [{ audience: payments }]\n"
NONCES = CONFIG + "identity: { dpop_nonces: true }\n"
CLIENT = """
import { Issuer, custom } from 'openid-client'
import { generateKeyPairSync } from 'node:crypto'
import { Agent } from 'node:http'
import { connect } from 'node:net'
const i = JSON.parse(process.argv[1])
// It signs for the address that the gateway is known by, and connects to this test's port.
const agent = new Agent(), sent = []
agent.createConnection = () => connect(i.port, '127.0.0.1')
const client = new (new Issuer({ issuer: i.issuer, token_endpoint: i.issuer + '/oauth/token' })).Client({ client_id: 'runner', client_secret: i.secret })
client[custom.http_options] = (url, options) => { sent.push(options.headers.DPoP.split('.')[1]); return { ...options, agent } }
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, taken = []
for (const token of i.tokens) {
  const answer = await client.grant({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', audience: 'payments' }, { DPoP: key })
  taken.push(answer.issued_token_type)
}
const nonces = sent.map(claims => JSON.parse(Buffer.from(claims, 'base64url')).nonce ?? null)
console.log(JSON.stringify({ taken, nonces }))
"""


class Nonces(unittest.TestCase):
    def start(self, config, **more):
        self.gateway = Described(policy=POLICY, config=config, **more).start()
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.key = self.gateway.add_caller("runner", audiences=["payments"])
        self.holder = Key(self.gateway.folder)

    def grant(self, number):
        return self.gateway.submit(self.key, action="bucket.read", args={"n": number}, audience="payments", want=(201,))

    def exchange(self, grant, proof=None):
        body = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": "payments",
                "subject_token": grant["grant"]["token"], "subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}
        headers = {"Content-Type": "application/x-www-form-urlencoded", **({"DPoP": proof} if proof else {})}
        return self.gateway.call("POST", "/oauth/token", urllib.parse.urlencode(body), self.key, headers)

    def proof(self, path, **more):
        return self.holder.proof("POST", ISSUER + path, **more)

    def redeem(self, grant, proof):
        body = {"token": grant["grant"]["token"], "action": grant["action"], "resource": grant["resource"]}
        return self.gateway.call("POST", "/v1/grants/redeem", body, self.key, {"DPoP": proof})

    def test_a_proof_at_the_token_endpoint_needs_a_nonce_of_the_last_minutes(self):
        self.start(NONCES)
        grant = self.grant(1)
        first = self.exchange(grant, self.proof("/oauth/token"))
        self.assertEqual((400, "use_dpop_nonce"), (first.status, first.json["error"]))
        nonce = first.headers["DPoP-Nonce"]
        for wrong in ("", "A" * 24, nonce[:-1], nonce + "A", 7, "x" * 4000):
            answer = self.exchange(grant, self.proof("/oauth/token", nonce=wrong))
            self.assertEqual((400, "use_dpop_nonce"), (answer.status, answer.json["error"]), wrong)
        taken = self.exchange(grant, self.proof("/oauth/token", nonce=nonce))
        self.assertEqual(200, taken.status, taken)
        self.assertRegex(taken.headers["DPoP-Nonce"], "^[A-Za-z0-9_-]{24}$")

    def test_a_nonce_grows_old_and_a_proof_with_it_is_worth_nothing(self):
        self.start(NONCES)
        nonce = self.exchange(self.grant(1), self.proof("/oauth/token")).headers["DPoP-Nonce"]
        self.gateway.advance(100)
        grant = self.grant(2)
        at = self.gateway_time()
        self.assertEqual(200, self.exchange(grant, self.proof("/oauth/token", nonce=nonce, at=at)).status)
        self.gateway.advance(140)
        old = self.exchange(self.grant(3), self.proof("/oauth/token", nonce=nonce, at=self.gateway_time()))
        self.assertEqual((400, "use_dpop_nonce"), (old.status, old.json["error"]))
        self.assertNotEqual(nonce, old.headers["DPoP-Nonce"])
        grant = self.grant(4)
        fresh = self.exchange(grant, self.proof("/oauth/token", nonce=old.headers["DPoP-Nonce"], at=self.gateway_time()))
        self.assertEqual(200, fresh.status, fresh)

    def gateway_time(self):
        """Seconds, as the gateway's scripted clock has them."""
        import struct
        import time
        ahead = struct.unpack("qq", self.gateway.clock_file.read_bytes())[0]
        return time.time() + ahead / 1000

    def test_a_refused_proof_is_not_used_up_and_a_used_one_is(self):
        self.start(NONCES)
        nonce = self.exchange(self.grant(1), self.proof("/oauth/token")).headers["DPoP-Nonce"]
        proof = self.proof("/oauth/token", nonce=nonce)
        self.assertEqual(200, self.exchange(self.grant(2), proof).status)
        again = self.exchange(self.grant(3), proof)
        self.assertEqual((400, "invalid_dpop_proof"), (again.status, again.json["error"]))

    def test_redeem_asks_as_a_resource_server_does(self):
        self.start(NONCES)
        grant = self.grant(1)
        first = self.redeem(grant, self.proof("/v1/grants/redeem"))
        self.assertEqual((401, "use_dpop_nonce", 'DPoP error="use_dpop_nonce"'), (first.status, first.json["code"], first.headers["WWW-Authenticate"]))
        proof = self.proof("/v1/grants/redeem", nonce=first.headers["DPoP-Nonce"])
        answer = self.redeem(grant, proof)
        self.assertEqual(200, answer.status, answer)
        self.assertIn("DPoP-Nonce", answer.headers)
        proof = self.proof("/v1/grants/redeem", nonce=answer.headers["DPoP-Nonce"])
        again = self.redeem(grant, proof)
        self.assertEqual((409, "already_redeemed"), (again.status, again.json["code"]))
        self.assertIn("DPoP-Nonce", again.headers)

    def test_nobody_is_asked_who_shows_no_proof_or_elsewhere(self):
        self.start(NONCES)
        answer = self.exchange(self.grant(1))
        self.assertEqual(200, answer.status, answer)
        proof = self.proof("/v1/requests")
        asked = self.gateway.submit(self.key, action="bucket.read", args={"n": 2}, audience="payments", headers={"DPoP": proof}, want=(201,))
        self.assertNotIn("use_dpop_nonce", json.dumps(asked))

    def test_without_the_setting_no_nonce_is_given_or_asked_for(self):
        self.start(CONFIG)
        answer = self.exchange(self.grant(1), self.proof("/oauth/token"))
        self.assertEqual((200, None), (answer.status, answer.headers["DPoP-Nonce"]))
        wrong = self.exchange(self.grant(2), self.holder.proof("GET", ISSUER + "/oauth/token"))
        self.assertEqual((400, "invalid_dpop_proof"), (wrong.status, wrong.json["error"]))

    @unittest.skipUnless(shutil.which("node") and (ROOT / "web/node_modules/openid-client").exists(), "openid-client is not installed (npm ci in web/)")
    def test_openid_client_signs_again_by_itself(self):
        self.start(NONCES, scripted=False)
        tokens = [self.grant(number)["grant"]["token"] for number in range(3)]
        given = {"issuer": ISSUER, "port": self.gateway.port, "secret": self.key, "tokens": tokens}
        run = subprocess.run(["node", "--input-type=module", "-e", CLIENT, json.dumps(given)], capture_output=True, text=True, timeout=60, cwd=ROOT / "web")
        self.assertEqual(0, run.returncode, run.stderr)
        got = json.loads(run.stdout)
        self.assertEqual(["urn:ietf:params:oauth:token-type:access_token"] * 3, got["taken"])
        self.assertEqual((4, None), (len(got["nonces"]), got["nonces"][0]), "asked once, and from then on with a nonce")
        self.assertNotIn(None, got["nonces"][1:])


if __name__ == "__main__":
    unittest.main()
