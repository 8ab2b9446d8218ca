"""Slack, who presses and where: guests, strangers, bots and channels shared with others decide nothing, and neither does anybody while Slack does not say."""
import json
import subprocess
import threading
import time
import unittest
import urllib.parse

from support.gateway import BUILD, eventually
from support.slack import CHANNEL, TEAM, signed
from support.slack_steps import APPROVE, DENY, OPEN, POLICY, BySocket, SlackSteps

GUESTS = ({"is_restricted": True}, {"is_ultra_restricted": True})
OTHERS = ({"is_stranger": True}, {"team_id": "T0OTHER"}, {"id": "U0OTHER"}, {"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0", "teams": ["T0THIRD"]}})
BOTS = ({"is_bot": True}, {"is_workflow_bot": True})
UNSAID = ({"is_restricted": None}, {"is_ultra_restricted": "no"}, {"is_bot": None}, {"deleted": None})
SHARED = ({"is_ext_shared": True}, {"is_pending_ext_shared": True}, {"pending_shared": ["T0OTHER"]}, {"is_shared": True}, {"is_org_shared": True, "is_shared": True},
          {"is_ext_shared": None})


class Held:
    """The next answer of this method, kept back until it is released."""

    def __init__(self, slack, method):
        self.may_go, self.came = threading.Event(), threading.Event()
        slack.planned.setdefault(method, []).append(self)

    def __call__(self, method, given):
        self.came.set()
        self.may_go.wait(60)

    def release(self):
        self.may_go.set()


