"""A Microsoft that is only for tests: login server, Bot Connector and the signer of what bots are sent, all on 127.0.0.1.

It holds to what docs/channels/teams.md says of Teams and of the Bot Framework's REST interface.
"""
import http.server
import itertools
import json
import re
import secrets
import tempfile
import threading
import time
import urllib.parse

from support.workload import Key
from support.quiet_server import QuietServer

APP = "1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"
TENANT = "5e6f7a8b-0000-4000-8000-5e6f7a8b9c0d"
SECRET = "EXAMPLE~secret+of/the=app"
CONVERSATION = "19:0123456789abcdef@thread.tacv2"
DANA = "0a0a0a0a-0000-4000-8000-0a0a0a0a0a0a"  # an Entra object id
SCOPE = "https://api.botframework.com/.default"
ISSUER = "https://api.botframework.com"
REGION = "/emea/"
MESSAGE_BYTES = 28 * 1024

# What a card may hold in Teams, of those elements that ours use (Adaptive Cards 1.4).
ELEMENTS = {"TextBlock": {"size", "text", "weight", "wrap"}, "RichTextBlock": {"inlines"}, "Input.Text": {"errorMessage", "id", "isMultiline", "isRequired", "label", "maxLength"}}
ACTIONS = {"Action.Execute": {"data", "style", "title", "verb"}, "Action.OpenUrl": {"title", "url"}, "Action.ShowCard": {"card", "title"}}


