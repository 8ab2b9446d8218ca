"""Tenants: the same names in two of them, and a walk that tries every route of the server with another tenant's ids.

The walk reads the routes from docs/openapi.yaml, which test_openapi.py holds against the server's table. What an id is of
is said by the name of the parameter or member that takes it (KINDS), so that a route that is added is walked too; one
that names nothing is told apart in NAMES_NOTHING, with the reason.
"""
import base64
import json
import re
import subprocess
import unittest
import urllib.parse

import support.gateway as support
from support.description import Description, yaml
from support.gateway import POLICY, Gateway, eventually
from support.people import PASSWORD, Person
from support.websocket import WebSocket

HEADER = "Countersign-Tenant"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# Which kind of thing a parameter or a member of a body names.
KINDS = {"request": "request", "grant": "grant", "session": "session", "proposal": "proposal", "passkey": "passkey",
         "person": "person", "owner": "person", "proposer": "person", "caller": "caller", "agent": "agent", "agents": "agent",
         "target": "agent", "credential": "credential", "freeze": "freeze", "notice": "notice", "channel": "channel", "muted": "channel",
         "task": "task", "group": "group", "evaluation_id": "evaluation", "token": "token", "subject_token": "token"}
# What is shared by all, and names no tenant's thing.
SHARED = {"version": "versions of the policy are the gateway's: the host reads them"}

# Changes without an id in them: they reach what is the sender's own, or nothing.
NAMES_NOTHING = {
    ("post", "/v1/session"): "a name and password; the tenant beside them is test_a_name_is_of_the_tenant_that_is_said",
    ("delete", "/v1/session"): "the own session",
    ("post", "/v1/session/password"): "the own password",
    ("post", "/v1/session/passkey/begin"): "nobody yet",
    ("post", "/v1/session/passkey"): "the passkey says who: test_a_passkey_signs_in_to_its_own_tenant",
    ("post", "/v1/session/step-up/begin"): "the own session",
    ("post", "/v1/session/step-up"): "the own session",
    ("post", "/v1/me/passkeys/begin"): "the own account",
    ("post", "/v1/passkeys"): "the own account",
    ("post", "/v1/totp"): "the own codes",
    ("delete", "/v1/totp"): "the own codes",
    ("post", "/v1/totp/begin"): "the own codes",
    ("post", "/v1/setup"): "a secret: test_a_set_up_link_makes_the_first_admin_of_its_tenant",
    ("post", "/v1/setup/link"): "the host's: test_what_concerns_all_is_the_hosts",
    ("post", "/v1/enrol"): "a secret, of one person",
    ("post", "/v1/signing-keys"): "the gateway's: test_what_concerns_all_is_the_hosts",
    ("post", "/v1/agents/explain"): "`credential` is what a caller would send, held against the own callers",
    ("post", "/v1/policies/reload"): "the gateway's: test_what_concerns_all_is_the_hosts",
    ("post", "/v1/policies/check"): "files that are sent, checked; the host's: test_what_concerns_all_is_the_hosts",
    ("post", "/v1/policies/replay"): "the own requests; the host's: test_what_concerns_all_is_the_hosts",
    ("post", "/v1/policies/versions/{version}/rollback"): "the gateway's: test_what_concerns_all_is_the_hosts",
    ("post", "/v1/people"): "a new person, of the own tenant",
    ("post", "/v1/policies/simulate"): "an action that is nobody's; the host's: test_what_concerns_all_is_the_hosts",
    ("post", "/v1/tenants"): "the host's: test_what_concerns_all_is_the_hosts",
    ("post", "/v1/recover"): "the host's: test_what_concerns_all_is_the_hosts",
    ("post", "/v1/me/chat-links"): "the own account",
    ("delete", "/v1/me/chat-links/{link}"): "a link takes Slack to make (test_slack.py); it is looked up by tenant and owner",
    ("post", "/v1/callbacks/slack"): "signed by Slack; the linked account says who, and so of which tenant",
    ("post", "/v1/callbacks/teams"): "signed by Microsoft; the linked account says who, and so of which tenant",
    ("get", "/v1/live"): "a websocket: test_the_live_door_tells_each_tenant_of_its_own",
    ("get", "/v1/policies/versions/{version}"): SHARED["version"],
}
REFUND = {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "order", "id": "4711"},
          "action": {"name": "payments.refund", "properties": {"args": {"amount": 125}}}}
