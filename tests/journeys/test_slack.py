"""Slack: asked on a card, decided by a press, settled on the card; and everybody who must not decide."""
import json
import threading
import time
import unittest
import urllib.parse

from support.gateway import eventually
from support.people import Person
from support.slack import CHANNEL, TEAM, signed
from support.slack_steps import APPROVE, DENY, OPEN, BySocket, SlackSteps, post


class SlackChannel(SlackSteps, unittest.TestCase):
    # ---- deciding ----
    def test_a_press_approves_the_agent_goes_on_and_the_card_says_who(self):
        self.link()
        asked = self.ask()
        self.assertEqual({APPROVE, DENY, OPEN}, set(self.slack.buttons()))
        self.click(APPROVE)
        shown = self.gateway.show(self.key, asked["id"])
        self.assertEqual("approved", shown["state"])
        self.gateway.redeem(self.key, shown)
        self.frozen("Approved by dana")
        self.whisper("the last that was needed")
        entry = [entry for entry in self.dana.ok("GET", f"/v1/requests/{asked['id']}/entries")["entries"] if entry["type"] == "vote"][0]
        self.assertEqual(("chat", "slack"), (entry["actor"]["assurance"], entry["actor"]["via"]))
        self.assertEqual(1, len(self.slack.messages))

    def test_a_denial_asks_why_in_a_modal_and_tells_the_agent(self):
        self.link()
        asked = self.ask()
        opened = len(self.slack.views)
        self.click(DENY)
        eventually(lambda: len(self.slack.views) == opened + 1, "the modal opens")
        self.assertEqual("pending", self.state(asked))
        view = self.slack.views[-1]
        self.assertEqual(f"{self.slack.buttons()[DENY]['value']} {CHANNEL}", view["private_metadata"])
        answer = self.post(self.slack.submit(view, "reason", "not this week\nask again"))
        self.assertEqual("update", answer.json["response_action"])
        self.assertEqual("denied", self.state(asked))
        self.assertIn("not this week", json.dumps(self.gateway.show(self.key, asked["id"])))
        self.frozen("Denied by dana")

    def test_where_a_passkey_is_needed_there_is_no_approve_and_the_card_says_why(self):
        self.link()
        asked = self.ask(action="payments.transfer")
        self.assertEqual({DENY, OPEN}, set(self.slack.buttons()))
        self.assertEqual("Open in dashboard", self.slack.buttons()[OPEN]["text"]["text"])
        self.assertIn("This needs a passkey", json.dumps(self.slack.card()))
        self.assertIn(f"/requests/{asked['id']}", self.slack.buttons()[OPEN]["url"])
        forged = self.slack.press(DENY)
        forged["actions"][0]["action_id"] = APPROVE
        self.post(forged)
        self.whisper("passkey")
        self.assertEqual("pending", self.state(asked))
        self.click(DENY)
        eventually(lambda: self.slack.views[-1]["callback_id"] == DENY, "anyone who is asked may still deny")
        self.post(self.slack.submit(self.slack.views[-1], "reason", ""))
        self.assertEqual("denied", self.state(asked))

    def test_who_asked_may_not_decide_and_is_told_so(self):
        erin = Person(self.gateway, "erin", [])
        self.link(erin, "U0ERIN")
        asked = self.ask()
        self.click(APPROVE, user="U0ERIN")
        eventually(lambda: self.slack.whispers, "erin is told")
        self.assertEqual("pending", self.state(asked))
        self.assertEqual("U0ERIN", self.slack.whispers[0]["user"])

    # ---- who must not decide ----
    def test_an_account_that_is_linked_to_nobody_decides_nothing_and_is_shown_how_to_link(self):
        asked = self.ask()
        self.click(APPROVE, user="U0MALLORY")
        eventually(lambda: self.slack.views, "the modal opens")
        self.assertEqual("countersign_link", self.slack.views[-1]["callback_id"])
        self.assertIn("not linked", json.dumps(self.slack.views[-1]))
        self.assertEqual("pending", self.state(asked))

    def test_a_name_or_a_handle_makes_nobody_somebody(self):
        self.link()
        asked = self.ask()
        payload = self.slack.press(APPROVE, user="U0MALLORY")
        payload["user"].update(username="dana", name="dana", id="U0MALLORY")
        self.assertEqual(200, self.post(payload).status)
        self.assertEqual("pending", self.state(asked))

    def test_people_of_other_workspaces_other_apps_and_guests_without_one_are_refused(self):
        self.link()
        asked = self.ask()
        for code, who in (("stranger", {"home": "T0OTHER"}), ("wrong_team", {"team": "T0OTHER", "home": TEAM}), ("wrong_app", {"app": "A0OTHER"})):
            with self.subTest(code=code):
                self.assertEqual(code, self.click(APPROVE, want=403, **who).json["code"])
        payload = self.slack.press(APPROVE)
        del payload["user"]["team_id"]
        self.assertEqual("stranger", self.post(payload).json["code"])
        self.assertEqual("pending", self.state(asked))

    def test_what_slack_did_not_sign_is_refused(self):
        self.link()
        asked = self.ask()
        payload = self.slack.press(APPROVE)
        self.assertEqual((401, "bad_signature"), self.refusal(self.post(payload, secret="another secret, of nobody")))
        now = time.time()
        self.assertEqual((401, "wrong_time"), self.refusal(self.post(payload, at=now - 301)))
        self.assertEqual((401, "wrong_time"), self.refusal(self.post(payload, at=now + 330)))
        self.assertEqual((401, "no_signature"), self.refusal(self.gateway.call("POST", "/v1/callbacks/slack", b"payload=%7b%7d")))
        body = ("payload=" + urllib.parse.quote_plus(json.dumps(payload))).encode()
        self.assertEqual((401, "bad_signature"), self.refusal(self.gateway.call("POST", "/v1/callbacks/slack", body + b"+", headers=signed(body))))
        self.assertEqual("pending", self.state(asked))

    def refusal(self, answer):
        return answer.status, answer.json["code"]

    def test_the_same_press_again_changes_nothing_even_after_a_restart(self):
        self.link()
        asked = self.ask()
        body = ("payload=" + urllib.parse.quote_plus(json.dumps(self.slack.press(APPROVE)))).encode()
        headers = signed(body)
        self.gateway.call("POST", "/v1/callbacks/slack", body, headers=headers)
        votes = self.votes(asked)
        for again in range(2):
            self.assertEqual(200, self.gateway.call("POST", "/v1/callbacks/slack", body, headers=headers).status)
            self.whisper("pressed before")
            self.assertEqual(votes, self.votes(asked))
            self.gateway.restart()

    def votes(self, asked):
        entries = self.gateway.call("GET", f"/v1/requests/{asked['id']}/entries", host=True).json["entries"]
        return [entry["type"] for entry in entries if entry["type"].startswith("vote")]

    def test_a_stale_card_answers_with_what_happened(self):
        self.link()
        asked = self.ask()
        stale = self.slack.press(APPROVE)
        frank = self.gateway.add_person("frank", ["oncall"])
        self.gateway.vote(frank, asked["id"], "deny")
        self.post(stale)
        self.whisper("Denied by frank")
        self.assertEqual("denied", self.state(asked))

    def test_a_press_on_a_card_of_another_request_or_a_made_up_nonce_decides_nothing(self):
        self.link()
        asked = self.ask()
        payload = self.slack.press(APPROVE)
        value = payload["actions"][0]["value"]
        payload["actions"][0]["value"] = value[:-27] + "A" * 27
        self.post(payload)
        self.whisper("earlier revision")
        self.assertEqual("pending", self.state(asked))
        payload["actions"][0]["value"] = "v1.req_00000000000000000000000000." + value[-27:]
        self.post(payload)
        self.assertEqual("pending", self.state(asked))

    # ---- linking ----
    def test_a_code_links_one_account_once_and_needs_a_step_up(self):
        self.assertEqual("step_up_needed", self.fresh("dana2").call("POST", "/v1/me/chat-links", {}).json["code"])
        code = self.link()
        answer = self.post(self.slack.submit(self.slack.views[-1], "code", code, user="U0MALLORY"))
        self.assertIn("used", answer.json["errors"]["code"])
        (link,) = self.dana.ok("GET", "/v1/me/chat-links")["links"]
        self.assertEqual(("slack", f"/{TEAM}/U0DANA"), (link["service"], link["account"]))

    def fresh(self, name):
        person = Person(self.gateway, name, ["oncall"])
        person.sign_in()
        return person

    def test_a_code_is_good_for_ten_minutes(self):
        self.dana.step_up()
        code = self.dana.ok("POST", "/v1/me/chat-links", {}, want=(201,))["code"]
        self.gateway.advance(seconds=600)
        answer = self.post(self.slack.submit({"callback_id": "countersign_link"}, "code", code), at=time.time() + 600)
        self.assertIn("too old", answer.json["errors"]["code"])

    def test_an_account_is_one_persons_until_they_remove_it(self):
        self.link()
        erin = Person(self.gateway, "erin", ["oncall"])
        erin.step_up()
        code = erin.ok("POST", "/v1/me/chat-links", {}, want=(201,))["code"]
        answer = self.post(self.slack.submit(self.slack.views[-1], "code", code))
        self.assertIn("linked already", answer.json["errors"]["code"])
        (link,) = self.dana.ok("GET", "/v1/me/chat-links")["links"]
        self.assertEqual(404, erin.call("DELETE", f"/v1/me/chat-links/{link['id']}").status)
        asked = self.ask()
        self.dana.ok("DELETE", f"/v1/me/chat-links/{link['id']}")
        self.click(APPROVE)
        self.assertEqual("pending", self.state(asked))

    def test_who_is_disabled_decides_nothing_by_chat(self):
        self.link()
        asked = self.ask()
        self.gateway.admin("POST", "/v1/people/dana/disable", {})
        self.click(APPROVE)
        self.assertEqual("pending", self.state(asked))

    # ---- Slack fails ----
    def test_slack_says_not_now_and_is_asked_again_when_it_said(self):
        self.slack.answers = [(429, {"Retry-After": "7"}, {"ok": False, "error": "ratelimited"})]
        asked = self.gateway.submit(self.key)
        eventually(lambda: self.slack.asked("chat.postMessage"), "it is tried")
        self.assertFalse(self.slack.messages)
        self.gateway.advance(seconds=8)
        self.placed(asked)
        self.assertEqual(1, len(self.slack.messages))

    def test_what_slack_will_never_take_is_dead_and_says_why(self):
        self.slack.answers = [(200, {}, {"ok": False, "error": "not_in_channel"})]
        self.gateway.submit(self.key)
        eventually(lambda: self.gateway.admin("GET", "/v1/notices?state=dead")["notices"], "it is dead")
        self.assertIn("not_in_channel", json.dumps(self.gateway.admin("GET", "/v1/notices?state=dead")))

    def test_what_slack_says_of_a_refusal_is_kept_whatever_it_says(self):
        self.slack.answers = [(200, {}, {"ok": False, "error": "x" * 79 + "\u00e9\u202e"})]
        self.gateway.submit(self.key)
        (dead,) = eventually(lambda: self.gateway.admin("GET", "/v1/notices?state=dead")["notices"], "it is dead")
        self.assertTrue(dead["last_error"].startswith("Slack says xxxx"), dead)

    def test_a_card_posted_before_a_restart_is_settled_after_it(self):
        self.link()
        asked = self.ask()
        self.gateway.restart()
        self.click(APPROVE)
        self.assertEqual("approved", self.state(asked))
        self.frozen("Approved by dana")


