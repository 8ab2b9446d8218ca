"""What the journeys of Slack do again and again: ask, link, press, and look at the card."""
import json
import struct
import time
import urllib.parse

from support.chat_policy import CHAT_POLICY
from support.gateway import Gateway, eventually
from support.people import Person
from support.slack import APP, APP_TOKEN, CHANNEL, SECRET, TEAM, TOKEN, Slack, signed

POLICY = CHAT_POLICY
APPROVE, DENY, OPEN = "countersign_approve", "countersign_deny", "countersign_open"


def channel(gateway, slack, how="signing_secret_file", where=f"channel: {CHANNEL}", more=""):
    """Configuration of the one Slack channel, with its secrets beside it."""
    for name, text in (("token", TOKEN), ("signing_secret_file", SECRET), ("app_token_file", APP_TOKEN)):
        (gateway.folder / name).write_text(text + "\n")
        (gateway.folder / name).chmod(0o600)
    return (f"channels:\n  - name: approvals\n    kind: slack\n    url: {slack.url}\n    allow_http: true\n    allow_networks: [127.0.0.0/8]\n"
            f"    {where}\n    token_file: {gateway.folder}/token\n    {how}: {gateway.folder}/{how}\n"
            f"    app: {APP}\n    teams: [{TEAM}]\n{more}")


def post(gateway, payload, secret=SECRET, at=None):
    """As Slack posts it."""
    body = ("payload=" + urllib.parse.quote_plus(json.dumps(payload))).encode()
    return gateway.call("POST", "/v1/callbacks/slack", body, headers=signed(body, secret, at))


class SlackSteps:
    """One gateway with one Slack channel, and what its people do. Mixed into a TestCase."""

    how = "signing_secret_file"
    where = f"channel: {CHANNEL}"
    more = ""
    policy = POLICY

    def setUp(self):
        self.slack = Slack()
        self.addCleanup(self.slack.stop)
        self.gateway = Gateway(policy=self.policy)
        self.gateway.extra_config = channel(self.gateway, self.slack, self.how, self.where, self.more)
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.gateway.start()
        self.dana = Person(self.gateway, "dana", ["oncall"])
        self.key = self.gateway.add_caller()

    # ---- steps ----
    def post(self, payload, at=None, **more):
        """As Slack posts it, at the gateway's own time unless told otherwise."""
        ahead = struct.unpack("qq", self.gateway.clock_file.read_bytes())[0] / 1000
        return post(self.gateway, payload, at=time.time() + ahead if at is None else at, **more)

    def click(self, action, want=200, **who):
        answer = self.post(self.slack.press(action, **who))
        self.assertEqual(want, answer.status, answer)
        return answer

    def link(self, person=None, user="U0DANA"):
        person = person or self.dana
        person.step_up()
        code = person.ok("POST", "/v1/me/chat-links", {}, want=(201,))["code"]
        self.post(self.slack.shortcut(user=user))
        count = len(self.slack.views)
        eventually(lambda: len(self.slack.views) >= max(count, 1), "the modal opens")
        answer = self.post(self.slack.submit(self.slack.views[-1], "code", code.upper().replace("-", " "), user=user))
        self.assertEqual((200, "update"), (answer.status, answer.json["response_action"]), answer)
        return code

    def ask(self, **more):
        asked = self.gateway.submit(self.key, **more)
        eventually(lambda: any(asked["id"] in json.dumps(message) for message in self.slack.messages.values()), "the card is posted")
        self.placed(asked)
        return asked

    def placed(self, asked):
        """The gateway knows where the card stands."""
        eventually(lambda: any(notice["state"] == "sent" and notice.get("request") == asked["id"]
                               for notice in self.gateway.admin("GET", "/v1/notices")["notices"]), "it is settled")

    def state(self, asked):
        return self.gateway.show(self.key, asked["id"])["state"]

    def whisper(self, words):
        eventually(lambda: any(words in json.dumps(one, ensure_ascii=False) for one in self.slack.whispers), f"`{words}` is whispered: {self.slack.whispers}")

    def frozen(self, words):
        eventually(lambda: words in json.dumps(self.slack.card()), f"the card says {words}")
        self.assertEqual({OPEN}, set(self.slack.buttons()))


class BySocket:
    """The same steps where presses come over a websocket that the gateway opens."""

    how = "app_token_file"

    def ready(self):
        eventually(lambda: self.slack.sockets and self.gateway.logged("socket_mode_ready"), "a socket is open")

    def post(self, payload, **_):
        """As Slack sends it: an envelope, on one socket; the acknowledgement is the answer."""
        return self.bring(self.slack.envelope(payload))

    def bring(self, envelope, pieces=1):
        before = len(self.slack.acks.get(envelope["envelope_id"], []))
        self.slack.sockets[-1].send(envelope, pieces=pieces)
        eventually(lambda: len(self.slack.acks.get(envelope["envelope_id"], [])) > before, "it is acknowledged")
        _, ack = self.slack.acks[envelope["envelope_id"]][-1]
        return Acknowledged(ack.get("payload"))


class Acknowledged:
    status = 200

    def __init__(self, payload):
        self.json = payload
