"""docs/openapi.yaml against the server: the same routes, the same codes, and every answer of a real gateway as described.

What is asked of the gateway is in openapi/, by subject.
"""
import re
import unittest

from journeys.openapi.accounts import Accounts
from journeys.openapi.asking import Asking
from journeys.openapi.book import Book
from journeys.openapi.everywhere import Everywhere
from journeys.openapi.running import Running
from support.description import Description, ROOT, read_routes, yaml

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

# In those files, but no answer's: before the gateway listens, in the log, or behind a door that checks the same first.
NOT_TOLD = {
    "account_linked",
    "bad_files",
    "bad_kind",
    "bad_outcome",
    "bad_scope",
    "caller_disabled",
    "caller_not_registered",
    "changed",
    "chat_code_invalid",
    "client_gone",
    "edited_already",
    "invalid_token",
    "key_file",
    "key_not_shown",
    "key_taken",
    "lease_over",
    "ledger_changed",
    "listen",
    "mark_corrupt",
    "no_descriptors",
    "no_such_card",
    "no_token",
    "no_websockets",
    "not_a_member",
    "not_in_force",
    "not_linked",
    "other_ledger_key",
    "policy_choice_invalid",
    "second_admin_needed",
    "seen_already",
    "standing_unknown",
    "thread_not_started",
    "too_many_links",
    "unknown_confirmation",
}


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
                 ROOT / "notifiers" / "slack" / "slack_callback.c", ROOT / "notifiers" / "teams" / "teams_callback.c",
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


@unittest.skipUnless(yaml, "python3-yaml is not installed")
class Answers(Everywhere, Asking, Accounts, Running, unittest.TestCase):
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