class Teams:
    """`messages` by (conversation, activity), as they stand; `calls` as they came: (what, conversation, activity, body).

    `answers` and `login_answers`: of the next calls, (status, headers, body), a status, or a callable that takes the handler and says
    one of these, or nothing when it answered by itself.
    """

    def __init__(self):
        self.messages, self.calls, self.logins = {}, [], []
        self.answers, self.login_answers, self.member_answers = [], [], []
        self.people, self.asked = {}, []  # by object id: members of what is said of them, None for nobody; paths that were asked
        self.tokens, self.lifetime = set(), 3599
        self.members = {CONVERSATION}  # conversations that the bot is in
        self.numbers = itertools.count(1)
        self.folder = tempfile.TemporaryDirectory(prefix="countersign-teams-")
        self.keys = {}  # by kid: (Key, endorsements)
        teams = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # the head and the body are two writes

            def handle_one(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                answer = teams.answer(self, self.command, urllib.parse.urlsplit(self.path).path, body)
                if answer is not None:
                    self.say(*answer)
                else:
                    self.close_connection = True

            def say(self, status, headers, answer):
                text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = handle_one

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def service_url(self):
        return self.base + REGION

    def config(self, folder, name="approvals", **more):
        """A channel of kind teams that is this bot; `more` overrides members of `bot`."""
        secret = folder / f"{name}.secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        bot = {"app_id": APP, "tenant_id": TENANT, "secret_file": secret, "conversation": f'"{CONVERSATION}"',
               "service_url": self.base + "/teams/", "login_url": self.base + "/", "openid_url": self.base + "/v1/.well-known/openidconfiguration", **more}
        lines = "".join(f"      {key}: {value}\n" for key, value in bot.items())
        return f"  - name: {name}\n    kind: teams\n    allow_http: true\n    allow_networks: [127.0.0.0/8]\n    limits: {{ per_second: 1000 }}\n    bot:\n{lines}"

    # ---- what is answered ----
    def answer(self, handler, method, path, body):
        member = re.fullmatch(r"/\w+/v3/conversations/([^/]+)/members/([^/]+)", path)
        if method == "GET" and member:
            self.asked.append(path)
            return self.planned(self.member_answers, handler) or self.describe(handler, *map(urllib.parse.unquote, member.groups()))
        if method == "GET":
            return self.publish(path)
        login = re.fullmatch(r"/([^/]+)/oauth2/v2\.0/token", path)
        found = re.fullmatch(r"/\w+/v3/conversations/([^/]+)/activities(?:/([^/]+))?", path)
        if login and method == "POST":
            form = {name: value[0] for name, value in urllib.parse.parse_qs(body.decode()).items()}
            self.logins.append((login[1], form))
            return self.planned(self.login_answers, handler) or self.log_in(login[1], form, handler.headers["Content-Type"])
        if not found or (method == "PUT") != bool(found[2]):
            return 404, {}, {"error": {"code": "NotFound", "message": "no such path"}}
        conversation, activity = urllib.parse.unquote(found[1]), found[2] and urllib.parse.unquote(found[2])
        given = json.loads(body)
        self.calls.append((method, conversation, activity, given))
        planned = self.planned(self.answers, handler)
        if planned:
            return planned if planned != "silent" else None
        if (handler.headers["Authorization"] or "").removeprefix("Bearer ") not in self.tokens:
            return 401, {}, {"error": {"code": "Unauthorized", "message": "Authorization has been denied for this request."}}
        return self.set_activity(conversation, activity, given, body)

    @staticmethod
    def planned(answers, handler):
        if not answers:
            return None
        answer = answers.pop(0)
        if callable(answer):
            return answer(handler) or "silent"
        return answer if isinstance(answer, tuple) else (answer, {}, {"error": {"code": f"E{answer}", "message": "as planned"}})

    def log_in(self, tenant, form, content_type):
        wanted = {"grant_type": "client_credentials", "client_id": APP, "client_secret": SECRET, "scope": SCOPE}
        if tenant != TENANT or form != wanted or content_type != "application/x-www-form-urlencoded":
            return 401, {}, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 0",
                             "error_codes": [7000215]}
        return 200, {}, {"token_type": "Bearer", "expires_in": self.lifetime, "ext_expires_in": self.lifetime, "access_token": self.issue()}

    def issue(self):
        token = "eyJ." + secrets.token_urlsafe(24)
        self.tokens.add(token)
        return token

    def set_activity(self, conversation, activity, given, body):
        if conversation.split(";")[0] not in self.members:
            return 403, {}, {"error": {"code": "BotNotInConversationRoster", "message": "The bot is not part of the conversation roster."}}
        if activity is not None and (conversation, activity) not in self.messages:
            return 404, {}, {"error": {"code": "ActivityNotFoundInConversation", "message": "it is gone"}}
        problem = check_message(given, body)
        if problem:
            return 400, {}, {"error": {"code": "BadSyntax", "message": problem}}
        activity = activity or f"{1700000000000 + next(self.numbers)}"
        self.messages[(conversation, activity)] = given
        return (201 if len(self.messages) else 200), {}, {"id": activity}

    def describe(self, handler, conversation, user):
        """A member, as Get Conversation Member has it."""
        number = user.removeprefix("29:")
        known = f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:]}"
        if (handler.headers["Authorization"] or "").removeprefix("Bearer ") not in self.tokens:
            return 401, {}, {"error": {"code": "Unauthorized", "message": "Authorization has been denied for this request."}}
        if ";" in conversation or conversation not in self.members or self.people.get(known, {}) is None:
            return 404, {}, {"error": {"code": "MemberNotFoundInConversation", "message": "Member not found in conversation."}}
        return 200, {}, {"id": user, "objectId": known, "name": "Somebody", "givenName": "Some", "surname": "Body", "email": "somebody@example.com",
                         "userPrincipalName": "somebody@example.com", "tenantId": TENANT, "userRole": "user", **self.people.get(known, {})}

    def revoke(self):
        """No token that was given is good any more."""
        self.tokens.clear()

    # ---- who signs what bots are sent ----
    def publish(self, path):
        if path == "/v1/.well-known/openidconfiguration":
            return 200, {}, {"issuer": ISSUER, "authorization_endpoint": "https://invalid.botframework.com", "jwks_uri": self.base + "/v1/.well-known/keys",
                             "id_token_signing_alg_values_supported": ["RS256"], "token_endpoint_auth_methods_supported": ["private_key_jwt"]}
        if path == "/v1/.well-known/keys":
            return 200, {}, {"keys": [key.jwk(use="sig", alg="RS256", x5t=kid, x5c=[], endorsements=endorsements)
                                      for kid, (key, endorsements) in self.keys.items()]}
        return 404, {}, {}

    def add_key(self, kid="key-1", endorsements=("msteams",), publish=True):
        key = Key(self.folder.name, "RS256", kid)
        if publish:
            self.keys[kid] = (key, list(endorsements))
        return key

    def mint(self, key=None, header=None, **changed):
        """A token as the Bot Framework sends it with an activity; a claim that is None is left out."""
        now = int(time.time())
        if key is None:
            key = next(iter(self.keys.values()))[0] if self.keys else self.add_key()
        claims = {"iss": ISSUER, "aud": APP, "serviceurl": self.service_url, "nbf": now - 10, "exp": now + 3600, **changed}
        return key.token({name: value for name, value in claims.items() if value is not None}, {"typ": "JWT", "x5t": key.kid, **(header or {})})

    # ---- what bots are sent ----
    def activity(self, kind, user=DANA, conversation=CONVERSATION, tenant=TENANT, **more):
        return {"type": kind, "id": f"f:{secrets.token_hex(8)}", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), "channelId": "msteams",
                "serviceUrl": self.service_url, "from": {"id": "29:" + user.replace("-", ""), "name": "Somebody", "aadObjectId": user},
                "conversation": {"id": conversation, "conversationType": "channel", "tenantId": tenant, "isGroup": True},
                "recipient": {"id": f"28:{APP}", "name": "Countersign"}, "channelData": {"tenant": {"id": tenant}}, **more}

    def installed(self, **who):
        """The bot was added to a team."""
        return self.activity("conversationUpdate", **{"membersAdded": [{"id": f"28:{APP}"}], **who})

    def removed(self, **who):
        return self.activity("conversationUpdate", **{"membersRemoved": [{"id": f"28:{APP}"}], **who})

    def card(self):
        """The card of the only message there is."""
        (message,) = self.messages.values()
        return card_of(message)

    def buttons(self, card=None):
        """By verb, Open by its type: those of ShowCards as well."""
        return buttons_of(card or self.card())

    def press(self, verb, card=None, typed=None, trigger="manual", **who):
        """The invoke of a press on the only card's button, or on that of `card`; `typed`: what stands in its inputs."""
        card = card or self.card()
        ((conversation, reply_to),) = [place for place, one in self.messages.items() if card_of(one) == card][:1] or [(CONVERSATION, "0")]
        action = self.buttons(card)[verb]
        return self.activity("invoke", **{"name": "adaptiveCard/action", "conversation": f"{conversation};messageid={reply_to}", "replyToId": reply_to,
                                          "value": {"action": {"type": "Action.Execute", "verb": verb, "id": "", "title": action["title"],
                                                               "data": {**action["data"], **(typed or {})}}, "trigger": trigger}, **who})


