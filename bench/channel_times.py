"""From a request's submission to its card at the other side, one request at a time; and what one bare curl takes for the same
messages to the same doubles, which are as slow for both."""
import json
import re
import statistics
import subprocess
import threading
import time

from support.everywhere import Everywhere
from support.gateway import Gateway
from support.slack import Slack

POLICY = """
version: 1
defaults: { verdict: deny, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
rules:
  - { name: refunds, match: { action: payments.refund }, verdict: require_approval, approval: { groups: [oncall], assurance: chat, timeout: 1d } }
"""
PLACES = ("hook", "mail", "slack", "teams")  # `slack` and `teams`: the card; `slack_buttons`: the change that gives it its buttons
EVERY = (*PLACES, "slack_buttons")
REQUESTS = 200
WARM = 20


class Arrivals:
    """When each place had the message about the request that is under way."""

    def __init__(self):
        self.changed, self.came, self.request = threading.Condition(), {}, None

    def note(self, place, text):
        at = time.monotonic()
        found = re.search(r"req_\w+", text)
        with self.changed:
            if found and found[0] == self.request or self.request is None:
                self.came.setdefault((place, found and found[0]), at)
                self.changed.notify_all()

    def wait(self, request):
        """By place; what came before the request's id was known is found by it."""
        with self.changed:
            self.request = request
            got = self.changed.wait_for(lambda: all((place, request) in self.came for place in EVERY), 30)
            assert got, f"{request} is not on all places: {[place for place, one in self.came if one == request]}"
            times = {place: self.came[(place, request)] for place in EVERY}
            self.request = None
            self.came.clear()
        return times


class NotedSlack(Slack):
    def __init__(self, arrivals):
        self.arrivals = arrivals
        super().__init__()

    def answer(self, path, headers, body):
        if path.endswith("chat.postMessage"):
            self.arrivals.note("slack", body.decode())
        elif path.endswith("chat.update"):
            self.arrivals.note("slack_buttons", body.decode())
        return super().answer(path, headers, body)


class NotedLetters(list):
    def __init__(self, arrivals):
        super().__init__()
        self.arrivals = arrivals

    def append(self, letter):
        self.arrivals.note("mail", letter[2]["Subject"])
        super().append(letter)


def noting(receiver, place, arrivals, status):
    def take(handler):
        arrivals.note(place, receiver.came[-1][2].decode())
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    receiver.otherwise = take


def percentiles(values):
    values = sorted(values)
    return statistics.median(values) * 1000, values[len(values) - 1 - len(values) // 100] * 1000


def ours(gateway, arrivals, key):
    """(p50, p99) in ms by place."""
    took = {place: [] for place in EVERY}
    connection = gateway.connection()
    for number in range(WARM + REQUESTS):
        body = {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "order", "id": f"{number}"},
                "action": {"name": "payments.refund", "properties": {"args": {"amount": 125, "currency": "EUR"}}}}
        began = time.monotonic()
        answer = gateway.call("POST", "/v1/requests", body, key, connection=connection)
        for place, at in arrivals.wait(answer.json["id"]).items():
            if number >= WARM:
                took[place].append(at - began)
        gateway.call("POST", f"/v1/requests/{answer.json['id']}/cancel", {}, key, connection=connection)
    connection.close()
    return {place: percentiles(values) for place, values in took.items()}


def bare(folder, url, body, headers, mail=None):
    """(p50, p99) in ms of one curl that sends this body again and again over one connection."""
    (folder / "body").write_bytes(body)
    lines = []
    for number in range(WARM + REQUESTS):
        how = [f'mail-from = "{mail[0]}"', f'mail-rcpt = "{mail[1]}"', f'upload-file = "{folder}/body"'] if mail else \
            [f'data-binary = "@{folder}/body"', *(f'header = "{name}: {value}"' for name, value in headers.items())]
        lines += (["next"] if number else []) + [f'url = "{url}"', 'output = "/dev/null"', "silent", r'write-out = "%{time_total}\n"', *how]
    (folder / "curl.conf").write_text("\n".join(lines))
    run = subprocess.run(["curl", "--config", str(folder / "curl.conf")], capture_output=True, text=True, timeout=300, check=True)
    return percentiles([float(line) for line in run.stdout.split()][WARM:])


def measure():
    """By place ((p50, p99) of ours, (p50, p99) of curl), in ms."""
    arrivals = Arrivals()
    gateway = Gateway(policy=POLICY, config="limits: { requests_per_second: 0 }\n", scripted=False)
    everywhere = Everywhere(gateway, slack=NotedSlack(arrivals))
    everywhere.mail.letters = NotedLetters(arrivals)
    gateway.extra_config += everywhere.config(PLACES)
    noting(everywhere.receivers["hook"], "hook", arrivals, 200)
    noting(everywhere.receivers["teams"], "teams", arrivals, 202)
    try:
        with gateway:
            gateway.add_person("dana", ["oncall"])
            got = ours(gateway, arrivals, gateway.add_caller())
            return {place: (got[place], bare_of(gateway.folder, everywhere, place)) for place in EVERY}
    finally:
        everywhere.stop()


def bare_of(folder, everywhere, place):
    if place == "mail":
        _, _, letter = everywhere.mail.letters[0]
        return bare(folder, f"smtp://127.0.0.1:{everywhere.mail.port}/bench", letter.as_bytes(), {}, ("countersign@example.com", "ops@example.com"))
    if place.startswith("slack"):
        given = next(given for method, given in everywhere.slack.calls if method == "chat.postMessage")
        headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": "Bearer xoxb-EXAMPLE-not-a-token"}
        return bare(folder, everywhere.slack.url + "chat.postMessage", json.dumps(given).encode(), headers)
    receiver = everywhere.receivers[place]
    return bare(folder, receiver.url, receiver.came[0][2], {"Content-Type": "application/json"})

