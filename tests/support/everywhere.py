"""One channel of every kind, each with a double at its other end, and what stands there of one request."""
import base64
import json
import subprocess

from support.peers import MailServer, Receiver
from support.slack import APP, CHANNEL, SECRET, TEAM, TOKEN, Slack
from support.teams import Teams

HOOK_SECRET = "whsec_" + base64.b64encode(b"an obviously fake secret, 32 byt").decode()
HOOK_SEED = b"an obviously fake ed25519 seed.."
TEMPLATES = {"ntfy": "topic: deploys", "pagerduty": "routing_key: EXAMPLE-not-a-key", "mattermost": None, "discord": None, "google-chat": None}
PLACES = ["hook", "hook-a", "mail", "slack", "teams", "bot", *TEMPLATES]  # where one whole request shows


def strict(bytes_or_text):
    """JSON in which no object names a member twice."""
    def pairs(members):
        assert len({name for name, _ in members}) == len(members), members
        return dict(members)
    return json.loads(bytes_or_text, object_pairs_hook=pairs)


class Everywhere:
    """Give `config()` to a gateway that is not started yet; `said(place, request)` is what its people saw, oldest first."""

    def __init__(self, gateway, slack=None, bot=None):
        self.gateway = gateway
        self.slack = slack or Slack()
        self.mail = MailServer()
        self.bot = bot or Teams()
        self.receivers = {place: Receiver() for place in PLACES if place not in ("slack", "mail", "bot")}
        self.receivers["tasks"] = Receiver()
        self.receivers["teams"].otherwise = 202

    def stop(self):
        self.slack.stop()
        self.mail.stop()
        self.bot.stop()
        for receiver in self.receivers.values():
            receiver.stop()

    def secret(self, name, text):
        path = self.gateway.folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    # ---- configuration ----
    def channel(self, name, kind, more, url=None):
        return (f"  - name: {name}\n    kind: {kind}\n    url: \"{url or self.receivers[name].url}\"\n    allow_http: true\n"
                f"    allow_networks: [127.0.0.0/8]\n{more}")

    def config(self, places=(*PLACES, "tasks"), limits="    limits: { per_second: 1000, in_flight: 16 }\n"):
        return "channels:\n" + "".join(getattr(self, "do_" + place.replace("-", "_"), self.do_template)(place) + limits for place in places)

    def do_hook(self, name):
        return self.channel(name, "webhook", f"    secret_file: {self.secret('hook.secret', HOOK_SECRET)}\n")

    def do_hook_a(self, name):
        secret = self.secret("hook-a.secret", "whsk_" + base64.b64encode(HOOK_SEED).decode())
        return self.channel(name, "webhook", f"    secret_file: {secret}\n")

    def do_tasks(self, name):
        receiver = self.receivers[name]
        return (f"  - name: {name}\n    kind: callback\n    callers: [runner]\n    hosts: ['127.0.0.1:{receiver.port}']\n    allow_http: true\n"
                f"    allow_networks: [127.0.0.0/8]\n    secret_file: {self.secret('tasks.secret', HOOK_SECRET)}\n")

    def do_mail(self, name):
        return (f"  - name: {name}\n    kind: mail\n    url: smtp://127.0.0.1:{self.mail.port}\n    allow_plain: true\n"
                f"    allow_networks: [127.0.0.0/8]\n    from: countersign@example.com\n    to: [ops@example.com]\n")

    def do_slack(self, name):
        return self.channel(name, "slack", f"    channel: {CHANNEL}\n    token_file: {self.secret('slack.token', TOKEN)}\n"
                            f"    signing_secret_file: {self.secret('slack.secret', SECRET)}\n    app: {APP}\n    teams: [{TEAM}]\n", self.slack.url)

    def do_teams(self, name):
        return self.channel(name, "teams", "")

    def do_bot(self, name):
        return self.bot.config(self.gateway.folder, name).replace("    limits: { per_second: 1000 }\n", "")

    def do_template(self, name):
        options = TEMPLATES[name]
        return self.channel(name, "template", f"    template: {name}\n" + (f"    options: {{ {options} }}\n" if options else ""))

    # ---- what was said ----
    def said(self, place, request):
        """Of a webhook (path, headers, body), of mail the letters, else JSON; of Slack and a bot, where a card is posted without its
        buttons and changed from then on, the changes."""
        if place in ("slack", "bot"):
            return self.calls(place, request)[1:]
        if place == "mail":
            return [letter for _, _, letter in list(self.mail.letters) if request in letter["Subject"]]
        came = [one for one in list(self.receivers[place].came) if request.encode() in one[2]]
        return came if place in ("hook", "hook-a", "tasks") else [strict(body) for _, _, body in came]

    def calls(self, place, request):
        """All that set a card, the post first."""
        if place == "slack":
            return [given for method, given in list(self.slack.calls)
                    if method in ("chat.postMessage", "chat.update") and request in json.dumps(given["blocks"])]
        return [given for _, _, _, given in list(self.bot.calls) if request in json.dumps(given)]


def ed25519_verifies(folder, seed, signature, text):
    """Whether the openssl command takes this signature under the public half of `seed` (RFC 8032, RFC 8410)."""
    prefix = bytes.fromhex("302e020100300506032b657004220420")
    (folder / "seed.der").write_bytes(prefix + seed)
    (folder / "signed").write_bytes(text)
    (folder / "signature").write_bytes(signature)
    run = subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-keyform", "DER", "-inkey", str(folder / "seed.der"),
                          "-in", str(folder / "signed"), "-sigfile", str(folder / "signature")], capture_output=True, text=True, timeout=60)
    return run.returncode == 0
