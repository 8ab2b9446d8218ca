"""A real browser with an authenticator of its own (Chromium's, over its debugging protocol) does what a page does: it takes what
the gateway asks as it comes, and its answers are verified."""
import json
import shutil
import socket
import subprocess
import unittest

import support.gateway as gateways
from support.gateway import Gateway

CHROMIUM = shutil.which("chromium")
PACKAGE = gateways.ROOT / "web/node_modules/playwright-core"
POLICY = """
version: 1
defaults: { verdict: deny, approval: { groups: [ops], timeout: 1h } }
rules:
  - { name: drop, match: { action: db.drop }, verdict: require_approval, risk: critical, approval: { groups: [ops] } }
"""
SCRIPT = """
import { chromium } from 'playwright-core';
const { browserPath, origin, secret, password, request, name } = JSON.parse(process.argv[1]);
const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
const context = await browser.newContext();
const page = await context.newPage();
const devtools = await context.newCDPSession(page);
await devtools.send('WebAuthn.enable');
await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal',
  hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
await page.goto(origin + '/healthz');
const said = await page.evaluate(async ({ secret, password, request, name }) => {
  const said = {};
  let csrf;
  const call = async (method, path, body) => {
    const answer = await fetch(path, { method, body: body && JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...(csrf ? { 'X-CSRF-Token': csrf } : {}) } });
    const text = await answer.text();
    const json = text ? JSON.parse(text) : null;
    csrf = (json && json.csrf) || csrf;
    return { status: answer.status, ...json };
  };
  const encode = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const decode = text => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), one => one.charCodeAt(0));
  const ids = list => list.map(one => ({ ...one, id: decode(one.id) }));
  const get = async asked => {
    const made = await navigator.credentials.get({ publicKey: { ...asked, challenge: decode(asked.challenge), allowCredentials: ids(asked.allowCredentials) } });
    return { credential: made.id, client_data: encode(made.response.clientDataJSON), authenticator_data: encode(made.response.authenticatorData),
             signature: encode(made.response.signature) };
  };
  await call('POST', '/v1/enrol', { secret, password });
  const begun = await call('POST', '/v1/me/passkeys/begin');
  const asked = begun.public_key;
  const made = await navigator.credentials.create({ publicKey: { ...asked, challenge: decode(asked.challenge), excludeCredentials: ids(asked.excludeCredentials),
    user: { ...asked.user, id: decode(asked.user.id) } } });
  said.registered = await call('POST', '/v1/passkeys', { challenge: begun.challenge, name, client_data: encode(made.response.clientDataJSON),
    attestation_object: encode(made.response.attestationObject) });
  await call('DELETE', '/v1/session');
  csrf = undefined;
  const signing = await call('POST', '/v1/session/passkey/begin');
  said.signedIn = await call('POST', '/v1/session/passkey', { challenge: signing.challenge, ...await get(signing.public_key) });
  const stepping = await call('POST', '/v1/session/step-up/begin');
  said.steppedUp = await call('POST', '/v1/session/step-up', { passkey: { challenge: stepping.challenge, ...await get(stepping.public_key) } });
  const shown = await call('GET', `/v1/requests/${request}`);
  const binding = { revision: shown.revision, digest: shown.digest };
  const question = await call('POST', `/v1/requests/${request}/statement`, binding);
  const hash = encode(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(question.statement)));
  said.derived = hash === question.challenge && hash === question.public_key.challenge;
  said.vote = await call('POST', `/v1/requests/${request}/votes`, { vote: 'approve', ...binding,
    passkey: { statement: question.statement, ...await get(question.public_key) } });
  return said;
}, { secret, password, request, name });
console.log(JSON.stringify(said));
await browser.close();
"""


@unittest.skipUnless(CHROMIUM and shutil.which("node") and PACKAGE.exists(), "needs chromium, node and playwright-core (npm ci in web/)")
class Browser(unittest.TestCase):
    def test_chromium_registers_signs_in_steps_up_and_votes(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        origin = f"http://localhost:{port}"
        with Gateway(policy=POLICY, config=f"issuer: {origin}\n", environment={"COUNTERSIGN_LISTEN": f"127.0.0.1:{port}"}) as gateway:
            key = gateway.add_caller()
            gateway.admin("POST", "/v1/people", {"name": "dana", "groups": ["ops"]})
            secret = gateway.admin("POST", "/v1/people/dana/enrolment")["link_path"].split("#")[1]
            asked = gateway.submit(key, action="db.drop")["id"]
            told = {"browserPath": CHROMIUM, "origin": origin, "secret": secret, "password": "EXAMPLE not a password", "request": asked, "name": "built in"}
            run = subprocess.run(["node", "--input-type=module", "-e", SCRIPT, json.dumps(told)], cwd=gateways.ROOT / "web",
                                 capture_output=True, text=True, timeout=120)
            self.assertEqual(0, run.returncode, run.stderr)
            said = json.loads(run.stdout)
            self.assertEqual(201, said["registered"]["status"], said)
            self.assertTrue(said["registered"]["trusted"])
            self.assertEqual(201, said["signedIn"]["status"], said)
            self.assertEqual(201, said["steppedUp"]["status"], said)
            self.assertTrue(said["derived"], "the page finds the challenge by itself")
            self.assertEqual(("counted", "approved"), (said["vote"].get("outcome"), said["vote"].get("state")), said)
            self.assertEqual("approved", gateway.show(key, asked)["state"])


if __name__ == "__main__":
    unittest.main()
