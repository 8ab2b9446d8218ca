"""A bot in Teams: asked on a card, settled where it stands, whatever the login server and the connector do meanwhile."""
import json
import unittest

from support.gateway import Gateway, eventually
from support.teams import APP, CONVERSATION, SECRET, TENANT, Teams, card_of

POLICY = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
rules:
  - name: refunds
    match: { action: payments.refund }
    verdict: require_approval
    approval: { groups: [oncall], timeout: 15m, assurance: chat }
  - name: payouts
    match: { action: payments.transfer }
    verdict: require_approval
    risk: high
    approval: { groups: [oncall], timeout: 15m, assurance: passkey }
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
        self.assertEqual(["POST", "PUT"], [call[0] for call in self.teams.calls])
        self.assertEqual(1, len(self.teams.logins), "one token served both")
        self.assertEqual(TENANT, self.teams.logins[0][0])


if __name__ == "__main__":
    unittest.main()