class SocketMode(BySocket, SlackChannel):
    """All of the above once more where presses come over a websocket that the gateway opens, but for what is HTTP's."""

    def setUp(self):
        super().setUp()
        self.ready()

    # What only HTTP has.
    test_what_slack_did_not_sign_is_refused = None
    test_the_same_press_again_changes_nothing_even_after_a_restart = None
    test_slack_says_not_now_and_is_asked_again_when_it_said = None
    test_what_slack_will_never_take_is_dead_and_says_why = None

    def test_people_of_other_workspaces_other_apps_and_guests_without_one_are_refused(self):
        self.link()
        asked = self.ask()
        for code, who in (("stranger", {"home": "T0OTHER"}), ("wrong_team", {"team": "T0OTHER", "home": TEAM}), ("wrong_app", {"app": "A0OTHER"})):
            with self.subTest(code=code):
                self.click(APPROVE, **who)
                eventually(lambda: (self.gateway.logged("callback_refused") or {}).get("code") == code, f"it is refused: {code}")
        self.assertEqual("pending", self.state(asked))

    def test_a_card_posted_before_a_restart_is_settled_after_it(self):
        self.link()
        asked = self.ask()
        self.gateway.restart()
        self.ready()
        self.click(APPROVE)
        self.assertEqual("approved", self.state(asked))
        self.frozen("Approved by dana")

    def test_an_envelope_that_comes_twice_counts_once_and_is_acknowledged_twice(self):
        self.link()
        asked = self.ask()
        envelope = self.slack.envelope(self.slack.press(APPROVE))
        self.bring(envelope, pieces=3)
        self.bring({**envelope, "retry_attempt": 1, "retry_reason": "timeout"})
        self.assertEqual(["vote"], self.votes(asked))

    def test_what_is_no_interaction_is_acknowledged_and_no_more(self):
        for number, envelope in enumerate(({"type": "interactive"}, {"type": "interactive", "payload": "x"}, {"type": "interactive", "payload": []},
                                           {"type": "interactive", "payload": {}}, {"type": "events_api", "payload": {"a": 1}}, {"type": "new", "payload": {}})):
            self.assertIsNone(self.bring({"envelope_id": f"e{number}", **envelope}).json)
        for odd in ({"type": "interactive"}, {"envelope_id": 7, "type": "interactive"}, {"envelope_id": "x" * 500, "type": "interactive"}, [], "x", {"type": None}):
            self.slack.sockets[-1].send(odd)
        self.link()

    def test_another_socket_is_opened_before_the_old_one_is_given_up(self):
        self.link()
        asked = self.ask()
        old = self.slack.sockets[-1]
        old.send({"type": "disconnect", "reason": "warning", "debug_info": {"host": "fake"}})
        eventually(lambda: len(self.slack.sockets) == 2, "a second one is open")
        envelope = self.slack.envelope(self.slack.press(APPROVE))
        old.send(envelope)
        eventually(lambda: envelope["envelope_id"] in self.slack.acks, "what the old one brings is taken")
        self.assertIs(old, self.slack.acks[envelope["envelope_id"]][0][0], "acknowledged where it came from")
        self.assertEqual("approved", self.state(asked))
        old.drop()
        eventually(lambda: len(self.slack.sockets) == 1, "the old one is gone")

    def test_a_socket_that_is_told_to_leave_while_another_still_leaves_is_replaced_at_once(self):
        self.link()
        asked = self.ask()
        for number in range(1, 4):
            newest = self.slack.sockets[-1]
            newest.send({"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "fake"}})
            eventually(lambda: self.slack.sockets[-1] is not newest, f"the {number}th is replaced")
            self.assertIn(newest, self.slack.sockets, "and read until it is gone")
        self.click(APPROVE)
        self.assertEqual("approved", self.state(asked))
        eventually(lambda: len(self.slack.sockets) == 2, "no more than two are kept")

    def test_a_socket_that_breaks_or_falls_silent_is_opened_anew(self):
        self.slack.sockets[-1].drop()
        eventually(lambda: not self.slack.sockets, "it is gone")
        self.gateway.advance(seconds=5)
        eventually(lambda: self.slack.sockets, "it is opened anew")
        first = self.slack.sockets[-1]
        self.gateway.advance(seconds=11)
        eventually(lambda: first.pings, "it is pinged")
        first.is_mute = True
        eventually(lambda: self.gateway.advance(seconds=1) or first not in self.slack.sockets, "it is given up")
        eventually(lambda: self.gateway.advance(seconds=1) or self.slack.sockets, "and another opened")

    def test_a_server_that_does_what_it_may_not_is_left(self):
        for bad in (lambda socket: socket.send(b"\xff\xfe", opcode=1), lambda socket: socket.send(b"x", opcode=2), lambda socket: socket.send(b"x", opcode=0),
                    lambda socket: socket.send(b"x" * 126, opcode=9), lambda socket: socket.handler.wfile.write(b"\x81\x81mask!")):
            socket = eventually(lambda: self.slack.sockets and self.slack.sockets[-1], "a socket is open")
            bad(socket)
            eventually(lambda: socket not in self.slack.sockets, "it is left")
            self.gateway.advance(seconds=120)

    def test_a_server_that_never_stops_sending_does_not_keep_the_gateway_from_stopping(self):
        socket = self.slack.sockets[-1]

        def flood():
            while True:
                try:
                    socket.send(b"x" * 100, opcode=9)
                except OSError:
                    return
        threading.Thread(target=flood, daemon=True).start()
        eventually(lambda: socket.pongs > 100, "it sends and sends")
        self.assertEqual(0, self.gateway.stop())

    def test_a_token_that_is_void_is_said_and_not_tried_again_at_once(self):
        self.slack.answers = [(200, {}, {"ok": False, "error": "invalid_auth"})]
        self.slack.sockets[-1].drop()
        eventually(lambda: not self.slack.sockets, "it is gone")
        self.gateway.advance(seconds=5)
        eventually(lambda: "invalid_auth" in json.dumps(self.gateway.logged("socket_mode_fails")), "it is said")
        self.gateway.advance(seconds=60)
        self.assertFalse(self.slack.sockets)
        self.gateway.advance(seconds=300)
        eventually(lambda: self.slack.sockets, "it is tried again")

    def test_nothing_is_taken_by_http_where_there_is_no_signing_secret(self):
        self.assertEqual((401, "bad_signature"), self.refusal(post(self.gateway, self.slack.shortcut())))


if __name__ == "__main__":
    unittest.main()
