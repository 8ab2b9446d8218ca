"""Slack, each person who is asked in a conversation of their own: opened once, settled everywhere, and nobody told who linked no account."""
import json
import subprocess
import unittest

from support.gateway import BUILD, eventually
from support.people import Person
from support.slack import TEAM
from support.slack_steps import APPROVE, DENY, OPEN, SlackSteps


class SlackToPeople(SlackSteps, unittest.TestCase):
    where = "to: people"

    def setUp(self):
        super().setUp()
        self.erin = Person(self.gateway, "erin", ["oncall"])

    def card_of(self, user):
        eventually(lambda: self.slack.cards_of(user), f"{user} is asked")
        (card,) = self.slack.cards_of(user)
        return card

    def ask_both(self):
        """Dana and erin are linked and asked."""
        self.link()
        self.link(self.erin, "U0ERIN")
        asked = self.gateway.submit(self.key)
        eventually(lambda: len(self.sent(asked)) == 2, "both are settled")
        return asked, (self.card_of("U0DANA"), self.card_of("U0ERIN"))

    def sent(self, asked):
        return [notice for notice in self.gateway.admin("GET", "/v1/notices?state=sent")["notices"] if notice.get("request") == asked["id"]]

    def settled(self, user, words):
        eventually(lambda: words in json.dumps(self.card_of(user)), f"{user}'s card says {words}")
        self.assertEqual({OPEN}, set(self.slack.buttons(self.card_of(user))))

    def channels(self):
        return self.gateway.admin("GET", "/v1/channels")["channels"][0]

    def test_each_who_is_asked_has_a_card_and_all_are_settled_when_one_decides(self):
        asked, (card, _) = self.ask_both()
        self.assertEqual({APPROVE, DENY, OPEN}, set(self.slack.buttons(card)))
        self.post(self.slack.press(APPROVE, card))
        self.assertEqual("approved", self.state(asked))
        self.settled("U0DANA", "Approved by dana")
        self.settled("U0ERIN", "Approved by dana")
        self.assertEqual(2, len(self.slack.messages), "each was changed, and nothing posted beside it")

    def test_a_denial_in_the_dashboard_settles_every_persons_card_across_a_restart(self):
        asked, _ = self.ask_both()
        self.gateway.restart()
        self.gateway.vote(self.gateway.add_person("frank", ["oncall"]), asked["id"], "deny")
        self.settled("U0DANA", "Denied by frank")
        self.settled("U0ERIN", "Denied by frank")

    def test_a_denial_from_a_conversation_asks_why(self):
        asked, (_, card) = self.ask_both()
        opened = len(self.slack.views)
        self.post(self.slack.press(DENY, card, user="U0ERIN"))
        eventually(lambda: len(self.slack.views) == opened + 1, "the modal opens")
        answer = self.post(self.slack.submit(self.slack.views[-1], "reason", "no", user="U0ERIN"))
        self.assertEqual("update", answer.json["response_action"])
        self.assertEqual("denied", self.state(asked))

    def test_a_conversation_is_opened_once(self):
        self.link()
        for _ in range(3):
            self.gateway.submit(self.key, args={"unlike": str(_)})
        eventually(lambda: len(self.slack.cards_of("U0DANA")) == 3, "all three are asked")
        self.assertEqual([{"users": "U0DANA"}], self.slack.asked("conversations.open"))

    def test_who_linked_no_account_is_told_nothing_and_counted(self):
        self.link()
        asked = self.gateway.submit(self.key)
        self.card_of("U0DANA")
        self.assertEqual(1, len(self.slack.messages))
        self.assertEqual(1, self.channels()["unlinked"])
        run = subprocess.run([str(BUILD / "countersign"), "channels", "list", "--socket", str(self.gateway.socket_path)], capture_output=True, text=True, timeout=60)
        self.assertIn("1 without a linked account", run.stdout, run.stderr)
        self.link(self.erin, "U0ERIN")
        self.assertEqual(0, self.channels()["unlinked"])
        self.assertEqual("pending", self.state(asked))

    def test_an_account_of_another_workspace_than_the_channels_is_told_nothing(self):
        self.link()
        self.gateway.stop()
        self.gateway.extra_config = self.gateway.extra_config.replace(f"teams: [{TEAM}]", "teams: [T0OTHER]")
        self.gateway.start()
        self.gateway.submit(self.key)
        self.assertEqual(2, self.channels()["unlinked"])
        self.assertEqual([], [one for one in self.gateway.admin("GET", "/v1/notices")["notices"] if one.get("request")])

    def test_who_asked_is_not_asked(self):
        self.link()
        self.link(self.erin, "U0ERIN")
        frank = Person(self.gateway, "frank", ["oncall"], subjects=["user/frank@example.com"])
        self.link(frank, "U0FRANK")
        self.gateway.submit(self.key, subject={"type": "user", "id": "frank@example.com"})
        self.card_of("U0DANA")
        self.card_of("U0ERIN")
        self.assertFalse(self.slack.cards_of("U0FRANK"))

    def test_a_card_is_settled_also_when_its_reader_removed_the_link(self):
        asked, _ = self.ask_both()
        (link,) = self.dana.ok("GET", "/v1/me/chat-links")["links"]
        self.dana.ok("DELETE", f"/v1/me/chat-links/{link['id']}")
        self.gateway.vote(self.gateway.add_person("frank", ["oncall"]), asked["id"], "deny")
        self.settled("U0DANA", "Denied by frank")

    def test_a_conversation_that_slack_does_not_open_now_is_opened_later(self):
        self.slack.planned["conversations.open"] = [(429, {"Retry-After": "5"}, {"ok": False, "error": "ratelimited"})]
        self.link()
        self.gateway.submit(self.key)
        eventually(lambda: self.slack.asked("conversations.open"), "it is tried")
        eventually(lambda: self.gateway.logged("inquiry_not_answered"), "and not answered")
        eventually(lambda: self.gateway.advance(seconds=6) or self.slack.cards_of("U0DANA"), "it is opened later")

    def test_somebody_slack_does_not_know_gets_no_card_and_the_notice_says_why(self):
        self.link()
        eventually(lambda: self.gateway.admin("GET", "/v1/notices?state=sent")["notices"], "dana is told of the link, in a conversation")
        self.gateway.restart()  # which forgets where that is
        self.slack.people["U0DANA"] = None
        self.slack.messages.clear()
        self.gateway.submit(self.key)
        eventually(lambda: "user_not_found" in json.dumps(self.gateway.admin("GET", "/v1/notices")), "the notice says why")
        self.assertFalse(self.slack.messages)

    def test_a_test_goes_to_one_account_and_says_which_scope_is_missing(self):
        test = [str(BUILD / "countersign"), "channels", "test", "approvals", "--socket", str(self.gateway.socket_path)]
        run = subprocess.run([*test, "--to", "U0DANA"], capture_output=True, text=True, timeout=60)
        self.assertEqual(0, run.returncode, run.stdout + run.stderr)
        self.card_of("U0DANA")
        self.slack.scopes.remove("im:write")
        run = subprocess.run([*test, "--to", "U0DANA"], capture_output=True, text=True, timeout=60)
        self.assertNotEqual(0, run.returncode)
        self.assertIn("the scope im:write is missing", run.stdout + run.stderr)
        run = subprocess.run(test, capture_output=True, text=True, timeout=60)
        self.assertIn("to whom the test goes", run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
