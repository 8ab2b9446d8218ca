"""Presses that must not count: between requests, revisions, channels and tenants, while frozen, after the end, at once."""
import json
import threading
import time
import unittest
import urllib.parse

from support.gateway import Gateway, eventually
from support.people import Person
from support.slack import Slack, signed
from support.slack_steps import APPROVE, DENY, POLICY, channel, post

STRICTER = POLICY.replace("assurance: chat", "assurance: passkey")
TWO = POLICY.replace("timeout: 15m, assurance: chat", "timeout: 15m, assurance: chat, quorum: 2, deny_quorum: 2")


class HostilePresses(unittest.TestCase):
    def start(self, policy=POLICY, tenants=(), how="signing_secret_file"):
        self.slack = Slack()
        self.addCleanup(self.slack.stop)
        self.gateway = Gateway(policy=policy)
        text = channel(self.gateway, self.slack, how)
        for tenant in tenants:  # the same app, in the same place, for another tenant
            text += text.replace("channels:\n", "").replace("name: approvals", f"name: approvals-{tenant}\n    tenant: {tenant}")
        self.gateway.extra_config = text
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.gateway.start()

    def link(self, person, user):
        person.step_up()
        code = person.ok("POST", "/v1/me/chat-links", {}, want=(201,))["code"]
        answer = post(self.gateway, self.slack.submit({"callback_id": "countersign_link"}, "code", code, user=user))
        self.assertEqual("update", answer.json["response_action"], answer)

    def one(self, **more):
        self.start(**more)
        self.dana = Person(self.gateway, "dana", ["oncall"])
        self.link(self.dana, "U0DANA")
        self.key = self.gateway.add_caller()
        return self.ask()

    def ask(self, **more):
        asked = self.gateway.submit(self.key, **more)
        eventually(lambda: DENY in self.slack.buttons(self.card_of(asked)), "the card has its buttons")
        return asked

    def card_of(self, asked):
        return eventually(lambda: next((message for message in list(self.slack.messages.values()) if asked["id"] in json.dumps(message)), None),
                          "the card is posted")

    def press(self, asked, action=APPROVE, **who):
        answer = post(self.gateway, self.slack.press(action, self.card_of(asked), **who))
        self.assertEqual(200, answer.status, answer)

    def state(self, asked):
        return self.gateway.show(self.key, asked["id"])["state"]

    def votes(self, asked):
        entries = self.gateway.call("GET", f"/v1/requests/{asked['id']}/entries", host=True).json["entries"]
        return [entry["actor"]["via"] for entry in entries if entry["type"] == "vote"]

    def whisper(self, words):
        eventually(lambda: any(words in json.dumps(one, ensure_ascii=False) for one in self.slack.whispers), f"`{words}`: {self.slack.whispers}")

    def test_while_frozen_nothing_is_approved_and_the_press_counts_for_nothing_afterwards(self):
        asked = self.one()
        freeze = self.gateway.admin("POST", "/v1/freezes", {"scope": "tenant", "reason": "drill"})
        self.press(asked)
        self.whisper("frozen")
        self.assertEqual([], self.votes(asked))
        self.gateway.admin("POST", f"/v1/freezes/{freeze['id']}/thaw")
        self.assertEqual("pending", self.state(asked))

    def test_after_the_time_is_over_nothing_is_approved(self):
        asked = self.one()
        pressed = self.slack.press(APPROVE, self.card_of(asked))
        self.gateway.advance(seconds=15 * 60 + 1)
        post(self.gateway, pressed, at=time.time() + 15 * 60 + 1)
        self.assertEqual("expired", self.state(asked))
        self.assertEqual([], self.votes(asked))

    def test_rules_that_ask_for_more_meanwhile_count_though_the_card_has_its_button(self):
        asked = self.one()
        pressed = self.slack.press(APPROVE, self.card_of(asked))
        (self.gateway.folder / "policy" / "policy.yaml").write_text(STRICTER)
        self.gateway.admin("POST", "/v1/policies/reload")
        post(self.gateway, pressed)
        self.assertEqual("pending", self.state(asked))
        self.assertEqual([], self.votes(asked))

    def test_a_denial_begun_before_an_edit_does_not_deny_what_it_became(self):
        asked = self.one()
        erin = self.gateway.add_person("erin", ["oncall"])
        self.press(asked, DENY)
        view = eventually(lambda: self.slack.views and self.slack.views[-1], "the modal opens")
        pressed = self.slack.press(APPROVE, self.card_of(asked))
        self.gateway.ok("POST", f"/v1/requests/{asked['id']}/edits", {"revision": 1, "digest": asked["digest"], "args": {"amount": 1}}, erin)
        for payload in (self.slack.submit(view, "reason", "no"), pressed):
            self.assertEqual(200, post(self.gateway, payload).status)
        self.assertEqual("pending", self.state(asked))
        self.assertEqual([], self.votes(asked))

    def test_one_person_with_two_accounts_is_one_person(self):
        asked = self.one(policy=TWO)
        self.link(self.dana, "U0DANA2")
        for user in ("U0DANA", "U0DANA2"):
            self.press(asked, user=user)
        self.assertEqual(("pending", ["slack"]), (self.state(asked), self.votes(asked)))

    def test_a_press_that_is_sent_again_after_its_person_thought_otherwise_changes_nothing(self):
        asked = self.one(policy=TWO)
        body = ("payload=" + urllib.parse.quote_plus(json.dumps(self.slack.press(APPROVE, self.card_of(asked))))).encode()
        headers = signed(body)
        for _ in range(2):
            self.assertEqual(200, self.gateway.call("POST", "/v1/callbacks/slack", body, headers=headers).status)
            shown = self.dana.show(asked["id"])
            self.dana.vote(asked["id"], "deny", shown=shown)
            self.assertEqual("deny", self.dana.show(asked["id"])["votes"][-1]["vote"])
        self.assertEqual(["slack", "session"], self.votes(asked))

    def test_many_presses_at_once_are_one_vote(self):
        asked = self.one()
        pressed = [self.slack.press(APPROVE, self.card_of(asked)) for _ in range(20)]
        threads = [threading.Thread(target=post, args=(self.gateway, one)) for one in pressed]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(("approved", ["slack"]), (self.state(asked), self.votes(asked)))

    def test_a_person_of_one_tenant_decides_nothing_in_another_whose_cards_stand_in_the_same_place(self):
        self.start(tenants=["north"])
        self.gateway.admin("POST", "/v1/tenants", {"name": "north"})
        dana = Person(self.gateway, "dana", ["oncall"])
        self.link(dana, "U0DANA")
        north = {"Countersign-Tenant": "north"}
        self.gateway.call("POST", "/v1/people", {"name": "nils", "groups": ["oncall"]}, host=True, headers=north)
        self.gateway.call("POST", "/v1/agents", {"name": "bot"}, host=True, headers=north)
        self.gateway.call("POST", "/v1/callers", {"name": "runner", "agents": ["bot"], "subjects": ["user/*"]}, host=True, headers=north)
        self.key = self.gateway.call("POST", "/v1/keys", {"caller": "runner"}, host=True, headers=north).json["secret"]
        asked = self.ask()
        own = self.card_of(asked)
        self.press(asked)
        eventually(lambda: self.slack.whispers, "dana is told")
        self.assertNotIn("payments", json.dumps(self.slack.whispers), "and nothing of what it is")
        self.assertEqual("pending", self.state(asked))
        self.key = self.gateway.add_caller()
        mine = self.ask()
        mixed = self.slack.press(APPROVE, self.card_of(mine))
        mixed["actions"][0]["value"] = mixed["actions"][0]["value"][:34] + self.slack.buttons(own)[APPROVE]["value"][34:]
        post(self.gateway, mixed)
        self.assertEqual("pending", self.state(mine), "another's nonce is none")
        self.press(mine)
        self.assertEqual("approved", self.state(mine))

    def test_forgeries_from_the_same_address_do_not_silence_slack(self):
        asked = self.one()
        codes = {post(self.gateway, self.slack.press(APPROVE, self.card_of(asked)), secret="another secret, of nobody").json["code"] for _ in range(70)}
        self.assertEqual({"bad_signature", "too_many_failures"}, codes)
        self.press(asked)
        self.assertEqual("approved", self.gateway.admin("GET", f"/v1/requests/{asked['id']}")["state"])

    def test_one_app_has_one_socket_however_many_channels_it_has(self):
        self.start(tenants=["north"], how="app_token_file")
        eventually(lambda: self.gateway.logged("socket_mode_ready"), "it is open")
        self.gateway.add_person("dana", ["oncall"])
        self.key = self.gateway.add_caller()
        asked = self.ask()
        envelope = self.slack.envelope(self.slack.press(APPROVE, self.card_of(asked)))
        self.slack.sockets[-1].send(envelope)
        eventually(lambda: envelope["envelope_id"] in self.slack.acks, "a press on any of its channels is taken")
        self.assertEqual(1, len(self.slack.sockets), "Slack lets an app have ten")


if __name__ == "__main__":
    unittest.main()
