"""Slack's own client (npm @slack/bolt) against our double of Slack: what the gateway is tested with is held to what Slack's users run.
And Microsoft's renderer (npm adaptivecards) as the judge of our cards."""
import json
import shutil
import subprocess
import threading
import unittest

from support.gateway import ROOT, Gateway, eventually
from support.peers import Receiver
from support.people import Person
from support.slack import APP_TOKEN, CHANNEL, FORMS, SCOPES, SECRET, TEAM, TOKEN, Slack, signed
from support.slack_steps import channel, post
from support.teams import Teams, buttons_of, card_of

PACKAGES = ROOT / "web" / "node_modules"
CHAT_POLICY = """
version: 1
defaults: { verdict: require_approval, risk: medium, approval: { groups: [oncall], assurance: chat, timeout: 30m } }
"""
HAS_NODE = shutil.which("node") is not None

BOLT = """
import bolt from "@slack/bolt";
const given = JSON.parse(process.argv[1]);
const say = (what) => process.stdout.write(JSON.stringify(what) + "\\n");
const app = new bolt.App({ token: given.token, appToken: given.appToken, socketMode: true, logLevel: "error",
                           clientOptions: { slackApiUrl: given.url } });
app.action("countersign_approve", async ({ ack, body, action, client }) => {
  await ack();
  await client.chat.update({ channel: body.container.channel_id, ts: body.container.message_ts, text: "done",
                             blocks: [{ type: "header", text: { type: "plain_text", text: "done" } }] });
  await client.chat.postEphemeral({ channel: body.channel.id, user: body.user.id, text: "yours" });
  say({ pressed: action.value });
});
app.action("countersign_deny", async ({ ack, body, client }) => {
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: { type: "modal", callback_id: "countersign_deny", private_metadata: "v",
    title: { type: "plain_text", text: "Deny" }, submit: { type: "plain_text", text: "Deny" },
    blocks: [{ type: "input", block_id: "reason", label: { type: "plain_text", text: "Why" }, element: { type: "plain_text_input", action_id: "reason" } }] } });
  say({ opened: true });
});
app.view("countersign_deny", async ({ ack, view }) => {
  await ack({ response_action: "errors", errors: { reason: "say more" } });
  say({ typed: view.state.values.reason.reason.value });
});
app.shortcut("countersign_link", async ({ ack, shortcut }) => { await ack(); say({ shortcut: shortcut.callback_id }); });
await app.start();
say({ started: true });
process.stdin.on("data", () => app.stop().then(() => process.exit(0)));
"""

QUESTIONS = """
import bolt from "@slack/bolt";
const given = JSON.parse(process.argv[1]);
const { client } = new bolt.App({ token: given.token, appToken: given.appToken, socketMode: true, logLevel: "error",
                                  clientOptions: { slackApiUrl: given.url, retryConfig: { retries: 0 } } });
const refusal = async (call) => { try { await call(); return null; } catch ({ data }) { return [data.error, data.needed]; } };
const rights = await client.auth.test();
const { user } = await client.users.info({ user: "U0DANA" });
const { channel } = await client.conversations.info({ channel: given.channel });
const opened = await client.conversations.open({ users: "U0DANA" });
const again = await client.conversations.open({ users: "U0DANA" });
const posted = await client.chat.postMessage({ channel: opened.channel.id, text: "x", blocks: [{ type: "divider" }] });
await client.chat.update({ channel: posted.channel, ts: posted.ts, text: "y", blocks: [{ type: "divider" }] });
process.stdout.write(JSON.stringify({
  scopes: rights.response_metadata.scopes, guest: [user.is_restricted, user.is_ultra_restricted], team: user.team_id, shared: channel.is_ext_shared,
  opened: [opened.channel.id, again.channel.id, again.already_open], place: posted.channel,
  nobody: await refusal(() => client.users.info({ user: "U0NOBODY" })), nowhere: await refusal(() => client.conversations.info({ channel: "C0NOWHERE" })),
  lacking: await refusal(() => client.apiCall("chat.postEphemeral", { channel: given.channel, user: "U0DANA", text: "x" })) }));
process.exit(0);
"""

SIGNATURE = """
import { createRequire } from "node:module";
const { verifySlackRequest } = createRequire(import.meta.url)("@slack/bolt/dist/receivers/verify-request.js");
const [secret, body, headers] = JSON.parse(process.argv[1]);
const options = { signingSecret: secret, body, headers: { "x-slack-signature": headers["X-Slack-Signature"],
                  "x-slack-request-timestamp": Number(headers["X-Slack-Request-Timestamp"]) } };
verifySlackRequest(options);
try { verifySlackRequest({ ...options, body: body + "x" }); process.exit(1); } catch { process.exit(0); }
"""

CARDS = """
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const cards = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.js");
const events = JSON.parse(readFileSync(0)).map((given) => {
  const context = new cards.SerializationContext(cards.Versions.v1_4);
  const card = new cards.AdaptiveCard();
  card.parse(given, context);
  const found = [];
  for (let i = 0; i < context.eventCount; i++) found.push(context.getEventAt(i).message);
  return { found, actions: card.getActionCount(), items: card.getItemCount() };
});
process.stdout.write(JSON.stringify(events));
"""


