"""Malformed input at the door: a 4xx problem with a pointer and what to change, and nothing changed."""
import json
import unittest

from support.gateway import Gateway, eventually

GOOD = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "orders.get", "properties": {"args": {"n": 1}}},
        "resource": {"type": "order", "id": "1"}}


def changed(path, value):
    """GOOD with one member replaced; `...` removes it."""
    body = json.loads(json.dumps(GOOD))
    at = body
    *parents, last = path.split("/")
    for parent in parents:
        at = at.setdefault(parent, {})
    if value is ...:
        at.pop(last, None)
    else:
        at[last] = value
    return body


# body (object or text), status, code, pointer
SUBMISSIONS = [
    ("", 400, "empty_body", None),
    ("[]", 400, "wrong_type", None),
    ("{", 400, "invalid_json", None),
    ('{"a":1}{', 400, "invalid_json", None),
    ("\ufeff{}", 400, "invalid_json", None),
    ('{"subject":{"type":"user","id":"a","id":"b"}}', 400, "duplicate_name", "/subject/id"),
    ('{"subject":{"type":"user","id":"\\ud800"}}', 400, "invalid_json", None),
    (changed("resourse", {}), 400, "unknown_member", "/resourse"),
    (changed("subject/role", "admin"), 400, "unknown_member", "/subject/role"),
    (changed("subject", ...), 400, "missing_member", "/subject"),
    (changed("action", ...), 400, "missing_member", "/action"),
    (changed("action/name", ...), 400, "missing_member", "/action/name"),
    (changed("action/name", 7), 400, "wrong_type", "/action/name"),
    (changed("action/name", ""), 400, "wrong_type", "/action/name"),
    (changed("action/properties/args", [1]), 400, "wrong_type", "/action/properties/args"),
    (changed("resource/id", "x" * 300), 400, "too_long", "/resource/id"),
    (changed("resource/type", "a/b"), 400, "bad_entity", "/resource"),
    (changed("subject/id", "a\u0007b"), 400, "control_character", "/subject/id"),
    (changed("context", "prod"), 400, "wrong_type", "/context"),
    (changed("reason", "x" * 3000), 400, "too_long", "/reason"),
    (changed("expires_in", "soon"), 400, "wrong_type", "/expires_in"),
    (changed("agent", "nobody"), 403, "agent_not_registered", None),
    (changed("subject/type", "robot"), 403, "subject_not_registered", None),
    (changed("audience", "elsewhere"), 403, "audience_not_allowed", None),
    (json.dumps(GOOD).replace('"n": 1', '"n": 9007199254740993'), 400, "inexact_number", "/action/properties/args/n"),
    (json.dumps(GOOD).replace('"n": 1', '"n": 1000.00000000000000001'), 400, "inexact_number", "/action/properties/args/n"),
    (json.dumps(GOOD).replace('"n": 1', '"n": 1e400'), 400, "inexact_number", "/action/properties/args/n"),
    (json.dumps(GOOD).replace('"n": 1', '"n": NaN'), 400, "invalid_json", None),
    ('{"action":' + '{"a":' * 70 + "1" + "}" * 71, 400, "too_deep", None),
]


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway().start()
        cls.dana = cls.gateway.add_person("dana", ["oncall"])
        cls.key = cls.gateway.add_caller()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None, None, None)

    def assert_problem(self, answer, status, code, pointer=None):
        self.assertEqual(status, answer.status, answer)
        self.assertEqual("application/problem+json", answer.headers["Content-Type"])
        self.assertEqual("no-store", answer.headers["Cache-Control"])
        problem = answer.json
        self.assertEqual((code, f"urn:countersign:problem:{code}", status), (problem["code"], problem["type"], problem["status"]), answer)
        self.assertTrue(problem["detail"] and problem["title"] and problem["instance"])
        if pointer:
            self.assertEqual(pointer, problem["errors"][0]["pointer"])

    def entries(self):
        export = self.gateway.call("GET", "/v1/ledger/export", host=True).body
        return [line for line in export.splitlines() if line.startswith(b'{"entry"') and b'"request.' in line]

    def test_every_malformed_submission_is_refused_with_its_place_and_changes_nothing(self):
        before = self.entries()
        for body, status, code, pointer in SUBMISSIONS:
            with self.subTest(code=code, body=str(body)[:80]):
                text = body if isinstance(body, str) else json.dumps(body)
                self.assert_problem(self.gateway.call("POST", "/v1/requests", text.encode("utf-8", "surrogatepass"), self.key),
                                    status, code, pointer)
        self.assertEqual(before, self.entries())

    def test_the_same_number_written_otherwise_is_the_same_request(self):
        ids = {self.gateway.submit(self.key, resource="order/77", action="payments.refund", args=None,
                                   headers={}, **{})["id"] for _ in range(2)}
        self.assertEqual(1, len(ids))
        texts = ('1.0', '1', '1e0', '10e-1')
        digests = set()
        for text in texts:
            body = json.dumps(changed("action/name", "payments.refund")).replace('"n": 1', f'"n": {text}')
            digests.add(self.gateway.call("POST", "/v1/requests", body, self.key).json["id"])
        self.assertEqual(1, len(digests))

    def test_a_body_that_is_not_json_by_name_is_not_read(self):
        answer = self.gateway.call("POST", "/v1/requests", json.dumps(GOOD), self.key, headers={"Content-Type": "text/plain"})
        self.assert_problem(answer, 415, "unsupported_media_type")

    def test_too_large_a_body_is_refused_before_it_is_read(self):
        answer = self.gateway.call("POST", "/v1/requests", b"x" * (300 * 1024), self.key)
        self.assertEqual(413, answer.status)

    def test_paths_and_methods_that_are_not_there(self):
        self.assert_problem(self.gateway.call("GET", "/v1/nothing", secret=self.key), 404, "no_such_path")
        answer = self.gateway.call("DELETE", "/v1/requests", secret=self.key)
        self.assert_problem(answer, 405, "method_not_allowed")
        self.assertEqual({"GET", "HEAD", "POST"}, set(answer.headers["Allow"].replace(" ", "").split(",")))

    def test_query_parameters_are_known_or_refused(self):
        self.assert_problem(self.gateway.call("GET", "/v1/requests?stat=pending", secret=self.dana), 400, "unknown_parameter")
        self.assert_problem(self.gateway.call("GET", "/v1/requests?limit=0", secret=self.dana), 400, "bad_parameter")
        self.assert_problem(self.gateway.call("GET", "/v1/requests?state=open", secret=self.dana), 400, "bad_parameter")
        self.assertEqual(400, self.gateway.call("GET", "/v1/requests?limit=1&limit=2", secret=self.dana).status)

    def test_votes_need_all_their_members(self):
        asked = self.gateway.submit(self.key, action="payments.refund", args={"votes": 1})
        path = f"/v1/requests/{asked['id']}/votes"
        good = {"vote": "approve", "revision": 1, "digest": asked["digest"]}
        for member, value, code in (("vote", "yes", "wrong_type"), ("vote", None, "wrong_type"), ("revision", 0, "wrong_type"), ("revision", "1", "wrong_type"),
                                    ("digest", "abc", "wrong_type"), ("digest", "z" * 64, "wrong_type"), ("extra", 1, "unknown_member")):
            with self.subTest(member=member, value=value):
                self.assert_problem(self.gateway.call("POST", path, {**good, member: value}, self.dana), 400, code, f"/{member}")
        self.assert_problem(self.gateway.call("POST", path, {**good, "revision": 2}, self.dana), 409, "digest_mismatch")
        self.assertEqual("pending", self.gateway.show(self.key, asked["id"])["state"])

    def test_a_get_decides_nothing(self):
        asked = self.gateway.submit(self.key, action="payments.refund", args={"get": 1})
        self.assertEqual(405, self.gateway.call("GET", f"/v1/requests/{asked['id']}/votes", secret=self.dana).status)
        self.assertEqual("pending", self.gateway.show(self.key, asked["id"])["state"])

    def test_credentials_of_no_form_are_unauthenticated_and_not_quoted(self):
        for header in ("Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense-secret", f"Bearer {self.key}x", f"bearer  {self.key[:-1]}A"):
            with self.subTest(header=header[:16]):
                answer = self.gateway.call("GET", "/v1/me", headers={"Authorization": header})
                self.assertEqual(401, answer.status)
                self.assertNotIn(b"secret", answer.body)
        self.assertEqual(401, self.gateway.call("GET", "/v1/me").status)

    def test_a_caller_may_not_vote_and_a_person_may_not_redeem_or_administer(self):
        asked = self.gateway.submit(self.key, action="payments.refund", args={"roles": 1})
        body = {"vote": "approve", "revision": 1, "digest": asked["digest"]}
        self.assertIn(self.gateway.call("POST", f"/v1/requests/{asked['id']}/votes", body, self.key).status, (403, 404))
        self.assertEqual(403, self.gateway.call("POST", "/v1/people", {"name": "eve"}, self.dana).status)
        self.assertEqual(403, self.gateway.call("POST", "/v1/freezes", {"scope": "everything", "reason": "x"}, self.dana).status)
        shown = self.gateway.submit(self.key, action="orders.get", args={"roles": 2})
        redeem = {"token": shown["grant"]["token"], "action": shown["action"], "resource": shown["resource"]}
        self.assertEqual(403, self.gateway.call("POST", "/v1/grants/redeem", redeem, self.dana).status)
        self.assertEqual(200, self.gateway.call("POST", "/v1/grants/redeem", redeem, self.key).status)

    def test_a_token_that_was_changed_or_made_elsewhere_does_not_redeem(self):
        shown = self.gateway.submit(self.key, action="orders.get", args={"forged": 1})
        token = shown["grant"]["token"]
        head, payload, signature = token.split(".")
        for forged in (f"{head}.{payload}.{signature[:-2]}AA", f"{head}.{payload}.", f"eyJhbGciOiJub25lIn0.{payload}.", "x", token + "."):
            with self.subTest(forged=forged[-12:]):
                refused = self.gateway.redeem(self.key, shown, token=forged, want=(404,))
                self.assertEqual("unknown_grant", refused["code"])
        self.gateway.redeem(self.key, shown)


