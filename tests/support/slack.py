"""A Slack that is only for tests: its Web API on 127.0.0.1, and people of it who press buttons.

It holds to what docs/channels/slack.md says of Slack; tests/journeys/test_slack_peer.py holds it to Slack's own client.
"""
import base64
import hashlib
import hmac
import http.server
import itertools
import json
import secrets
import struct
import threading
import time
import urllib.parse

from support.quiet_server import QuietServer

TOKEN = "xoxb-EXAMPLE-not-a-token"
APP_TOKEN = "xapp-EXAMPLE-not-a-token"
SECRET = "0123456789abcdefEXAMPLE"
APP, TEAM, CHANNEL = "A0APP", "T0TEAM", "C0APPROVALS"
SCOPES = ("chat:write", "commands", "users:read", "im:write", "channels:read", "groups:read")
# What each method needs, and those that take forms alone and know no JSON.
NEEDS = {"chat.postMessage": "chat:write", "chat.update": "chat:write", "chat.postEphemeral": "chat:write", "users.info": "users:read",
         "conversations.open": "im:write", "conversations.info": "groups:read"}
FORMS = ("users.info", "conversations.info")
QUESTIONS = ("users.info", "conversations.info", "conversations.open", "auth.test")


def signed(body, secret=SECRET, at=None):
    """The headers with which Slack sends these bytes."""
    stamp = str(int(time.time() if at is None else at))
    mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + mac}


