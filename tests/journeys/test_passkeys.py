"""Passkeys from registration to an approval that an auditor checks with nobody's help; and what a stolen session cannot do."""
import json
import os
import subprocess
import unittest

from support import gateway as gateways
from support.authenticator import Passkey, encode
from support.gateway import Gateway, eventually
from support.people import ORIGIN, Person

POLICY = """
version: 1
defaults: { verdict: deny, approval: { groups: [ops], timeout: 12h } }
rules:
  - name: drop
    match: { action: db.drop }
    verdict: require_approval
    risk: critical
    approval: { quorum: 2, groups: [ops] }
  - name: restart
    match: { action: db.restart }
    verdict: require_approval
    approval: { groups: [ops], assurance: session }
"""


def export(gateway):
    return gateway.call("GET", "/v1/ledger/export", host=True).body.decode()


def covered(gateway, word):
    """The export, once a checkpoint covers what `word` stands in."""
    return eventually(lambda: (text := export(gateway)) and word in text and text, f"{word} is covered")


class Passkeys(unittest.TestCase):
    def outcome(self, answer):
        return answer.status, answer.json.get("code", answer.json.get("outcome"))

    def verify(self, gateway, text):
        """What `countersign ledger verify` says about an export, with the public key alone."""
        path = gateway.folder / "export.jsonl"
        path.write_text(text)
        key = json.loads(text.split("\n", 1)[0])["vkey"]
        return subprocess.run([str(gateways.BUILD / "countersign"), "ledger", "verify", str(path), "--key", key],
                              capture_output=True, text=True, timeout=60)

    def test_two_passkeys_approve_and_the_export_alone_proves_it(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana, erin = (Person(gateway, name, ["ops"]) for name in ("dana", "erin"))
            for person in (dana, erin):
                self.assertTrue(person.add_passkey()["trusted"])
                person.sign_in_by_passkey()
            asked = gateway.submit(key, action="db.drop")["id"]
            self.assertEqual((200, "counted"), self.outcome(dana.approve(asked)))
            self.assertEqual("pending", gateway.show(key, asked)["state"])
            self.assertEqual((200, "counted"), self.outcome(erin.approve(asked)))
            shown = gateway.show(key, asked)
            self.assertEqual("approved", shown["state"])
            self.assertTrue(gateway.redeem(key, shown)["fence"])
            text = covered(gateway, "grant.redeemed")
        entries = [json.loads(line)["entry"] for line in text.splitlines() if line.startswith('{"entry"')]
        votes = [entry for entry in entries if entry["type"] == "vote"]
        self.assertEqual(["passkey", "passkey"], [vote["actor"]["assurance"] for vote in votes])
        for vote in votes:
            self.assertEqual({"authenticator_data", "client_data", "credential", "origin", "passkey", "public_key", "rp_id",
                              "signature", "statement"}, set(vote["data"]["proof"]))
            self.assertEqual((asked, vote["digest"]), tuple(vote["data"]["proof"]["statement"][name] for name in ("request", "digest")))

    def test_the_export_verifies_and_one_changed_statement_is_found(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana, erin = (Person(gateway, name, ["ops"]) for name in ("dana", "erin"))
            asked = gateway.submit(key, action="db.drop")["id"]
            for person in (dana, erin):
                person.add_passkey()
                person.approve(asked)
            text = covered(gateway, "grant.issued")
            good = self.verify(gateway, text)
            self.assertEqual(0, good.returncode, good.stdout + good.stderr)
            changed = self.verify(gateway, text.replace('"decision":"approve"', '"decision":"APPROVE"', 1))
            self.assertNotEqual(0, changed.returncode)

    def test_a_session_alone_approves_what_asks_for_no_more(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana = Person(gateway, "dana", ["ops"])
            asked = gateway.submit(key, action="db.restart")["id"]
            self.assertEqual((200, "counted"), self.outcome(dana.vote(asked)))
            self.assertEqual("approved", gateway.show(key, asked)["state"])

    def test_an_approval_with_less_is_refused_and_says_what_is_missing(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana = Person(gateway, "dana", ["ops"])
            token = gateway.admin("POST", "/v1/tokens", {"person": "dana"})["secret"]
            asked = gateway.submit(key, action="db.drop")["id"]
            self.assertEqual((403, "assurance_too_low"), self.outcome(dana.vote(asked)))
            refused = gateway.vote(token, asked, want=(403,))
            self.assertEqual("assurance_too_low", refused["code"])
            self.assertIn("/statement", refused["detail"])
            self.assertEqual((200, "counted"), self.outcome(dana.vote(asked, "deny")))
            self.assertEqual("denied", gateway.show(key, asked)["state"])

    def test_a_token_asks_for_no_statement_and_carries_no_passkey(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana = Person(gateway, "dana", ["ops"])
            dana.add_passkey()
            token = gateway.admin("POST", "/v1/tokens", {"person": "dana"})["secret"]
            asked = gateway.submit(key, action="db.drop")["id"]
            shown = dana.show(asked)
            binding = {"revision": shown["revision"], "digest": shown["digest"]}
            self.assertEqual(403, gateway.call("POST", f"/v1/requests/{asked}/statement", binding, token).status)
            signed = dana.passkey.sign(dana.statement(asked)["statement"])
            answer = gateway.call("POST", f"/v1/requests/{asked}/votes", {"vote": "approve", **binding, "passkey": signed}, token)
            self.assertEqual((403, "not_allowed"), self.outcome(answer))

    def test_what_the_statement_says_is_what_counts(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana, erin = (Person(gateway, name, ["ops"]) for name in ("dana", "erin"))
            for person in (dana, erin):
                person.add_passkey()
            first, second = (gateway.submit(key, action="db.drop", resource=f"db/{n}")["id"] for n in (1, 2))
            statement = dana.statement(first)["statement"]
            signed = dana.passkey.sign(statement)
            wrong = {
                "of another request": dana.vote(second, signed=signed),
                "of another person": erin.vote(first, signed=erin.passkey.sign(statement)),
                "of another decision": dana.vote(first, "deny", signed=dana.passkey.sign(statement)),
                "with another word": dana.vote(first, signed=dana.passkey.sign(statement.replace("default", "Default"))),
                "with a member more": dana.vote(first, signed=dana.passkey.sign(statement.replace('"tenant"', '"a":1,"tenant"'))),
                "made up": dana.vote(first, signed=dana.passkey.sign(statement.replace('"nonce":"', '"nonce":"A'))),
                "of no form": dana.vote(first, signed=dana.passkey.sign("approve")),
            }
            for what, answer in wrong.items():
                self.assertEqual((403, "statement_invalid"), self.outcome(answer), what)
            self.assertEqual((200, "counted"), self.outcome(dana.vote(first, signed=dana.passkey.sign(statement))))
            again = dana.vote(first, signed=dana.passkey.sign(statement))
            self.assertEqual((409, "challenge_used"), self.outcome(again))

    def test_a_statement_is_good_for_five_minutes_and_one_policy(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana = Person(gateway, "dana", ["ops"])
            dana.add_passkey()
            asked = gateway.submit(key, action="db.drop")["id"]
            statement = dana.statement(asked)["statement"]
            gateway.advance(seconds=299)
            late = dana.statement(asked)["statement"]
            gateway.advance(seconds=2)
            self.assertEqual((403, "statement_expired"), self.outcome(dana.vote(asked, signed=dana.passkey.sign(statement))))
            (gateway.folder / "policy" / "policy.yaml").write_text(POLICY + "  - { name: reading, match: { action: db.get }, verdict: allow }\n")
            gateway.admin("POST", "/v1/policies/reload")
            self.assertEqual((409, "statement_outdated"), self.outcome(dana.vote(asked, signed=dana.passkey.sign(late))))
            self.assertEqual((200, "counted"), self.outcome(dana.approve(asked)))

    def test_every_answer_that_lies_is_refused(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana = Person(gateway, "dana", ["ops"])
            dana.add_passkey()
            asked = gateway.submit(key, action="db.drop")["id"]
            lies = (({"origin": "https://evil.example"}, "passkey_wrong_origin"), ({"type": "webauthn.create"}, "passkey_wrong_type"),
                    ({"crossOrigin": True}, "passkey_embedded"), ({"challenge": encode(bytes(32))}, "passkey_wrong_challenge"),
                    ({"rp_id": "evil.example"}, "passkey_wrong_rp"), ({"flags": 0x04}, "passkey_not_present"),
                    ({"flags": 0x01}, "passkey_not_verified"), ({"count": 0}, "passkey_copied"))
            for lie, code in lies:
                statement = dana.statement(asked)["statement"]
                signed = dana.passkey.sign(statement, **{k: v for k, v in lie.items() if k not in ("challenge", "type")})
                if "challenge" in lie or "type" in lie:
                    told = {"type": "webauthn.get", "challenge": None, "origin": ORIGIN, "crossOrigin": False, **lie}
                    signed = self.sign_other(dana.passkey, statement, told)
                self.assertEqual((403, code), self.outcome(dana.vote(asked, signed=signed)), lie)
            signed = dana.passkey.sign(dana.statement(asked)["statement"])
            for name, code in (("signature", "passkey_bad_signature"), ("client_data", "passkey_malformed"), ("credential", "passkey_unknown")):
                body = {**signed, name: encode(b"x" * 40)}
                self.assertEqual(code, dana.vote(asked, signed=body).json["code"], name)
            self.assertEqual("pending", gateway.show(key, asked)["state"])

    def sign_other(self, passkey, statement, told):
        """Signed as it stands, but about another challenge or of another type."""
        import hashlib
        told["challenge"] = told["challenge"] or encode(hashlib.sha256(statement.encode()).digest())
        honest, passkey.client_data = passkey.client_data, lambda *_, **__: json.dumps(told).encode()
        try:
            return passkey.sign(statement)
        finally:
            passkey.client_data = honest

    def test_a_passkey_added_later_waits_or_is_confirmed(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana, root = Person(gateway, "dana", ["ops"]), Person(gateway, "root", admin=True)
            dana.add_passkey()
            dana.sign_in_by_passkey()
            third, fourth = Passkey(ORIGIN), Passkey(ORIGIN)
            waiting, confirmed = dana.add_passkey(third, "third"), dana.add_passkey(fourth, "fourth")
            self.assertFalse(waiting["trusted"])
            asked = gateway.submit(key, action="db.drop")["id"]
            self.assertEqual((403, "passkey_too_new"), self.outcome(dana.approve(asked, third)))
            dana.ok("GET", "/v1/passkeys")
            self.assertEqual(403, dana.call("POST", f"/v1/passkeys/{confirmed['id']}/confirm").status)
            root.ok("POST", f"/v1/passkeys/{confirmed['id']}/confirm")
            self.assertEqual((200, "counted"), self.outcome(dana.approve(asked, fourth)))
            gateway.advance(seconds=24 * 3600)
            dana.sign_in_by_passkey(third)
            later = gateway.submit(key, action="db.drop", resource="db/2")["id"]
            self.assertEqual((200, "counted"), self.outcome(dana.approve(later, third)))

    def test_a_stolen_session_reaches_nothing_that_outlasts_it(self):
        with Gateway(policy=POLICY) as gateway:
            gateway.add_caller()
            root = Person(gateway, "root", admin=True)
            root.add_passkey()
            root.sign_in()  # by password: what a thief might have
            attempts = (("POST", "/v1/me/passkeys/begin", None), ("POST", "/v1/people", {"name": "mallory", "groups": ["ops"]}),
                        ("POST", "/v1/groups/ops/members", {"person": "root"}), ("POST", "/v1/people/root/enrolment", None),
                        ("POST", "/v1/tokens", {"person": "root"}), ("POST", "/v1/keys", {"caller": "runner"}),
                        ("POST", "/v1/agents", {"name": "other"}), ("POST", "/v1/policies/reload", None))
            for method, path, body in attempts:
                self.assertEqual((403, "step_up_needed"), self.outcome(root.call(method, path, body)), path)
            self.assertEqual((403, "passkey_needed"), self.outcome(root.call("POST", "/v1/session/step-up", {"password": root.password})))
            before = dict(root.headers)
            root.step_up()
            self.assertNotEqual(before["Cookie"], root.headers["Cookie"])
            self.assertNotEqual(before["X-CSRF-Token"], root.headers["X-CSRF-Token"])
            self.assertEqual("session_over", gateway.call("GET", "/v1/session", headers=before).json["code"])
            root.ok("POST", "/v1/agents", {"name": "other"})
            gateway.advance(seconds=301)
            self.assertEqual((403, "step_up_needed"), self.outcome(root.call("POST", "/v1/agents", {"name": "more"})))

    def test_without_a_passkey_the_password_steps_up_and_brings_in_none(self):
        with Gateway(policy=POLICY) as gateway:
            root = Person(gateway, "root", admin=True)
            root.sign_in()
            self.assertEqual((403, "step_up_needed"), self.outcome(root.call("POST", "/v1/agents", {"name": "bot"})))
            self.assertEqual((403, "wrong_password"), self.outcome(root.call("POST", "/v1/session/step-up", {"password": "EXAMPLE a wrong one"})))
            root.step_up()
            root.ok("POST", "/v1/agents", {"name": "bot"})
            self.assertEqual((403, "enrolment_needed"), self.outcome(root.call("POST", "/v1/me/passkeys/begin")))
            root.enrol()
            self.assertTrue(root.add_passkey()["trusted"])

    def test_a_removed_passkey_signs_and_votes_no_more(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana = Person(gateway, "dana", ["ops"])
            made = dana.add_passkey()
            asked = gateway.submit(key, action="db.drop")["id"]
            signed = dana.passkey.sign(dana.statement(asked)["statement"])
            dana.ok("DELETE", f"/v1/passkeys/{made['id']}")
            self.assertEqual((403, "passkey_unknown"), self.outcome(dana.vote(asked, signed=signed)))
            self.assertEqual((401, "wrong_passkey"), self.outcome(dana.sign_in_by_passkey(want=401)))
            dana.enrol()
            self.assertFalse(dana.add_passkey(Passkey(ORIGIN), "a new one")["trusted"], "somebody had one before: it waits")

    def test_who_is_disabled_signs_in_and_votes_no_more(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            dana, erin = (Person(gateway, name, ["ops"]) for name in ("dana", "erin"))
            for person in (dana, erin):
                person.add_passkey()
            asked = gateway.submit(key, action="db.drop")["id"]
            self.assertEqual((200, "counted"), self.outcome(dana.approve(asked)))
            gateway.admin("POST", "/v1/people/dana/disable")
            self.assertEqual("session_over", dana.call("GET", "/v1/session").json["code"])
            self.assertEqual((401, "wrong_passkey"), self.outcome(dana.sign_in_by_passkey(want=401)))
            self.assertEqual((200, "counted"), self.outcome(erin.approve(asked)))
            self.assertEqual("pending", gateway.show(key, asked)["state"], "dana's vote counts no more")

    def test_a_passkey_is_asked_for_its_own_challenge_only(self):
        with Gateway(policy=POLICY) as gateway:
            dana, erin = Person(gateway, "dana"), Person(gateway, "erin")
            dana.add_passkey()
            sign_in = gateway.call("POST", "/v1/session/passkey/begin").json["challenge"]
            step_up = dana.ok("POST", "/v1/session/step-up/begin")["challenge"]
            crossed = dana.call("POST", "/v1/session/step-up", {"passkey": dana.passkey.answer(sign_in)})
            self.assertEqual((403, "challenge_invalid"), self.outcome(crossed))
            self.assertEqual(401, gateway.call("POST", "/v1/session/passkey", dana.passkey.answer(step_up)).status)
            begun = erin.ok("POST", "/v1/me/passkeys/begin")["challenge"]
            others = dana.call("POST", "/v1/passkeys", {"name": "x", **Passkey(ORIGIN).register(begun)})
            self.assertEqual((403, "challenge_invalid"), self.outcome(others))
            gateway.advance(seconds=301)
            erin.sign_in()
            self.assertEqual(401, gateway.call("POST", "/v1/session/passkey", dana.passkey.answer(sign_in)).status)

    def run_words(self, gateway, *words, **environment):
        return subprocess.run([str(gateways.BUILD / "countersign"), *words], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "COUNTERSIGN_SOCKET": gateway.socket_path,
                                                             "COUNTERSIGN_URL": f"http://127.0.0.1:{gateway.port}", **environment})

    def test_a_terminal_says_what_is_missing_and_where_to_go(self):
        with Gateway(policy=POLICY) as gateway:
            key = gateway.add_caller()
            token = gateway.add_person("dana", ["ops"])
            asked = gateway.submit(key, action="db.drop")
            shown = self.run_words(gateway, "show", asked["id"], COUNTERSIGN_TOKEN=token)
            self.assertIn("with a passkey", shown.stdout)
            refused = self.run_words(gateway, "approve", asked["id"], "--digest", asked["digest"], "--yes", COUNTERSIGN_TOKEN=token)
            self.assertEqual(1, refused.returncode)
            self.assertIn(f"approve it with your passkey at http://127.0.0.1:{gateway.port}/requests/{asked['id']}\n", refused.stderr)
            denied = self.run_words(gateway, "deny", asked["id"], "--digest", asked["digest"], "--yes", COUNTERSIGN_TOKEN=token)
            self.assertEqual(0, denied.returncode, denied.stderr)

    def test_the_host_lists_confirms_and_removes_passkeys(self):
        with Gateway(policy=POLICY) as gateway:
            dana = Person(gateway, "dana", ["ops"])
            dana.add_passkey(name="first")
            dana.sign_in_by_passkey()
            later = dana.add_passkey(Passkey(ORIGIN), "second")["id"]
            self.assertIn(later, self.run_words(gateway, "admin", "passkey", "list", "dana").stdout)
            confirmed = self.run_words(gateway, "admin", "passkey", "confirm", later)
            self.assertEqual(0, confirmed.returncode, confirmed.stderr)
            self.assertTrue(dana.ok("GET", "/v1/passkeys")["passkeys"][1]["trusted"])
            self.assertEqual(0, self.run_words(gateway, "admin", "passkey", "remove", later).returncode)
            self.assertEqual(["first"], [passkey["name"] for passkey in dana.ok("GET", "/v1/passkeys")["passkeys"]])

    def test_they_survive_a_restart(self):
        with Gateway(policy=POLICY) as gateway:
            dana = Person(gateway, "dana", ["ops"])
            dana.add_passkey()
            begun = gateway.call("POST", "/v1/session/passkey/begin").json["challenge"]
            gateway.restart()
            self.assertEqual(201, gateway.call("POST", "/v1/session/passkey", dana.passkey.answer(begun)).status)


if __name__ == "__main__":
    unittest.main()