def node(script, given, **more):
    """Runs it with what is given as its argument; a script for more than an argument holds reads `input`."""
    return subprocess.run(["node", "--input-type=module", "-e", script, json.dumps(given)], capture_output=True, text=True, timeout=60,
                          cwd=ROOT / "web", **more)


def judge_cards(cards):
    """What Microsoft's renderer makes of each: what it does not know, and how many actions and elements."""
    run = node(CARDS, None, input=json.dumps(cards))
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@unittest.skipUnless(HAS_NODE and (PACKAGES / "@slack" / "bolt").exists(), "@slack/bolt is not installed (npm ci in web/)")
class Bolt(unittest.TestCase):
    def setUp(self):
        self.slack = Slack()
        self.addCleanup(self.slack.stop)

    def start(self):
        """Bolt on the double; what it says, line by line."""
        given = json.dumps({"token": TOKEN, "appToken": APP_TOKEN, "url": self.slack.url})
        self.process = subprocess.Popen(["node", "--input-type=module", "-e", BOLT, given], cwd=ROOT / "web", text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.finish)
        self.said = []
        threading.Thread(target=lambda: [self.said.append(json.loads(line)) for line in self.process.stdout], daemon=True).start()
        eventually(lambda: {"started": True} in self.said or self.process.poll() is not None, "bolt starts", 60)
        self.assertIsNone(self.process.poll(), self.process.poll() is not None and self.process.stderr.read())

    def finish(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def bring(self, payload):
        envelope = self.slack.envelope(payload)
        self.slack.sockets[-1].send(envelope)
        eventually(lambda: envelope["envelope_id"] in self.slack.acks, "bolt acknowledges")
        return self.slack.acks[envelope["envelope_id"]][0][1].get("payload")

    def heard(self, what):
        eventually(lambda: what in self.said, f"bolt says {what}: {self.said}")

    def test_bolt_takes_our_presses_and_modals_and_changes_our_messages(self):
        self.start()
        self.assertIn("auth.test", [method for method, _ in self.slack.calls])
        buttons = [{"type": "button", "action_id": name, "value": "v1.x", "text": {"type": "plain_text", "text": "x"}}
                   for name in ("countersign_approve", "countersign_deny")]
        posted = self.slack.do_chat_postMessage({"channel": CHANNEL, "text": "x", "blocks": [{"type": "actions", "elements": buttons}]})
        approve, deny = self.slack.press("countersign_approve"), self.slack.press("countersign_deny")
        self.bring(deny)
        self.heard({"opened": True})
        self.assertEqual("countersign_deny", self.slack.views[-1]["callback_id"])
        answer = self.bring(self.slack.submit(self.slack.views[-1], "reason", "because"))
        self.assertEqual({"response_action": "errors", "errors": {"reason": "say more"}}, answer)
        self.heard({"typed": "because"})
        self.bring(approve)
        self.heard({"pressed": "v1.x"})
        self.assertEqual("done", self.slack.messages[(CHANNEL, posted["ts"])]["text"])
        self.assertEqual("yours", self.slack.whispers[-1]["text"])
        self.bring(self.slack.shortcut())
        self.heard({"shortcut": "countersign_link"})

    def test_bolt_opens_another_socket_when_ours_says_goodbye(self):
        self.start()
        first = self.slack.sockets[-1]
        first.send({"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "fake"}})
        eventually(lambda: self.slack.sockets and self.slack.sockets[-1] is not first, "another is open")

    def ask_as_bolt(self):
        """What Slack's own client makes of the double's answers."""
        self.slack.people.update({"U0DANA": {"is_restricted": True}, "U0NOBODY": None})
        self.slack.planned["chat.postEphemeral"] = [lambda *_: self.slack.scopes.remove("chat:write")]
        run = node(QUESTIONS, {"token": TOKEN, "appToken": APP_TOKEN, "url": self.slack.url, "channel": CHANNEL})
        self.assertEqual(0, run.returncode, run.stderr)
        return json.loads(run.stdout)

    def test_what_we_ask_slack_is_answered_as_its_own_client_expects(self):
        said = self.ask_as_bolt()
        self.assertEqual({"scopes": list(SCOPES), "guest": [True, False], "team": TEAM, "shared": False, "opened": ["D0DANA", "D0DANA", True], "place": "D0DANA",
                          "nobody": ["user_not_found", None], "nowhere": ["channel_not_found", None], "lacking": ["missing_scope", "chat:write"]}, said)
        self.assertEqual(["y"], [card["text"] for card in self.slack.cards_of("U0DANA")])

    def test_a_form_is_what_both_send_where_slack_reads_no_json(self):
        """Bolt's client sends forms to the methods of which we found that they read nothing else."""
        self.ask_as_bolt()
        bolts = {name: given for name, given in self.slack.calls if name in FORMS and "NO" not in json.dumps(given)}
        self.slack.people.clear()
        self.slack.scopes.append("chat:write")
        self.slack.calls.clear()
        gateway = Gateway()
        gateway.extra_config = channel(gateway, self.slack)
        with gateway:
            post(gateway, self.slack.shortcut())
            eventually(lambda: all(self.slack.asked(name) for name in FORMS), "both are asked")
            ours = {name: given for name, given in self.slack.calls if name in FORMS}
        self.assertEqual(bolts, ours)

    def test_bolts_check_of_signatures_takes_ours(self):
        body = "payload=%7B%22a%22%3A1%7D"
        run = node(SIGNATURE, [SECRET, body, signed(body.encode())])
        self.assertEqual(0, run.returncode, run.stderr)


@unittest.skipUnless(HAS_NODE and (PACKAGES / "adaptivecards").exists(), "adaptivecards is not installed (npm ci in web/)")
class AdaptiveCards(unittest.TestCase):
    def test_microsofts_renderer_knows_everything_on_our_cards(self):
        receiver = Receiver()
        receiver.otherwise = 202
        self.addCleanup(receiver.stop)
        gateway = Gateway()
        gateway.extra_config = (f"channels:\n  - {{ name: teams, kind: teams, url: \"{receiver.url}\", allow_http: true, "
                                f"allow_networks: [127.0.0.0/8] }}\n")
        with gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key, args={"note": "x" * 30000, "more": "[a](b) \u202e"}, reason="because")
            eventually(lambda: len(receiver.came) == 1, "it is asked")
            gateway.vote(dana, asked["id"], "deny")
            eventually(lambda: len(receiver.came) == 2, "its end is told")
            cards = [body["attachments"][0]["content"] for body in receiver.bodies()]
        self.assert_known(cards)

    def test_microsofts_renderer_knows_everything_on_a_bots_cards(self):
        teams = Teams()
        self.addCleanup(teams.stop)
        gateway = Gateway(policy=CHAT_POLICY)
        gateway.extra_config = "channels:\n" + teams.config(gateway.folder)
        with gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            for number, args in enumerate(({"amount": 125}, {"note": "x" * 30000, "more": "[a](b) \u202e"}, {str(n): "\\\"" * 300 for n in range(40)})):
                asked = gateway.submit(key, args=args, reason="because")
                eventually(lambda: len(teams.calls) == 3 * number + 2, "it is asked, and its buttons come")
                gateway.vote(dana, asked["id"], "deny")
                eventually(lambda: len(teams.calls) == 3 * number + 3, "its end is told")
            cards = [card_of(body) for _, _, _, body in teams.calls]
        self.assertEqual([{"Action.OpenUrl"}, {"approve", "deny", "Action.OpenUrl"}, {"Action.OpenUrl"}, {"Action.OpenUrl"}, {"deny", "Action.OpenUrl"}],
                         [set(buttons_of(card)) for card in cards[:5]])
        self.assert_known(cards)

    def test_microsofts_renderer_knows_everything_that_a_bot_answers(self):
        teams = Teams()
        self.addCleanup(teams.stop)
        teams.add_key()
        gateway = Gateway(policy=CHAT_POLICY)
        gateway.extra_config = "channels:\n" + teams.config(gateway.folder)

        def answered(activity):
            return gateway.call("POST", "/v1/callbacks/teams", activity, headers={"Authorization": f"Bearer {teams.mint()}"})
        with gateway:
            eventually(lambda: answered(teams.activity("typing")).status == 200, "the signer's keys are there")
            self.assertEqual(200, answered(teams.activity("message")).status)
            eventually(lambda: teams.calls, "the bot answers")
            form = card_of(teams.calls[0][3])
            teams.messages.clear()
            dana = Person(gateway, "dana", ["oncall"])
            dana.step_up()
            code = dana.ok("POST", "/v1/me/chat-links", {}, want=(201,))["code"]
            gateway.submit(gateway.add_caller(), args={"note": "x" * 30000})
            eventually(lambda: teams.messages, "it is asked")
            eventually(lambda: len(gateway.admin("GET", "/v1/notices?state=sent")["notices"]) == 1, "and settled")
            cards = [form, answered(teams.press("deny")).json["value"], answered(teams.press("link", card=form, typed={"code": "0"})).json["value"],
                     answered(teams.press("link", card=form, typed={"code": code})).json["value"], answered(teams.press("deny")).json["value"]]
        self.assertEqual([{"link", "Action.OpenUrl"}] * 3 + [{"Action.OpenUrl"}] * 2, [set(buttons_of(card)) for card in cards])
        self.assert_known(cards)

    def assert_known(self, cards):
        for card, judged in zip(cards, judge_cards(cards), strict=True):
            self.assertEqual([], judged["found"])
            self.assertEqual((len(card["actions"]), len(card["body"])), (judged["actions"], judged["items"]))


if __name__ == "__main__":
    unittest.main()