class Slack:
    """`messages` by (channel, ts), as they stand; `views`: modals opened; `whispers`: messages that one person sees."""

    def __init__(self):
        self.messages, self.views, self.whispers, self.calls = {}, [], [], []
        self.told = {}  # messages that are no cards: what owners of accounts are told
        self.answers = []  # of the next calls that are no questions: (status, headers, body), or callables
        self.planned = {}  # the same, by method
        self.scopes = list(SCOPES)
        self.people = {}  # what users.info says of them, beside what it says of every full member; None: nobody
        self.places = {CHANNEL: {}}  # the same for conversations.info
        self.accepting = set()  # envelopes whose acknowledgement may carry an answer
        self.opened = set()  # conversations with people
        self.numbers = itertools.count(1)
        self.tickets, self.sockets, self.acks = set(), [], {}  # sockets: open ones, oldest first; acks: by envelope id
        slack = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # the head and the body are two writes

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                status, headers, answer = slack.answer(self.path, self.headers, body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                if self.headers["Upgrade"] == "websocket":
                    slack.serve_socket(self)
                else:
                    self.do_POST()

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.place, self.link_place = f"127.0.0.1:{self.port}", None  # where sockets are opened, when it is not here
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        for socket in list(self.sockets):
            socket.drop()
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/api/"

    # ---- the Web API ----
    def answer(self, path, headers, body):
        method = path.split("/")[-1].split("?")[0]
        form = "json" not in (headers["Content-Type"] or "")
        given = {name: value[0] for name, value in urllib.parse.parse_qs(body.decode()).items()} if form else json.loads(body or b"{}")
        if form:  # the SDKs send JSON within a form
            given = {name: json.loads(value) if value[:1] in "[{" else value for name, value in given.items()}
        self.calls.append((method, given))
        plans = self.planned.get(method) or (self.answers if method not in QUESTIONS else [])
        if plans:
            planned = plans.pop(0)
            planned = planned(method, given) if callable(planned) else planned
            if planned is not None:
                return planned
        wanted = APP_TOKEN if method == "apps.connections.open" else TOKEN
        if headers["Authorization"] != f"Bearer {wanted}":
            return 200, {}, {"ok": False, "error": "invalid_auth" if headers["Authorization"] else "not_authed"}
        if NEEDS.get(method, self.scopes[0]) not in self.scopes:
            return 200, {}, {"ok": False, "error": "missing_scope", "needed": NEEDS[method], "provided": ",".join(self.scopes)}
        if method in FORMS and not form:
            return 200, {}, {"ok": False, "error": "invalid_arguments"}
        handle = getattr(self, "do_" + method.replace(".", "_"), None)
        return 200, {"X-OAuth-Scopes": ",".join(self.scopes)}, handle(given) if handle else {"ok": False, "error": "unknown_method"}

    # ---- Socket Mode ----
    def do_apps_connections_open(self, _):
        ticket = secrets.token_urlsafe(12)
        self.tickets.add(ticket)
        return {"ok": True, "url": f"ws://{self.link_place or self.place}/link/?ticket={ticket}&app_id={APP}"}

    def serve_socket(self, handler):
        ticket = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query).get("ticket", [""])[0]
        handler.close_connection = True
        if ticket not in self.tickets:  # good once
            handler.send_error(403)
            return
        self.tickets.discard(ticket)
        accept = hashlib.sha1((handler.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        handler.wfile.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Accept: {base64.b64encode(accept).decode()}\r\n\r\n").encode())
        socket = Socket(handler)
        self.sockets.append(socket)
        socket.send({"type": "hello", "num_connections": len(self.sockets), "connection_info": {"app_id": APP},
                     "debug_info": {"host": "fake", "build_number": 1, "approximate_connection_time": 3600}})
        try:
            for message in socket.messages():
                if message.get("payload") and message["envelope_id"] not in self.accepting:
                    break  # Slack takes no answer here
                self.acks.setdefault(message["envelope_id"], []).append((socket, message))
        finally:
            self.sockets.remove(socket)

    def envelope(self, payload, kind="interactive", **more):
        number = more.pop("id", None) or secrets.token_hex(16)
        accepts = payload.get("type") == "view_submission"
        if accepts:
            self.accepting.add(number)
        return {"envelope_id": number, "type": kind, "accepts_response_payload": accepts, "payload": payload, **more}

    def do_auth_test(self, _):
        return {"ok": True, "url": "https://x.slack.com/", "team": "x", "user": "countersign", "team_id": TEAM, "user_id": "U0BOT", "bot_id": "B0BOT"}

    def do_users_info(self, given):
        about = self.people.get(given.get("user"), {})
        if not given.get("user") or about is None:
            return {"ok": False, "error": "user_not_found"}
        return {"ok": True, "user": {"id": given["user"], "team_id": TEAM, "name": "somebody", "deleted": False, "is_bot": False, "is_app_user": True,
                                     "is_restricted": False, "is_ultra_restricted": False, "updated": 1700000000, **about}}

    def do_conversations_info(self, given):
        place = given.get("channel")
        if place not in self.places:
            return {"ok": False, "error": "channel_not_found"}
        return {"ok": True, "channel": {"id": place, "name": "approvals", "is_channel": True, "is_private": True, "created": 1700000000, "is_shared": False,
                                        "is_ext_shared": False, "is_org_shared": False, "is_pending_ext_shared": False, "pending_shared": [],
                                        **self.places[place]}}

    def do_conversations_open(self, given):
        user = given.get("users", "")
        if not user.startswith("U") or "," in user or self.people.get(user, {}) is None:
            return {"ok": False, "error": "user_not_found"}
        opened = self.conversation(user) in self.opened
        self.opened.add(self.conversation(user))
        return {"ok": True, "no_op": opened, "already_open": opened, "channel": {"id": self.conversation(user)}}

    def conversation(self, user):
        return "D" + user[1:]

    def do_chat_postMessage(self, given):
        if given.get("channel") not in self.places and given.get("channel") not in self.opened:
            return {"ok": False, "error": "channel_not_found"}
        problem = check_blocks(given["blocks"])
        if problem:
            return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": [problem]}}
        ts = f"1700000000.{next(self.numbers):06d}"
        is_told = "your account" in given["text"].lower()
        (self.told if is_told else self.messages)[(given["channel"], ts)] = given
        return {"ok": True, "channel": given["channel"], "ts": ts, "message": {"ts": ts, **given}}

    def do_chat_update(self, given):
        place = (given["channel"], given["ts"])
        if place not in self.messages:
            return {"ok": False, "error": "message_not_found"}
        problem = check_blocks(given["blocks"])
        if problem:
            return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": [problem]}}
        self.messages[place] = given
        return {"ok": True, "channel": place[0], "ts": place[1], "text": given["text"]}

    def do_chat_postEphemeral(self, given):
        self.whispers.append(given)
        return {"ok": True, "message_ts": f"1700000001.{next(self.numbers):06d}"}

    def do_views_open(self, given):
        if not given.get("trigger_id", "").startswith("trigger-"):
            return {"ok": False, "error": "invalid_trigger_id"}
        view = given["view"]
        if len(view["title"]["text"]) > 24 or len(view["submit"]["text"]) > 24 or len(view["private_metadata"] if "private_metadata" in view else "") > 3000:
            return {"ok": False, "error": "invalid_arguments"}
        self.views.append(view)
        return {"ok": True, "view": {"id": "V1", **view}}

    # ---- people ----
    def card(self):
        """The only message there is."""
        (message,) = self.messages.values()
        return message

    def cards_of(self, user):
        return [message for (channel, _), message in self.messages.items() if channel == self.conversation(user)]

    def told_to(self, user):
        return [message for (channel, _), message in self.told.items() if channel == self.conversation(user)]

    def asked(self, method):
        return [given for name, given in self.calls if name == method]

    def buttons(self, message=None):
        return {element["action_id"]: element for block in (message or self.card())["blocks"] if block["type"] == "actions" for element in block["elements"]}

    def base(self, kind, user="U0DANA", team=TEAM, app=APP, home=None):
        return {"type": kind, "api_app_id": app, "team": {"id": team, "domain": "x"}, "enterprise": None, "is_enterprise_install": False,
                "user": {"id": user, "username": "somebody", "name": "somebody", "team_id": home or team},
                "trigger_id": f"trigger-{next(self.numbers)}", "token": "deprecated"}

    def press(self, action, message=None, **who):
        """The payload of a press on the message's button."""
        message = message or self.card()
        ((channel, ts),) = [place for place, one in self.messages.items() if one is message] or [(CHANNEL, "0")]
        element = self.buttons(message)[action]
        return {**self.base("block_actions", **who), "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
                "channel": {"id": channel, "name": "approvals"}, "message": {"ts": ts, "user": "U0BOT", "bot_id": "B0BOT", **message},
                "response_url": "https://hooks.slack.com/actions/x", "state": {"values": {}},
                "actions": [{"type": "button", "action_id": action, "block_id": "b", "action_ts": f"{next(self.numbers)}.1", "text": element["text"],
                             **({"value": element["value"]} if "value" in element else {})}]}

    def submit(self, view, block, text, **who):
        """The payload of the modal, with this typed into it."""
        value = {"type": "plain_text_input", "value": text}
        return {**self.base("view_submission", **who), "response_urls": [],
                "view": {"id": "V1", "hash": "1.a", **view, "state": {"values": {block: {block: value}}}}}

    def shortcut(self, **who):
        return {**self.base("shortcut", **who), "callback_id": "countersign_link", "action_ts": "1.1"}


class Socket:
    """The server's end of one websocket (RFC 6455); says what a client may not do."""

    def __init__(self, handler):
        self.handler, self.lock = handler, threading.Lock()
        self.pings, self.pongs, self.is_mute = 0, 0, False

    def send(self, value, opcode=1, pieces=1):
        payload = value if isinstance(value, bytes) else json.dumps(value).encode()
        size = -(-len(payload) // pieces) or 1
        parts = [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]
        with self.lock:
            for number, part in enumerate(parts):
                first = (opcode if number == 0 else 0) | (0x80 if number == len(parts) - 1 else 0)
                head = bytes([first, len(part)]) if len(part) < 126 else \
                    struct.pack("!BBH", first, 126, len(part)) if len(part) < 65536 else struct.pack("!BBQ", first, 127, len(part))
                self.handler.wfile.write(head + part)

    def messages(self):
        read = self.handler.rfile.read
        while True:
            head = read(2)
            if len(head) < 2:
                return
            assert head[0] & 0x80 and head[1] & 0x80, "clients mask, and ours never fragments"
            length = head[1] & 0x7F
            length = struct.unpack("!H", read(2))[0] if length == 126 else struct.unpack("!Q", read(8))[0] if length == 127 else length
            mask = read(4)
            payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(read(length)))
            opcode = head[0] & 15
            if opcode == 8:
                return
            if opcode == 9:
                self.pings += 1
                if not self.is_mute:
                    self.send(payload, opcode=10)
            elif opcode == 10:
                self.pongs += 1
            elif opcode == 1:
                yield json.loads(payload)

    def drop(self):
        """As a network that fails: without a word."""
        self.handler.connection.shutdown(2)


def check_blocks(blocks):
    """The limits of @slack/types, as Slack enforces them; None when nothing is wrong."""
    if len(blocks) > 50:
        return "more than 50 blocks"
    texts = 0
    for block in blocks:
        if block["type"] == "header" and not 1 <= len(block["text"]["text"]) <= 150:
            return "header"
        if block["type"] == "section":
            if "text" in block and not 1 <= len(block["text"]["text"]) <= 3000:
                return "section"
            if len(block.get("fields", [])) > 10 or any(not 1 <= len(field["text"]) <= 2000 for field in block.get("fields", [])):
                return "fields"
        if block["type"] == "actions":
            for element in block["elements"]:
                if len(element["text"]["text"]) > 75 or len(element.get("value", "")) > 2000 or len(element.get("url", "")) > 3000:
                    return "button"
                confirm = element.get("confirm")
                if confirm and (len(confirm["title"]["text"]) > 100 or len(confirm["text"]["text"]) > 300 or len(confirm["confirm"]["text"]) > 30
                                or len(confirm["deny"]["text"]) > 30):
                    return "confirm"
        if block["type"] not in ("header", "section", "context", "actions", "rich_text", "divider", "input"):
            return "unknown block " + block["type"]
        if block["type"] == "context" and len(block["elements"]) > 10:
            return "context"
        texts += text_length(block)
    return "msg_blocks_too_long" if texts > 13200 else None


def text_length(value):
    """Characters of all that stands in a `text`."""
    if isinstance(value, list):
        return sum(text_length(one) for one in value)
    if isinstance(value, dict):
        return sum(len(one) if name == "text" and isinstance(one, str) else text_length(one) for name, one in value.items())
    return 0
