"""docs/openapi.yaml against the server: the same routes, the same codes, and every answer of a real gateway as described."""
import base64
import http.server
import json
import re
import shutil
import threading
import time
import unittest

from support import raw_http
from support.description import METHODS, Description, ROOT, read_routes, yaml
from support.gateway import POLICY, Gateway, eventually
from support.people import ORIGIN, Passkey, Person

LIMITS = "limits: { requests_per_second: 0, failures_per_minute: 1000000 }\n"

# Described, and true, but not to be had here. All else that is described must be seen.
UNREACHED = {
    ("get", "/metrics", 403): "needs a peer that is not this machine",
    ("post", "/v1/session/password", 409): "needs a change of the password while another is under way",
    ("get", "/v1/setup", 429): "needs the reader's queue full",
    ("post", "/v1/setup", 429): "needs the workers' queue full",
    ("post", "/v1/enrol", 429): "needs the workers' queue full",
    ("post", "/v1/session/passkey/begin", 429): "needs the reader's queue full",
}
SELDOM = {500, 503}  # a fault of ours; a full disk, a stop: described everywhere, seen where they can be had


class Book:
    """What was answered so far, and what of it was not as described."""

    def __init__(self, description):
        self.description = description
        self.seen = set()
        self.faults = []

    def take(self, method, path, answer):
        key = self.description.find(method, path)
        if key is None:
            self.take_other(method, path, answer)
            return
        self.seen.add((*key, answer.status))
        found = self.description.answer_faults(key, answer, method == "HEAD")
        if answer.headers.get("X-Content-Type-Options") != "nosniff" and answer.status != 204 and b"about:blank" not in answer.body:
            found.append("nosniff is missing")
        self.faults += [f"{method} {path} {answer.status}: {fault}" for fault in found]

    def take_other(self, method, path, answer):
        """Paths and methods that are not here."""
        if path.startswith("/v1") and (answer.status not in (404, 405)
                                       or answer.json["code"] not in ("no_such_path", "method_not_allowed")):
            self.faults.append(f"{method} {path}: is not described, and answers {answer.status}")


class Recorded(Gateway):
    def __init__(self, book, config=LIMITS, **more):
        super().__init__(config=config, **more)
        self.book = book

    def call(self, method, path, *rest, **more):
        answer = super().call(method, path, *rest, **more)
        self.book.take(method, path, answer)
        return answer


    def ok_text(self, path, secret):
        """A GET whose answer need not be JSON."""
        answer = self.call("GET", path, secret=secret)
        assert answer.status == 200, answer


def session_headers(answer):
    """What a page sends after signing in."""
    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": answer.json["csrf"]}


# Redeemed by another than who asked.
SHARED = """
  - name: shipping
    match: { action: stock.ship }
    verdict: allow
    grant: { audience: [payments] }
"""
CRITICAL = """
  - name: dropping
    match: { action: critical.drop }
    verdict: require_approval
    risk: critical
    approval: { groups: [oncall] }
"""
PASSWORD = "EXAMPLE not a password"