class SlackStanding(SlackSteps, unittest.TestCase):
    policy = POLICY.replace("timeout: 15m", "timeout: 4h")

    def held(self, method):
        held = Held(self.slack, method)
        self.addCleanup(held.release)
        return held

    def forget(self):
        """What Slack said is too old by now."""
        self.gateway.advance(seconds=301)

    def cli(self, *words):
        return subprocess.run([str(BUILD / "countersign"), *words, "--socket", str(self.gateway.socket_path)], capture_output=True, text=True, timeout=60)

    def begin(self):
        """Dana is linked and asked, and Slack is asked again who she is."""
        self.link()
        asked = self.ask()
        self.gateway.advance(seconds=61)
        return asked

    # ---- who ----
    def test_whom_slack_says_less_of_than_a_full_member_of_the_workspace_decides_nothing(self):
        self.begin()
        for words, lies in (("Guests", GUESTS), ("another workspace", OTHERS), ("Bots", BOTS), ("deactivated", ({"deleted": True},)), ("does not say whether", UNSAID)):
            for about in lies:
                with self.subTest(about=about):
                    self.slack.people["U0DANA"] = about
                    self.slack.whispers.clear()
                    self.gateway.advance(seconds=61)
                    self.click(APPROVE)
                    self.whisper(words)
                    self.whisper("Nothing was counted")
        self.slack.people["U0DANA"] = None
        self.gateway.advance(seconds=61)
        self.slack.whispers.clear()
        self.click(APPROVE)
        self.whisper("user_not_found")
        self.assertEqual([], self.votes())
        self.slack.people.clear()
        self.gateway.advance(seconds=61)
        self.click(APPROVE)
        self.frozen("Approved by dana")

    def votes(self):
        entries = self.gateway.call("GET", "/v1/ledger/export", host=True).body.decode().splitlines()
        return [line for line in entries if '"type":"vote"' in line]

    def test_a_guest_can_neither_deny_nor_link(self):
        self.link()
        asked = self.ask()
        self.click(DENY)
        eventually(lambda: self.slack.views[-1]["callback_id"] == DENY, "the modal opened while dana was a member")
        view = self.slack.views[-1]
        self.slack.people["U0DANA"] = {"is_restricted": True}
        self.gateway.advance(seconds=61)
        answer = self.post(self.slack.submit(view, "reason", "no"))
        self.assertIn("Guests", answer.json["errors"]["reason"])
        self.slack.whispers.clear()
        self.click(DENY)
        self.whisper("Guests")
        self.assertEqual("pending", self.state(asked))
        (link,) = self.dana.ok("GET", "/v1/me/chat-links")["links"]
        self.dana.ok("DELETE", f"/v1/me/chat-links/{link['id']}")
        code = self.dana.ok("POST", "/v1/me/chat-links", {}, want=(201,))["code"]
        opened = len(self.slack.views)
        self.post(self.slack.shortcut())
        eventually(lambda: len(self.slack.views) == opened + 1, "the modal opens, where a refusal can be told")
        answer = self.post(self.slack.submit(self.slack.views[-1], "code", code))
        self.assertIn("Guests", answer.json["errors"]["code"])
        self.assertEqual([], self.dana.ok("GET", "/v1/me/chat-links")["links"])
        self.slack.people.clear()
        self.gateway.advance(seconds=61)
        answer = self.post(self.slack.submit({"callback_id": "countersign_link"}, "code", code))
        self.assertEqual("update", answer.json["response_action"], "the code was not used up")

    def test_slack_is_asked_once_a_minute_and_not_for_every_press(self):
        self.link()
        asked = self.ask()
        before = len(self.slack.asked("users.info"))
        self.assertEqual(1, before, "asked when the shortcut was used")
        stale = self.slack.press(APPROVE)
        self.click(APPROVE)
        self.frozen("Approved by dana")
        self.post(stale)
        self.whisper("ended already")
        self.assertEqual(before, len(self.slack.asked("users.info")))
        self.gateway.advance(seconds=61)
        self.post(stale)
        self.assertEqual(before + 1, len(self.slack.asked("users.info")))
        self.assertEqual({"user": "U0DANA"}, self.slack.asked("users.info")[-1])
        self.assertEqual("approved", self.state(asked))

    # ---- Slack does not say ----
    def test_while_slack_does_not_answer_nothing_is_counted_and_the_press_is_answered_in_time(self):
        asked = self.begin()
        held = self.held("users.info")
        done = threading.Thread(target=self.click, args=(APPROVE,))
        done.start()
        self.assertTrue(held.came.wait(60), "Slack is asked")
        self.gateway.advance(seconds=2)
        done.join(60)
        self.assertFalse(held.may_go.is_set(), "acknowledged while Slack still keeps its answer")
        self.whisper("Nothing was counted: try again, or open the dashboard")
        self.assertEqual("pending", self.state(asked))
        count = len(self.slack.asked("users.info"))
        held.release()
        eventually(lambda: self.click(APPROVE) and self.state(asked) == "approved", "what came late is known when it is pressed again")
        self.assertEqual(count, len(self.slack.asked("users.info")))

    def test_a_denial_is_not_counted_either_and_the_modal_stays_with_what_was_typed(self):
        asked = self.begin()
        opened, held = len(self.slack.views), self.held("users.info")
        self.click(DENY)
        eventually(lambda: len(self.slack.views) > opened, "the modal opens, whatever is known")
        view = self.slack.views[-1]
        self.assertTrue(held.came.wait(60), "Slack is asked")
        answer = self.post(self.slack.submit(view, "reason", "no"))
        self.assertIn("try again", answer.json["errors"]["reason"])
        self.assertEqual("pending", self.state(asked))
        held.release()
        eventually(lambda: self.post(self.slack.submit(view, "reason", "no")).json["response_action"] == "update", "once Slack has said who it is")
        self.assertEqual("denied", self.state(asked))

    def test_an_answer_that_is_none_counts_nothing(self):
        asked = self.begin()
        for odd in ((500, {}, {}), (200, {}, {"ok": False, "error": "internal_error"}), (200, {}, []), (200, {}, {"ok": True}), (200, {}, {"ok": False, "error": "missing_scope"}),
                    (429, {"Retry-After": "30"}, {"ok": False, "error": "ratelimited"})):
            with self.subTest(odd=odd):
                self.slack.whispers.clear()
                self.slack.planned["users.info"] = [odd]
                self.click(APPROVE)
                self.whisper("Nothing was counted")
                self.gateway.advance(seconds=61 if odd[1] == {} else 1)
        count = len(self.slack.asked("users.info"))
        self.click(APPROVE)
        self.assertEqual(count, len(self.slack.asked("users.info")), "not asked before Retry-After")
        self.assertEqual("pending", self.state(asked))
        self.gateway.advance(seconds=31)
        self.click(APPROVE)
        self.assertEqual("approved", self.state(asked))

    def test_a_gateway_killed_while_it_asks_has_neither_acknowledged_nor_counted_and_the_button_is_still_good(self):
        asked = self.begin()
        held = self.held("users.info")
        payload = self.slack.press(APPROVE)
        outcome = []
        waiting = threading.Thread(target=lambda: outcome.append(self.unanswered(payload)))
        waiting.start()
        self.assertTrue(held.came.wait(60), "Slack is asked")
        self.gateway.kill()
        waiting.join(60)
        self.assertEqual([True], outcome, "Slack shows the person that nothing came of it")
        held.release()
        self.gateway.start()
        self.started()
        self.assertEqual("pending", self.state(asked))
        self.post(payload)
        self.assertEqual("approved", self.state(asked))

    def test_a_gateway_stopped_while_it_asks_ends_cleanly_and_has_counted_nothing(self):
        asked = self.begin()
        held = self.held("users.info")
        waiting = threading.Thread(target=self.unanswered, args=(self.slack.press(APPROVE),))
        waiting.start()
        self.assertTrue(held.came.wait(60), "Slack is asked")
        self.assertEqual(0, self.gateway.stop())
        waiting.join(60)
        held.release()
        self.gateway.start()
        self.started()
        self.assertEqual("pending", self.state(asked))

    def test_slack_may_hang_up_while_it_is_asked(self):
        if self.how != "signing_secret_file":
            self.skipTest("what hangs up is a socket, and opened anew")
        asked = self.begin()
        held = self.held("users.info")
        body = ("payload=" + urllib.parse.quote_plus(json.dumps(self.slack.press(APPROVE)))).encode()
        connection = self.gateway.connection()
        connection.request("POST", "/v1/callbacks/slack", body, signed(body, at=time.time() + 61))
        self.assertTrue(held.came.wait(60), "Slack is asked")
        connection.close()
        held.release()
        eventually(lambda: self.state(asked) == "approved", "it was pressed, whoever hears of it")

    def test_a_gateway_told_to_stop_while_it_asks_stops_and_has_counted_nothing(self):
        asked = self.begin()
        held = self.held("users.info")
        payload = self.slack.press(APPROVE)
        waiting = threading.Thread(target=self.unanswered, args=(payload,))
        waiting.start()
        self.assertTrue(held.came.wait(60), "Slack is asked")
        self.assertEqual(0, self.gateway.stop())
        waiting.join(60)
        held.release()
        self.gateway.start()
        self.started()
        self.assertEqual("pending", self.state(asked))
        self.post(payload)
        self.assertEqual("approved", self.state(asked))

    def unanswered(self, payload):
        try:
            self.post(payload)
        except OSError:
            return True
        return False

    def started(self):
        pass

    # ---- where ----
    def test_a_channel_shared_with_others_gets_no_card_until_it_is_not_any_more(self):
        self.forget()
        for about in SHARED:
            with self.subTest(about=about):
                self.slack.places[CHANNEL] = about
                asked = self.gateway.submit(self.key, args={"about": json.dumps(about)})
                eventually(lambda: self.notice(asked).get("last_error"), "the notice says why")
                self.assertIn("shared", self.notice(asked)["last_error"])
                (channel,) = self.gateway.admin("GET", "/v1/channels")["channels"]
                self.assertFalse(channel["answers"])
                self.assertIn("shared", channel["problem"])
                self.assertFalse(self.slack.messages)
        self.assertIn("fails: ", self.cli("channels", "list").stdout)
        self.assertEqual(1, self.gateway.metric("countersign_channels_open"))
        self.assertIn("shared", self.gateway.logged("channel_fails")["reason"])
        self.slack.places[CHANNEL] = {}
        for _ in range(10):  # a clock that runs ahead of what is under way would have it sent again
            self.gateway.advance(seconds=61)
            if self.came(len(SHARED)):
                break
        self.assertEqual(len(SHARED), len(self.slack.messages), "what waited is asked")
        (channel,) = self.gateway.admin("GET", "/v1/channels")["channels"]
        self.assertEqual((True, None), (channel["answers"], channel.get("problem")))
        self.assertEqual(0, self.gateway.metric("countersign_channels_open"))
        eventually(lambda: self.gateway.logged("channel_answers_again"), "it is in the log")

    def came(self, count):
        try:
            return eventually(lambda: len(self.slack.messages) >= count, "all are there", seconds=3)
        except AssertionError:
            return False

    def notice(self, asked):
        return next(iter(notice for notice in self.gateway.admin("GET", "/v1/notices")["notices"] if notice.get("request") == asked["id"]), {})

    def test_a_press_in_a_channel_that_is_shared_by_now_is_refused_and_the_card_still_settled(self):
        asked = self.begin()
        self.slack.places[CHANNEL] = {"is_ext_shared": True}
        self.forget()
        self.click(APPROVE)
        self.whisper("is shared with others")
        self.assertEqual("pending", self.state(asked))
        self.gateway.vote(self.gateway.add_person("frank", ["oncall"]), asked["id"], "deny")
        self.frozen("Denied by frank")

    def test_a_channel_is_looked_at_every_hour_also_when_nothing_is_sent(self):
        eventually(lambda: self.slack.asked("conversations.info"), "at the start")
        self.slack.places[CHANNEL] = {"is_ext_shared": True}
        eventually(lambda: self.gateway.advance(seconds=600) or self.gateway.logged("channel_fails"), "and again")
        self.assertEqual({"channel": CHANNEL}, self.slack.asked("conversations.info")[-1])
        self.slack.places[CHANNEL] = {}
        eventually(lambda: self.gateway.advance(seconds=60) or self.gateway.logged("channel_answers_again"), "sooner while it fails")

    def test_while_slack_does_not_say_whether_it_is_shared_there_is_no_card(self):
        self.forget()
        self.slack.planned["conversations.info"] = [(500, {}, {})]
        asked = self.gateway.submit(self.key)
        eventually(lambda: "does not say" in self.notice(asked).get("last_error", ""), "the notice says why")
        self.assertFalse(self.slack.messages)
        eventually(lambda: self.gateway.advance(seconds=6) or self.slack.messages, "it is asked when Slack says")

    def test_a_press_from_elsewhere_than_the_channels_own_place_is_refused(self):
        asked = self.begin()
        for place in ("C0ELSEWHERE", "D0DANA", None):
            with self.subTest(place=place):
                payload = self.slack.press(APPROVE)
                payload["container"]["channel_id"] = place
                self.post(payload)
                eventually(lambda: (self.gateway.logged("callback_refused") or {}).get("code") == "wrong_place", "it is refused")
        self.assertEqual("pending", self.state(asked))

    # ---- the test ----
    def test_a_test_says_which_scope_is_missing_and_whether_the_channel_is_shared(self):
        good = self.cli("channels", "test", "approvals")
        self.assertEqual(0, good.returncode, good.stdout + good.stderr)
        self.assertEqual({OPEN}, set(self.slack.buttons()))
        for scope in ("users:read", "groups:read", "channels:read", "chat:write"):
            self.slack.scopes.remove(scope)
            bad = self.cli("channels", "test", "approvals")
            self.assertNotEqual(0, bad.returncode)
            self.assertIn(f"the scope {scope} is missing", bad.stdout + bad.stderr)
            self.slack.scopes.append(scope)
        self.slack.places[CHANNEL] = {"is_ext_shared": True}
        bad = self.cli("channels", "test", "approvals")
        self.assertIn("stop sharing it", bad.stdout + bad.stderr)
        del self.slack.places[CHANNEL]
        bad = self.cli("channels", "test", "approvals")
        self.assertIn("channel_not_found", bad.stdout + bad.stderr)
        self.assertEqual(1, len(self.slack.messages))
        self.slack.places[CHANNEL] = {}
        self.slack.planned["auth.test"] = [(200, {}, {"ok": True, "team_id": TEAM})]
        bad = self.cli("channels", "test", "approvals")
        self.assertIn("does not say which scopes", bad.stdout + bad.stderr)


