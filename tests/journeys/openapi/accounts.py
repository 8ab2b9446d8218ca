"""Signing in, passkeys, codes, chat accounts, and what takes two: every answer about who somebody is."""
import time

from support import slack_steps
from journeys.openapi.book import LIMITS, PASSWORD, Cast, Recorded, session_headers
from journeys.test_account import totp
from support.gateway import POLICY, eventually
from support.people import ORIGIN, Passkey, Person
from support.teams import Teams
from support.websocket import WebSocket

CRITICAL = """
  - name: dropping
    match: { action: critical.drop }
    verdict: require_approval
    risk: critical
    approval: { groups: [oncall] }
"""


class Accounts:
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
                                       ("POST", "/v1/people/dana/addresses", {"kind": "mail", "address": "dana@example.com"}),
                                       ("DELETE", f"/v1/passkeys/{made[1]['id']}", None)):
                self.assertEqual(202, ada.call(method, path, body).status, path)
            waiting = root.ok("GET", "/v1/proposals")["proposals"][0]["id"]
            root.ok("DELETE", f"/v1/proposals/{waiting}")
            self.assertEqual((409, "proposal_decided"), self.outcome(root.call("DELETE", f"/v1/proposals/{waiting}")))
            self.assertEqual(404, root.call("DELETE", "/v1/proposals/prp_01m869ave66qrv489e7xecz1ks").status)

    def test_2_own_account(self):
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
        slack = slack_steps.Slack()
        self.addCleanup(slack.stop)
        gateway = Recorded(self.book)
        gateway.extra_config += slack_steps.channel(gateway, slack)
        with gateway:
            dana = Person(gateway, "dana", ["oncall"])
            dana.step_up()
            code = dana.ok("POST", "/v1/me/chat-links", {})["code"]
            link = {"callback_id": "countersign_link"}
            for payload, status in (({"type": "x"}, 400), (slack.submit(link, "code", code, app="A0OTHER"), 403), (slack.shortcut(), 200),
                                    (slack.submit(link, "code", code), 200), (slack.submit(link, "code", code), 200)):
                self.assertEqual(status, slack_steps.post(gateway, payload).status)
            for _ in range(30):
                answer = slack_steps.post(gateway, slack.submit(link, "code", "0", user="U0GUESS"))
            self.assertEqual((429, "too_many_attempts"), self.outcome(answer))
            self.assertEqual((401, "no_signature"), self.outcome(gateway.call("POST", "/v1/callbacks/slack", b"payload=x")))
            (linked,) = dana.ok("GET", "/v1/me/chat-links")["links"]
            dana.ok("DELETE", f"/v1/me/chat-links/{linked['id']}")
            self.assertEqual(404, dana.call("DELETE", f"/v1/me/chat-links/{linked['id']}").status)
        with Recorded(self.book) as gateway:
            self.assertEqual((404, "no_slack_app"), self.outcome(gateway.call("POST", "/v1/callbacks/slack", b"payload=x")))

    def test_2_accounts_in_teams(self):
        teams = Teams()
        self.addCleanup(teams.stop)
        teams.add_key()
        gateway = Recorded(self.book)
        gateway.extra_config += "channels:\n" + teams.config(gateway.folder)

        def post(activity, **changed):
            return gateway.call("POST", "/v1/callbacks/teams", activity, headers={"Authorization": f"Bearer {teams.mint(**changed)}"})
        with gateway:
            eventually(lambda: post(teams.activity("typing")).status == 200, "the keys are there")
            press = teams.activity("invoke", name="adaptiveCard/action",
                                   value={"action": {"type": "Action.Execute", "verb": "link", "data": {"code": "0"}}, "trigger": "manual"})
            self.assertEqual("application/vnd.microsoft.card.adaptive", post(press).json["type"])
            for _ in range(30):
                answer = post(press)
            self.assertEqual("application/vnd.microsoft.activity.message", answer.json["type"])
            for activity, outcome in (({**press, "type": 7}, (400, "bad_payload")), ({**press, "channelData": {}}, (403, "wrong_tenant"))):
                self.assertEqual(outcome, self.outcome(post(activity)))
            self.assertEqual("NotSupported", post({**press, "name": "x"}).json["value"]["code"])
            self.assertEqual((401, "bad_callback"), self.outcome(post(press, aud="x")))
            self.assertEqual((401, "wrong_service_url"), self.outcome(post(press, serviceurl="x")))
        with Recorded(self.book) as gateway:
            self.assertEqual((404, "no_teams_bot"), self.outcome(post(press)))

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