class Cast:
    """One of each that can ask: host, admin, caller, a browser session."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.key = gateway.add_caller("runner", agents=["billing-bot"], audiences=["payments"])
        gateway.add_person("root", admin=True)
        self.dana = gateway.add_person("dana", ["oncall"])
        gateway.admin("POST", "/v1/people", {"name": "omar"})
        secret = gateway.admin("POST", "/v1/people/root/enrolment")["link_path"].split("#")[1]
        signed_in = gateway.call("POST", "/v1/enrol", {"secret": secret, "password": PASSWORD})
        # Opened by a link a moment ago: it has stepped up.
        self.admin = self.session = session_headers(signed_in)

    def credentials(self, operation):
        """How to call an operation with authority."""
        names = [name for choice in operation.get("security", []) for name in choice]
        if "apiKey" in names and "personalToken" not in names:
            return {"secret": self.key}
        if "personalToken" in names:
            return {"secret": self.admin}
        if "hostSocket" in names:
            return {"host": True}
        return {"headers": self.session} if "session" in names else {}

    def stranger(self, operation):
        """A credential that is good, but not for this."""
        names = [name for choice in operation.get("security", []) for name in choice]
        if "personalToken" not in names and "hostSocket" in names:
            return {"secret": self.dana}  # people, but not by a token
        return {"secret": self.dana if "hostSocket" not in names and "apiKey" in names else self.key}


@unittest.skipUnless(yaml, "python3-yaml is not installed")
class Form(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.description = Description()
        cls.document = cls.description.document

    def nodes(self, node, path=()):
        yield path, node
        for name, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            yield from self.nodes(child, (*path, name))

    def test_the_routes_of_the_server_and_of_the_description_are_the_same(self):
        self.assertEqual(set(), read_routes() - self.description.routes(), "served, but not described")
        self.assertEqual(set(), self.description.routes() - read_routes(), "described, but not served")

    def test_it_is_whole(self):
        self.assertEqual((ROOT / "VERSION").read_text().strip(), self.document["info"]["version"])
        used = set()
        for path, node in self.nodes(self.document):
            if isinstance(node, dict) and isinstance(node.get("$ref"), str):
                self.description.resolve(node)
                used.add(node["$ref"])
        for kind, things in self.document["components"].items():
            for name in things if kind != "securitySchemes" else ():
                self.assertIn(f"#/components/{kind}/{name}", used, "nothing uses it")
        ids = [operation["operationId"] for operation in self.description.operations.values()]
        self.assertEqual(sorted(set(ids)), sorted(ids))
        tags = {tag["name"] for tag in self.document["tags"]}
        schemes = set(self.document["components"]["securitySchemes"])
        for key, operation in self.description.operations.items():
            with self.subTest(key):
                self.assertLessEqual(set(operation["tags"]), tags)
                self.assertLessEqual({name for choice in operation["security"] for name in choice}, schemes)
                self.assertEqual(set(re.findall(r"\{(\w+)\}", key[1])),
                                 {p["name"] for p in self.description.parameters(key) if p["in"] == "path"})
                self.assertIn("default", operation["responses"])
                for status in operation.get("x-codes", {}):
                    self.assertIn(status, operation["responses"])

    def test_every_object_says_whether_it_takes_other_members(self):
        for path, node in self.nodes(self.document["components"]["schemas"]):
            if isinstance(node, dict) and "object" in str(node.get("type", "")) and "properties" not in path[-1:]:
                self.assertIn("additionalProperties", node, path)

    def test_every_example_is_as_its_schema_says_and_holds_no_secret(self):
        checked = 0
        for path, node in self.nodes(self.document):
            if isinstance(node, dict) and "schema" in node and ("examples" in node or "example" in node):
                values = [self.description.resolve(one)["value"] for one in node.get("examples", {}).values()]
                for value in values + [node[name] for name in ("example",) if name in node]:
                    self.assertEqual([], self.description.faults(value, node["schema"]), path)
                    checked += 1
        self.assertGreater(checked, 50)
        for secret in re.findall(r"\bcs[ktls]_[A-Za-z0-9_-]{43}\b|\beyJ[A-Za-z0-9_-]{20,}", self.description.text):
            self.assertIn("EXAMPLE", secret)

    def test_the_codes_are_those_of_the_source(self):
        listed = set(self.document["components"]["schemas"]["Code"]["enum"])
        used = {code for key, operation in self.description.operations.items() for status in operation["responses"]
                for code in self.description.codes(key, status)}
        self.assertEqual(used, listed, "the list of codes is what the answers use")
        source = self.source_codes()
        self.assertEqual(set(), source - listed, "in the source, but not described")
        self.assertEqual(set(), listed - source, "described, but nowhere in the source")

    def source_codes(self):
        """Codes of errors that can reach an answer: the door, the operations, the front, and what reads their input."""
        folder = ROOT / "gateway"
        files = [*folder.glob("api/*.c"), *folder.glob("operations/*.c"), *folder.glob("identity/*.c"), ROOT / "notifiers" / "callback.c",
                 ROOT / "notifiers" / "slack" / "slack_callback.c",
                 *folder.glob("loop/http_*.c"), *folder.glob("formats/json*.c"), *folder.glob("store/channel.c"),
                 *folder.glob("store/writer.c"), *folder.glob("store/reader.c"), *folder.glob("store/sqlite/failure.c"),
                 *folder.glob("store/sqlite/statement*.c"), *folder.glob("store/sqlite/*_rows.c"), folder / "loop" / "workers.c", folder / "crypto" / "jws.c", *folder.glob("crypto/webauthn*.c"),
                 folder / "crypto" / "password.c", folder / "trust" / "memory.c", folder / "grants" / "redeem.c", folder / "ledger" / "entry.c",
                 folder / "ledger" / "tree.c", folder / "ledger" / "tile.c", folder / "store" / "mark.c",
                 folder / "loop" / "websocket.c", folder / "live" / "live.c"]
        word = r"\"([a-z][a-z_0-9]*)\""
        found = set()
        for file in files:
            text = file.read_text()
            for code in re.findall(r"error_set(?:_at)?\(\s*&?[\w.>-]+,\s*[\w.>-]+,\s*([^,]+),", text):
                found |= set(re.findall(word, code))
            found |= set(re.findall(r"\.conflict_code = " + word, text))
            found |= set(re.findall(r"check_text\([^;]*?" + word + r",\s*error\)", text, re.S))
            if file.name == "webauthn.c":
                found |= set(re.findall(r"refuse\(error,\s*" + word, text))
            found |= set(re.findall(r"store_must_change_one\([^;]*?" + word, text, re.S))
            if file.name.startswith("http_"):
                found |= set(re.findall(r"refuse\([^;]*?" + word + r",\s*\"[A-Z]", text, re.S))
                found |= {code for line in re.findall(r"\.code = ([^;]*?),\s*\.detail", text) for code in re.findall(word, line)}
            if file.name.startswith("json"):
                found |= set(re.findall(r"fail\w*\([^;]*?" + word + r",", text, re.S))
            if file.name == "redeem.c":
                found |= set(re.findall(r"\[GRANT_REFUSED_\w+\] = " + word, text))
        return found - NOT_TOLD


# In those files, but no answer's: before the gateway listens, in the log, or behind a door that checks the same first.
NOT_TOLD = {"account_linked", "chat_code_invalid", "not_linked", "too_many_links", "no_such_card", "second_admin_needed", "caller_disabled", "caller_not_registered", "key_not_shown", "unknown_confirmation", "edited_already", "seen_already", "bad_files", "bad_kind", "key_taken", "policy_choice_invalid", "bad_outcome", "bad_scope", "changed", "client_gone", "invalid_token", "key_file", "lease_over",
            "ledger_changed", "listen", "mark_corrupt", "no_descriptors", "no_websockets", "not_in_force", "other_ledger_key",
            "thread_not_started"}


def mutations(description, value, schema, at=()):
    """(what, place, changed value): one thing wrong each, by what the schema says."""
    schema = description.resolve(schema)
    if isinstance(value, dict):
        if schema.get("additionalProperties") is False:
            yield "unknown_member", (*at, "surplus"), {**value, "surplus": 1}
        for name in schema.get("required", []):
            yield "missing_member", (*at, name), {k: v for k, v in value.items() if k != name}
        for name, member in value.items():
            if name in schema.get("properties", {}):
                for what, place, changed in mutations(description, member, schema["properties"][name], (*at, name)):
                    yield what, place, {**value, name: changed}
    wrong = {"string": 7, "integer": "7", "boolean": "true", "array": {}, "object": []}
    if isinstance(schema.get("type"), str) and at:
        yield "wrong_type", at, wrong[schema["type"]]
    if "enum" in schema:
        yield "not_in_enum", at, "nonsense"
    if "maxLength" in schema:
        yield "too_long", at, "a" * (schema["maxLength"] + 1)
    if "maximum" in schema:
        yield "too_great", at, schema["maximum"] + 1
    if "minimum" in schema:
        yield "too_small", at, schema["minimum"] - 1
    if "maxItems" in schema:
        yield "too_many", at, ["a"] * (schema["maxItems"] + 1)
    if "pattern" in schema and not re.search(schema["pattern"], "\u00fcber"):
        yield "pattern", at, "\u00fcber"


def variations(description, value, schema):
    """Bodies that are as good: nothing but what is required, and each word where one of several is to be said."""
    schema = description.resolve(schema)
    if not isinstance(value, dict):
        yield from schema.get("enum", [])
        return
    yield {name: value[name] for name in schema.get("required", [])}
    for name, member in value.items():
        if name in schema.get("properties", {}):
            for changed in variations(description, member, schema["properties"][name]):
                yield {**value, name: changed}


@unittest.skipUnless(yaml, "python3-yaml is not installed")
class Answers(unittest.TestCase):
    """Each part drives a gateway of its own; the last asks whether everything that is described was seen."""

    @classmethod
    def setUpClass(cls):
        cls.description = Description()
        cls.book = Book(cls.description)
        cls.parts = set()

    def tearDown(self):
        faults, self.book.faults = self.book.faults, []
        self.assertEqual([], faults[:20], f"{len(faults)} answers are not as described")
        type(self).parts.add(self.id().rsplit(".", 1)[1])

    def operations(self, *statuses):
        """Ours: what a standard describes takes other bodies, and has journeys of its own (test_authzen.py)."""
        for key, operation in self.description.operations.items():
            if "x-standard" in operation:
                continue
            if not statuses or set(map(str, statuses)) & set(operation["responses"]):
                yield key, operation

    def example(self, key):
        return next(iter(self.description.request_examples(key).values()), {} if self.description.body_schema(key) else None)

    # ---- what is the same everywhere ----
    def test_1_who_does_not_say_who_they_are_is_refused_everywhere(self):
        with Recorded(self.book) as gateway:
            for key, operation in self.operations():
                path = self.description.example_path(key)
                answer = gateway.call(key[0].upper(), path, self.example(key))
                if operation["security"]:
                    self.assertEqual(401, answer.status, key)
                    self.assertEqual("no_credential", answer.json["code"])
                    answer = gateway.call(key[0].upper(), path, self.example(key), secret="csk_" + "A" * 43)
                    self.assertIn((answer.status, answer.json["code"]), {(401, "bad_credential"), (403, "not_a_session")}, key)
                else:
                    self.assertNotEqual("no_credential", answer.json.get("code") if "json" in answer.headers["Content-Type"] else None)

    def test_1_methods_and_paths_that_are_not_there(self):
        with Recorded(self.book) as gateway:
            for template in self.description.document["paths"]:
                here = {method for method, path in self.description.operations if path == template}
                path = self.description.example_path((next(iter(here)), template))
                for method in {*METHODS, "options"} - here:
                    answer = gateway.call(method.upper(), path, host=True)
                    self.assertEqual((405, "method_not_allowed"), (answer.status, answer.json["code"]), (method, path))
                    allowed = {m.upper() for m in here} | ({"HEAD"} if "get" in here else set())
                    self.assertEqual(allowed, set(answer.headers["Allow"].split(", ")))
                self.assertIn(gateway.call("POST", path + "/x", host=True).status, (404, 405))
            self.assertEqual(404, gateway.call("GET", "/v1", host=True).status)

    def test_1_head_is_get_without_a_body(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            asked = gateway.submit(cast.key, action="orders.get")
            for key, operation in self.operations():
                if key[0] == "get":
                    path = self.description.example_path(key).replace("req_01m869avenebvzk10qrr3kwns8", asked["id"])
                    got, head = (gateway.call(m, path, **cast.credentials(operation)) for m in ("GET", "HEAD"))
                    self.assertEqual((got.status, got.headers["Content-Type"], b""), (head.status, head.headers["Content-Type"], head.body), key)
            # A token that nobody saw would make the newest one void.
            shown = gateway.show(cast.key, asked["id"])
            self.assertEqual(200, gateway.call("HEAD", f"/v1/requests/{asked['id']}", secret=cast.key, headers={"Prefer": "wait=60"}).status)
            gateway.redeem(cast.key, shown)

    def test_1_bodies_are_json_and_bounded(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            for key, operation in self.operations(415):
                method, path = key[0].upper(), self.description.example_path(key)
                given = cast.credentials(operation)
                given["headers"] = {**given.get("headers", {}), "Content-Type": "text/plain"}
                self.assertEqual(415, gateway.call(method, path, "{}", **given).status, key)
                with raw_http.Connection(("127.0.0.1", gateway.port)) as connection:
                    answer = connection.ask(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n".encode())
                self.assertEqual((413, "body_too_large"), (answer.status, json.loads(answer.body)["code"]), key)
                self.book.seen.add((*key, 413))
            for key, operation in self.operations():
                if key[0] in ("get", "delete"):
                    answer = gateway.call(key[0].upper(), self.description.example_path(key), "{}", **cast.credentials(operation))
                    self.assertEqual((400, "unexpected_body"), (answer.status, answer.json["code"]), key)

    def test_1_who_sends_too_much_is_told_when_to_come_back(self):
        with Recorded(self.book, config="limits: { requests_per_second: 1, failures_per_minute: 1000000 }\n") as gateway:
            key_of_caller = gateway.add_caller()
            for key, operation in self.operations(429):
                if operation["security"]:
                    for _ in range(2):
                        answer = gateway.call(key[0].upper(), self.description.example_path(key), self.example(key), secret=key_of_caller)
                    self.assertEqual((429, "rate_limited", "1"), (answer.status, answer.json["code"], answer.headers["Retry-After"]), key)
        with Recorded(self.book, config="limits: { requests_per_second: 0, failures_per_minute: 3 }\n") as gateway:
            answers = [gateway.call("GET", "/v1/me", secret="csk_" + "B" * 43) for _ in range(6)]
            self.assertEqual((429, "too_many_failures", "60"), (answers[-1].status, answers[-1].json["code"], answers[-1].headers["Retry-After"]))

    def test_1_parameters_are_known_given_once_and_in_bounds(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            for key, operation in self.operations(400):
                method, path, given = key[0].upper(), self.description.example_path(key), cast.credentials(operation)
                answer = gateway.call(method, path + "?surplus=1", self.example(key), **given)
                self.assertEqual((400, "unknown_parameter"), (answer.status, answer.json["code"]), key)
                for parameter in self.description.parameters(key):
                    if parameter["in"] == "query":
                        self.try_parameter(gateway, given, path, parameter)

    def try_parameter(self, gateway, given, path, parameter):
        name, schema = parameter["name"], self.description.resolve(parameter["schema"])
        bad = ["a&" + name + "=b", "%ff", "a%00"]
        bad += [schema["maximum"] + 1] if "maximum" in schema else []
        bad += [schema["minimum"] - 1] if "minimum" in schema else []
        bad += ["nonsense"] if "enum" in schema or "pattern" in schema or schema.get("type") == "integer" else []
        for value in bad:
            answer = gateway.call("GET", f"{path}?{name}={value}", **given)
            self.assertEqual(400, answer.status, f"{path}?{name}={value}: {answer}")
        good = schema.get("enum", [schema.get("default")])
        for value in good if good != [None] else []:
            self.assertNotEqual(400, gateway.call("GET", f"{path}?{name}={value}", **given).status, f"{path}?{name}={value}")

    def test_1_every_request_example_is_taken_and_every_thing_wrong_with_it_refused(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            tried = 0
            for key, operation in self.operations():
                schema = self.description.body_schema(key)
                examples = self.description.request_examples(key) or {"nothing": {}}
                for name, body in examples.items() if schema else ():
                    self.assertEqual([], self.description.faults(body, schema))
                    tried += self.try_body(gateway, cast.credentials(operation), key, schema, body)
            self.assertGreater(tried, 200)

    def try_body(self, gateway, given, key, schema, body):
        method, path, tried = key[0].upper(), self.description.example_path(key), 0
        for what, place, changed in mutations(self.description, body, schema):
            if what == "pattern" and path in ("/v1/setup", "/v1/enrol"):
                continue  # the link comes first
            answer = gateway.call(method, path, changed, **given)
            self.assertEqual(400, answer.status, (key, what, place, answer))
            if what in ("unknown_member", "missing_member"):
                self.assertEqual((what, "/" + "/".join(place)), (answer.json["code"], answer.json["errors"][0]["pointer"]), (key, place))
            tried += 1
        # After them, because it may well do what it asks for.
        for changed in variations(self.description, body, schema):
            answer = gateway.call(method, path, changed, **given)
            self.assertTrue(answer.status not in (400, 415) or answer.json["code"] in ("wrong_target", "target_missing", "policy_invalid", "proof_missing"), (key, changed, answer))
        answer = gateway.call(method, path, body, **given)
        self.assertNotIn(answer.status, (400, 415), (key, answer))
        return tried

    def test_1_what_is_for_others_is_forbidden(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            for key, operation in self.operations(403):
                if operation["security"] and not re.search("/v1/(requests|grants)/.*[{]", key[1]):
                    answer = gateway.call(key[0].upper(), self.description.example_path(key), self.example(key), **cast.stranger(operation))
                    self.assertEqual(403, answer.status, (key, answer))
                if {"session": [], "csrf": []} in operation["security"]:
                    for headers in ({"Cookie": cast.session["Cookie"]}, {**cast.session, "X-CSRF-Token": "A" * 43},
                                    {**cast.session, "Origin": "http://elsewhere.example"}, {**cast.session, "Sec-Fetch-Site": "cross-site"}):
                        answer = gateway.call(key[0].upper(), self.description.example_path(key), self.example(key), headers=headers)
                        self.assertEqual(403, answer.status, (key, headers))
                        self.assertIn(answer.json["code"], ("csrf_mismatch", "wrong_origin"))

    def test_1_names_that_are_nobodys(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            for key, operation in self.operations(404):
                path = re.sub(r"\{(person|agent|caller)\}", "nobody", key[1])
                path = path.replace("{group}", "oncall")
                for parameter in self.description.parameters(key):
                    path = path.replace("{" + parameter["name"] + "}", str(parameter.get("example")))
                if "{" in key[1]:
                    body = {"person": "nobody"} if key[1].endswith("/members") else self.example(key)
                    answer = gateway.call(key[0].upper(), path, body, **cast.credentials(operation))
                    self.assertEqual(404, answer.status, (key, answer))
                    # Bytes that are no text come back as text.
                    answer = gateway.call(key[0].upper(), re.sub("nobody|[a-z]{3}_[0-9a-z]{26}", "%ff%c3", path), body, **cast.credentials(operation))
                    self.assertIn(answer.status, (400, 404), (key, answer))
            for method, path, body in (("POST", "/v1/agents", {"name": "new", "owner": "nobody"}), ("POST", "/v1/keys", {"caller": "nobody"}),
                                       ("POST", "/v1/tokens", {"person": "nobody"}), ("GET", "/v1/credentials?owner=a" + "%C3%A9" * 60, None),
                                       ("POST", "/v1/freezes", {"scope": "agent", "target": "nobody", "reason": "drill"}),
                                       ("GET", "/v1/ledger/consistency?to=99999", None)):
                self.assertEqual(404, gateway.call(method, path, body, secret=cast.admin).status, path)

    # ---- what each does ----
    def test_2_the_life_of_a_request(self):
        with Recorded(self.book, policy=POLICY + SHARED) as gateway:
            cast = Cast(gateway)
            auditor = gateway.add_person("erik", auditor=True)
            other = gateway.add_caller("payer", agents=["pay-bot"], audiences=["payments"])
            key = cast.key
            pending = gateway.submit(key, headers={"Idempotency-Key": "one", "X-Request-ID": "mine-1"}, want=(202,), context={"n": 1})
            self.assertEqual([], self.description.faults(pending, {"$ref": "#/components/schemas/Request"}))
            gateway.submit(key, args={"other": 1}, headers={"Idempotency-Key": "one"}, want=(422,))
            gateway.submit(key, agent="nobody", want=(403,))
            path = f"/v1/requests/{pending['id']}"
            gateway.call("GET", path, secret=key, headers={"Prefer": "wait=1"})
            gateway.call("GET", path, secret=cast.dana)
            for what in ("receipt", "entries"):
                gateway.call("GET", f"{path}/{what}", secret=key)
            vote = {"vote": "approve", "revision": 1, "digest": pending["digest"]}
            gateway.ok("POST", path + "/votes", vote, key, want=(403,))
            gateway.ok("POST", path + "/votes", {**vote, "digest": "0" * 64}, cast.dana, want=(409,))
            gateway.ok("POST", path + "/cancel", {}, cast.dana, want=(403,))
            gateway.ok("POST", path + "/votes", {**vote, "reason": "looks right"}, cast.dana)
            shown = gateway.show(key, pending["id"])
            grant = f"/v1/grants/{shown['grant']['id']}"
            gateway.call("GET", grant + "/receipt", secret=key)
            gateway.ok("POST", grant + "/effect", {"effect": "succeeded"}, key, want=(404, 403, 409))
            gateway.ok("POST", grant + "/revoke", None, auditor, want=(403,))
            gateway.redeem(key, shown, args={"amount": 126}, want=(403,))
            gateway.redeem(cast.dana, shown, want=(403,))
            gateway.redeem(key, shown, token="no.such.token", want=(404,))
            redeemed = gateway.redeem(key, shown)
            gateway.redeem(key, shown, want=(409,))
            gateway.ok("POST", grant + "/revoke", {}, key, want=(409,))
            gateway.ok("POST", grant + "/resolve", {"effect": "failed"}, cast.dana, want=(409,))
            gateway.ok("POST", grant + "/resolve", {"effect": "failed"}, key, want=(403,))
            gateway.ok("POST", grant + "/effect", {"effect": "unknown", "summary": "no answer"}, key)
            gateway.ok("POST", grant + "/effect", {"effect": "failed"}, key, want=(409,))
            gateway.ok("POST", grant + "/resolve", {"effect": "succeeded"}, cast.dana)
            gateway.show(key, pending["id"])
            # For another redeemer: who asked knows of the grant, but does not report.
            shared = gateway.submit(key, action="stock.ship", audience="payments", want=(201,))
            gateway.redeem(other, shared)
            gateway.ok("POST", f"/v1/grants/{shared['grant']['id']}/effect", {"effect": "succeeded"}, cast.key, want=(403,))
            gateway.ok("POST", f"/v1/grants/{shared['grant']['id']}/effect", {"effect": "succeeded"}, other)
            self.ask_and_withdraw(gateway, cast)
            self.mint_too_often(gateway, cast)
            gateway.advance(2)
            for what in (path + "/receipt", grant + "/receipt"):
                self.eventually_200(gateway, what, key)
            for what in ("/v1/ledger/consistency", "/v1/ledger/checkpoint", "/v1/ledger/export", "/v1/requests?limit=2", "/v1/requests?inbox=true"):
                gateway.ok_text(what, cast.admin)
            for given in ({"secret": key}, {"secret": cast.dana}, {"host": True}):
                gateway.call("GET", "/v1/me", **given)

    def test_2_the_ledger_is_not_for_who_has_yet_to_vote(self):
        critical = POLICY + """  - name: wipe
    match: { action: disk.wipe }
    verdict: require_approval
    risk: critical
    approval: { groups: [oncall], assurance: session, timeout: 1h }