class SlackStandingBySocket(BySocket, SlackStanding):
    """The same where presses come over a websocket: what was not carried out is not acknowledged."""

    def setUp(self):
        super().setUp()
        self.started()

    def started(self):
        self.ready()

    def unanswered(self, payload):
        envelope = self.slack.envelope(payload)
        socket = self.slack.sockets[-1]
        socket.send(envelope)
        eventually(lambda: socket not in self.slack.sockets, "the socket is gone")
        return envelope["envelope_id"] not in self.slack.acks


class SharedWithinTheOrganization(SlackSteps, unittest.TestCase):
    more = "    enterprises: [E0OURS]\n"

    def test_it_is_taken_where_the_organization_is_named_and_its_people_must_be_of_it(self):
        self.slack.places[CHANNEL] = {"is_org_shared": True, "is_shared": True}
        self.gateway.advance(seconds=301)
        ours = {"enterprise_user": {"enterprise_id": "E0OURS", "teams": [TEAM]}, "team_id": "T0ELSEWHERE"}
        self.slack.people["U0DANA"] = ours
        self.link()
        asked = self.ask()
        self.gateway.advance(seconds=61)
        self.slack.people["U0DANA"] = {**ours, "enterprise_user": {"enterprise_id": "E0OTHER", "teams": [TEAM]}}
        self.click(APPROVE)
        self.whisper("another workspace or organization")
        self.slack.people["U0DANA"] = ours
        self.gateway.advance(seconds=61)
        self.click(APPROVE)
        self.assertEqual("approved", self.state(asked))

    def post(self, payload, **more):
        payload["enterprise"] = {"id": "E0OURS", "name": "ours"}
        return super().post(payload, **more)


if __name__ == "__main__":
    unittest.main()
