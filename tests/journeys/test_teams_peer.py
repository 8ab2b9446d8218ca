"""Microsoft's own client (npm botframework-connector) against our double of Teams, and its check of tokens beside ours: what the
gateway is tested with is held to what Microsoft's bots run."""
import json
import shutil
import subprocess
import time
import unittest

from support.gateway import ROOT, Gateway, eventually
from support.teams import APP, CONVERSATION, TENANT, Teams, card_of, texts_of
from support.workload import Key

NODE = shutil.which("node")
IS_NEW = bool(NODE) and int(subprocess.run([NODE, "-p", "process.versions.node.split('.')[0]"], capture_output=True, text=True, timeout=30).stdout or 0) >= 20
PACKAGE = ROOT / "web" / "node_modules" / "botframework-connector"
POLICY = """
version: 1
defaults: { verdict: require_approval, risk: medium, approval: { groups: [oncall], assurance: chat, timeout: 30m } }
"""

# Posts what it is given, changes it, and says what came back; then changes what is there already.
CLIENT = """
import { createRequire } from "node:module";
const { ConnectorClient, TokenCredentials } = createRequire(process.cwd() + "/x.js")("botframework-connector");
const given = JSON.parse(process.argv[1]);
const client = new ConnectorClient(new TokenCredentials(given.token), { baseUri: given.service });
const posted = await client.conversations.sendToConversation(given.conversation, given.message);
const changed = await client.conversations.updateActivity(given.conversation, posted.id, { ...given.message, summary: "changed" });
const ours = await client.conversations.updateActivity(given.conversation, given.activity, { ...given.message, summary: "ours, changed" });
const refused = [];
for (const [service, token, id] of [[given.service, "another", posted.id], [given.service, given.token, "1"]]) {
  const other = new ConnectorClient(new TokenCredentials(token), { baseUri: service });
  try { await other.conversations.updateActivity(given.conversation, id, given.message); refused.push(null); } catch (error) { refused.push(error.statusCode); }
}
process.stdout.write(JSON.stringify({ posted: posted.id, changed: changed.id, ours: ours.id, refused }));
"""

# What Microsoft's check says of each: true, or why not.
TOKENS = """
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const { ChannelValidation, JwtTokenValidation, SimpleCredentialProvider } = createRequire(process.cwd() + "/x.js")("botframework-connector");
const given = JSON.parse(readFileSync(0));
ChannelValidation.OpenIdMetadataEndpoint = given.metadata;
const credentials = new SimpleCredentialProvider(given.app, "");
const judged = [];
for (const { header, activity } of given.cases) {
  try {
    const identity = await JwtTokenValidation.authenticateRequest(activity, header, credentials, "");
    judged.push(identity.isAuthenticated === true || "not authenticated");
  } catch (error) {
    judged.push(String(error.message));
  }
}
process.stdout.write(JSON.stringify(judged));
"""


def node(script, *words, **more):
    run = subprocess.run([NODE, "--input-type=module", "-e", script, *words], capture_output=True, text=True, timeout=120, cwd=ROOT / "web", **more)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@unittest.skipUnless(IS_NEW and PACKAGE.exists(), "botframework-connector is not installed, or Node is older than 20 (npm ci in web/)")
class BotFrameworkConnector(unittest.TestCase):
    def setUp(self):
        self.teams = Teams()
        self.addCleanup(self.teams.stop)
        self.teams.add_key()
        self.gateway = Gateway(policy=POLICY)
        self.gateway.extra_config = "channels:\n" + self.teams.config(self.gateway.folder)
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.gateway.start()
        self.dana = self.gateway.add_person("dana", ["oncall"])
        self.key = self.gateway.add_caller()

    def test_microsofts_client_posts_and_changes_cards_as_we_do(self):
        asked = self.gateway.submit(self.key)
        eventually(lambda: self.gateway.admin("GET", "/v1/notices?state=sent")["notices"], "our card is posted")
        ((place, message),) = self.teams.messages.items()
        (token,) = self.teams.tokens
        said = node(CLIENT, json.dumps({"service": self.teams.service_url, "token": token, "conversation": CONVERSATION, "message": message, "activity": place[1]}))
        self.assertEqual((said["posted"], place[1], [401, 404]), (said["changed"], said["ours"], said["refused"]))
        self.assertEqual({place, (CONVERSATION, said["posted"])}, set(self.teams.messages), "it writes the place as we do")
        self.assertEqual({"changed", "ours, changed"}, {one["summary"] for one in self.teams.messages.values()})
        self.assertEqual([card_of(message)] * 2, [card_of(one) for one in self.teams.messages.values()], "its client lets nothing of our card fall")
        self.gateway.vote(self.dana, asked["id"])
        eventually(lambda: "Approved by dana" in texts_of(card_of(self.teams.messages[place])), "ours is settled")

    def cases(self):
        """(name, header, activity): one thing is wrong with each but the first ones."""
        teams, now = self.teams, int(time.time())
        signer = next(iter(teams.keys.values()))[0]
        odd = teams.add_key("odd", ["webchat"])
        other = Key(teams.folder.name, "RS256", signer.kid)
        typing = teams.activity("typing")
        elsewhere = {**typing, "serviceUrl": teams.base + "/amer/"}
        mint = lambda **changed: "Bearer " + teams.mint(**{"key": signer, **changed})
        head, claims, signature = teams.mint(key=signer).split(".")
        return [("good", mint(), typing), ("a bit late", mint(exp=now - 200), typing), ("a bit early", mint(nbf=now + 200), typing),
                ("late", mint(exp=now - 400), typing), ("early", mint(nbf=now + 400), typing), ("issuer", mint(iss="https://sts.windows.net/x/"), typing),
                ("audience", mint(aud=TENANT), typing), ("no audience", mint(aud=None), typing), ("service", mint(), elsewhere),
                ("no service", mint(serviceurl=None), typing), ("endorsement", mint(key=odd), typing), ("key", mint(header={"kid": "none"}), typing),
                ("signature", mint(key=other), typing), ("none", f"Bearer {head}.{claims}.", typing), ("cut", f"Bearer {head}.{claims}.{signature[:-8]}", typing),
                ("scheme", mint().replace("Bearer", "Basic"), typing)]

    def test_microsofts_check_and_ours_agree_on_each_token(self):
        cases = self.cases()
        judged = node(TOKENS, input=json.dumps({"metadata": self.teams.base + "/v1/.well-known/openidconfiguration", "app": APP,
                                                "cases": [{"header": header, "activity": activity} for _, header, activity in cases]}))
        self.assertEqual(["good", "a bit late", "a bit early"], [name for (name, _, _), said in zip(cases, judged) if said is True], judged)
        post = lambda header, activity: self.gateway.call("POST", "/v1/callbacks/teams", activity, headers={"Authorization": header}).status
        eventually(lambda: post(cases[0][1], cases[0][2]) == 200, "the keys are there")
        for (name, header, activity), said in zip(cases, judged):
            with self.subTest(name=name, said=said):
                status = post(header, activity)
                self.assertTrue(status == 200 if said is True else status in (401, 403), status)


if __name__ == "__main__":
    unittest.main()
