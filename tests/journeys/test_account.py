"""What people do with their own account: one-time codes, recovery codes, sessions and tokens."""
import base64
import hashlib
import hmac
import struct
import time
import unittest

from support.gateway import Gateway
from support.people import Person


def totp(secret, at, skew=0):
    """RFC 6238, as an authenticator app computes it."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">q", int(at // 30) + skew), hashlib.sha1).digest()
    place = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[place:place + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


class Account(unittest.TestCase):
    def outcome(self, answer):
        return answer.status, answer.json["code"]

    def setUp(self):
        self.moved = 0

    def advance(self, gateway, seconds):
        gateway.advance(seconds=seconds)
        self.moved += seconds

    def code(self, secret, skew=0):
        return totp(secret, time.time() + self.moved, skew)

    def enrol_codes(self, person):
        begun = person.ok("POST", "/v1/totp/begin")
        self.assertIn(begun["secret"], begun["uri"])
        return begun["secret"], person.ok("POST", "/v1/totp", {"code": self.code(begun["secret"])})["recovery_codes"]

    def sign_in(self, gateway, person, **more):
        return gateway.call("POST", "/v1/session", {"name": person.name, "password": person.password, **more})

    def test_the_password_needs_a_code_once_one_was_confirmed(self):
        with Gateway() as gateway:
            dana = Person(gateway, "dana")
            begun = dana.ok("POST", "/v1/totp/begin")
            self.assertEqual(201, self.sign_in(gateway, dana).status, "nothing asks for codes that were not confirmed")
            self.assertEqual((403, "wrong_code"), self.outcome(dana.call("POST", "/v1/totp", {"code": "000000"})))
            dana.ok("POST", "/v1/totp", {"code": self.code(begun["secret"])})
            self.assertEqual((401, "code_needed"), self.outcome(self.sign_in(gateway, dana)))
            self.assertEqual((401, "wrong_code"), self.outcome(self.sign_in(gateway, dana, code="000000")))
            used = self.code(begun["secret"])
            self.assertEqual((401, "wrong_code"), self.outcome(self.sign_in(gateway, dana, code=used)), "it confirmed them")
            self.advance(gateway, 60)
            fresh = self.code(begun["secret"])
            self.assertEqual(201, self.sign_in(gateway, dana, code=fresh).status)
            self.assertEqual((401, "wrong_code"), self.outcome(self.sign_in(gateway, dana, code=fresh)))
            wrong = gateway.call("POST", "/v1/session", {"name": "dana", "password": "EXAMPLE a wrong one", "code": self.code(begun["secret"], 1)})
            self.assertEqual((401, "wrong_name_or_password"), self.outcome(wrong), "the code tells nothing about the password")

    def test_each_recovery_code_works_once(self):
        with Gateway() as gateway:
            dana = Person(gateway, "dana")
            _, codes = self.enrol_codes(dana)
            self.assertEqual(10, len(set(codes)))
            self.assertEqual(201, self.sign_in(gateway, dana, code=codes[0].upper().replace("-", " ")).status)
            self.assertEqual((401, "wrong_code"), self.outcome(self.sign_in(gateway, dana, code=codes[0])))
            self.assertEqual({"enabled": True, "recovery_codes_left": 9}, dana.ok("GET", "/v1/totp"))

    def test_stepping_up_by_password_needs_a_code_too(self):
        with Gateway() as gateway:
            root = Person(gateway, "root", admin=True)
            secret, codes = self.enrol_codes(root)
            self.advance(gateway, 60)
            root.take(self.sign_in(gateway, root, code=self.code(secret)))
            self.assertEqual({"code": True, "method": "password"}, root.ok("POST", "/v1/session/step-up/begin"))
            for body, code in (({}, "code_needed"), ({"code": "000000"}, "wrong_code")):
                answer = root.call("POST", "/v1/session/step-up", {"password": root.password, **body})
                self.assertEqual((403, code), self.outcome(answer))
            root.take(root.call("POST", "/v1/session/step-up", {"password": root.password, "code": codes[3]}))
            root.ok("POST", "/v1/agents", {"name": "bot"})

    def test_codes_are_changed_after_a_step_up_only(self):
        with Gateway() as gateway:
            dana = Person(gateway, "dana")
            secret, _ = self.enrol_codes(dana)
            self.assertEqual((409, "totp_enrolled"), self.outcome(dana.call("POST", "/v1/totp/begin")))
            self.assertEqual((409, "totp_not_begun"), self.outcome(dana.call("POST", "/v1/totp", {"code": "000000"})))
            self.advance(gateway, 60)
            dana.take(self.sign_in(gateway, dana, code=self.code(secret)))
            for method, path in (("DELETE", "/v1/totp"), ("POST", "/v1/totp/begin")):
                self.assertEqual((403, "step_up_needed"), self.outcome(dana.call(method, path)))
            self.advance(gateway, 60)
            dana.take(dana.call("POST", "/v1/session/step-up", {"password": dana.password, "code": self.code(secret)}))
            dana.ok("DELETE", "/v1/totp")
            self.assertEqual(201, self.sign_in(gateway, dana).status)
            self.assertEqual({"enabled": False, "recovery_codes_left": 0}, dana.ok("GET", "/v1/totp"))

    def test_codes_are_guessed_slowly(self):
        with Gateway() as gateway:
            dana = Person(gateway, "dana")
            self.enrol_codes(dana)
            answers = [self.sign_in(gateway, dana, code=f"{n:06}") for n in range(7)]
            self.assertEqual((429, "too_many_attempts"), self.outcome(answers[-1]))
            mine = [dana.call("POST", "/v1/session/step-up", {"password": dana.password, "code": f"{n:06}"}) for n in range(7)]
            self.assertEqual((429, "too_many_attempts"), self.outcome(mine[-1]))

    def test_sessions_are_seen_and_ended(self):
        with Gateway() as gateway:
            dana, erin = Person(gateway, "dana"), Person(gateway, "erin")
            other = self.sign_in(gateway, dana)
            listed = dana.ok("GET", "/v1/sessions")["sessions"]
            self.assertEqual([True, False], [session["current"] for session in listed])
            self.assertEqual((404, "not_found"), self.outcome(erin.call("DELETE", f"/v1/sessions/{listed[1]['id']}")))
            dana.ok("DELETE", f"/v1/sessions/{listed[1]['id']}")
            cookie = {"Cookie": other.headers["Set-Cookie"].split(";")[0]}
            self.assertEqual((401, "session_over"), self.outcome(gateway.call("GET", "/v1/session", headers=cookie)))
            self.assertEqual(1, len(dana.ok("GET", "/v1/sessions")["sessions"]))

    def test_tokens_are_made_after_a_step_up_and_taken_back_at_once(self):
        with Gateway() as gateway:
            dana, erin = Person(gateway, "dana"), Person(gateway, "erin")
            made = dana.ok("POST", "/v1/tokens", {"person": "dana", "label": "laptop"})
            self.assertEqual(403, dana.call("POST", "/v1/tokens", {"person": "erin"}).status, "of another: an admin's to make")
            self.assertEqual("dana", gateway.ok("GET", "/v1/me", secret=made["secret"])["person"]["name"])
            dana.sign_in()
            self.assertEqual((403, "step_up_needed"), self.outcome(dana.call("POST", "/v1/tokens", {"person": "dana"})))
            self.assertEqual((403, "not_allowed"), self.outcome(gateway.call("POST", "/v1/tokens", {"person": "dana"}, made["secret"])))
            self.assertEqual([made["id"]], [token["id"] for token in dana.ok("GET", "/v1/tokens")["credentials"]])
            self.assertEqual((403, "not_allowed"), self.outcome(erin.call("POST", f"/v1/credentials/{made['id']}/disable")))
            dana.ok("POST", f"/v1/credentials/{made['id']}/disable")
            self.assertEqual(401, gateway.call("GET", "/v1/me", secret=made["secret"]).status)

    def test_who_has_a_passkey_thaws_with_it(self):
        with Gateway() as gateway:
            root, ada = Person(gateway, "root", admin=True), Person(gateway, "ada", admin=True)
            root.add_passkey()
            frozen = [root.ok("POST", "/v1/freezes", {"scope": "tenant", "reason": "drill"})["id"] for _ in range(2)]
            self.assertEqual((403, "step_up_needed"), self.outcome(root.call("POST", f"/v1/freezes/{frozen[0]}/thaw")))
            root.step_up()
            root.ok("POST", f"/v1/freezes/{frozen[0]}/thaw")
            ada.ok("POST", f"/v1/freezes/{frozen[1]}/thaw")


if __name__ == "__main__":
    unittest.main()
