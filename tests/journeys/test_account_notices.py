"""The owner of an account is told what happens to it: at once, by mail, whatever whoever got in would rather have."""
import json
import time
import unittest

from journeys.test_account import totp
from support import slack_steps
from support.gateway import Gateway, eventually
from support.peers import MailServer, has_real_mail_server, mail_channel, start_real_mail_server
from support.people import ORIGIN, PASSWORD, Passkey, Person

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
HOSTILE = "\u202eYour account is locked, visit https://evil.example <script>"


class AccountNotices(unittest.TestCase):
    def setUp(self):
        self.server = MailServer()
        self.addCleanup(self.server.stop)
        self.gateway = Gateway()
        self.gateway.extra_config = "channels:\n" + mail_channel(self.server.port)
        self.addCleanup(self.gateway.__exit__, None, None, None)

    def start(self):
        self.gateway.start()
        self.admin = Person(self.gateway, "root", admin=True)
        self.dana = self.person("dana")

    def person(self, name):
        """Enrolled before they have an address: what follows is all that they are told."""
        person = Person(self.gateway, name)
        self.address(name, f"{name}@example.com")
        return person

    def address(self, name, address):
        self.gateway.admin("POST", f"/v1/people/{name}/addresses", {"kind": "mail", "address": address})

    def letters(self, to):
        return [letter for _, recipients, letter in self.server.letters if recipients == [to]]

    def told(self, count, to="dana@example.com"):
        """The subjects of all letters to this address, once there are so many and nothing waits."""
        eventually(lambda: not self.gateway.admin("GET", "/v1/notices?state=waiting")["notices"] and len(self.letters(to)) >= count,
                   f"{count} letters have come to {to}, not {len(self.letters(to))}")
        letters = self.letters(to)
        self.assertEqual(count, len(letters), [letter["Subject"] for letter in letters])
        return [letter["Subject"].removeprefix("[Countersign] ") for letter in letters]

    def newest(self, to="dana@example.com"):
        return self.letters(to)[-1].get_body(("plain",)).get_content()

    def sign_in(self, cookies=None, agent=FIREFOX, name="dana", password=PASSWORD):
        """The cookies of the browser afterwards."""
        headers = {"User-Agent": agent, **({"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())} if cookies else {})}
        answer = self.gateway.call("POST", "/v1/session", {"name": name, "password": password}, headers=headers)
        self.assertEqual(201, answer.status, answer)
        made = dict(cookie.split(";")[0].split("=", 1) for cookie in answer.headers.get_all("Set-Cookie"))
        return {**(cookies or {}), **made}

    # ---- browsers ----
    def test_a_browser_is_new_once_and_the_cookie_that_says_so_lets_nobody_in(self):
        self.start()
        cookies = self.sign_in()
        self.assertEqual(["Your account was signed in to with a new browser"], self.told(1))
        self.assertIn("Browser: Firefox on Linux", self.newest())
        self.assertIn("From: 127.0.0.1", self.newest())
        again = self.sign_in(cookies)
        self.assertEqual(cookies["countersign-browser-dev"], again["countersign-browser-dev"])
        self.sign_in({"countersign-browser-dev": cookies["countersign-browser-dev"]})
        self.told(1)
        alone = self.gateway.call("GET", "/v1/session", headers={"Cookie": f"countersign-browser-dev={cookies['countersign-browser-dev']}"})
        self.assertEqual(401, alone.status)
        as_session = self.gateway.call("GET", "/v1/session", headers={"Cookie": f"countersign-dev={cookies['countersign-browser-dev']}"})
        self.assertEqual(401, as_session.status)
        self.sign_in()
        self.told(2)

    def test_a_browser_that_somebody_else_uses_is_new_to_each_once(self):
        self.start()
        self.person("omar")
        cookies = self.sign_in(self.sign_in(), name="omar")
        cookies = self.sign_in(cookies)
        self.sign_in(cookies, name="omar")
        self.told(1)
        self.told(1, "omar@example.com")

    def test_a_cookie_that_the_gateway_did_not_make_is_not_taken(self):
        self.start()
        planted = {"countersign-browser-dev": "csb_" + "A" * 43}
        kept = self.sign_in(dict(planted))
        self.assertNotEqual(planted["countersign-browser-dev"], kept["countersign-browser-dev"])
        self.sign_in(dict(planted))
        self.told(2)
        self.sign_in({"countersign-browser-dev": "nonsense"})
        self.told(3)

    def test_a_browser_is_known_where_a_link_was_opened_and_after_signing_in_by_passkey(self):
        self.gateway.start()
        self.gateway.admin("POST", "/v1/people", {"name": "dana"})
        self.address("dana", "dana@example.com")
        secret = self.gateway.admin("POST", "/v1/people/dana/enrolment")["link_path"].split("#")[1]
        self.assertEqual(["A link was made that sets a new password for your account"], self.told(1))
        enrolled = self.gateway.call("POST", "/v1/enrol", {"secret": secret, "password": PASSWORD})
        self.assertEqual("The password of your account was changed", self.told(2)[-1])
        self.assertIn("By: somebody who opened an enrolment link", self.newest())
        self.assertNotIn(secret, json.dumps([letter.as_string() for letter in self.letters("dana@example.com")]))
        cookies = dict(cookie.split(";")[0].split("=", 1) for cookie in enrolled.headers.get_all("Set-Cookie"))
        self.sign_in({"countersign-browser-dev": cookies["countersign-browser-dev"]})
        self.told(2)

    def test_signing_in_by_passkey_with_a_new_browser_is_told(self):
        self.start()
        self.dana.add_passkey()
        self.told(1)
        self.dana.sign_in_by_passkey()
        self.assertEqual("Your account was signed in to with a new browser", self.told(2)[-1])

    def test_a_session_whose_browser_lies_about_itself_chooses_no_word_of_the_letter(self):
        self.start()
        self.sign_in(agent=HOSTILE.encode("ascii", "ignore").decode())
        self.told(1)
        self.assertNotIn("evil", self.letters("dana@example.com")[-1].as_string())
        self.assertIn("Browser: a browser", self.newest())

    # ---- what somebody does in their account ----
    def test_what_is_done_in_an_account_is_told_its_owner_in_words_of_the_gateway(self):
        self.start()
        known = {"Cookie": "countersign-browser-dev=" + self.sign_in()["countersign-browser-dev"]}
        self.told(1)
        self.server.letters.clear()
        dana, said = self.dana, []

        def tells(subject, does):
            does()
            said.append(subject)
            self.assertEqual(said, self.told(len(said)))
            self.assertIn("By: somebody who was signed in as you", self.newest())
            self.assertIn("Tell an admin of this gateway now", self.newest())

        secret = dana.ok("POST", "/v1/totp/begin")["secret"]
        codes = []
        tells("One-time codes were turned on for your account",
              lambda: codes.extend(dana.ok("POST", "/v1/totp", {"code": totp(secret, time.time())})["recovery_codes"]))

        def sign_in_with_recovery_code():
            body = {"name": "dana", "password": PASSWORD, "code": codes[0]}
            dana.take(self.gateway.call("POST", "/v1/session", body, headers=known))
        tells("A recovery code of your account was used", sign_in_with_recovery_code)
        tells("A recovery code of your account was used",
              lambda: dana.take(dana.call("POST", "/v1/session/step-up", {"password": PASSWORD, "code": codes[1]})))
        token = {}
        tells("A personal token was made for your account", lambda: token.update(dana.ok("POST", "/v1/tokens", {"person": "dana", "label": HOSTILE})))
        tells("One-time codes were turned off for your account", lambda: dana.ok("DELETE", "/v1/totp"))
        tells("The password of your account was changed",
              lambda: dana.ok("POST", "/v1/session/password", {"old": PASSWORD, "new": "EXAMPLE another password"}))
        all_letters = "".join(str(part) for letter in self.letters("dana@example.com")
                              for part in [letter.as_string()] + [letter.get_body((kind,)).get_content() for kind in ("plain", "html")])
        for unsaid in (secret, token["secret"], "evil", "\u202e", PASSWORD, "EXAMPLE another", "href", *codes):
            self.assertFalse(unsaid in all_letters, unsaid)

    def test_passkeys_are_told_as_they_come_are_confirmed_and_go(self):
        self.start()
        made = self.dana.add_passkey(name="visit evil.example")
        self.told(1)
        second = self.dana.add_passkey(Passkey(ORIGIN), name="again evil.example")
        self.assertEqual(2 * ["A passkey was added to your account"], self.told(2))
        self.assertIn(f"Passkey: {second['id']}", self.newest())
        self.assertIn("Signs decisions from: ", self.newest())
        self.admin.add_passkey()
        self.admin.ok("POST", f"/v1/passkeys/{second['id']}/confirm")
        self.assertEqual("A passkey of your account was confirmed by another admin", self.told(3)[-1])
        self.assertIn("By: root, another person", self.newest())
        self.dana.ok("DELETE", f"/v1/passkeys/{made['id']}")
        self.assertEqual("A passkey was removed from your account", self.told(4)[-1])
        self.assertNotIn("evil", "".join(letter.get_body(("plain",)).get_content() for letter in self.letters("dana@example.com")))

    def test_a_chat_account_is_told_when_it_is_linked_and_when_it_is_not_any_more(self):
        slack = slack_steps.Slack()
        self.addCleanup(slack.stop)
        self.gateway.extra_config += slack_steps.channel(self.gateway, slack).removeprefix("channels:\n")
        self.start()
        self.dana.step_up()
        code = self.dana.ok("POST", "/v1/me/chat-links", {})["code"]
        slack_steps.post(self.gateway, slack.submit({"callback_id": "countersign_link"}, "code", code))
        self.assertEqual(["A chat account was linked to your account"], self.told(1))
        self.assertIn("By: somebody who entered a code that was made in your account", self.newest())
        self.assertNotIn(code, self.newest())
        (link,) = self.dana.ok("GET", "/v1/me/chat-links")["links"]
        self.dana.ok("DELETE", f"/v1/me/chat-links/{link['id']}")
        self.assertEqual("A chat account is no longer linked to your account", self.told(2)[-1])

    def test_where_slack_tells_people_it_tells_owners_in_their_own_conversation_and_a_channel_never(self):
        for where, is_told in (("to: people", True), (f"channel: {slack_steps.CHANNEL}", False)):
            with self.subTest(where=where):
                slack = slack_steps.Slack()
                self.addCleanup(slack.stop)
                gateway = Gateway()
                gateway.extra_config = slack_steps.channel(gateway, slack, where=where)
                with gateway:
                    dana = Person(gateway, "dana", ["oncall"])
                    dana.step_up()
                    for user in ("U0DANA", "U0OTHER"):
                        code = dana.ok("POST", "/v1/me/chat-links", {})["code"]
                        slack_steps.post(gateway, slack.submit({"callback_id": "countersign_link"}, "code", code, user=user))
                    dana.ok("POST", "/v1/tokens", {"person": "dana", "label": HOSTILE})
                    (link,) = [one for one in dana.ok("GET", "/v1/me/chat-links")["links"] if one["account"].endswith("U0DANA")]
                    dana.ok("DELETE", f"/v1/me/chat-links/{link['id']}")
                    eventually(lambda: not gateway.admin("GET", "/v1/notices?state=waiting")["notices"], "all is told")
                    if not is_told:
                        self.assertEqual({}, slack.told)
                        continue
                    told = slack.told_to("U0DANA")
                    self.assertEqual(["A chat account is no longer linked to your account"] + 2 * ["A chat account was linked to your account"]
                                     + ["A personal token was made for your account"], sorted(one["text"] for one in told))
                    self.assertEqual([], slack.told_to("U0OTHER"), "the first account of the channel's own teams")
                    shown = json.dumps(told, ensure_ascii=False)
                    self.assertNotIn("evil", shown)
                    self.assertNotIn("mrkdwn", shown)
                    self.assertIn("By: somebody who was signed in as you", shown)

    # ---- what admins do to it ----
    def test_what_an_admin_does_to_an_account_is_told_its_owner_with_who_did_it(self):
        self.start()
        for subject, fact, method, path, body in (
                ("The roles of your account were changed", "Roles now: auditor", "POST", "/v1/people/dana/roles", {"admin": False, "auditor": True}),
                ("Your account was added to a group", "Group: oncall", "POST", "/v1/groups/oncall/members", {"person": "dana"}),
                ("Your account was removed from a group", "Group: oncall", "DELETE", "/v1/groups/oncall/members/dana", None),
                ("A personal token was made for your account", "Good until: it is taken back", "POST", "/v1/tokens", {"person": "dana"}),
                ("A link was made that sets a new password for your account", "Account: dana", "POST", "/v1/people/dana/enrolment", None),
                ("Your account was disabled", "Account: dana", "POST", "/v1/people/dana/disable", None),
                ("Your account was enabled again", "Account: dana", "POST", "/v1/people/dana/enable", None)):
            with self.subTest(path=path):
                before = len(self.letters("dana@example.com"))
                self.admin.ok(method, path, body)
                self.assertEqual(subject, self.told(before + 1)[-1])
                self.assertIn("By: root, another person", self.newest())
                self.assertIn(fact, self.newest())
                self.assertIn("ask an admin of this gateway", self.newest())
        # What changes nothing is told to nobody.
        self.admin.ok("POST", "/v1/people/dana/roles", {"admin": False, "auditor": True})
        self.admin.ok("DELETE", "/v1/groups/oncall/members/dana")
        self.told(7)
        self.gateway.admin("POST", "/v1/groups/oncall/members", {"person": "dana"})
        self.told(8)
        self.assertIn("By: somebody on the gateway's own machine", self.newest())

    def test_a_change_that_two_admins_make_is_told_when_it_is_made(self):
        self.start()
        second = Person(self.gateway, "ada", admin=True)
        for admin in (self.admin, second):
            admin.add_passkey()
        self.assertEqual(202, self.admin.call("POST", "/v1/people/dana/roles", {"admin": True, "auditor": False}).status)
        self.told(0)
        second.ok("POST", "/v1/people/dana/roles", {"admin": True, "auditor": False})
        self.assertEqual(["The roles of your account were changed"], self.told(1))

    def test_where_somebody_is_told_is_changed_by_two_admins_where_there_are_two(self):
        self.start()
        second = Person(self.gateway, "ada", admin=True)
        for admin in (self.admin, second):
            admin.add_passkey()
        change = {"kind": "mail", "address": "thief@example.com"}
        self.assertEqual(202, self.admin.call("POST", "/v1/people/dana/addresses", change).status)
        self.told(0)
        second.ok("POST", "/v1/people/dana/addresses", change)
        self.assertEqual(["Your account is no longer told at this address"], self.told(1))

    # ---- who got in cannot keep it back ----
    def test_who_mutes_the_channel_mutes_no_notice_to_the_owner(self):
        self.start()
        self.dana.step_up()
        self.dana.ok("PUT", "/v1/me/channels", {"muted": ["mail"], "quiet_hours": "12:00-02:00", "accepts_silence": True})
        before = len(self.letters("dana@example.com"))
        self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        eventually(lambda: "A personal token was made for your account" in self.newest_subjects(), "it is told all the same")
        self.assertGreaterEqual(len(self.letters("dana@example.com")), before)

    def newest_subjects(self):
        return [letter["Subject"].removeprefix("[Countersign] ") for letter in self.letters("dana@example.com")]

    def test_who_changes_the_address_is_not_alone_with_it_for_a_week(self):
        self.start()
        self.address("dana", "thief@example.com")
        self.assertEqual(["Your account is no longer told at this address"], self.told(1))
        self.assertNotIn("thief", self.letters("dana@example.com")[-1].as_string())
        self.told(0, "thief@example.com")
        for number in range(8):
            self.address("dana", f"thief{number}@example.com")
        self.told(9)
        self.gateway.advance(6 * 24 * 3600)
        self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        self.assertEqual("A personal token was made for your account", self.told(10)[-1])
        self.told(1, "thief7@example.com")
        self.gateway.advance(2 * 24 * 3600)
        self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        self.told(2, "thief7@example.com")
        self.told(10)

    def test_a_channel_that_tells_others_other_things_at_other_times_tells_owners_all_the_same(self):
        self.gateway.extra_config += "    groups: [finance]\n    tell: [decided]\n    quiet_hours: \"00:00-23:59\"\n    to: [ops@example.com]\n"
        self.start()
        self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        self.told(1)
        self.told(0, "ops@example.com")

    def test_an_address_that_is_taken_away_is_told_so_and_one_that_stays_is_not(self):
        self.start()
        self.address("dana", "dana@example.com")
        self.told(0)
        self.address("dana", "")
        self.assertEqual(["Your account is no longer told at this address"], self.told(1))
        self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        self.told(2)
        self.address("dana", "dana@example.com")
        self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        self.told(3)

    def test_many_of_one_sort_are_not_told_without_end_and_keep_nothing_else_back(self):
        self.start()
        for _ in range(25):
            self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        self.told(20)
        last = ["no more of this sort are told for now" in letter.get_body(("plain",)).get_content() for letter in self.letters("dana@example.com")]
        self.assertEqual(1, last.count(True))
        self.gateway.admin("POST", "/v1/groups/oncall/members", {"person": "dana"})
        self.assertEqual("Your account was added to a group", self.told(21)[-1])
        self.gateway.advance(3601)
        self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        self.told(22)

    def test_what_was_refused_is_not_told(self):
        self.start()
        self.gateway.call("POST", "/v1/session", {"name": "dana", "password": "EXAMPLE a wrong one"})
        self.assertEqual(403, self.dana.call("POST", "/v1/session/password", {"old": "EXAMPLE a wrong one", "new": "EXAMPLE a new one"}).status)
        self.assertEqual(403, self.dana.call("POST", "/v1/people/dana/roles", {"admin": True, "auditor": False}).status)
        self.told(0)

    def test_a_letter_that_could_not_leave_does_so_after_a_kill(self):
        self.start()
        self.server.refused["dana@example.com"] = "451 later"
        self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        eventually(lambda: [n for n in self.gateway.admin("GET", "/v1/notices?state=waiting")["notices"] if n["attempts"]], "it was tried")
        self.gateway.kill()
        del self.server.refused["dana@example.com"]
        self.gateway.start()
        self.gateway.advance(60)
        self.assertEqual(["A personal token was made for your account"], self.told(1))

    @unittest.skipUnless(has_real_mail_server(), "the npm package smtp-server is not installed (npm ci in web/)")
    def test_a_real_mail_server_takes_it(self):
        process, port = start_real_mail_server(self, self.gateway.folder, "smtps")
        (self.gateway.folder / "mail.secret").write_text("EXAMPLE not a password\n")
        (self.gateway.folder / "mail.secret").chmod(0o600)
        self.gateway.extra_config = (f"channels:\n  - name: mail\n    kind: mail\n    url: smtps://localhost:{port}\n"
                                     f"    allow_networks: [127.0.0.0/8, \"::1/128\"]\n    from: gate@example.com\n    user: gate\n"
                                     f"    secret_file: {self.gateway.folder}/mail.secret\n    ca: {self.gateway.folder}/mail.pem\n")
        self.start()
        self.gateway.admin("POST", "/v1/tokens", {"person": "dana"})
        letter = json.loads(process.stdout.readline())
        self.assertEqual((True, "gate", ["dana@example.com"]), tuple(letter[name] for name in ("secure", "user", "to")))
        self.assertIn("Subject: [Countersign] A personal token was made for your account", letter["text"])


if __name__ == "__main__":
    unittest.main()
