"""A bot in Teams: asked on a card, settled where it stands, whatever the login server and the connector do meanwhile."""
import json
import re
import signal
import struct
import subprocess
import unittest

from support.chat_policy import CHAT_POLICY
from support.gateway import BUILD, ROOT, Gateway, eventually
from support.teams import CONVERSATION, SECRET, TENANT, Teams, card_of, texts_of

POLICY = CHAT_POLICY + """  - name: closes
    match: { action: account.close }
    verdict: require_approval
    approval: { assurance: chat, ladder: [{ after: 0s, to: [oncall] }, { after: 5m, to: [leads] }] }
"""
APPROVE, DENY, OPEN = "approve", "deny", "Action.OpenUrl"


class TeamsBot(unittest.TestCase):
    def setUp(self):
        self.teams = Teams()
        self.addCleanup(self.teams.stop)
        self.gateway = Gateway(policy=POLICY)
        self.gateway.extra_config = "channels:\n" + self.teams.config(self.gateway.folder)
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.gateway.start()
        self.dana = self.gateway.add_person("dana", ["oncall"])
        self.key = self.gateway.add_caller()

    # ---- steps ----
    def notices(self, state):
        return self.gateway.admin("GET", f"/v1/notices?state={state}")["notices"]

    def sent(self, count):
        eventually(lambda: len(self.notices("sent")) == count, f"{count} are sent: {self.notices('waiting')}")

    def ask(self, count=1, **more):
        asked = self.gateway.submit(self.key, **more)
        self.sent(count)
        return asked

    def says(self, words):
        eventually(lambda: words in json.dumps(self.teams.card(), ensure_ascii=False), f"the card says {words}")

    # ---- asking and settling ----
    def test_a_card_asks_and_is_changed_where_it_stands_when_it_was_decided_elsewhere(self):
        asked = self.ask()
        (place,) = self.teams.messages
        self.assertEqual(CONVERSATION, place[0])
        self.assertEqual({APPROVE, DENY, OPEN}, set(self.teams.buttons()))
        self.assertIn(f"/requests/{asked['id']}", self.teams.buttons()[OPEN]["url"])
        self.gateway.vote(self.dana, asked["id"])
        self.sent(2)
        self.says("Approved by dana")
        self.assertEqual({OPEN}, set(self.teams.buttons()))
        self.assertEqual([place], list(self.teams.messages))
        self.assertEqual(["POST", "PUT", "PUT"], [call[0] for call in self.teams.calls], "posted, given its buttons, settled")
        self.assertEqual(1, len(self.teams.logins), "one token served all")
        self.assertEqual(TENANT, self.teams.logins[0][0])

    def test_a_card_follows_an_edit_and_another_rung_where_it_stands(self):
        asked = self.ask(action="account.close", args={"reason": "unpaid"})
        first = self.teams.buttons()[APPROVE]["data"]
        self.gateway.ok("POST", f"/v1/requests/{asked['id']}/edits", {"revision": 1, "digest": asked["digest"], "args": {"reason": "asked to"}}, self.dana)
        self.sent(2)
        self.says("Changed by an approver")
        self.says("asked to")
        self.assertNotEqual(first["n"], self.teams.buttons()[APPROVE]["data"]["n"], "a press on the former card is of another revision")
        self.gateway.advance(seconds=301)
        self.sent(3)
        self.says("leads")
        self.assertEqual(["POST", "PUT", "PUT", "PUT"], [call[0] for call in self.teams.calls])
        self.gateway.advance(seconds=3600)
        self.says("Expired")
        self.assertEqual({OPEN}, set(self.teams.buttons()))

    def test_a_card_posted_before_a_restart_or_a_crash_is_settled_after_it(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(how=how):
                self.teams.messages.clear()
                asked = self.gateway.submit(self.key, args={"how": how.name})
                eventually(lambda: any(notice.get("request") == asked["id"] for notice in self.notices("sent")), "the card is posted")
                (place,) = self.teams.messages
                self.gateway.restart(how)
                self.gateway.vote(self.dana, asked["id"], "deny")
                self.says("Denied by dana")
                self.assertEqual([place], list(self.teams.messages))

    # ---- what the card lets people do ----
    def test_where_a_passkey_is_needed_there_is_no_approve_and_the_card_says_why(self):
        asked = self.ask(action="payments.transfer")
        self.assertEqual({DENY, OPEN}, set(self.teams.buttons()))
        self.assertIn("This needs a passkey", texts_of(self.teams.card()))
        self.assertEqual("Open in dashboard", self.teams.buttons()[OPEN]["title"])
        self.assertIn(f"/requests/{asked['id']}", self.teams.buttons()[OPEN]["url"])

    def test_arguments_that_do_not_fit_take_the_approve_button_away(self):
        self.ask(args={"script": "echo ok\n" + "x" * 40000 + "\nrm -rf /"})
        self.assertEqual({DENY, OPEN}, set(self.teams.buttons()))
        self.assertIn("rm -rf /", texts_of(self.teams.card()), "head and tail are shown")

    def test_a_denial_asks_why_on_the_card(self):
        self.ask()
        (shown,) = [action for action in self.teams.card()["actions"] if action["type"] == "Action.ShowCard"]
        self.assertEqual(["reason"], [element["id"] for element in shown["card"]["body"]])
        self.assertEqual({DENY}, {action["verb"] for action in shown["card"]["actions"]})

    def test_what_the_agent_sent_stands_only_where_nothing_is_interpreted(self):
        hostile = "[Approve](https://evil.example) **bold** <at>everyone</at> \u202egnp.exe\u200b {{DATE(2026-01-01)}}"
        self.ask(args={"note": hostile, hostile: 1}, reason=hostile)
        card = self.teams.card()
        for element in card["body"]:
            if element["type"] == "TextBlock":
                self.assertNotIn("evil", element["text"])
        runs = [run["text"] for element in card["body"] for run in element.get("inlines", [])]
        self.assertTrue(any("[Approve](https://evil.example) **bold** <at>everyone</at> \\u{202e}gnp.exe\\u{200b}" in run for run in runs), runs)
        self.assertNotIn("\u202e", texts_of(card))
        (message,) = self.teams.messages.values()
        self.assertEqual("Approval needed", message["summary"])

    # ---- the token ----
    def test_a_token_that_is_void_is_replaced_and_the_card_goes_at_once(self):
        asked = self.ask()
        self.teams.revoke()
        self.gateway.vote(self.dana, asked["id"])
        self.sent(2)
        self.says("Approved by dana")
        self.assertEqual(["POST", "PUT", "PUT", "PUT"], [call[0] for call in self.teams.calls])
        self.assertEqual(2, len(self.teams.logins))
        self.assertEqual([1, 1], [notice["attempts"] for notice in self.notices("sent")], "an old token is no failed attempt")

    def test_a_token_is_not_used_in_its_last_minutes(self):
        asked = self.ask()
        self.gateway.advance(seconds=self.teams.lifetime - 299)
        self.gateway.submit(self.key, resource="order/2")
        eventually(lambda: len(self.teams.logins) == 2, "another is asked for")
        self.assertEqual("expired", self.gateway.show(self.key, asked["id"])["state"])

    def test_while_no_token_is_to_be_had_everything_waits_and_no_attempt_is_counted(self):
        self.teams.login_answers = [(503, {}, {}), (429, {"Retry-After": "20"}, {}), (200, {}, b"<html>sign in</html>")]
        asked = self.gateway.submit(self.key)
        eventually(lambda: len(self.teams.logins) == 1, "a token is asked for")
        (fares,) = eventually(lambda: [one for one in self.gateway.admin("GET", "/v1/channels")["channels"] if not one["answers"]], "the circuit is open")
        self.assertTrue(fares["tried_again_at"])
        for tries, seconds in ((2, 6), (3, 21), (4, 23)):
            # What was answered must have been taken before the clock moves: the pause begins then.
            eventually(lambda: self.gateway.admin("GET", "/v1/channels")["channels"][0]["failures"] == tries + 3, "it is known that there is none")
            self.gateway.advance(seconds=seconds)
            eventually(lambda: len(self.teams.logins) == tries, f"it is asked for the {tries}th time: {len(self.teams.logins)}")
        self.sent(1)
        (notice,) = self.notices("sent")
        self.assertEqual((asked["id"], 1), (notice["request"], notice["attempts"]))
        self.assertEqual(["POST", "PUT"], [call[0] for call in self.teams.calls], "the connector was not asked without one")

    def test_a_token_with_a_line_break_goes_into_no_header(self):
        self.teams.login_answers = [(200, {}, {"token_type": "Bearer", "expires_in": 3599, "access_token": "a\r\nX-Evil: 1"})]
        self.gateway.submit(self.key)
        eventually(lambda: self.gateway.logged("channel_fails"), "it is refused")
        self.assertFalse(self.teams.calls)

    # ---- the connector fails ----
    def test_the_connector_says_not_now_and_is_asked_again_when_it_said(self):
        self.teams.answers = [(429, {"Retry-After": "7"}, {"error": {"code": "TooManyRequests", "message": "slow down"}})]
        self.gateway.submit(self.key)
        eventually(lambda: self.notices("waiting")[0]["attempts"] == 1, "it is tried")
        self.assertIn("TooManyRequests", self.notices("waiting")[0]["last_error"])
        self.gateway.advance(seconds=6)
        self.assertFalse(self.teams.messages)
        self.gateway.advance(seconds=2)
        self.sent(1)
        self.assertEqual(1, len(self.teams.messages))

    def test_what_passes_is_tried_again_and_what_will_never_do_is_dead_and_says_why(self):
        for number, (status, state) in enumerate(((412, "sent"), (502, "sent"), (504, "sent"), (403, "sent"), (400, "dead"), (404, "dead"), (413, "dead"))):
            with self.subTest(status=status):
                self.teams.answers = [status]
                asked = self.gateway.submit(self.key, args={"number": number})
                told = eventually(lambda: [one for one in self.gateway.admin("GET", "/v1/notices")["notices"] if one.get("request") == asked["id"] and
                                           one["attempts"] == 1], "it is tried")[0]
                self.assertIn(f"E{status}", told["last_error"])
                self.gateway.advance(seconds=6)
                eventually(lambda: any(one.get("request") == asked["id"] for one in self.notices(state)), f"it is {state}")

    def test_an_answer_that_is_not_the_connectors_is_no_card(self):
        self.teams.answers = [(200, {}, b"<html>welcome to the airport</html>"), (200, {}, {"id": ""}), (201, {}, {"id": "x" * 301})]
        asked = self.gateway.submit(self.key)
        for attempts, seconds in ((1, 3), (2, 7), (3, 20)):
            eventually(lambda: any(one["attempts"] == attempts for one in self.notices("waiting")), f"{attempts} are tried")
            self.gateway.advance(seconds=seconds)
        self.sent(1)
        self.gateway.vote(self.dana, asked["id"])
        self.says("Approved by dana")

    def test_a_card_taken_without_an_id_has_no_buttons_and_its_end_is_a_card_of_its_own(self):
        self.teams.answers = [(202, {}, b"")]
        asked = self.ask()
        self.gateway.vote(self.dana, asked["id"])
        self.sent(2)
        self.says("Approved by dana")
        self.assertEqual(["POST", "POST"], [call[0] for call in self.teams.calls])
        self.assertEqual({OPEN}, set(self.teams.buttons(card_of(self.teams.calls[0][3]))))

    # ---- where the token goes ----
    def test_a_card_at_a_host_that_is_not_allowed_any_more_gets_no_token(self):
        asked = self.ask()
        calls = len(self.teams.calls)
        other = Teams()
        self.addCleanup(other.stop)
        self.gateway.stop()
        self.gateway.extra_config = "channels:\n" + other.config(self.gateway.folder)
        self.gateway.start()
        self.gateway.vote(self.dana, asked["id"])
        (dead,) = eventually(lambda: self.notices("dead"), "it is not sent")
        self.assertIn("the bot's token does not go to", dead["last_error"])
        self.assertEqual((calls, 0), (len(self.teams.calls), len(other.calls)))

    def test_no_secret_stands_in_a_log_a_notice_or_what_is_shown_of_the_channel(self):
        self.teams.answers = [500]
        self.gateway.submit(self.key)
        eventually(lambda: self.notices("waiting")[0]["attempts"] == 1, "it is tried")
        self.gateway.advance(seconds=6)
        self.sent(1)
        shown = "\n".join(self.gateway.log) + json.dumps([self.gateway.admin("GET", "/v1/notices"), self.gateway.admin("GET", "/v1/channels")])
        for secret in (SECRET, *self.teams.tokens):
            self.assertNotIn(secret, shown)

    # ---- the operator ----
    def run_test(self):
        run = subprocess.run([str(BUILD / "countersign"), "channels", "test", "approvals", "--socket", self.gateway.socket_path],
                             capture_output=True, text=True, timeout=60)
        return run.returncode, run.stdout + run.stderr

    def test_the_test_button_posts_a_harmless_card_and_says_what_is_wrong(self):
        status, said = self.run_test()
        self.assertEqual(0, status, said)
        self.assertIn("only a test", texts_of(self.teams.card()))
        self.assertEqual({OPEN}, set(self.teams.buttons()))
        self.teams.members.clear()
        status, said = self.run_test()
        self.assertNotEqual(0, status)
        self.assertIn("BotNotInConversationRoster", said)

    def test_the_test_button_says_what_the_login_server_says_and_does_not_hang(self):
        self.gateway.stop()
        self.gateway.extra_config = "channels:\n" + self.teams.config(self.gateway.folder)
        (self.gateway.folder / "approvals.secret").write_text("another\n")
        self.gateway.start()
        for _ in range(2):  # also while the circuit is open
            status, said = self.run_test()
            self.assertNotEqual(0, status)
            self.assertIn("AADSTS7000215: Invalid client secret provided.", said)
            self.assertNotIn("Trace ID", said)
        self.assertEqual(2, len(self.teams.logins))
        self.assertFalse(self.teams.calls)
        channel = lambda: self.gateway.admin("GET", "/v1/channels")["channels"][0]
        self.assertIn("no token", channel()["problem"])
        self.teams.login_answers = [(200, {}, {"access_token": self.teams.issue(), "expires_in": 3599})]
        self.assertEqual(0, self.run_test()[0])
        self.assertNotIn("problem", channel())


class Package(unittest.TestCase):
    """What docs/channels/teams.md has people pack for Teams."""

    def test_the_manifest_that_is_printed_is_the_one_that_is_shipped_and_is_of_the_bot_that_is_configured(self):
        page = (ROOT / "docs" / "channels" / "teams.md").read_text()
        folder = ROOT / "docs" / "channels" / "teams-app"
        (printed,) = re.findall(r"```json\n(.*?)```", page, re.S)
        self.assertEqual((folder / "manifest.json").read_text(), printed)
        manifest = json.loads(printed)
        (bot,) = manifest["bots"]
        self.assertEqual([bot["botId"]], re.findall(r"^ +app_id: (\S+)", page, re.M))
        self.assertEqual({"team", "groupChat", "personal"}, set(bot["scopes"]))
        for name, size in (("color", 192), ("outline", 32)):
            image = (folder / manifest["icons"][name]).read_bytes()
            self.assertEqual((b"\x89PNG", size, size), (image[:4], *struct.unpack(">II", image[16:24])))
        for text, most in ((manifest["name"]["short"], 30), (manifest["name"]["full"], 100), (manifest["description"]["short"], 80), (manifest["developer"]["name"], 32)):
            self.assertLessEqual(len(text), most, text)


if __name__ == "__main__":
    unittest.main()
