"""Receivers that fail in every way, one outage a round, and a gateway that is killed among them: no notice is lost, and
what comes twice comes under one id."""
import collections
import json
import socket
import struct
import threading
import time

from faults import harness
from support.gateway import Gateway, eventually
from support.peers import Receiver
from support.teams import Teams, buttons_of, card_of, texts_of

SECRET = "whsec_" + "QUFB" * 8
ROUNDS_A_KILL = 40


def reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def hang_up(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


def hang(handler):
    time.sleep(0.3)
    hang_up(handler)


def garbage(handler):
    handler.wfile.write(b"\x00\xff garbage\r\n\r\n")
    hang_up(handler)


def half(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
    hang_up(handler)


def endless(handler):
    handler.wfile.write(b"HTTP/1.1 500 Broken\r\n\r\n" + b"x" * 200_000)  # an endless 200 is an answer
    hang_up(handler)


OUTAGES = {"500": 500, "503": 503, "429": (429, {"Retry-After": "1"}, b"slow down"), "302": (302, {"Location": "/elsewhere"}, b""),
           "reset": reset, "hung up": hang_up, "hang": hang, "garbage": garbage, "half": half, "endless": endless, "refused": None}


class Flaky(Receiver):
    """Remembers what it took, and which of that it said it had taken."""

    def __init__(self):
        super().__init__()
        self.taken = []
        self.otherwise = self.take

    def take(self, handler):
        self.taken.append(self.came[-1])
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()


def refuse(peer):
    """Nobody listens any more, on the same port."""
    peer.server.shutdown()
    peer.server.server_close()


def listen_again(peer):
    handler, kind = peer.server.RequestHandlerClass, type(peer.server)
    peer.server = eventually(lambda: kind(("127.0.0.1", peer.port), handler), "the port is free again")
    threading.Thread(target=peer.server.serve_forever, daemon=True).start()


def fail(setting, peer, kind, times):
    """The next answers of it. Of a bot's, at times its token is void, and it may be the login server that fails."""
    if isinstance(peer, Teams) and setting.chance.random() < 0.5:
        peer.revoke()
        peer.login_answers = [OUTAGES[kind]]  # each keeps everything waiting: they are not to pile up
    else:
        peer.answers += [OUTAGES[kind]] * times


def channels(folder, hook, chat, teams):
    secret = folder / "hook.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    return (f"channels:\n  - {{ name: hook, kind: webhook, url: \"{hook.url}\", allow_http: true, secret_file: {secret}, "
            f"allow_networks: [127.0.0.0/8], limits: {{ per_second: 1000 }} }}\n"
            f"  - {{ name: chat, kind: template, template: mattermost, url: \"{chat.url}\", allow_http: true, "
            f"allow_networks: [127.0.0.0/8], limits: {{ per_second: 1000 }} }}\n" + teams.config(folder, "bot"))


def waiting(gateway):
    return gateway.admin("GET", "/v1/notices?state=waiting&limit=1")["notices"]


def all_notices(gateway):
    found, after = [], ""
    while True:
        page = gateway.admin("GET", "/v1/notices?limit=200" + (f"&after={after}" if after else ""))
        found += page["notices"]
        after = page.get("next")
        if not after:
            return found


def pass_circuits(gateway):
    """Time goes on while a circuit is open and nothing is under way, so that no lease runs out."""
    fare = gateway.admin("GET", "/v1/channels")["channels"]
    if not all(channel["answers"] for channel in fare) and not any(channel["in_flight"] for channel in fare):
        gateway.advance(2)


def outage(setting, gateway, dana, key, receivers, number):
    """One request while one receiver fails in one way; decided while it fails, or after."""
    kind = setting.chance.choice(sorted(OUTAGES))
    receiver = setting.chance.choice(receivers)
    times = setting.chance.randint(1, 3)
    if OUTAGES[kind] is None:
        refuse(receiver)
    else:
        fail(setting, receiver, kind, times)
    asked = gateway.submit(key, resource=f"order/{number}")
    if setting.chance.random() < 0.5:
        tried = lambda: [n for n in gateway.admin("GET", f"/v1/notices?request={asked['id']}")["notices"] if n["attempts"]]
        eventually(lambda: tried() or pass_circuits(gateway), "it is tried")
    gateway.vote(dana, asked["id"], "deny")
    if OUTAGES[kind] is None:
        listen_again(receiver)
    gateway.advance(setting.chance.choice([0, 1, 6, 70]))
    return asked["id"]


def check_bot(setting, teams):
    """A post whose answer was lost may stand twice; of what a request has in Teams at least one card says its end, and has no buttons."""
    said = collections.defaultdict(list)
    for message in teams.messages.values():
        card = card_of(message)
        said[buttons_of(card)["Action.OpenUrl"]["url"].split("/requests/")[1]].append(card)
    for request, cards in said.items():
        ended = [card for card in cards if "Denied by dana" in texts_of(card)]
        setting.tally.check(ended and all(set(buttons_of(card)) == {"Action.OpenUrl"} for card in ended), f"no card of {request} in Teams says its end")
    setting.tally.check(said, "nothing was posted to Teams")


def check_end(setting, gateway, requests, hook, chat):
    tally = setting.tally
    notices = all_notices(gateway)
    tally.check(not [n for n in notices if n["state"] in ("dead", "waiting")], f"some are dead or wait: {[n for n in notices if n['state'] in ('dead', 'waiting')][:3]}")
    ends = {n["request"] for n in notices if n["channel"] == "hook" and n["event"] == "request.denied" and n["state"] == "sent"}
    tally.check(ends == set(requests), f"the end of {len(set(requests) - ends)} requests was told to nobody")
    by_id = collections.defaultdict(set)
    taken = collections.defaultdict(set)
    for _, headers, body in hook.came:
        event = json.loads(body)
        by_id[headers["webhook-id"]].add((event["data"]["request"], event["type"]))
    for _, headers, body in hook.taken:
        event = json.loads(body)
        taken[(event["data"]["request"], event["type"])].add(headers["webhook-id"])
    for name, said in by_id.items():
        tally.check(len(said) == 1, f"one id says two things: {name} {said}")
    for said, names in taken.items():
        tally.check(len(names) == 1, f"one thing under two ids: {said} {names}")
    told = {request for request, event in taken if event == "request.denied"}
    tally.check(told == set(requests), f"the receiver has not taken the end of {len(set(requests) - told)} requests")
    last = {}
    for _, _, body in chat.taken:
        text = json.loads(body)["text"]
        last[text.split("/requests/")[1].split()[0]] = text
    for request, text in last.items():
        tally.check("Denied" in text, f"the card of {request} still says {text[:60]!r}")


def run(setting):
    hook, chat, teams = Flaky(), Flaky(), Teams()
    teams.lifetime = 24 * 3600  # of its tokens: the clock takes strides of an hour in the end
    gateway = Gateway(policy=harness.POLICY, config=harness.CONFIG)
    gateway.extra_config += channels(gateway.folder, hook, chat, teams)
    try:
        with gateway:
            dana = gateway.add_person("dana", ["finance"])
            key = gateway.add_caller()
            requests = []
            for number in range(1, setting.rounds + 1):
                requests.append(outage(setting, gateway, dana, key, [hook, chat, teams], number))
                setting.tally.rounds += 1
                setting.progress(number, setting.rounds)
                if number % ROUNDS_A_KILL == 0:
                    gateway.kill()
                    gateway.start()
            for peer in (hook, chat, teams):
                peer.answers.clear()
            teams.login_answers.clear()
            eventually(lambda: gateway.advance(3700) or not waiting(gateway), "all is settled in the end", 120)
            check_end(setting, gateway, requests, hook, chat)
            check_bot(setting, teams)
    finally:
        hook.stop()
        chat.stop()
        teams.stop()
