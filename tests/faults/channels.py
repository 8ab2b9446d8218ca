"""The other sides fail in every way, one outage a round, and the gateway is killed in the middle of a delivery: no notice is
lost, no request has two cards with buttons, none keeps its buttons when it has ended, and what comes twice comes under one id.

Webhook, template, mail, Teams Workflow, a bot in Teams, and Slack, whose presses come over Socket Mode."""
import collections
import json
import re
import threading

from faults import harness
from support import front
from support.everywhere import Everywhere
from support.front import Front
from support.gateway import Gateway, eventually
from support.people import Person
from support.slack import APP_TOKEN, CHANNEL, Slack
from support.teams import Teams, buttons_of, card_of

POLICY = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [finance], timeout: 6h } }
rules:
  - { name: refunds, match: { action: payments.refund }, verdict: require_approval, approval: { groups: [finance], assurance: chat, timeout: 6h } }
"""
CONFIG = "limits: { requests_per_second: 0, pending_per_caller: 1000000, votes_per_hour: 0 }\n"
PLACES = ["hook", "mattermost", "mail", "teams", "bot", "slack"]
CARDS = ("slack", "bot")
APPROVE, DENY = "countersign_approve", "countersign_deny"


# ---- the other sides, watched ----

class Watch:
    """Which cards of a request have buttons: never two, and none when it has ended."""

    def __init__(self):
        self.live, self.places, self.doubled = collections.defaultdict(set), collections.defaultdict(set), []

    def note(self, text, place, has_buttons):
        request = re.search(r"/requests/(req_\w+)", text)[1]
        self.places[request].add(place)
        (self.live[request].add if has_buttons else self.live[request].discard)(place)
        if len(self.live[request]) > 1:
            self.doubled.append(request)


class WatchedSlack(Slack):
    def __init__(self):
        self.watch = Watch()
        super().__init__()

    def do_chat_postMessage(self, given):
        return self.noted(given, super().do_chat_postMessage(given))

    def do_chat_update(self, given):
        return self.noted(given, super().do_chat_update(given))

    def noted(self, given, answer):
        if answer["ok"]:
            self.watch.note(given["text"], answer["ts"], DENY in self.buttons(given))
        return answer


class WatchedTeams(Teams):
    def __init__(self):
        self.watch = Watch()
        super().__init__()

    def set_activity(self, conversation, activity, given, body):
        answer = super().set_activity(conversation, activity, given, body)
        if "id" in answer[2]:
            self.watch.note(json.dumps(given), answer[2]["id"], "deny" in buttons_of(card_of(given)))
        return answer


MAIL_TROUBLES = {
    "421": (b"", lambda connection, say: say("421 too busy")),
    "reset": (b"", lambda connection, say: front.reset(Connection(connection))),
    "hung up": (b"EHLO", lambda connection, say: connection.shutdown(2)),
    "garbage": (b"", lambda connection, say: say("\x00\x7f garbage")),
    "450": (b"RCPT", lambda connection, say: say("450 mailbox busy")),
    "451": (b"DATA", lambda connection, say: say("451 later")),
    "lost answer": (b".", lambda connection, say: front.reset(Connection(connection))),
}


class Connection:
    def __init__(self, connection):
        self.connection = connection


class Others:
    """All other sides, each behind a front that can fail; mail fails by itself."""

    def __init__(self, gateway):
        self.everywhere = Everywhere(gateway, slack=WatchedSlack(), bot=WatchedTeams())
        self.slack, self.bot, self.mail = self.everywhere.slack, self.everywhere.bot, self.everywhere.mail
        self.doubles = {"slack": self.slack, "bot": self.bot, **{place: self.everywhere.receivers[place] for place in ("hook", "mattermost", "teams")}}
        self.fronts = {place: Front(double.port) for place, double in self.doubles.items()}
        self.taken = collections.defaultdict(list)  # of the receivers: what they said they had taken
        for place in ("hook", "mattermost", "teams"):
            self.doubles[place].otherwise = 200

    def config(self):
        text = self.everywhere.config(PLACES, "    limits: { per_second: 1000 }\n")
        secret = self.everywhere.secret("slack.app", APP_TOKEN)
        text = text.replace("    signing_secret_file:", f"    app_token_file: {secret}\n    signing_secret_file:")
        for place, double in self.doubles.items():
            text = text.replace(f"127.0.0.1:{double.port}", f"127.0.0.1:{self.fronts[place].port}")
        return text

    def stop(self):
        for one in self.fronts.values():
            one.stop()
        self.everywhere.stop()

    def calm(self):
        for one in self.fronts.values():
            one.clear()
        self.mail.troubles.clear()


# ---- outages ----

def fail(setting, others, moment):
    """Has one other side fail, for what this moment sends; returns how to end it and whether the gateway is to be killed, and when."""
    chance = setting.chance
    place = chance.choice(PLACES)
    times = chance.randint(1, 3)
    if chance.random() < 0.12:
        return end_of_refusal(others, place), None
    if chance.random() < 0.12:
        return others.calm, plan_kill(chance, others, place)
    if place == "mail":
        others.mail.troubles += [chance.choice(sorted(MAIL_TROUBLES.items()))[1]] * times
    elif place == "slack" and chance.random() < 0.3:
        trouble_sockets(chance, others.slack)
    else:
        kind = chance.choice(sorted(front.TROUBLES))
        setting.kinds[f"{place}: {kind}"] += 1
        others.fronts[place].plan(front.TROUBLES[kind], times, {"slack": "/chat.", "bot": "/v3/"}.get(place, ""))
        return others.calm, None
    setting.kinds[place + ": its own"] += 1
    return others.calm, None


def end_of_refusal(others, place):
    other = others.mail if place == "mail" else others.fronts[place]
    (other.stop if place == "mail" else other.refuse)()
    return lambda: (other.listen if place == "mail" else other.listen_again)()


def plan_kill(chance, others, place):
    """The gateway is killed when the other side has the message, before or after it took it: before it can be settled."""
    reached, dead = threading.Event(), threading.Event()

    def hold(handler, forward):
        if takes:
            forward()
        reached.set()
        dead.wait(20)
        front.hang_up(handler)
    takes = chance.random() < 0.7
    if place == "mail":
        def hold_letter(connection, _):
            reached.set()
            dead.wait(20)
            connection.shutdown(2)
        others.mail.troubles.append((b"." if takes else b"DATA", hold_letter))
    else:
        only = {"slack": chance.choice(["chat.postMessage", "chat.update"]), "bot": chance.choice(["POST /teams", "PUT /teams"])}.get(place, "")
        others.fronts[place].plan(hold, 1, only)
    return reached, dead


def trouble_sockets(chance, slack):
    """Between post and press: sockets break, or Slack says that it will close them."""
    for socket in list(slack.sockets):
        if chance.random() < 0.5:
            socket.drop()
        else:
            socket.send({"type": "disconnect", "reason": "warning", "debug_info": {"host": "fake"}})


def press(others, gateway, request):
    """Erin denies by the card, if it has buttons and Slack can be asked for the modal now; whether she did."""
    slack = others.slack
    message = next((one for one in list(slack.messages.values()) if request in one["text"] and DENY in slack.buttons(one)), None)
    if message is None or others.fronts["slack"].is_refusing:
        return False
    opened = len(slack.views)
    bring(gateway, slack, slack.press(DENY, message))
    eventually(lambda: len(slack.views) > opened, "the modal opens")
    bring(gateway, slack, slack.submit(slack.views[-1], "reason", "no"))
    return True


def bring(gateway, slack, payload):
    """As Slack does: again, on another socket, until it is acknowledged."""
    envelope = slack.envelope(payload)

    def is_acknowledged():
        for socket in list(slack.sockets)[-1:]:
            try:
                socket.send(envelope)
            except OSError:
                pass  # it broke: another is opened
        if not slack.sockets:
            gateway.advance(1)
        return envelope["envelope_id"] in slack.acks
    eventually(is_acknowledged, "the press is acknowledged", 60)


# ---- one round ----

def attempts(gateway, request):
    return [notice for notice in gateway.admin("GET", f"/v1/notices?request={request}")["notices"] if notice["attempts"] or notice["state"] != "waiting"]


def is_still(gateway):
    """Nothing is under way: a minute that passes in a moment would end the lease of what is, and it would be sent twice at once."""
    return not any(channel["in_flight"] for channel in gateway.admin("GET", "/v1/channels")["channels"])


def pass_time(gateway, seconds):
    eventually(lambda: is_still(gateway), "all that is under way comes to an end", 60)
    gateway.advance(seconds)


def pass_circuits(gateway):
    """Time goes on while a circuit is open and nothing is under way."""
    fare = gateway.admin("GET", "/v1/channels")["channels"]
    if not all(channel["answers"] for channel in fare) and is_still(gateway):
        gateway.advance(2)


def kill_when_reached(setting, gateway, kill):
    """Whether it came to that."""
    reached, dead = kill
    came = reached.wait(2)
    if came:
        setting.kills += 1
        gateway.kill()
    dead.set()
    if came:
        gateway.start()


def outage(setting, gateway, others, dana, key, number):
    """One request, and one outage while it is asked or while its end is told."""
    chance = setting.chance
    moment = chance.choice(["asked", "ended"])
    calm, kill = fail(setting, others, moment) if moment == "asked" else (others.calm, None)
    asked = gateway.submit(key, resource=f"order/{number}")
    if kill:
        kill_when_reached(setting, gateway, kill)
    elif chance.random() < 0.5:
        eventually(lambda: attempts(gateway, asked["id"]) or pass_circuits(gateway), "it is tried")
    if moment == "ended":
        eventually(lambda: not waiting(gateway) or pass_circuits(gateway) or gateway.advance(1), "it is told", 60)
        calm, kill = fail(setting, others, moment)
    if chance.random() < 0.7 or not press(others, gateway, asked["id"]):
        gateway.vote(dana, asked["id"], "deny")
    if kill and moment == "ended":
        kill_when_reached(setting, gateway, kill)
    calm()
    pass_time(gateway, chance.choice([0, 1, 6, 70]))
    return asked["id"]


def waiting(gateway):
    return gateway.admin("GET", "/v1/notices?state=waiting&limit=1")["notices"]


# ---- the end ----

def all_notices(gateway):
    found, after = [], ""
    while True:
        page = gateway.admin("GET", "/v1/notices?limit=200" + (f"&after={after}" if after else ""))
        found += page["notices"]
        after = page.get("next")
        if not after:
            return found


def check_notices(setting, gateway, requests):
    notices = all_notices(gateway)
    left = [notice for notice in notices if notice["state"] in ("dead", "waiting")]
    setting.tally.check(not left, f"some are dead or wait: {left[:3]}")
    for place in PLACES:
        told = {notice["request"] for notice in notices if notice["channel"] == place and notice["event"] == "request.denied" and notice["state"] in ("sent", "stale")}
        setting.tally.check(told == set(requests), f"{place}: nothing came of the end of {len(set(requests) - told)} requests")
    return notices


def check_hook(setting, others, requests):
    by_id, names = collections.defaultdict(set), collections.defaultdict(set)
    for _, headers, body in others.doubles["hook"].came:
        event = json.loads(body)
        said = event["data"]["request"], event["type"]
        by_id[headers["webhook-id"]].add(said)
        names[said].add(headers["webhook-id"])
    for name, said in by_id.items():
        setting.tally.check(len(said) == 1, f"one id says two things: {name} {said}")
    for said, ids in names.items():
        setting.tally.check(len(ids) == 1, f"one thing under two ids: {said} {ids}")
    told = {request for request, event in names if event == "request.denied"}
    setting.tally.check(told == set(requests), f"the webhook has not taken the end of {len(set(requests) - told)} requests")


def check_last(setting, gateway, place, texts):
    """Of what cannot be changed, the last message of each request says how it ended."""
    last = {}
    for text in texts:
        last[re.search(r"req_\w+", text)[0]] = text
    for request, text in last.items():
        if not setting.tally.check("Denied" in text, f"{place}: the last about {request} still says {text[:80]!r}"):
            setting.say([{name: notice.get(name) for name in ("event", "state", "attempts", "last_error", "created_at", "settled_at")}
                         for notice in gateway.admin("GET", f"/v1/notices?request={request}")["notices"] if notice["channel"] == place])


def check_letters(setting, gateway, others):
    said = collections.defaultdict(set)
    for _, _, letter in others.mail.letters:
        said[letter["Message-ID"]].add(letter["Subject"])
    check_last(setting, gateway, "mail", [letter["Subject"] for _, _, letter in others.mail.letters])
    for name, subjects in said.items():
        setting.tally.check(len(subjects) == 1 or all("Approval needed" in one or "Denied" in one for one in subjects), f"one letter says two things: {name} {subjects}")


def check_cards(setting, place, watch, requests):
    tally = setting.tally
    tally.check(not watch.doubled, f"{place}: {len(set(watch.doubled))} requests had two cards with buttons at once: {watch.doubled[:3]}")
    for request in requests:
        tally.check(not watch.live[request], f"{place}: {request} has ended and still has buttons")
    twice = [request for request in requests if len(watch.places[request]) > 1]
    setting.say(f"{place}: {sum(len(places) for places in watch.places.values())} cards of {len(watch.places)} requests; {len(twice)} stand there twice, one of each without buttons")


def check_end(setting, gateway, others, requests):
    check_notices(setting, gateway, requests)
    check_hook(setting, others, requests)
    for place in ("mattermost", "teams"):
        check_last(setting, gateway, place, [body.decode() for _, _, body in others.doubles[place].came])
    check_letters(setting, gateway, others)
    for place, double in (("slack", others.slack), ("bot", others.bot)):
        check_cards(setting, place, double.watch, requests)


def run(setting):
    setting.kinds, setting.kills = collections.Counter(), 0
    gateway = Gateway(policy=POLICY, config=CONFIG)
    others = Others(gateway)
    gateway.extra_config += others.config()
    try:
        with gateway:
            erin, key = Person(gateway, "erin", ["finance"]), gateway.add_caller()
            dana = gateway.add_person("dana", ["finance"])
            link(gateway, others.slack, erin)
            requests = []
            for number in range(1, setting.rounds + 1):
                requests.append(outage(setting, gateway, others, dana, key, number))
                setting.tally.rounds += 1
                setting.progress(number, setting.rounds)
            others.calm()
            eventually(lambda: pass_time(gateway, 3700) or not waiting(gateway), "all is settled in the end", 120)
            setting.say(f"{sum(setting.kinds.values())} outages of {len(setting.kinds)} kinds, {setting.kills} kills in the middle of a delivery")
            check_end(setting, gateway, others, requests)
    finally:
        others.stop()


def link(gateway, slack, person):
    person.step_up()
    code = person.ok("POST", "/v1/me/chat-links", {}, want=(201,))["code"]
    eventually(lambda: slack.sockets and gateway.logged("socket_mode_ready"), "a socket is open")
    envelope = slack.envelope(slack.submit({"callback_id": "countersign_link"}, "code", code))
    slack.sockets[-1].send(envelope)
    eventually(lambda: envelope["envelope_id"] in slack.acks, "the account is linked")