class Noise(unittest.TestCase):
    def test_guessing_is_slowed_and_becomes_one_entry_a_minute_and_source(self):
        with Gateway(config="limits: { failures_per_minute: 20, requests_per_second: 0 }\n") as gateway:
            key = gateway.add_caller()
            statuses = [gateway.call("GET", "/v1/me", secret="csk_" + "A" * 43).status for _ in range(30)]
            self.assertEqual(20, statuses.count(401))
            self.assertEqual(10, statuses.count(429))
            gateway.advance(70)
            eventually(lambda: b"refusals.noted" in gateway.call("GET", "/v1/ledger/export", host=True).body, "it is noted")
            self.assertEqual(200, gateway.call("GET", "/v1/me", secret=key).status)

    def test_a_caller_that_asks_too_often_is_told_when_to_come_back(self):
        with Gateway(config="limits: { requests_per_second: 10 }\n") as gateway:
            key = gateway.add_caller()
            answers = [gateway.call("GET", "/v1/me", secret=key) for _ in range(30)]
            refused = [a for a in answers if a.status == 429]
            self.assertTrue(refused)
            self.assertEqual("1", refused[0].headers["Retry-After"])

    def test_a_caller_may_have_only_so_many_pending(self):
        with Gateway(config="limits: { pending_per_caller: 3, requests_per_second: 0 }\n") as gateway:
            key = gateway.add_caller()
            for n in range(3):
                gateway.submit(key, args={"n": n})
            refused = gateway.submit(key, args={"n": 4}, want=(429,))
            self.assertEqual("too_many_pending", refused["code"])
            self.assertEqual("approved", gateway.submit(key, action="orders.get")["state"])