"""
        with Recorded(self.book, policy=critical) as gateway:
            cast = Cast(gateway)
            gateway.admin("POST", "/v1/groups/oncall/members", {"person": "root"})
            gateway.submit(cast.key, action="disk.wipe", want=(202,))
            self.assertEqual("vote_first", gateway.ok("GET", "/v1/ledger/export", None, cast.admin, want=(409,))["code"])

    def test_2_who_looks_at_it(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            asked = gateway.submit(cast.key, want=(202,))
            path = f"/v1/requests/{asked['id']}"
            shown = {"revision": 1, "digest": asked["digest"]}
            gateway.ok("POST", path + "/views", {**shown, "digest": "0" * 64}, cast.dana, want=(409,))
            at = gateway.ok("POST", path + "/views", shown, cast.dana)["viewed_at"]
            until = gateway.ok("POST", path + "/watch", None, cast.dana)["until"]
            seen = gateway.show(cast.dana, asked["id"])
            self.assertEqual((at, until), (seen["dwell"]["viewed_at"], seen["watching"][0]["until"]))
            gateway.ok("POST", path + "/watch", None, cast.admin, want=(403,))
            gateway.ok("POST", path + "/views", shown, cast.key, want=(403,))
            self.assertEqual({}, gateway.ok("DELETE", path + "/watch", None, cast.dana))
            gateway.vote(cast.dana, asked["id"], "deny")
            gateway.ok("POST", path + "/watch", None, cast.dana, want=(409,))
            self.assertEqual({"limit": 6, "used": 1}, gateway.ok("GET", "/v1/requests", None, cast.dana)["budget"])
            own = gateway.ok("GET", "/v1/insights?days=1", None, cast.dana)
            self.assertEqual(("dana", 1, 0), tuple(own["people"][0][k] for k in ("person", "denials", "unseen")))
            self.assertEqual(1, gateway.ok("GET", "/v1/insights", None, cast.admin)["requests"]["denied"])

    def test_2_comments(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            path = f"/v1/requests/{gateway.submit(cast.key, want=(202,))['id']}"
            gateway.ok("POST", path + "/comments", {"text": "May I?"}, cast.key, want=(409,))
            gateway.ok("POST", path + "/comments", {"text": "Why?"}, cast.admin, want=(403,))
            gateway.ok("POST", path + "/comments", {"text": "Why?"}, cast.dana)
            self.assertEqual("Why?", gateway.ok("GET", path, None, cast.key)["question"]["text"])
            gateway.ok("POST", path + "/comments", {"text": "Because."}, cast.key)
            self.assertEqual(["person", "agent"], [c["by"] for c in gateway.ok("GET", path + "/comments", None, cast.dana)["comments"]])

    def test_2_policies(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            asked = gateway.submit(cast.key, want=(202,))
            page = gateway.ok("GET", "/v1/policies", None, cast.admin)
            version = page["in_force"]
            gateway.ok("GET", f"/v1/policies/versions/{version}", None, cast.admin)
            gateway.ok("GET", "/v1/policies/versions/in-force", None, cast.admin)
            gateway.ok("POST", "/v1/policies/check", {"files": {"a.yaml": "version: 1\n"}}, cast.admin)
            gateway.ok("POST", "/v1/policies/check", {"files": {"a.yaml": "version: 1\nrulez: []\n"}}, cast.admin)
            what = {"subject": {"type": "user", "id": "sam"}, "action": {"name": "payments.refund"}, "resource": {"type": "order", "id": "1"}}
            gateway.ok("POST", "/v1/policies/simulate", what, cast.admin)
            gateway.ok("POST", "/v1/policies/simulate", {**what, "version": version, "files": {"a.yaml": "version: 1\n"}}, cast.admin, want=(400,))
            gateway.ok("POST", "/v1/policies/explain", {"request": asked["id"]}, cast.admin)
            for files in (None, {"a.yaml": POLICY}):
                answer = gateway.call("POST", "/v1/policies/replay", {"files": files} if files else {}, secret=cast.admin)
                self.assertEqual(200, answer.status)
            for path in ("simulate", "replay", "explain"):
                body = {**(what if path == "simulate" else {"request": asked["id"]} if path == "explain" else {}), "version": "0" * 64}
                gateway.ok("POST", f"/v1/policies/{path}", body, cast.admin, want=(404,))
            gateway.admin("POST", f"/v1/policies/versions/{version}/rollback", {})

    def test_2_edits(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            pending = gateway.submit(cast.key, want=(202,))
            path = f"/v1/requests/{pending['id']}"
            edit = {"revision": 1, "digest": pending["digest"], "args": {"amount": 40, "note": "as invoiced"}, "reason": "less"}
            gateway.ok("POST", path + "/edits", edit, cast.admin, want=(403,))
            gateway.ok("POST", path + "/edits", {**edit, "args": {"amount": 125}}, cast.dana, want=(400,))
            gateway.ok("POST", path + "/edits", edit, cast.dana)
            gateway.ok("POST", path + "/edits", edit, cast.dana, want=(409,))
            shown = gateway.ok("GET", path + "?seen=0", None, cast.key, headers={"Prefer": "wait=60"}, want=(202,))
            self.assertEqual(1, shown["news"])
            gateway.vote(cast.dana, pending["id"])
            gateway.redeem(cast.key, gateway.show(cast.key, pending["id"]))

    def eventually_200(self, gateway, path, key):
        deadline = time.monotonic() + 20
        while gateway.call("GET", path, secret=key).status != 200:
            self.assertLess(time.monotonic(), deadline, path)
            time.sleep(0.02)

    def ask_and_withdraw(self, gateway, cast):
        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(gateway.submit, cast.key, args={"n": 2}, wait=60, want=(200,))
            found = []
            while not found:
                found = gateway.ok("GET", "/v1/requests?inbox=true", secret=cast.dana)["requests"]
            gateway.ok("POST", f"/v1/requests/{found[0]['id']}/cancel", {"reason": "not needed"}, cast.key)
            self.assertEqual("withdrawn", waiting.result(20)["reason"])

    def mint_too_often(self, gateway, cast):
        asked = gateway.submit(cast.key, action="orders.get", resource="order/20", headers={"Idempotency-Key": "often"})
        for _ in range(19):
            gateway.show(cast.key, asked["id"])
        refused = gateway.call("GET", f"/v1/requests/{asked['id']}", secret=cast.key)
        self.assertEqual((409, "too_many_mints", None), (refused.status, refused.json["code"], refused.headers["Retry-After"]))
        gateway.submit(cast.key, action="orders.get", resource="order/20", headers={"Idempotency-Key": "often"}, want=(409,))
        gateway.ok("POST", f"/v1/grants/{asked['grant']['id']}/revoke", {"reason": "enough"}, cast.key)

    def test_2_sessions(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            gateway.call("GET", "/v1/setup")
            gateway.ok("POST", "/v1/session", {"name": "root", "password": "EXAMPLE another one"}, want=(401,))
            gateway.ok("POST", "/v1/session", {"name": "root", "password": PASSWORD}, headers={"Origin": "http://elsewhere.example"}, want=(403,))
            signed_in = gateway.call("POST", "/v1/session", {"name": "root", "password": PASSWORD})
            mine = session_headers(signed_in)
            gateway.call("GET", "/v1/session", headers=mine)
            self.watch(gateway, mine)
            change = {"old": PASSWORD, "new": "EXAMPLE a third one"}
            gateway.ok("POST", "/v1/session/password", {**change, "old": "EXAMPLE a wrong one"}, headers=mine, want=(403,))
            self.assertEqual(204, gateway.call("POST", "/v1/session/password", change, headers=mine).status)
            self.assertEqual(204, gateway.call("DELETE", "/v1/session", headers=mine).status)
            self.assertEqual("session_over", gateway.call("GET", "/v1/session", headers=mine).json["code"])
            answers = [gateway.call("POST", "/v1/session", {"name": "dana", "password": "EXAMPLE a guess"}) for _ in range(6)]
            self.assertEqual((429, "too_many_attempts"), (answers[-1].status, answers[-1].json["code"]))
            self.guess_own_password(gateway, change["new"])
            gateway.ok("POST", "/v1/setup/link", host=True, want=(409,))

    def guess_own_password(self, gateway, password):
        mine = session_headers(gateway.call("POST", "/v1/session", {"name": "root", "password": password}))
        answers = [gateway.call("POST", "/v1/session/password", {"old": "EXAMPLE a guess", "new": "EXAMPLE a new one"}, headers=mine) for _ in range(6)]
        self.assertEqual(429, answers[-1].status)

    def watch(self, gateway, mine):
        from support.websocket import WebSocket
        WebSocket(gateway.port, mine["Cookie"]).close()
        self.book.seen.add(("get", "/v1/live", 101))
        gateway.call("GET", "/v1/live", headers=mine)

    def test_2_passkeys(self):
        with Recorded(self.book, policy=POLICY + CRITICAL) as gateway:
            key = gateway.add_caller()
            dana, root = Person(gateway, "dana", ["oncall"]), Person(gateway, "root", admin=True)
            passkey = Passkey(ORIGIN)
            made = dana.add_passkey(passkey)
            self.register_wrongly(dana, passkey)
            dana.ok("PUT", f"/v1/passkeys/{made['id']}", {"name": "green key"})
            self.assertEqual("green key", dana.ok("GET", "/v1/passkeys")["passkeys"][0]["name"])
            root.ok("GET", f"/v1/passkeys?person={dana.id}")
            self.sign_in_wrongly(gateway, dana)
            dana.sign_in_by_passkey()
            second = dana.add_passkey(Passkey(ORIGIN))
            self.assertEqual("own_passkey", root.call("POST", f"/v1/passkeys/{root.add_passkey()['id']}/confirm").json["code"])
            self.assertTrue(root.ok("POST", f"/v1/passkeys/{second['id']}/confirm")["trusted"])
            self.vote_by_passkey(gateway, key, dana)
            dana.step_up()
            self.step_up_wrongly(dana)
            dana.ok("DELETE", f"/v1/passkeys/{second['id']}")
            for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/confirm")):
                body = {"name": "x"} if method == "PUT" else None
                self.assertEqual(404, root.call(method, f"/v1/passkeys/{second['id']}{path}", body).status)
            self.assertEqual(404, root.call("GET", "/v1/passkeys?person=nobody").status)
            gateway.advance(seconds=301)
            self.assertEqual("step_up_needed", dana.call("DELETE", f"/v1/passkeys/{made['id']}").json["code"])
            omar = Person(gateway, "omar")
            omar.sign_in()
            omar.step_up()
            self.assertEqual("enrolment_needed", omar.call("POST", "/v1/me/passkeys/begin").json["code"])

    def register_wrongly(self, dana, passkey):
        begun = dana.ok("POST", "/v1/me/passkeys/begin")["challenge"]
        self.assertEqual((409, "passkey_known"), self.outcome(dana.call("POST", "/v1/passkeys", {"name": "x", **passkey.register(begun)})))
        other = Passkey(ORIGIN).register(begun)
        dana.ok("POST", "/v1/passkeys", {"name": "x", **other})
        self.assertEqual((409, "challenge_used"), self.outcome(dana.call("POST", "/v1/passkeys", {"name": "x", **other})))
        self.assertEqual((403, "challenge_invalid"), self.outcome(dana.call("POST", "/v1/passkeys", {"name": "x", **Passkey(ORIGIN).register("AAAA")})))

    def outcome(self, answer):
        return answer.status, answer.json["code"]

    def sign_in_wrongly(self, gateway, dana):
        wrong = dana.sign_in_by_passkey(want=401, flags=1)
        self.assertEqual((401, "wrong_passkey"), self.outcome(wrong))
        begun = gateway.call("POST", "/v1/session/passkey/begin").json["challenge"]
        answer = dana.passkey.answer(begun)
        self.assertEqual(201, gateway.call("POST", "/v1/session/passkey", answer).status)
        self.assertEqual((401, "wrong_passkey"), self.outcome(gateway.call("POST", "/v1/session/passkey", answer)), "counts backwards")
        again = dana.passkey.answer(begun)
        self.assertEqual((409, "challenge_used"), self.outcome(gateway.call("POST", "/v1/session/passkey", again)))
        for _ in range(8):
            last = gateway.call("POST", "/v1/session/passkey", {**again, "credential": "AAAA"})
        self.assertEqual((429, "too_many_attempts"), self.outcome(last))
        for path in ("/v1/session/passkey/begin", "/v1/session/passkey"):
            foreign = gateway.call("POST", path, again if path.endswith("passkey") else None, headers={"Origin": "http://elsewhere.example"})
            self.assertEqual((403, "wrong_origin"), self.outcome(foreign))

    def vote_by_passkey(self, gateway, key, dana):
        asked = gateway.submit(key, action="critical.drop")["id"]
        self.assertEqual((403, "assurance_too_low"), self.outcome(dana.vote(asked)))
        shown = dana.show(asked)
        stale = dana.call("POST", f"/v1/requests/{asked}/statement", {"revision": 2, "digest": shown["digest"]})
        self.assertEqual((409, "digest_mismatch"), self.outcome(stale))
        self.assertEqual(404, dana.call("POST", "/v1/requests/req_01m869avenebvzk10qrr3kwns8/statement", {"revision": 1, "digest": shown["digest"]}).status)
        signed = dana.passkey.sign(dana.statement(asked)["statement"])
        self.assertEqual(200, dana.vote(asked, signed=signed).status)

    def step_up_wrongly(self, dana):
        begun = dana.ok("POST", "/v1/session/step-up/begin")["challenge"]
        wrong = dana.call("POST", "/v1/session/step-up", {"passkey": dana.passkey.answer(begun, origin="https://evil.example")})
        self.assertEqual((403, "passkey_wrong_origin"), self.outcome(wrong))
        self.assertEqual((403, "passkey_needed"), self.outcome(dana.call("POST", "/v1/session/step-up", {"password": dana.password})))
        answer = dana.passkey.answer(begun)
        dana.take(dana.call("POST", "/v1/session/step-up", {"passkey": answer}))
        again = dana.passkey.answer(begun)
        self.assertEqual((409, "challenge_used"), self.outcome(dana.call("POST", "/v1/session/step-up", {"passkey": again})))

    def test_2_changes_for_two(self):
        with Recorded(self.book) as gateway:
            ada, root = (Person(gateway, name, admin=True) for name in ("ada", "root"))
            made = [admin.add_passkey() for admin in (ada, root)]
            gateway.admin("POST", "/v1/people", {"name": "dana"})
            for method, path, body in (("POST", "/v1/people", {"name": "erin"}), ("POST", "/v1/people/dana/roles", {"admin": True, "auditor": False}),
                                       ("POST", "/v1/people/dana/disable", None), ("POST", "/v1/people/dana/enable", None),
                                       ("POST", "/v1/people/dana/enrolment", None), ("POST", "/v1/groups/ops/members", {"person": "dana"}),
                                       ("DELETE", "/v1/groups/ops/members/dana", None), ("POST", "/v1/policies/reload", None),
                                       ("DELETE", f"/v1/passkeys/{made[1]['id']}", None)):
                self.assertEqual(202, ada.call(method, path, body).status, path)
            waiting = root.ok("GET", "/v1/proposals")["proposals"][0]["id"]
            root.ok("DELETE", f"/v1/proposals/{waiting}")
            self.assertEqual((409, "proposal_decided"), self.outcome(root.call("DELETE", f"/v1/proposals/{waiting}")))
            self.assertEqual(404, root.call("DELETE", "/v1/proposals/prp_01m869ave66qrv489e7xecz1ks").status)

    def test_2_own_account(self):
        from journeys.test_account import totp
        with Recorded(self.book) as gateway:
            dana = Person(gateway, "dana")
            self.assertEqual((409, "totp_not_begun"), self.outcome(dana.call("POST", "/v1/totp", {"code": "000000"})))
            secret = dana.ok("POST", "/v1/totp/begin")["secret"]
            self.assertEqual((403, "wrong_code"), self.outcome(dana.call("POST", "/v1/totp", {"code": "000000"})))
            dana.ok("POST", "/v1/totp", {"code": totp(secret, time.time())})
            self.assertEqual((409, "totp_enrolled"), self.outcome(dana.call("POST", "/v1/totp/begin")))
            dana.ok("GET", "/v1/totp")
            refused = gateway.call("POST", "/v1/session", {"name": "dana", "password": dana.password})
            self.assertEqual((401, "code_needed"), self.outcome(refused))
            dana.ok("POST", "/v1/tokens", {"person": "dana"})
            dana.ok("GET", "/v1/tokens")
            dana.ok("DELETE", "/v1/totp")
            dana.ok("DELETE", f"/v1/sessions/{dana.ok('GET', '/v1/sessions')['sessions'][0]['id']}")
            self.assertEqual("session_over", dana.call("GET", "/v1/session").json["code"])

    def test_2_chat_accounts(self):
        from journeys import test_slack
        slack = test_slack.Slack()
        self.addCleanup(slack.stop)
        gateway = Recorded(self.book)
        gateway.extra_config += test_slack.channel(gateway, slack)
        with gateway:
            dana = Person(gateway, "dana", ["oncall"])
            dana.step_up()
            code = dana.ok("POST", "/v1/me/chat-links", {})["code"]
            link = {"callback_id": "countersign_link"}
            for payload, status in (({"type": "x"}, 400), (slack.submit(link, "code", code, app="A0OTHER"), 403), (slack.shortcut(), 200),
                                    (slack.submit(link, "code", code), 200), (slack.submit(link, "code", code), 200)):
                self.assertEqual(status, test_slack.post(gateway, payload).status)
            for _ in range(30):
                answer = test_slack.post(gateway, slack.submit(link, "code", "0", user="U0GUESS"))
            self.assertEqual((429, "too_many_attempts"), self.outcome(answer))
            self.assertEqual((401, "no_signature"), self.outcome(gateway.call("POST", "/v1/callbacks/slack", b"payload=x")))
            (linked,) = dana.ok("GET", "/v1/me/chat-links")["links"]
            dana.ok("DELETE", f"/v1/me/chat-links/{linked['id']}")
            self.assertEqual(404, dana.call("DELETE", f"/v1/me/chat-links/{linked['id']}").status)
        with Recorded(self.book) as gateway:
            self.assertEqual((404, "no_slack_app"), self.outcome(gateway.call("POST", "/v1/callbacks/slack", b"payload=x")))

    def test_2_no_passkeys_without_a_host_name(self):
        with Recorded(self.book, config=LIMITS + "issuer: http://127.0.0.1:8080\n") as gateway:
            dana = Person(gateway, "dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key)
            for path, body in (("/v1/me/passkeys/begin", None), ("/v1/session/passkey/begin", None),
                               ("/v1/passkeys", {"name": "x", **Passkey(ORIGIN).register("AAAA")}),
                               (f"/v1/requests/{asked['id']}/statement", {"revision": 1, "digest": dana.show(asked["id"])["digest"]})):
                answer = dana.call("POST", path, body) if path != "/v1/session/passkey/begin" else gateway.call("POST", path)
                self.assertEqual((409, "passkeys_unavailable"), self.outcome(answer), path)
            self.assertEqual("password", dana.ok("POST", "/v1/session/step-up/begin")["method"])
            dana.step_up()

    def test_2_the_first_admin(self):
        with Recorded(self.book) as gateway:
            gateway.admin("POST", "/v1/people", {"name": "taken"})
            secret = gateway.admin("POST", "/v1/setup/link")["link_path"].split("#")[1]
            wanted = {"secret": secret, "name": "taken", "password": PASSWORD}
            gateway.ok("POST", "/v1/setup", {**wanted, "secret": "csl_" + "A" * 43}, want=(403,))
            gateway.ok("POST", "/v1/setup", wanted, want=(409,))
            gateway.ok("POST", "/v1/setup", {**wanted, "name": "root", "display": "The first"})

    def test_2_people_agents_and_callers(self):
        with Recorded(self.book) as gateway:
            admin = Person(gateway, "root", admin=True).headers
            ok = lambda method, path, body=None, want=(200, 201): gateway.ok(method, path, body, admin, want=want)
            ok("POST", "/v1/people", {"name": "dana", "display": "Dana Lee", "subjects": ["user/dana@example.com"], "groups": ["oncall"]})
            ok("POST", "/v1/people", {"name": "dana"}, want=(409,))
            for method, path, body in (("POST", "/v1/groups/finance/members", {"person": "dana"}), ("DELETE", "/v1/groups/finance/members/dana", None)):
                self.assertEqual(204, gateway.call(method, path, body, admin).status)
            ok("POST", "/v1/people/dana/addresses", {"kind": "mail", "address": "dana@example.com"})
            ok("POST", "/v1/people/root/addresses", {"kind": "mail", "address": "dana@example.com"}, want=(409,))
            ok("GET", "/v1/people/dana/addresses")
            ok("POST", "/v1/people/dana/roles", {"admin": False, "auditor": True})
            ok("POST", "/v1/people/root/roles", {"admin": False, "auditor": True}, want=(409,))
            ok("POST", "/v1/people/root/disable", want=(409,))
            ok("POST", "/v1/people/dana/enrolment")
            token = ok("POST", "/v1/tokens", {"person": "dana", "label": "laptop", "expires_in": "30d"})
            ok("POST", "/v1/people/dana/disable")
            ok("POST", "/v1/tokens", {"person": "dana"}, want=(409,))
            ok("POST", "/v1/people/dana/enrolment", want=(409,))
            ok("POST", "/v1/people/dana/enable", {})
            ok("POST", "/v1/agents", {"name": "bot", "owner": "dana"})
            ok("POST", "/v1/agents", {"name": "bot"}, want=(409,))
            ok("POST", "/v1/callers", {"name": "runner", "agents": ["bot"], "subjects": ["user/*"]})
            ok("POST", "/v1/callers", {"name": "runner"}, want=(409,))
            ok("PUT", "/v1/callers/runner", {"agents": ["bot"], "subjects": ["user/*"], "audiences": ["payments"]})
            ok("POST", "/v1/keys", {"caller": "runner", "expires_in": "1h"})
            for kind, name in (("agents", "bot"), ("callers", "runner")):
                ok("POST", f"/v1/{kind}/{name}/disable")
                if kind == "callers":
                    ok("POST", "/v1/keys", {"caller": "runner"}, want=(409,))
                ok("POST", f"/v1/{kind}/{name}/enable")
            for path in ("people", "agents", "callers"):
                page = ok("GET", f"/v1/{path}?limit=1")
                ok("GET", f"/v1/{path}?limit=1&after={page['next']}")
            ok("GET", "/v1/groups")
            ok("GET", "/v1/credentials?owner=runner")
            ok("POST", f"/v1/credentials/{token['id']}/disable")

    def test_2_freezes_and_policy(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            pending = gateway.submit(cast.key, want=(202,))
            freeze = gateway.ok("POST", "/v1/freezes", {"scope": "agent", "target": "billing-bot", "reason": "drill"}, cast.admin)
            gateway.ok("GET", "/v1/freezes", secret=cast.dana)
            self.assertEqual("frozen", gateway.submit(cast.key, args={"n": 2})["reason"])
            self.assertEqual("frozen", gateway.vote(cast.dana, pending["id"], want=(409,))["code"])
            gateway.ok("POST", f"/v1/freezes/{freeze['id']}/thaw", secret=cast.admin)
            gateway.ok("POST", "/v1/policies/reload", secret=cast.admin)
            (gateway.folder / "policy" / "policy.yaml").write_text(POLICY + "  - name: broken\n    matsch: all\n")
            # Who may not publish learns nothing of what is in the files.
            for given, status in (({"secret": "csk_" + "A" * 43}, 401), ({"secret": cast.key}, 403)):
                answer = gateway.call("POST", "/v1/policies/reload", **given)
                self.assertEqual(status, answer.status)
                self.assertNotIn("matsch", answer.body.decode())
            refused = gateway.ok("POST", "/v1/policies/reload", secret=cast.admin, want=(409,))
            self.assertRegex(refused["detail"], r"policy.yaml:\d+:\d+: .*matsch")
            self.assertEqual("approved", gateway.submit(cast.key, action="orders.get")["state"])

    def test_2_notices(self):
        class Gone(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                if b"channel.test" in self.rfile.read(int(self.headers["Content-Length"])):
                    self.send_response(204)
                    self.end_headers()
                    return
                self.send_error(410)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gone)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        gateway = Recorded(self.book)
        secret = gateway.folder / "hook.secret"
        secret.write_text("whsec_" + base64.b64encode(b"an obviously fake secret, 32 byt").decode())
        secret.chmod(0o600)
        gateway.extra_config += (f"channels:\n  - name: ops\n    kind: webhook\n    url: http://127.0.0.1:{server.server_port}/\n"
                                 f"    allow_http: true\n    secret_file: {secret}\n    allow_networks: [127.0.0.0/8]\n")
        with gateway:
            cast = Cast(gateway)
            gateway.submit(cast.key, want=(202,))
            dead = eventually(lambda: gateway.ok("GET", "/v1/notices?state=dead&limit=1", secret=cast.admin)["notices"], "it is dead")
            gateway.ok("POST", f"/v1/notices/{dead[0]['id']}/resend", secret=cast.admin)
            eventually(lambda: gateway.call("POST", f"/v1/notices/{dead[0]['id']}/resend", secret=cast.admin).status == 409, "it is on its way")
            gateway.ok("GET", f"/v1/notices/{dead[0]['id']}", secret=cast.admin)
            gateway.ok("GET", "/v1/channels", secret=cast.admin)
            test = gateway.ok("POST", "/v1/channels/ops/test", {}, cast.admin)
            eventually(lambda: gateway.ok("GET", f"/v1/notices/{test['id']}", secret=cast.admin)["state"] == "sent", "the test is answered")
            gateway.ok("POST", f"/v1/notices/{test['id']}/replay", secret=cast.admin)
            gateway.ok("POST", f"/v1/notices/{dead[0]['id']}/replay", secret=cast.admin, want=(409,))
            gateway.ok("POST", "/v1/channels/nothing/test", {}, cast.admin, want=(404,))

    def test_2_a_request_that_nobody_can_approve_says_so(self):
        with Recorded(self.book) as gateway:
            key = gateway.add_caller(agents=["bot"])
            asked = gateway.submit(key, want=(202,))
            self.assertIs(True, asked["nobody_can_approve"])
            gateway.add_person("dana", ["oncall"])
            self.assertNotIn("nobody_can_approve", gateway.show(key, asked["id"]))

    def test_2_signing_keys_are_bounded(self):
        with Recorded(self.book) as gateway:
            statuses = [gateway.call("POST", "/v1/signing-keys", {"algorithm": "ES256"}, host=True).status for _ in range(16)]
            self.assertEqual([201] * 15 + [409], statuses)

    def test_2_operators_and_recovery(self):
        gateway = Recorded(self.book)
        with gateway:
            for path in ("/healthz", "/readyz", "/metrics", "/jwks.json"):
                self.assertEqual(200, gateway.call("GET", path).status)
            gateway.ok("POST", "/v1/recover", {"reason": "drill"}, host=True, want=(409,))
            key = gateway.add_caller()
            gateway.stop()
            shutil.copytree(gateway.folder / "data", gateway.folder / "copy", ignore=lambda *_: ["admin.sock"])
            gateway.start()
            gateway.submit(key, action="orders.get")
            gateway.stop()
            shutil.rmtree(gateway.folder / "data")
            shutil.copytree(gateway.folder / "copy", gateway.folder / "data")
            gateway.start()
            self.assertEqual(503, gateway.call("GET", "/readyz").status)
            freezes = gateway.admin("GET", "/v1/freezes")["freezes"]
            gateway.ok("POST", f"/v1/freezes/{freezes[0]['id']}/thaw", host=True, want=(403,))
            gateway.ok("POST", "/v1/recover", {"reason": "drill", "trust_credentials": True}, host=True)

    # ---- nothing left ----
    def test_3_everything_that_is_described_was_seen(self):
        names = {name for name in dir(type(self)) if name.startswith(("test_1", "test_2"))}
        if self.parts < names:
            self.skipTest("runs after all other tests of this class, and says what they did not see")
        described = {(*key, int(status)) for key, operation in self.operations()
                     for status in operation["responses"] if status != "default"}
        missing = {seen for seen in described - self.book.seen if seen[2] not in SELDOM} - set(UNREACHED)
        self.assertEqual([], sorted(missing), "described, but never seen")
        self.assertEqual(set(), {seen[:2] for seen in described} - {seen[:2] for seen in self.book.seen})
        self.assertEqual(set(), set(UNREACHED) & self.book.seen, "can be had after all")
