"""Routing: many prompts at once, who chooses what they are told, and through which proxy messages leave."""
import base64
import http.server
import json
import shutil
import subprocess
import threading
import time
import unittest

from support.gateway import BUILD, Gateway, eventually
from support.peers import MailServer, Proxy, Receiver
from support.people import Person
from support.slack import APP, APP_TOKEN, CHANNEL, SECRET, TEAM, TOKEN, Slack
from support.teams import Teams

POLICY = """
version: 1
defaults: { verdict: deny, risk: low, approval: { quorum: 1, groups: [oncall], timeout: 1h } }
rules:
  - name: large-refunds
    match: { action: payments.refund }
    when: args.amount > 1000
    verdict: require_approval
    risk: high
  - name: refunds
    match: { action: payments.refund }
    verdict: require_approval
    risk: low
  - name: drops
    match: { action: table.drop }
    verdict: require_approval
    risk: critical
  - name: moves
    match: { action: payments.move }
    verdict: require_approval
    risk: medium
"""
HOSTILE = "\u202eevil <!channel> [x](http://evil) <script> \u200bEND"
ROUNDUP = "    roundup: { over: 2, within: 1m }\n"


class KeyServer:
    """Serves an empty key set, and counts who asks."""

    def __init__(self):
        self.asked = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                body = b'{"keys":[]}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Routing(unittest.TestCase):
    def gateway(self, channels, more="", **options):
        gateway = Gateway(policy=POLICY, **options)
        gateway.extra_config = more + "channels:\n" + (channels(gateway) if callable(channels) else channels)
        self.addCleanup(gateway.__exit__, None, None, None)
        gateway.start()
        self.dana = gateway.add_person("dana", ["oncall"])
        self.key = gateway.add_caller()
        return gateway

    def peer(self, kind):
        peer = kind()
        self.addCleanup(peer.stop)
        return peer

    def slack_channel(self, slack, more=ROUNDUP):
        def write(gateway):
            for name, text in (("token", TOKEN), ("signing", SECRET)):
                (gateway.folder / name).write_text(text + "\n")
                (gateway.folder / name).chmod(0o600)
            return (f"  - name: approvals\n    kind: slack\n    url: {slack.url}\n    allow_http: true\n    allow_networks: [127.0.0.0/8]\n"
                    f"    channel: {CHANNEL}\n    token_file: {gateway.folder}/token\n    signing_secret_file: {gateway.folder}/signing\n"
                    f"    app: {APP}\n    teams: [{TEAM}]\n" + more)
        return write

    def mail_channel(self, server, more=ROUNDUP):
        return (f"  - name: mail\n    kind: mail\n    url: smtp://127.0.0.1:{server.port}\n    allow_plain: true\n"
                f"    allow_networks: [127.0.0.0/8]\n    from: countersign@example.com\n" + more)

    def template_channel(self, receiver, template="mattermost", more=ROUNDUP):
        options = {"ntfy": "topic: deploys", "pagerduty": "routing_key: EXAMPLE-not-a-key"}.get(template)
        return (f"  - name: {template}\n    kind: template\n    template: {template}\n    url: {receiver.url}\n    allow_http: true\n"
                f"    allow_networks: [127.0.0.0/8]\n" + (f"    options: {{ {options} }}\n" if options else "") + more)

    def ask_many(self, gateway, count, first=0, **more):
        return [gateway.submit(self.key, resource=f"order/{number}", **more) for number in range(first, first + count)]

    def shown(self, slack):
        return json.dumps(list(slack.messages.values()))

    def notices(self, gateway, query=""):
        return gateway.admin("GET", "/v1/notices?limit=200" + query)["notices"]

    def settled(self, gateway, count, state="sent"):
        return eventually(lambda: len(self.notices(gateway, f"&state={state}")) == count, f"{count} notices are {state}")

    def gathering(self, gateway, count):
        """So many were looked at and left for later."""
        eventually(lambda: len([one for one in self.notices(gateway, "&state=waiting") if one["due_at"] > one["created_at"]]) == count,
                   f"{count} wait for later")

    # ---- many at once ----
    def test_a_flood_is_two_cards_and_one_message_that_follows_what_becomes_of_it(self):
        slack = self.peer(Slack)
        gateway = self.gateway(self.slack_channel(slack))
        first = self.ask_many(gateway, 2)
        self.settled(gateway, 2)
        rest = self.ask_many(gateway, 9, first=2) + self.ask_many(gateway, 1, action="payments.move")
        self.gathering(gateway, 10)
        self.assertEqual(2, len(slack.messages))
        gateway.advance(61)
        self.settled(gateway, 10, "gathered")
        eventually(lambda: len(slack.messages) == 3, "one more message")
        message = list(slack.messages.values())[-1]
        text = json.dumps(message)
        self.assertIn("10 requests wait", text)
        self.assertLess(text.index("payments.move"), text.index("payments.refund"), "the riskiest come first")
        self.assertEqual(["countersign_open"], list(slack.buttons(message)), "nothing is decided on it")
        self.assertTrue(slack.buttons(message)["countersign_open"]["url"].endswith("/"), "the link locates the list alone")
        for asked in rest[:4]:
            gateway.vote(self.dana, asked["id"], "deny")
        eventually(lambda: gateway.advance(1) or "4 of 10: 4 denied" in json.dumps(list(slack.messages.values())[-1]), "it is changed where it stands")
        self.assertIn("6 requests wait", json.dumps(list(slack.messages.values())[-1]))
        for asked in rest[4:]:
            gateway.vote(self.dana, asked["id"])
        eventually(lambda: gateway.advance(1) or "all 10 have ended" in json.dumps(list(slack.messages.values())[-1]), "and closed")
        self.assertEqual(3, len(slack.messages), "nobody was told of each")
        gateway.vote(self.dana, first[0]["id"], "deny")
        eventually(lambda: "Denied by dana" in self.shown(slack), "what had a card of its own keeps it")
        told = self.notices(gateway, "&state=gathered")
        self.assertEqual(1, len({notice["roundup"] for notice in told}))
        self.assertEqual({asked["id"] for asked in rest}, {notice["request"] for notice in told})
        gateway.verify_ledger()

    def test_high_risk_has_its_own_card_at_once_and_what_becomes_risky_gets_one(self):
        slack = self.peer(Slack)
        gateway = self.gateway(self.slack_channel(slack))
        self.ask_many(gateway, 2)
        self.settled(gateway, 2)
        gathered = self.ask_many(gateway, 3, first=2)
        self.gathering(gateway, 3)
        risky = gateway.submit(self.key, args={"amount": 5000})
        eventually(lambda: any(risky["id"] in json.dumps(message) for message in slack.messages.values()), "it does not wait")
        self.assertEqual(3, len(slack.messages))
        gateway.advance(61)
        eventually(lambda: "3 requests wait" in self.shown(slack), "the others are told together")
        gateway.ok("POST", f"/v1/requests/{gathered[0]['id']}/edits",
                   {"revision": 1, "digest": gathered[0]["digest"], "args": {"amount": 2000}}, self.dana)
        eventually(lambda: any(gathered[0]["id"] in json.dumps(message) for message in slack.messages.values()), "an edit raised its risk: its own card")
        eventually(lambda: gateway.advance(1) or "2 requests wait" in self.shown(slack), "and it is no longer among the others")

    def test_a_bot_in_teams_changes_the_one_message_too(self):
        teams = self.peer(Teams)
        gateway = self.gateway(lambda gateway: teams.config(gateway.folder) + ROUNDUP)
        self.ask_many(gateway, 2)
        self.settled(gateway, 2)
        rest = self.ask_many(gateway, 3, first=2)
        self.gathering(gateway, 3)
        gateway.advance(61)
        eventually(lambda: len(teams.messages) == 3, "one message more")

        def shown():
            return json.dumps(list(teams.messages.values())[-1])
        self.assertIn("3 requests wait", shown())
        self.assertNotIn("Action.Execute", shown(), "nothing is decided on it")
        for asked in rest:
            gateway.vote(self.dana, asked["id"], "deny")
        eventually(lambda: gateway.advance(1) or "all 3 have ended" in shown(), "it is changed where it stands")
        self.assertEqual(3, len(teams.messages))

    def test_what_agents_name_things_misleads_nobody_in_a_round_up(self):
        slack, server = self.peer(Slack), self.peer(MailServer)
        gateway = self.gateway(lambda gateway: self.slack_channel(slack)(gateway) + self.mail_channel(server, "    to: [ops@example.com]\n" + ROUNDUP))
        self.ask_many(gateway, 2)
        self.settled(gateway, 4)
        for number in range(3):
            gateway.submit(self.key, resource=f"order/{number} {HOSTILE}")
        self.gathering(gateway, 6)
        gateway.advance(61)
        eventually(lambda: len(slack.messages) == 3 and len(server.letters) == 3, "told together")
        message, letter = list(slack.messages.values())[-1], server.letters[-1][2]
        self.assertNotIn("channel", message["text"], "what Slack reads as markup is ours alone")
        for text in (json.dumps(message, ensure_ascii=False), letter.get_body(("plain",)).get_content(), letter.get_body(("html",)).get_content()):
            self.assertIn("3 requests wait", text)
            self.assertIn("u{202e}", text)
            self.assertFalse({"\u202e", "\u200b"} & set(text))
        self.assertNotIn("<script>", letter.get_body(("html",)).get_content())

    def test_by_mail_there_is_one_letter_and_one_that_says_it_is_over(self):
        server = self.peer(MailServer)
        gateway = self.gateway(self.mail_channel(server))
        gateway.admin("POST", "/v1/people/dana/addresses", {"kind": "mail", "address": "dana@example.com"})
        self.ask_many(gateway, 2)
        self.settled(gateway, 2)
        rest = self.ask_many(gateway, 5, first=2)
        self.gathering(gateway, 5)
        gateway.advance(61)
        eventually(lambda: len(server.letters) == 3, "one letter more")
        letter = server.letters[-1][2]
        self.assertIn("Approvals needed (rnd_", letter["Subject"])
        text = letter.get_body(("plain",)).get_content()
        self.assertIn("5 requests wait", text)
        self.assertNotIn("What would run", text)
        for asked in rest[:4]:
            gateway.vote(self.dana, asked["id"], "deny")
        gateway.advance(10)
        self.settled(gateway, 3)
        gateway.vote(self.dana, rest[4]["id"])
        eventually(lambda: len(server.letters) == 4, "one line that it is over")
        closing = server.letters[-1][2]
        self.assertIn("Nothing of this waits any more", closing["Subject"])
        self.assertIn("5 of 5: 1 approved, 4 denied", closing.get_body(("plain",)).get_content())
        self.assertEqual(letter["References"], closing["References"], "one thread")

    def test_every_shipped_template_takes_a_round_up(self):
        receivers = {name: self.peer(Receiver) for name in ("ntfy", "pagerduty", "mattermost", "discord", "google-chat")}
        gateway = self.gateway("".join(self.template_channel(receiver, name, "    roundup: { over: 1, within: 1m }\n") for name, receiver in receivers.items()))
        self.ask_many(gateway, 1)
        self.settled(gateway, 5)
        rest = self.ask_many(gateway, 2, first=1)
        self.gathering(gateway, 10)
        gateway.advance(61)
        self.settled(gateway, 10, "gathered")
        self.settled(gateway, 10)
        for asked in rest:
            gateway.vote(self.dana, asked["id"], "deny")
        self.settled(gateway, 15)
        for name, receiver in receivers.items():
            with self.subTest(template=name):
                _, opened, closed = receiver.bodies()
                self.assertIn("2 requests wait", json.dumps(opened))
                self.assertIn("2 of 2: 2 denied", json.dumps(closed))
        pages = receivers["pagerduty"].bodies()[1:]
        self.assertEqual(["trigger", "resolve"], [page["event_action"] for page in pages])
        self.assertEqual(1, len({page["dedup_key"] for page in pages}))

    def test_a_gateway_killed_between_composing_and_sending_loses_nothing(self):
        receiver = self.peer(Receiver)
        gateway = self.gateway(self.template_channel(receiver))
        self.ask_many(gateway, 2)
        self.settled(gateway, 2)
        rest = self.ask_many(gateway, 6, first=2)
        self.gathering(gateway, 6)
        receiver.answers = [lambda handler: gateway.kill()]  # composed and under way, nothing settled
        gateway.advance(61)
        eventually(lambda: len(receiver.came) == 3 and gateway.process is None, "it was killed while sending")
        gateway.start()
        self.assertEqual(6, len(self.notices(gateway, "&state=gathered")))
        gateway.advance(61)
        eventually(lambda: len(receiver.came) == 4, "it is sent again")
        self.assertEqual(receiver.bodies()[2], receiver.bodies()[3])
        self.assertIn("6 requests wait", receiver.bodies()[3]["text"])
        for asked in rest:
            gateway.vote(self.dana, asked["id"], "deny")
        eventually(lambda: "6 of 6: 6 denied" in receiver.bodies()[-1]["text"], "and followed")
        gateway.verify_ledger()

    def test_after_an_outage_what_waited_is_one_message(self):
        receiver = self.peer(Receiver)
        receiver.otherwise = 503
        gateway = self.gateway(self.template_channel(receiver))
        self.ask_many(gateway, 8)
        eventually(lambda: len([one for one in self.notices(gateway) if one["attempts"] > 0]) > 0, "the other side fails")
        receiver.otherwise = 200
        eventually(lambda: gateway.advance(1) or any("requests wait" in body["text"] for body in receiver.bodies()[-3:]), "one message for all")
        eventually(lambda: gateway.advance(1) or not self.notices(gateway, "&state=waiting"), "nothing waits any more")
        self.assertEqual([], self.notices(gateway, "&state=dead"))

    # ---- what people choose ----
    def people_channels(self, mail, chat, more=""):
        """One that tells people, one that tells many, and one for another group."""
        return (self.mail_channel(mail, more) + self.template_channel(chat, more="") +
                f"  - {{ name: finance-mail, kind: mail, url: \"smtp://127.0.0.1:{mail.port}\", allow_plain: true, from: a@example.com, groups: [finance] }}\n")

    def with_people(self, more=""):
        self.mail, self.chat = self.peer(MailServer), self.peer(Receiver)
        gateway = self.gateway(self.people_channels(self.mail, self.chat, more))
        self.erin = gateway.add_person("erin", ["oncall"])
        for name in ("dana", "erin"):
            gateway.admin("POST", f"/v1/people/{name}/addresses", {"kind": "mail", "address": f"{name}@example.com"})
        return gateway

    def letters(self, person):
        return [message["Subject"] for _, to, message in list(self.mail.letters) if to == [f"{person}@example.com"]]

    def told(self, person):
        """Of requests; not what becomes of the account."""
        return [subject for subject in self.letters(person) if "(req_" in subject]

    def test_a_person_sees_the_channels_that_may_tell_them_and_no_destination(self):
        gateway = self.with_people()
        own = gateway.ok("GET", "/v1/me/channels", secret=self.dana)
        self.assertEqual([{"name": "mail", "kind": "mail", "muted": False, "reaches": True, "yours": True},
                          {"name": "mattermost", "kind": "template", "muted": False, "reaches": False, "yours": False}], own["channels"])
        self.assertEqual((False, ""), (own["accepts_silence"], own["quiet_hours"]))
        for body, code in (({"muted": ["finance-mail"]}, "unknown_channel"), ({"muted": ["mattermost"]}, "unknown_channel"),
                           ({"muted": ["elsewhere"]}, "unknown_channel"), ({"quiet_hours": "at night"}, "bad_time"),
                           ({"quiet_hours": "08:00-07:00"}, "bad_time")):
            refused = gateway.ok("PUT", "/v1/me/channels", body, self.dana, want=(400,))
            self.assertEqual(code, refused["code"], refused)
        self.assertEqual(400, gateway.call("PUT", "/v1/me/channels", {"add": "mail:mallory@example.com"}, self.dana).status)
        self.assertEqual(own, gateway.ok("GET", "/v1/me/channels", secret=self.dana), "what was refused changed nothing")

    def test_quiet_hours_of_ones_own_hold_back_low_risk_for_oneself_alone(self):
        gateway = self.with_people()
        now = time.gmtime()
        quiet = f"{(now.tm_hour - 1) % 24:02}:00-{(now.tm_hour + 2) % 24:02}:00"
        self.assertEqual(quiet, gateway.ok("PUT", "/v1/me/channels", {"quiet_hours": quiet}, self.dana)["quiet_hours"])
        gateway.submit(self.key, resource="order/1", expires_in="1d")
        gateway.submit(self.key, action="payments.move")
        eventually(lambda: len(self.told("erin")) == 2, "the other hears of both")
        eventually(lambda: len(self.told("dana")) == 1, "she of what is no low risk")
        self.gathering(gateway, 1)
        (later,) = [one for one in self.notices(gateway, "&state=waiting") if one["due_at"] > one["created_at"]]
        self.assertEqual(("mail", "request.pending"), (later["channel"], later["event"]))
        self.assertRegex(later["due_at"], ":00:00.000Z$")
        gateway.ok("PUT", "/v1/me/channels", {"quiet_hours": ""}, self.dana)
        gateway.submit(self.key, resource="order/2")
        eventually(lambda: len(self.told("dana")) == 2, "not quiet any more")

    def test_the_last_channel_of_critical_risk_is_not_silenced_quietly(self):
        gateway = self.with_people()
        dana = Person(gateway, "dana", exists=True)
        refused = dana.ok("PUT", "/v1/me/channels", {"muted": ["mail"]}, want=(409,))
        self.assertEqual("last_channel", refused["code"])
        self.assertIn("critical", refused["detail"])
        by_token = gateway.ok("PUT", "/v1/me/channels", {"muted": ["mail"], "accepts_silence": True}, self.dana, want=(403,))
        self.assertEqual("step_up_needed", by_token["code"])
        gateway.submit(self.key, action="table.drop")
        eventually(lambda: len(self.told("dana")) == 1, "nothing was muted")
        dana.step_up()
        silent = dana.ok("PUT", "/v1/me/channels", {"muted": ["mail"], "accepts_silence": True})
        self.assertEqual((True, True), (silent["accepts_silence"], silent["channels"][0]["muted"]))
        listed = {one["name"]: one.get("muted") for one in gateway.admin("GET", "/v1/channels")["channels"]}
        self.assertEqual({"mail": 1, "finance-mail": 0, "mattermost": None}, listed, "the operator sees that somebody did")
        gateway.submit(self.key, action="table.drop", resource="order/2")
        eventually(lambda: len(self.told("erin")) == 2, "the other is told")
        eventually(lambda: len([one for one in self.notices(gateway, "&state=sent") if one.get("request")]) == 5, "all is told")
        self.assertEqual(1, len(self.told("dana")), "she is not")
        self.assertIn("What your account is told, and where, was changed", "".join(self.letters("dana")), "but that it is so")
        dana.ok("PUT", "/v1/me/channels", {"muted": []})
        gateway.submit(self.key, action="table.drop", resource="order/3")
        eventually(lambda: len(self.told("dana")) == 2, "and again")
        gateway.verify_ledger()
        eventually(lambda: b"channels.accepts_silence" in gateway.call("GET", "/v1/ledger/export", host=True).body, "the ledger says that she chose it")

    def test_a_muted_channel_tells_critical_risk_where_no_other_does(self):
        server, other, chat = self.peer(MailServer), self.peer(MailServer), self.peer(Receiver)
        self.mail = server
        second = (f"  - {{ name: second, kind: mail, url: \"smtp://127.0.0.1:{other.port}\", allow_plain: true, allow_networks: [127.0.0.0/8], "
                  f"from: a@example.com }}\n")
        gateway = self.gateway(self.people_channels(server, chat) + second)
        gateway.admin("POST", "/v1/people/dana/addresses", {"kind": "mail", "address": "dana@example.com"})
        gateway.ok("PUT", "/v1/me/channels", {"muted": ["mail"]}, self.dana)
        gateway.submit(self.key, action="table.drop")
        eventually(lambda: len(other.letters) == 1, "the other channel tells her")
        eventually(lambda: not self.notices(gateway, "&state=waiting"), "nothing waits")
        self.assertEqual([], self.told("dana"))
        gateway.stop()
        gateway.extra_config = gateway.extra_config.replace(second, "")  # the operator took it away
        gateway.start()
        gateway.submit(self.key)
        gateway.submit(self.key, action="table.drop", resource="order/2")
        eventually(lambda: len(self.told("dana")) == 1, "critical risk is told all the same")
        eventually(lambda: not self.notices(gateway, "&state=waiting"), "nothing waits")
        self.assertEqual(1, len(self.told("dana")), "and nothing else is")

    def test_the_command_line_shows_and_sets_what_one_chose(self):
        gateway = self.with_people()

        def run(*words):
            done = subprocess.run([str(BUILD / "countersign"), "channels", "mine", *words], capture_output=True, text=True, timeout=60,
                                  env={"COUNTERSIGN_URL": f"http://127.0.0.1:{gateway.port}", "COUNTERSIGN_TOKEN": self.dana, "HOME": str(gateway.folder), "PATH": "/usr/bin:/bin"})
            return done.returncode, done.stdout, done.stderr
        status, out, err = run()
        self.assertEqual((0, ""), (status, err))
        self.assertRegex(out, "mail +mail +tells you\n")
        self.assertRegex(out, "mattermost +template +tells many\n")
        status, out, _ = run("--quiet", "22:00-07:00 +01:00")
        self.assertEqual(0, status)
        self.assertIn("quiet hours: 22:00-07:00 +01:00", out)
        status, out, err = run("--mute", "mail")
        self.assertEqual(1, status)
        self.assertIn("critical", err)
        status, out, _ = run("--quiet", "none", "--mute", "none")
        self.assertEqual(0, status)
        self.assertIn("quiet hours: none", out)

    # ---- through which proxy ----
    def proxied(self):
        """Everybody outside is known to the proxy alone; one is inside, and one has a proxy of its own."""
        self.slack, self.mail, self.chat, self.inside, self.direct, self.login = (
            self.peer(Slack), self.peer(MailServer), self.peer(Receiver), self.peer(Receiver), self.peer(Receiver), self.peer(KeyServer))
        self.slack.link_place = "slack.example.invalid"
        self.proxy = self.peer(lambda: Proxy({"slack.example.invalid": self.slack.port, "mail.example.invalid": self.mail.port,
                                              "chat.example.invalid": self.chat.port, "login.example.invalid": self.login.port}))
        self.own = self.peer(lambda: Proxy({"own.example.invalid": self.chat.port}))

        def template(name, url, more=""):
            return f"  - {{ name: {name}, kind: template, template: mattermost, url: \"{url}\", allow_http: true{more} }}\n"

        def write(gateway):
            for name, text in (("token", TOKEN), ("app", APP_TOKEN)):
                (gateway.folder / name).write_text(text + "\n")
                (gateway.folder / name).chmod(0o600)
            return (f"  - name: approvals\n    kind: slack\n    url: http://slack.example.invalid/api/\n    allow_http: true\n    channel: {CHANNEL}\n"
                    f"    token_file: {gateway.folder}/token\n    app_token_file: {gateway.folder}/app\n    app: {APP}\n    teams: [{TEAM}]\n"
                    "  - { name: mail, kind: mail, url: \"smtp://mail.example.invalid:25\", allow_plain: true, from: a@example.com, to: [dana@example.com] }\n"
                    + template("chat", "http://chat.example.invalid/hook") + template("own", "http://own.example.invalid/hook", f", proxy: \"{self.own.url}\"")
                    + template("inside", self.inside.url, ", allow_networks: [127.0.0.0/8]")
                    + template("direct", self.direct.url.replace("127.0.0.1", "localhost"), ", allow_networks: [\"127.0.0.0/8\", \"::1\"], proxy: none")
                    + template("forbidden", self.inside.url))
        return write

    def test_all_that_leaves_goes_through_the_gateways_proxy_but_for_whom_it_is_not(self):
        channels = self.proxied()
        issuer = ("identity:\n  audiences: [gateway]\n  issuers:\n    - name: login\n      issuer: https://login.example.com\n"
                  "      keys_url: http://login.example.invalid/keys\n      allow_http: true\n      algorithms: [ES256]\n      types: [at+jwt]\n"
                  "      callers:\n        - { match: { sub: billing }, caller: runner, agent: bot }\n")
        gateway = self.gateway(channels, more=f"proxy: {self.proxy.url}\nno_proxy: [127.0.0.0/8]\n" + issuer)
        gateway.submit(self.key)
        eventually(lambda: len(self.chat.came) == 2 and self.inside.came and self.direct.came and self.mail.letters and self.slack.messages, "all are told")
        eventually(lambda: self.slack.sockets, "the socket is open too")
        eventually(lambda: self.login.asked, "and the keys are fetched")
        self.assertEqual({"slack.example.invalid", "mail.example.invalid", "chat.example.invalid", "login.example.invalid"}, self.proxy.hosts())
        self.assertEqual({"own.example.invalid"}, self.own.hosts())
        self.assertIn(("CONNECT", "mail.example.invalid"), self.proxy.asked)
        self.assertIn(("CONNECT", "slack.example.invalid"), self.proxy.asked, "the socket")
        refused = eventually(lambda: [one for one in self.notices(gateway, "&channel=forbidden") if one["attempts"]], "it was tried")
        self.assertIn("address", refused[0]["last_error"])
        self.assertEqual(1, len(self.inside.came), "who needs no proxy is held to the rules for addresses")

    def test_a_proxys_password_stands_in_a_file(self):
        chat = self.peer(Receiver)
        proxy = self.peer(lambda: Proxy({"chat.example.invalid": chat.port}))
        gateway = Gateway(policy=POLICY)
        self.addCleanup(gateway.__exit__, None, None, None)
        secret = gateway.folder / "proxy"
        secret.write_text(f"http://gateway:EXAMPLE@127.0.0.1:{proxy.port}\n")
        secret.chmod(0o600)
        gateway.extra_config = (f"proxy_file: {secret}\nchannels:\n  - {{ name: chat, kind: template, template: mattermost, "
                                "url: \"http://chat.example.invalid/hook\", allow_http: true }\n")
        gateway.start()
        gateway.add_person("dana", ["oncall"])
        gateway.submit(gateway.add_caller())
        eventually(lambda: chat.came, "it is told")
        self.assertEqual([base64.b64encode(b"gateway:EXAMPLE").decode()], proxy.passwords)
        self.assertNotIn("EXAMPLE@", "\n".join(gateway.log))

    def test_proxies_that_are_configured_wrong_are_refused_with_what_to_write(self):
        for words, said in (("proxy: proxy.example.com:3128", "write `proxy: http://proxy.example.com:3128`"),
                            ("proxy: http://me:secret@proxy.example.com:3128", "proxy_file"),
                            ("proxy: http://p:1\nproxy_file: /x", "not both"),
                            ("proxy_file: /nowhere", "nowhere"),
                            ("no_proxy: [inside.example.com]", "there is none"),
                            ("proxy: http://p:1\nno_proxy: [\"*\"]", "is not a host"),
                            ("proxy: http://p:1\nno_proxy: [\"http://inside/\"]", "is not a host"),
                            ("proxy: http://p:1\nno_proxy: [10.0.0.0/64]", "is not a host")):
            with self.subTest(said=said, words=words):
                self.refuse(words + "\n", said)

    def test_round_ups_that_are_configured_wrong_are_refused_with_what_to_write(self):
        for words, said in (("kind: template, template: discord, url: \"https://x/\", roundup: 5", "over: 5, within: 1m"),
                            ("kind: template, template: discord, url: \"https://x/\", roundup: { over: 5 }", "over: 5, within: 1m"),
                            ("kind: template, template: discord, url: \"https://x/\", roundup: { over: 0, within: 1m }", "over|1"),
                            ("kind: template, template: discord, url: \"https://x/\", roundup: { over: 5, within: 1d }", "within|1h"),
                            ("kind: template, template: discord, url: \"https://x/\", roundup: { over: 5, within: 1m, per: x }", "per"),
                            ("kind: webhook, url: \"https://x/\", secret_file: /x, roundup: { over: 5, within: 1m }", "leave out `roundup`")):
            with self.subTest(said=said):
                self.refuse(f"channels:\n  - {{ name: a, {words} }}\n", said)

    def refuse(self, config, said):
        gateway = Gateway(config=config)
        with self.assertRaisesRegex(AssertionError, said):
            gateway.start()
        gateway.reader.join(5)
        gateway.process.stderr.close()
        shutil.rmtree(gateway.folder)


if __name__ == "__main__":
    unittest.main()
