"""Teams: a card through a Workflow, which links and lets nobody decide."""
import json
import unittest

from support.gateway import Gateway, eventually
from support.peers import Receiver


class TeamsWorkflow(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.receiver.otherwise = 202
        self.addCleanup(self.receiver.stop)
        self.gateway = Gateway()
        address = self.gateway.folder / "workflow"
        address.write_text(f"{self.receiver.url}?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=EXAMPLE\n")
        address.chmod(0o600)
        self.gateway.extra_config = (f"channels:\n  - name: teams\n    kind: teams\n    url_file: {address}\n    allow_http: true\n"
                                     f"    allow_networks: [127.0.0.0/8]\n")
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.gateway.start()
        self.dana = self.gateway.add_person("dana", ["oncall"])
        self.key = self.gateway.add_caller()

    def sent(self, count):
        return eventually(lambda: len(self.gateway.admin("GET", "/v1/notices?state=sent")["notices"]) == count, f"{count} are sent")

    def card(self, index):
        body = self.receiver.bodies()[index]
        self.assertEqual("message", body["type"])
        (attachment,) = body["attachments"]
        self.assertEqual("application/vnd.microsoft.card.adaptive", attachment["contentType"])
        return attachment["content"]

    def test_a_card_links_and_has_no_button_that_decides_and_the_end_is_a_message_of_its_own(self):
        asked = self.gateway.submit(self.key, args={"note": "[x](javascript:1) **bold** <at>all</at>"})
        self.sent(1)
        card = self.card(0)
        self.assertEqual(["Action.OpenUrl"], [action["type"] for action in card["actions"]])
        self.assertIn(f"/requests/{asked['id']}", card["actions"][0]["url"])
        self.assertIn("Nothing can be decided here", json.dumps(card))
        for block in card["body"]:
            if block["type"] == "TextBlock":
                self.assertNotIn("javascript", block["text"])
        self.gateway.vote(self.dana, asked["id"], "deny")
        self.sent(2)
        self.assertIn("Denied by dana", json.dumps(self.card(1)))

    def test_the_address_goes_out_byte_for_byte_and_stands_in_no_log(self):
        self.gateway.submit(self.key)
        self.sent(1)
        self.assertEqual("/hook?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=EXAMPLE", self.receiver.came[0][0])
        self.assertNotIn("sig=EXAMPLE", "\n".join(self.gateway.log))
        self.assertNotIn("sig=EXAMPLE", json.dumps(self.gateway.admin("GET", "/v1/channels")))

    def test_a_workflow_that_is_gone_is_dead_and_one_that_is_busy_is_asked_again(self):
        self.receiver.answers = [(429, {"Retry-After": "3"}, b"")]
        self.gateway.submit(self.key)
        eventually(lambda: self.receiver.came, "it is tried")
        self.gateway.advance(seconds=5)
        self.sent(1)
        self.receiver.answers = [404]
        self.gateway.submit(self.key, resource="order/2")
        eventually(lambda: self.gateway.admin("GET", "/v1/notices?state=dead")["notices"], "it is dead")


if __name__ == "__main__":
    unittest.main()