def card_of(message):
    return message["attachments"][0]["content"]


def buttons_of(card):
    found = {}
    for action in card.get("actions", []):
        if action["type"] == "Action.ShowCard":
            found.update(buttons_of(action["card"]))
        else:
            found[action.get("verb", action["type"])] = action
    return found


def texts_of(card):
    """All text a reader sees, in one string."""
    return json.dumps(card, ensure_ascii=False)


def check_message(given, body):
    """What Teams would refuse; None when nothing is wrong."""
    if len(body) > MESSAGE_BYTES:
        return f"{len(body)} bytes"
    if given.get("type") != "message" or len(given.get("attachments", [])) != 1:
        return "not a message with one card"
    if given["attachments"][0].get("contentType") != "application/vnd.microsoft.card.adaptive":
        return "not an Adaptive Card"
    return check_card(card_of(given))


def check_card(card, is_shown=False):
    if card.get("type") != "AdaptiveCard" or (not is_shown and card.get("version") != "1.4"):
        return "not an Adaptive Card of version 1.4"
    if len(card.get("actions", [])) > 6:
        return "more than six actions"
    for element in card.get("body", []):
        known = ELEMENTS.get(element.get("type"))
        if known is None or not set(element) <= known | {"type"}:
            return f"unknown element {element}"
        if element["type"] == "TextBlock" and not element.get("wrap"):
            return "a line that is cut with an ellipsis"
        for inline in element.get("inlines", []):
            if inline.get("type") != "TextRun" or not set(inline) <= {"fontType", "text", "type", "weight"}:
                return f"unknown inline {inline}"
    for action in card.get("actions", []):
        known = ACTIONS.get(action.get("type"))
        if known is None or not set(action) <= known | {"type"}:
            return f"unknown action {action}"
        if action["type"] == "Action.ShowCard":
            problem = check_card(action["card"], is_shown=True)
            if problem:
                return problem
    return None
