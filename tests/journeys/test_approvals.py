"""What people do with a request before its end, at the doors: edits."""
import threading
import unittest

from support.gateway import Gateway, eventually


class Edits(unittest.TestCase):
    def test_a_call_that_waits_is_answered_by_an_edit_and_runs_the_edited(self):
        with Gateway() as gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key, want=(202,))
            path = f"/v1/requests/{asked['id']}"
            answers = []

            def wait():
                answers.append(gateway.ok("GET", path, None, key, headers={"Prefer": "wait=60"}, want=(202,)))

            waiter = threading.Thread(target=wait)
            waiter.start()
            eventually(lambda: gateway.metric("countersign_waiters_parked") == 1, "it is parked")
            gateway.ok("POST", path + "/edits", {"revision": 1, "digest": asked["digest"], "args": {"amount": 40}}, dana)
            waiter.join(30)
            told = answers[0]
            self.assertEqual(("pending", 2, 1), (told["state"], told["revision"], told["news"]))
            self.assertEqual([{"from": 125, "path": "/amount", "to": 40}], told["edits"][0]["changes"])
            gateway.vote(dana, asked["id"])
            shown = gateway.show(key, asked["id"])
            gateway.redeem(key, shown, args={"amount": 125}, want=(403,))
            gateway.redeem(key, shown)

    def test_news_between_two_waits_are_not_missed(self):
        with Gateway() as gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key, want=(202,))
            path = f"/v1/requests/{asked['id']}"
            gateway.ok("POST", path + "/edits", {"revision": 1, "digest": asked["digest"], "args": {}}, dana)
            told = gateway.ok("GET", path + "?seen=0", None, key, headers={"Prefer": "wait=60"}, want=(202,))
            self.assertEqual(1, told["news"])