# Bodies that name more than the examples of the description do; what a name stands for is replaced.
APPROVED = {**REFUND, "context": {"approval": {"id": "?"}}}
BODIES = {
    ("post", "/access/v1/evaluation"): APPROVED,
    ("post", "/access/v1/evaluations"): {"evaluations": [APPROVED]},
    ("post", "/access/v1/requests"): {**REFUND, "denial": {"evaluation_id": "?"}},
    ("post", "/access/v1/requests/{task}/cancel"): {},
    ("post", "/v1/callers"): {"name": "new", "agents": ["?"], "subjects": ["user/*"], "audiences": []},
    ("put", "/v1/me/channels"): {"muted": ["?"]},
}
FORMS = {
    ("post", "/oauth/introspect"): {"token": "?"},
    ("post", "/oauth/revoke"): {"token": "?"},
    ("post", "/oauth/token"): {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": "?",
                               "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "audience": "payments"},
}

RULES = POLICY.replace("rules:\n", """rules:
  - name: shipping
    match: { action: stock.ship }
    verdict: allow
    grant: { audience: [payments] }
""", 1)


class Tenant:
    """One of everything in a tenant. `mark` is in every text that is only its own; all else has the same names everywhere."""

    def __init__(self, gateway, name, mark):
        self.gateway, self.name, self.mark = gateway, name, mark
        self.ids = {}
        self.people()
        self.callers()
        self.requests()
        self.things()

    def admin(self, method, path, body=None, want=(200, 201, 204)):
        answer = self.gateway.call(method, path, body, host=True, headers={HEADER: self.name})
        assert answer.status in want, f"{method} {path}: {answer}"
        return answer.json if answer.body else None

    # Person asks its gateway: here, the gateway as the host acts in this tenant.
    def call(self, *args, **more):
        return self.gateway.call(*args, **more)

    def people(self):
        self.root = Person(self, "root", admin=True, display=f"{self.mark} Root")
        self.rita = Person(self, "rita", admin=True)
        self.audrey = Person(self, "audrey", auditor=True)
        self.dana = Person(self, "dana", ["oncall", f"{self.mark}-group"])
        self.only = self.admin("POST", "/v1/people", {"name": f"{self.mark}-only", "groups": ["oncall"]})
        self.token = self.admin("POST", "/v1/tokens", {"person": "dana", "label": self.mark})
        self.ids["person"] = [self.dana.id, f"{self.mark}-only"]
        self.ids["group"] = [f"{self.mark}-group"]

    def callers(self):
        agents = [self.admin("POST", "/v1/agents", {"name": name, "owner": "audrey"}) for name in ("billing-bot", f"{self.mark}-bot")]
        given = {"agents": [agent["name"] for agent in agents], "subjects": ["user/*"], "audiences": ["payments"]}
        self.admin("POST", "/v1/callers", {"name": "runner", **given, "agents": ["billing-bot"]})
        only = self.admin("POST", "/v1/callers", {"name": f"{self.mark}-runner", **given})
        key = self.admin("POST", "/v1/keys", {"caller": "runner", "label": self.mark})
        self.key = key["secret"]
        self.ids["agent"] = [agents[0]["id"], agents[1]["name"]]
        self.ids["caller"] = [only["id"], only["name"]]
        self.ids["credential"] = [key["id"], self.token["id"]]

    def ask(self, action="payments.refund", **more):
        return self.gateway.submit(self.key, action=action, agent="billing-bot", resource=f"order/{self.mark}", **more)

    def vote(self, request):
        shown = self.dana.show(request)
        return self.dana.ok("POST", f"/v1/requests/{request}/votes", {"vote": "approve", "revision": shown["revision"], "digest": shown["digest"]})

    def requests(self):
        pending, approved, used = self.ask(args={"n": 1}), self.ask(args={"n": 2}), self.ask("stock.ship", audience="payments")
        self.vote(approved["id"])
        self.shown = self.gateway.show(self.key, used["id"])
        granted = self.gateway.show(self.key, approved["id"])
        self.ids["request"] = [pending["id"], approved["id"], used["id"]]
        self.ids["grant"] = [granted["grant"]["id"], self.shown["grant"]["id"]]
        self.ids["token"] = [self.shown["grant"]["token"]]
        self.dana.ok("POST", f"/v1/requests/{pending['id']}/comments", {"text": f"{self.mark} why?"})
        denied = self.gateway.ok("POST", "/access/v1/evaluation", REFUND, self.key)["context"]
        asked = {**REFUND, "denial": {"evaluation_id": denied["evaluation_id"], "expires_at": denied["access_request"]["expires_at"]}}
        task = self.gateway.ok("POST", "/access/v1/requests", asked, self.key)["task"]
        other = self.gateway.ok("POST", "/access/v1/evaluation", {**REFUND, "context": {"n": 2}}, self.key)["context"]
        self.ids["task"] = [task["status_endpoint"].rsplit("/", 1)[1]]
        self.ids["evaluation"] = [other["evaluation_id"]]

    def things(self):
        for person in (self.root, self.rita):
            person.add_passkey(name=f"{self.mark} key")
        noted = self.root.ok("POST", f"/v1/groups/{self.mark}-more/members", {"person": "dana"}, want=(202,))
        self.ids["proposal"] = [noted["id"]]
        self.ids["passkey"] = [key["id"] for key in self.root.ok("GET", "/v1/passkeys")["passkeys"]]
        self.ids["session"] = [session["id"] for session in self.root.ok("GET", "/v1/sessions")["sessions"]]
        frozen = self.root.ok("POST", "/v1/freezes", {"scope": "action", "target": f"{self.mark}.*", "reason": f"{self.mark} odd"})
        self.ids["freeze"] = [frozen["id"]]
        self.ids["channel"] = [f"{self.name}-hook"]
        self.ids["notice"] = [self.root.ok("GET", "/v1/notices")["notices"][0]["id"]]

    def principals(self):
        """Everyone who can ask, as keyword arguments of Gateway.call. What takes two admins is tried when the second asks."""
        return {"admin": {"headers": self.root.headers}, "second admin": {"headers": self.rita.headers}, "auditor": {"headers": self.audrey.headers},
                "approver": {"headers": self.dana.headers}, "token": {"secret": self.token["secret"]}, "caller": {"secret": self.key}}

    def marks(self):
        """Nothing of these may reach another tenant."""
        return [self.mark, self.mark.capitalize(), *(text for kind, texts in self.ids.items() for text in texts if kind != "channel"),
                self.root.id, self.rita.id, self.audrey.id, self.only["id"]]


def missing(text):
    """Of the same form, and nowhere."""
    if text.count(".") == 2 and len(text) > 100:  # a token: signed by nobody
        head, payload, signature = text.split(".")
        return f"{head}.{payload}.{'A' * len(signature)}"
    if re.fullmatch(r"[a-z]{3}_[0-9a-z]{26}", text):
        return text[:-8] + ("zzzzzzzz" if not text.endswith("zzzzzzzz") else "yyyyyyyy")
    return "x" * len(text)


def name_in(body, kind_ids, at=""):
    """(body with what it names replaced, kinds it names): `?` and every member whose name says what it is of."""
    if isinstance(body, dict):
        found, result = set(), {}
        for name, value in body.items():
            kind = "grant" if at == "approval" else KINDS.get(name)
            if kind in kind_ids and isinstance(value, str):
                found.add(kind)
                result[name] = kind_ids[kind]
            elif kind in kind_ids and isinstance(value, list):
                found.add(kind)
                result[name] = [kind_ids[kind]]
            else:
                result[name], more = name_in(value, kind_ids, name)
                found |= more
        return result, found
    if isinstance(body, list):
        parts = [name_in(value, kind_ids, at) for value in body]
        return [part for part, _ in parts], set().union(*(found for _, found in parts))
    return body, set()


def told(answer, names):
    """What an answer says, whatever it was asked about: status, and the body without the names and the trace."""
    text = answer.body.decode("utf-8", "replace")
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "THAT")
    text = re.sub(r'"instance":"[^"]*"', "", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\b[a-z]{3}_[0-9a-z]{26}\b", "ID", text)
    return answer.status, answer.headers.get("Content-Type"), text


@unittest.skipUnless(yaml, "python3-yaml is not installed")
class Tenants(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.description = Description()
        cls.gateway = Gateway(policy=RULES)
        secret = cls.gateway.folder / "secret"
        secret.write_text("whsec_" + base64.b64encode(b"an obviously fake secret, 32 byt").decode() + "\n")
        secret.chmod(0o600)
        hooks = "".join(f"  - {{ name: {name}-hook, tenant: {name}, kind: webhook, url: 'http://127.0.0.1:9/', allow_http: true,"
                        f" secret_file: {secret} }}\n" for name in ("zebra", "yak"))
        cls.gateway.extra_config = "limits: { requests_per_second: 0, failures_per_minute: 1000000 }\nchannels:\n" + hooks
        cls.gateway.start()
        for name in ("zebra", "yak"):
            cls.gateway.admin("POST", "/v1/tenants", {"name": name})
        cls.theirs = Tenant(cls.gateway, "zebra", "zebra")
        cls.ours = Tenant(cls.gateway, "yak", "yak")

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None, None, None)

    # ---- the walk ----
    def body_of(self, key):
        if key in FORMS:
            return FORMS[key]
        if key in BODIES:
            return BODIES[key]
        return next(iter(self.description.request_examples(key).values()), None)

    def calls(self, key, ids):
        """(path, body, headers, kinds named): the route with these ids, one kind's each, in path, query and body."""
        path, kinds = key[1], set()
        for name in re.findall(r"\{(\w+)\}", path):
            if name in SHARED:
                path = path.replace("{" + name + "}", "0" * 64)
                continue
            self.assertIn(name, KINDS, f"{key}: say in KINDS which kind of thing `{name}` names")
            path = path.replace("{" + name + "}", ids[KINDS[name]])
            kinds.add(KINDS[name])
        body, headers = self.body_of(key), {}
        if body is not None:
            body, named = name_in(body, ids)
            kinds |= named
        if key in FORMS:
            body, headers = urllib.parse.urlencode(body), FORM
        query = [p["name"] for p in self.description.parameters(key) if p["in"] == "query" and KINDS.get(p["name"]) in ids]
        for name in query or [None]:
            kind = {KINDS[name]} if name else set()
            yield (f"{path}?{name}={ids[KINDS[name]]}" if name else path), body, headers, kinds | kind

    def ids_of(self, tenant):
        """(ids, the kind that is another than before or None): the first of each kind, then each of the others."""
        first = {kind: texts[0] for kind, texts in tenant.ids.items()}
        yield first, None
        for kind, texts in tenant.ids.items():
            for text in texts[1:]:
                yield {**first, kind: text}, kind

    def send(self, call, method, who):
        path, body, headers, _ = call
        given = {**who, "headers": {**headers, **who.get("headers", {})}}
        return self.gateway.call(method.upper(), path, body, **given)

    def test_every_route_answers_about_another_tenants_things_as_about_nothing(self):
        self.walk(self.theirs, self.ours)
        self.walk(self.ours, self.theirs)

    def walk(self, theirs, ours):
        before, walked = self.everything(theirs), set()
        for ids, only in self.ids_of(theirs):
            nowhere = {kind: missing(text) for kind, text in ids.items()}
            names = {*ids.values(), *nowhere.values()}
            for key in set(self.description.operations) - set(NAMES_NOTHING):
                for real, absent in zip(self.calls(key, ids), self.calls(key, nowhere)):
                    if not real[3] or only not in {None, *real[3]}:
                        continue
                    walked.add(key)
                    for who, credential in ours.principals().items():
                        found, expected = (told(self.send(call, key[0], credential), names) for call in (real, absent))
                        self.assertEqual(expected, found, f"{who} of {ours.name}: {key[0]} {real[0]} {real[1]}")
        self.assertEqual(before, self.everything(theirs), "nothing of theirs was changed")
        for proposal in ours.root.ok("GET", "/v1/proposals")["proposals"]:
            if proposal["id"] not in ours.ids["proposal"]:  # they hold what was sent
                ours.root.ok("DELETE", f"/v1/proposals/{proposal['id']}")
        lists = {key for key in self.description.operations if key[0] == "get" and "{" not in key[1]}
        self.assertEqual(set(), set(self.description.operations) - walked - lists - set(NAMES_NOTHING),
                         "they name nothing: say why in NAMES_NOTHING")
        self.assertEqual(set(), set(NAMES_NOTHING) - set(self.description.operations), "there is no such route")

    def everything(self, tenant):
        """Their lists as their admin reads them, and each of their requests."""
        seen = []
        for path in ("people", "groups", "agents", "callers", "credentials", "freezes", "proposals", "requests"):
            seen.append(tenant.root.ok("GET", f"/v1/{path}"))
        for request in tenant.ids["request"]:
            seen.append(tenant.root.show(request))
            seen.append(tenant.root.ok("GET", f"/v1/requests/{request}/comments"))
        return seen

    def test_the_walk_would_find_what_is_ones_own(self):
        """The same calls by whose things they are: otherwise the walk says nothing."""
        ids = {kind: texts[0] for kind, texts in self.theirs.ids.items()}
        for key in self.description.operations:
            if key[0] == "get" and "{" in key[1] and key not in NAMES_NOTHING:
                for call in self.calls(key, ids):
                    if call[3] != {"request"} or "/receipt" not in call[0]:
                        answers = {who: self.send(call, key[0], given).status for who, given in self.theirs.principals().items()}
                        self.assertTrue({200, 409} & set(answers.values()), (call[0], answers))

    def test_no_list_holds_anything_of_another_tenant(self):
        for theirs, ours in ((self.theirs, self.ours), (self.ours, self.theirs)):
            listed = ""
            for key in self.description.operations:
                if key[0] != "get" or "{" in key[1] or key in NAMES_NOTHING:
                    continue
                for who, credential in {**ours.principals(), "nobody": {}}.items():
                    text = self.gateway.call("GET", key[1], **credential).body.decode()
                    listed += text
                    for mark in theirs.marks():
                        self.assertNotIn(mark, text, f"{who} of {ours.name}: {key[1]}")
            for own in ("request", "person", "caller", "credential", "freeze", "proposal", "notice", "passkey", "session"):
                self.assertIn(ours.ids[own][0], listed, "one's own is listed")

    # ---- what is one's own ----
    def test_the_same_names_are_others_in_each_tenant(self):
        for path, member in (("people", "people"), ("agents", "agents"), ("callers", "callers")):
            own, other = ({row["name"]: row["id"] for row in tenant.root.ok("GET", f"/v1/{path}")[member]} for tenant in (self.ours, self.theirs))
            same = set(own) & set(other)
            self.assertTrue(same)
            self.assertEqual(set(), {own[name] for name in same} & {other[name] for name in same})
        self.assertEqual({"yak", "zebra"}, {self.gateway.ok("GET", "/v1/me", secret=tenant.key)["tenant"] for tenant in (self.ours, self.theirs)})

    def test_only_the_host_says_where_it_acts(self):
        for who in self.ours.principals().values():
            answer = self.gateway.call("GET", "/v1/me", **{**who, "headers": {**who.get("headers", {}), HEADER: "zebra"}})
            self.assertEqual((200, "yak"), (answer.status, answer.json["tenant"]), "of others the header is not read")
        for name, code in (("nobody", "unknown_tenant"), ("No Name", "bad_name")):
            answer = self.gateway.call("GET", "/v1/people", host=True, headers={HEADER: name})
            self.assertEqual((400, code), (answer.status, answer.json["code"]))
        self.assertEqual([], self.gateway.admin("GET", "/v1/people")["people"], "without the header, in `default`")

    def test_a_name_is_of_the_tenant_that_is_said(self):
        for tenant in (self.ours, self.theirs):
            answer = self.gateway.call("POST", "/v1/session", {"name": "dana", "password": PASSWORD, "tenant": tenant.name})
            self.assertEqual((201, tenant.name, tenant.dana.id), (answer.status, answer.json["tenant"], answer.json["person"]["id"]))
        for tenant in ({}, {"tenant": "default"}, {"tenant": "nobody"}):
            answer = self.gateway.call("POST", "/v1/session", {"name": "dana", "password": PASSWORD, **tenant})
            self.assertEqual((401, "wrong_name_or_password"), (answer.status, answer.json["code"]))

    def test_a_passkey_signs_in_to_its_own_tenant(self):
        for tenant in (self.ours, self.theirs):
            begun = self.gateway.call("POST", "/v1/session/passkey/begin").json
            answer = self.gateway.call("POST", "/v1/session/passkey", tenant.rita.passkey.answer(begun["challenge"]))
            self.assertEqual((201, tenant.name), (answer.status, answer.json["tenant"]))

    def test_a_set_up_link_makes_the_first_admin_of_its_tenant(self):
        with Gateway() as gateway:
            gateway.admin("POST", "/v1/tenants", {"name": "acme"})
            for tenant in ("default", "acme"):
                made = gateway.call("POST", "/v1/setup/link", host=True, headers={HEADER: tenant})
                body = {"secret": made.json["link_path"].split("#")[1], "name": "root", "password": PASSWORD}
                answer = gateway.call("POST", "/v1/setup", body)
                self.assertEqual((201, tenant), (answer.status, answer.json["tenant"]))
                self.assertEqual(409, gateway.call("POST", "/v1/setup/link", host=True, headers={HEADER: tenant}).status)

    # ---- what concerns all ----
    def test_what_concerns_all_is_the_hosts(self):
        admin = self.ours.root
        files = {"files": {"policy.yaml": RULES}}
        calls = [("POST", "/v1/policies/reload", None), ("GET", "/v1/policies", None), ("POST", "/v1/policies/check", files),
                 ("POST", "/v1/policies/replay", {"since": "7d", **files}), ("POST", "/v1/policies/simulate", {**REFUND, **files}),
                 ("POST", "/v1/policies/explain", {"request": self.ours.ids["request"][0], **files}),
                 ("POST", "/v1/policies/versions/" + "0" * 64 + "/rollback", {}),
                 ("POST", "/v1/signing-keys", {"algorithm": "ES256"}), ("POST", "/v1/freezes", {"scope": "everything", "reason": "x"}),
                 ("GET", "/v1/tenants", None), ("POST", "/v1/tenants", {"name": "more"}), ("POST", "/v1/setup/link", None),
                 ("POST", "/v1/recover", {"reason": "x"})]
        for method, path, body in calls:
            answer = admin.call(method, path, body)
            self.assertEqual((403, "not_allowed"), (answer.status, answer.json["code"]), path)
        with Gateway() as alone:
            root = Person(alone, "root", admin=True)
            self.assertEqual(1, len(root.ok("GET", "/v1/policies")["versions"]), "a tenant that has the gateway to itself reads its rules")
            frozen = root.ok("POST", "/v1/freezes", {"scope": "everything", "reason": "x"})
            alone.admin("POST", "/v1/tenants", {"name": "acme"})
            self.assertEqual(403, root.call("POST", f"/v1/freezes/{frozen['id']}/thaw").status)
            alone.admin("POST", f"/v1/freezes/{frozen['id']}/thaw")

    def test_rules_may_be_for_one_tenant_and_a_publication_leaves_the_others_requests(self):
        rule = "rules:\n  - name: closed\n    match: { tenant: acme, action: payments.refund }\n    verdict: deny\n"
        with Gateway() as gateway:
            keys = {}
            for tenant in ("acme", "default"):
                if tenant != "default":
                    gateway.admin("POST", "/v1/tenants", {"name": tenant})
                host = lambda path, body: gateway.ok("POST", path, body, host=True, headers={HEADER: tenant})
                host("/v1/agents", {"name": "bot"})
                host("/v1/callers", {"name": "runner", "agents": ["bot"], "subjects": ["user/*"], "audiences": []})
                host("/v1/people", {"name": "dana", "groups": ["oncall"]})
                keys[tenant] = host("/v1/keys", {"caller": "runner"})["secret"]
            asked = {tenant: gateway.submit(key)["id"] for tenant, key in keys.items()}
            (gateway.folder / "policy" / "policy.yaml").write_text(POLICY.replace("rules:\n", rule, 1))
            gateway.admin("POST", "/v1/policies/reload")
            states = {tenant: gateway.show(keys[tenant], asked[tenant])["state"] for tenant in keys}
            self.assertEqual({"acme": "denied", "default": "pending"}, states)
            again = gateway.submit(keys["default"], args={"n": 2})
            for request in (again["id"], asked["default"]):
                shown, entries = (gateway.call("GET", f"/v1/requests/{request}{more}", secret=keys["default"]) for more in ("", "/entries"))
                self.assertNotIn(b"closed", shown.body + entries.body, "the rules of another tenant are in no explanation")

    def test_a_freeze_of_a_tenant_stops_that_one_alone(self):
        frozen = self.ours.root.ok("POST", "/v1/freezes", {"scope": "tenant", "reason": "odd"})
        try:
            self.assertEqual("frozen", self.ours.ask("orders.get", want=(201, 202))["reason"])
            self.assertNotEqual("frozen", self.theirs.ask("orders.get", want=(201, 202)).get("reason"))
        finally:
            self.ours.admin("POST", f"/v1/freezes/{frozen['id']}/thaw")

    # ---- the ledger, and what is told outside ----
    def test_an_auditor_verifies_an_export_that_holds_their_own_entries(self):
        self.ours.dana.add_passkey(name="yak phone")
        for rule in ("again", "and-again"):  # signed statements name the policy in force, which is everybody's
            (self.gateway.folder / "policy" / f"{rule}.yaml").write_text(f"version: 1\nrules: [{{ name: {rule}, match: {{ action: {rule} }}, verdict: deny }}]\n")
            self.gateway.admin("POST", "/v1/policies/reload")
            signed = self.ours.ask(args={"signed": rule})["id"]
            self.assertEqual(200, self.ours.dana.approve(signed).status)

        def read():
            lines = [json.loads(line) for line in self.ours.audrey.call("GET", "/v1/ledger/export").body.splitlines()]
            return lines if any(line.get("entry", {}).get("request") == signed and line["entry"]["type"] == "vote" for line in lines) else None
        lines = eventually(read, "a checkpoint covers the newest entry")
        told = [line["entry"] for line in lines if "entry" in line]
        self.assertEqual({"", "yak"}, {entry["tenant"] for entry in told if entry["type"] != "policy.published"})
        self.assertNotIn("refusals.noted", {entry["type"] for entry in told})
        self.assertTrue(any("withheld" in line for line in lines))
        whole = [json.loads(line) for line in self.gateway.call("GET", "/v1/ledger/export", host=True).body.splitlines()]
        self.assertTrue({"", "yak", "zebra", "default"} >= {line["entry"]["tenant"] for line in whole if "entry" in line} >= {"yak", "zebra"})
        path = self.gateway.folder / "own.jsonl"
        path.write_bytes(self.ours.audrey.call("GET", "/v1/ledger/export").body)

        def verify(*more):
            return subprocess.run([str(support.BUILD / "countersign"), "ledger", "verify", str(path), "--key", lines[0]["vkey"], *more],
                                  capture_output=True, text=True, timeout=60)
        self.assertIn("entry_withheld", verify().stdout, "who is to read all is not content with it")
        run = verify("--one-tenant")
        self.assertEqual(0, run.returncode, run.stdout + run.stderr)
        self.assertIn("are withheld", run.stdout)
        path.write_bytes(path.read_bytes().replace(b'{"withheld":"', b'{"withheld":"0', 1).replace(b'"}\n', b'"}\n', 1))
        self.assertNotEqual(0, verify("--one-tenant").returncode)

    def test_notices_go_to_the_channels_of_the_tenant(self):
        for tenant in (self.ours, self.theirs):
            self.assertEqual([f"{tenant.name}-hook"], [channel["name"] for channel in tenant.root.ok("GET", "/v1/channels")["channels"]])
            self.assertEqual({f"{tenant.name}-hook"}, {notice["channel"] for notice in tenant.root.ok("GET", "/v1/notices")["notices"]})
        self.assertEqual([], self.gateway.admin("GET", "/v1/channels")["channels"])

    def test_the_live_door_tells_each_tenant_of_its_own(self):
        sockets = {}
        for tenant in (self.ours, self.theirs):
            sockets[tenant] = WebSocket(self.gateway.port, tenant.root.headers["Cookie"])
            self.addCleanup(sockets[tenant].close)
            sockets[tenant].send({"hello": {"csrf": tenant.root.headers["X-CSRF-Token"]}})
            self.assertEqual("reset", sockets[tenant].receive()["k"])
        others = [self.theirs.ask(args={"live": n})["id"] for n in range(3)]
        own = self.ours.ask(args={"live": 1})["id"]
        heard = []
        while not heard or heard[-1] != own:
            message = sockets[self.ours].receive()
            self.assertNotIn("zebra", json.dumps(message))
            if message["k"] == "request":
                heard.append(message["r"]["id"])
        self.assertEqual(set(), set(heard) & set(others))

    # ---- the command line ----
    def test_the_command_line_adds_tenants_and_works_in_them(self):
        with Gateway() as gateway:
            def run(*words):
                return subprocess.run([str(support.BUILD / "countersign"), *words, "--socket", gateway.socket_path],
                                      capture_output=True, text=True, timeout=60)
            self.assertEqual(0, run("admin", "tenant", "add", "acme").returncode)
            self.assertIn("name_taken", "".join((lambda r: (r.stdout, r.stderr))(run("admin", "tenant", "add", "acme", "--json"))))
            self.assertEqual(["acme", "default"], [row["name"] for row in json.loads(run("admin", "tenant", "list", "--json").stdout)["tenants"]])
            self.assertEqual(0, run("admin", "person", "add", "dana", "--tenant", "acme").returncode)
            self.assertIn("dana", run("admin", "person", "list", "--tenant", "acme").stdout)
            self.assertNotIn("dana", run("admin", "person", "list").stdout)
            self.assertIn("/setup#", run("admin", "setup-link", "--tenant", "acme").stdout)
            missing = run("admin", "person", "list", "--tenant", "nobody")
            self.assertEqual(1, missing.returncode)
            self.assertIn("countersign admin tenant list", missing.stderr + missing.stdout)
            def added():
                lines = map(json.loads, gateway.call("GET", "/v1/ledger/export", host=True).body.splitlines())
                return [line["entry"] for line in lines if line.get("entry", {}).get("type") == "tenant.added"]
            entry = eventually(added, "it is in the ledger")[0]
            self.assertEqual(("acme", "host"), (entry["tenant"], entry["actor"]["kind"]))


if __name__ == "__main__":
    unittest.main()
