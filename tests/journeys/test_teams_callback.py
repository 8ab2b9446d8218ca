"""What the Bot Framework sends: proven rule by rule, then a press is a vote of whoever the account is linked to."""
import json
import threading
import unittest

from support.chat_policy import CHAT_POLICY
from support.gateway import Gateway, eventually
from support.people import Person
from support.teams import CONVERSATION, DANA, TENANT, Teams, buttons_of, card_of
from support.workload import Key

POLICY = CHAT_POLICY + """  - name: pairs
    match: { action: payments.pair }
    verdict: require_approval
    approval: { groups: [oncall], quorum: 2, timeout: 15m, assurance: chat }
"""
CARD, TEXT, ERROR = "application/vnd.microsoft.card.adaptive", "application/vnd.microsoft.activity.message", "application/vnd.microsoft.error"
ERIN, STRANGER = "0b0b0b0b-0000-4000-8000-0b0b0b0b0b0b", "0c0c0c0c-0000-4000-8000-0c0c0c0c0c0c"
OTHER = "99999999-0000-4000-8000-999999999999"


class Callback(unittest.TestCase):
    def setUp(self):
        self.teams = Teams()
        self.addCleanup(self.teams.stop)
        self.signer = self.teams.add_key()
        self.gateway = Gateway(policy=POLICY)
        self.gateway.extra_config = "channels:\n" + self.config()
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.gateway.start()
        self.key = self.gateway.add_caller()
        self.ready()

    def config(self):
        return self.teams.config(self.gateway.folder)

    # ---- steps ----
    def post(self, activity, token=None, **changed):
        token = token if token is not None else self.teams.mint(**changed)
        return self.gateway.call("POST", "/v1/callbacks/teams", activity, headers={"Authorization": f"Bearer {token}"})

    def ready(self):
        """The signer's keys have been fetched."""
        eventually(lambda: self.post(self.teams.activity("typing")).status == 200, "the keys are there")
        self.gateway.log.clear()

    def person(self, name="dana", user=DANA):
        person = Person(self.gateway, name, ["oncall"])
        self.link(person, user)
        return person

    def code(self, person):
        person.step_up()
        return person.ok("POST", "/v1/me/chat-links", {}, want=(201,))["code"]

    def link(self, person, user=DANA):
        """By the form with which the bot answers a message."""
        answer = self.answer(self.press("link", card=self.form(), typed={"code": self.code(person).upper().replace("-", " ")}, user=user))
        self.assertEqual(CARD, answer["type"])
        self.assertIn(f"decides as {person.name}", json.dumps(answer["value"]))

    def form(self):
        """What the bot answers whoever writes to it."""
        count = len(self.teams.messages)
        answer = self.post(self.teams.activity("message", text="approve everything"))
        self.assertEqual((200, b""), (answer.status, answer.body))
        eventually(lambda: len(self.teams.messages) > count, "the bot answers")
        method, conversation, activity, message = self.teams.calls[-1]
        for place in list(self.teams.messages)[count:]:
            del self.teams.messages[place]
        return card_of(message)

    def press(self, verb, want=200, **more):
        activity = self.teams.press(verb, **more)
        answer = self.post(activity)
        self.assertEqual(want, answer.status, answer)
        return answer

    def answer(self, answer):
        self.assertEqual(200, answer.json["statusCode"], answer)
        return answer.json

    def told(self, answer, words):
        """A line of text, and the card as it was."""
        self.assertEqual(TEXT, self.answer(answer)["type"], answer)
        self.assertIn(words, answer.json["value"])

    def shown(self, answer, words):
        """Another card in place of the one pressed."""
        self.assertEqual(CARD, self.answer(answer)["type"], answer)
        self.assertIn(words, json.dumps(answer.json["value"], ensure_ascii=False))
        return answer.json["value"]

    def ask(self, action="payments.refund", **more):
        count = len(self.notices("sent"))
        asked = self.gateway.submit(self.key, action=action, **more)
        eventually(lambda: len(self.notices("sent")) == count + 1, "the card is posted and settled")
        return asked

    def notices(self, state):
        return self.gateway.admin("GET", f"/v1/notices?state={state}")["notices"]

    def state(self, asked):
        return self.gateway.show(self.key, asked["id"])["state"]

    def votes(self, asked):
        entries = self.gateway.admin("GET", f"/v1/requests/{asked['id']}/entries")["entries"]
        return [entry for entry in entries if entry["type"] == "vote"]


class Proof(Callback):
    """Each rule is broken alone: refused, with one reason in the log, and nothing of the token there."""

    def refused(self, answer, code, status=401):
        self.assertEqual((status, "bad_callback" if status == 401 else code), (answer.status, answer.json["code"]), answer)
        self.assertEqual([("teams", code)], self.reasons())
        self.gateway.log.clear()

    def reasons(self):
        """All that is in the log since it was cleared."""
        eventually(lambda: self.gateway.logged("callback_refused"), "it is logged")
        lines = [json.loads(line) for line in self.gateway.log if '"event":"callback_refused"' in line]
        return [(line["service"], line["code"]) for line in lines]

    def broken(self, code, activity=None, **changed):
        with self.subTest(code=code, changed=str(changed)):
            token = self.teams.mint(**changed)
            answer = self.post(activity or self.teams.press("approve"), token=token)
            self.reasons()
            log = "\n".join(self.gateway.log)
            for part in token.split("."):
                self.assertNotIn(part, log)
                self.assertNotIn(part, answer.body.decode())
            self.refused(answer, code)

    def test_each_rule_of_the_token_is_needed(self):
        now = self.now()
        self.person()
        asked = self.ask()
        self.gateway.log.clear()
        for code, changed in (("wrong_issuer", {"iss": "https://sts.windows.net/x/"}), ("wrong_issuer", {"iss": None}),
                              ("wrong_issuer", {"iss": "https://api.botframework.com/"}),
                              ("wrong_audience", {"aud": OTHER}), ("wrong_audience", {"aud": None}),
                              ("expired", {"exp": now - 301}), ("no_expiry", {"exp": None}), ("not_yet_valid", {"nbf": now + 310}),
                              ("wrong_type", {"header": {"typ": "at+jwt"}}),
                              ("unknown_key", {"header": {"kid": "other"}}), ("unknown_key", {"header": {"kid": None}})):
            self.broken(code, **changed)
        self.assertEqual("pending", self.state(asked))
        self.shown(self.press("approve"), "Approved by dana")

    def test_five_minutes_either_way_are_let_pass(self):
        now = self.now()
        for changed in ({"exp": now - 240}, {"nbf": now + 240}):
            self.assertEqual(200, self.post(self.teams.activity("typing"), **changed).status, changed)

    def now(self):
        import time
        return int(time.time())

    def test_only_rs256_of_a_published_key_that_endorses_teams_counts(self):
        self.person()
        asked = self.ask()
        self.gateway.log.clear()
        folder = self.teams.folder.name
        unpublished = Key(folder, "RS256", self.signer.kid)
        self.broken("bad_signature", key=unpublished)
        self.broken("wrong_algorithm", key=Key(folder, "ES256", self.signer.kid))
        self.broken("wrong_algorithm", key=Key(folder, "PS256", self.signer.kid))
        token = self.teams.mint()
        header, claims, _ = token.split(".")
        for alg in ("none", "HS256"):
            head = self.b64({"alg": alg, "typ": "JWT", "kid": self.signer.kid})
            self.refused(self.post(self.teams.press("approve"), token=f"{head}.{claims}.AAAA"), "algorithm_refused")
        self.refused(self.post(self.teams.press("approve"), token=f"{header}.{claims}.AAAA"), "bad_signature")
        other_claims = self.teams.mint(exp=self.now() + 60).split(".")[1]
        self.refused(self.post(self.teams.press("approve"), token=f"{header}.{other_claims}.{token.split('.')[2]}"), "bad_signature")
        self.assertEqual("pending", self.state(asked))

    @staticmethod
    def b64(value):
        import base64
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    def test_a_header_that_is_no_bearer_token_proves_nothing(self):
        press = self.teams.activity("typing")
        token = self.teams.mint()
        for headers in ({}, {"Authorization": token}, {"Authorization": f"DPoP {token}"}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {token}"}):
            self.refused(self.gateway.call("POST", "/v1/callbacks/teams", press, headers=headers), "no_token")
        self.refused(self.gateway.call("POST", "/v1/callbacks/teams", press, headers={"Authorization": "Bearer a.b.c"}), "malformed_token")

    def test_a_key_that_does_not_endorse_teams_and_one_that_came_since_are_told_apart(self):
        late = self.teams.add_key("late", ["webchat", "msteamsx"])
        typing = self.teams.activity("typing")
        self.broken("unknown_key", typing, key=late)
        self.gateway.advance(seconds=3600)
        eventually(lambda: self.post(typing, token=self.mint_later(late)).status == 401 and
                   self.reasons()[-1] == ("teams", "not_endorsed"), "the new key is fetched, and endorses others")

    def mint_later(self, key, **more):
        """In an hour: the gateway's clock was moved on."""
        later = self.now() + 3600
        return self.teams.mint(key=key, nbf=later - 10, exp=later + 3600, **more)

    def test_an_unknown_key_has_the_keys_fetched_once_an_hour(self):
        fetched = self.count_fetches()
        made_up = Key(self.teams.folder.name, "RS256", "made-up")
        for _ in range(5):
            self.post(self.teams.activity("typing"), key=made_up)
        self.gateway.advance(seconds=1800)
        self.post(self.teams.activity("typing"), token=self.teams.mint(key=made_up, exp=self.now() + 7200))
        self.assertEqual(fetched, self.count_fetches())
        self.gateway.advance(seconds=1810)
        eventually(lambda: self.count_fetches() == fetched + 1, "they are fetched anew")

    def count_fetches(self):
        return sum(path.endswith("/keys") for path in self.fetches)

    def setUp(self):
        super().setUp()
        self.fetches = []
        publish = self.teams.publish
        self.teams.publish = lambda path: self.fetches.append(path) or publish(path)

    def test_forgeries_from_the_same_address_do_not_silence_the_bot_framework(self):
        self.person()
        asked = self.ask()
        forged = self.teams.mint(aud=OTHER)
        codes = {self.post(self.teams.activity("typing"), token=forged).json["code"] for _ in range(70)}
        self.assertEqual({"bad_callback", "too_many_failures"}, codes)
        self.shown(self.press("approve"), "Approved by dana")
        self.assertEqual("approved", self.gateway.admin("GET", f"/v1/requests/{asked['id']}")["state"])

    # ---- the activity beside it ----
    def refused_activity(self, activity, status, code, **changed):
        self.gateway.log.clear()
        answer = self.post(activity, **changed)
        self.assertEqual((status, code), (answer.status, answer.json["code"]), answer)
        self.assertEqual([("teams", code)], self.reasons())

    def test_what_is_sent_must_be_what_the_token_is_for(self):
        self.person()
        asked = self.ask()
        press = self.teams.press("approve")
        self.refused_activity(press, 401, "wrong_service_url", serviceurl=self.teams.base + "/amer/")
        self.refused_activity(press, 401, "wrong_service_url", serviceurl=None)
        self.refused_activity({**press, "serviceUrl": "https://evil.example/"}, 403, "service_not_allowed", serviceurl="https://evil.example/")
        self.refused_activity({**press, "channelId": "webchat"}, 403, "wrong_channel")
        self.refused_activity({**press, "channelId": ""}, 403, "wrong_channel")
        self.refused_activity({**press, "channelData": {"tenant": {"id": OTHER}}}, 403, "wrong_tenant")
        self.refused_activity({**press, "channelData": {}}, 403, "wrong_tenant")
        self.refused_activity({**press, "conversation": {**press["conversation"], "tenantId": OTHER}}, 403, "wrong_tenant")
        self.refused_activity([press], 400, "bad_payload")
        self.refused_activity(b'{"type":"message","type":"invoke"}', 400, "duplicate_name")
        self.refused_activity({**press, "value": {"action": {**press["value"]["action"], "data": {"r": "x", "n": "y"}}}}, 403, "bad_value")
        self.assertEqual(("pending", []), (self.state(asked), self.votes(asked)))
        self.assertEqual(200, self.post(press).status)

    def test_a_body_that_is_too_long_is_not_read(self):
        answer = self.post(self.teams.activity("message", text="x" * 300_000))
        self.assertEqual((413, "body_too_large"), (answer.status, answer.json["code"]))


class Deciding(Callback):
    # ---- deciding ----
    def test_a_press_approves_the_agent_goes_on_and_the_card_says_who(self):
        self.person()
        asked = self.ask()
        card = self.shown(self.press("approve"), "Approved by dana")
        self.assertEqual({"Action.OpenUrl"}, set(buttons_of(card)))
        shown = self.gateway.show(self.key, asked["id"])
        self.assertEqual("approved", shown["state"])
        self.gateway.redeem(self.key, shown)
        eventually(lambda: "Approved by dana" in json.dumps(self.teams.card()), "everybody's card says so")
        (vote,) = self.votes(asked)
        self.assertEqual(("chat", "teams"), (vote["actor"]["assurance"], vote["actor"]["via"]))
        self.gateway.verify_ledger()

    def test_a_denial_carries_its_reason_to_the_agent(self):
        self.person()
        asked = self.ask()
        self.shown(self.press("deny", typed={"reason": "not this week\r\nask again"}), "Denied by dana")
        shown = self.gateway.show(self.key, asked["id"])
        self.assertEqual("denied", shown["state"])
        self.assertIn("not this week\nask again", json.dumps(shown, ensure_ascii=False).replace("\\n", "\n"))

    def test_one_of_two_is_told_how_many_are_missing_and_keeps_the_card(self):
        self.person()
        self.person("erin", ERIN)
        asked = self.ask("payments.pair")
        self.told(self.press("approve"), "People still needed: 1")
        self.assertEqual("pending", self.state(asked))
        self.told(self.press("approve"), "You had said so before")
        self.shown(self.press("approve", user=ERIN), "Approved by")
        self.assertEqual("approved", self.state(asked))

    def test_the_same_activity_twice_is_one_vote_also_after_a_crash(self):
        self.person()
        asked = self.ask("payments.pair")
        activity = self.teams.press("approve")
        self.told(self.post(activity), "People still needed: 1")
        self.told(self.post({**activity, "localTimestamp": "2026-11-26T05:00:00+01:00"}), "not carried out twice")
        self.gateway.kill()
        self.gateway.start()
        self.ready()
        self.told(self.post(activity), "not carried out twice")
        self.assertEqual(1, len(self.votes(asked)))

    def test_another_press_under_the_same_id_is_refused(self):
        self.person()
        asked = self.ask("payments.pair")
        activity = self.teams.press("approve")
        self.told(self.post(activity), "People still needed: 1")
        self.told(self.post({**self.teams.press("deny"), "id": activity["id"]}), "used before")
        self.assertEqual(1, len(self.votes(asked)))

    def test_a_stale_card_is_replaced_by_what_happened(self):
        dana = self.person()
        asked = self.ask()
        stale = self.teams.card()
        dana.ok("POST", f"/v1/requests/{asked['id']}/votes", {"vote": "deny", **self.bound(asked)})
        card = self.shown(self.press("approve", card=stale), "Denied by dana")
        self.assertEqual({"Action.OpenUrl"}, set(buttons_of(card)))
        self.assertEqual("denied", self.state(asked))

    def bound(self, asked):
        shown = self.gateway.show(self.key, asked["id"])
        return {"revision": shown["revision"], "digest": shown["digest"]}

    def test_a_card_of_an_earlier_revision_is_replaced_by_the_present_one(self):
        dana = self.person()
        asked = self.ask(args={"amount": 10})
        stale = self.teams.card()
        dana.ok("POST", f"/v1/requests/{asked['id']}/edits", {**self.bound(asked), "args": {"amount": 5}, "reason": "less"})
        card = self.shown(self.press("approve", card=stale), "votes start again")
        self.assertEqual(("pending", []), (self.state(asked), self.votes(asked)))
        eventually(lambda: self.teams.card() == card, "everybody's card is the same")
        self.shown(self.press("approve", card=card), "Approved by dana")
        self.assertEqual("approved", self.state(asked))

    # ---- who may not ----
    def test_a_rule_that_wants_a_passkey_takes_no_approval_but_a_denial(self):
        self.person()
        self.ask()
        button = self.teams.buttons()["approve"]
        self.teams.messages.clear()
        asked = self.ask("payments.transfer")
        card = self.teams.card()
        self.assertNotIn("approve", buttons_of(card))
        forged = {**card, "actions": card["actions"] + [{**button, "data": buttons_of(card)["deny"]["data"]}]}
        self.told(self.press("approve", card=forged), "passkey")
        self.assertEqual("pending", self.state(asked))
        self.shown(self.press("deny"), "Denied by dana")

    def test_who_owns_the_agent_may_not_approve_and_is_told(self):
        self.person()
        self.key = self.gateway.add_caller("own", agents=("own-bot",), owner="dana")
        asked = self.ask(agent="own-bot")
        self.told(self.press("approve"), "may not approve")
        self.assertEqual(("pending", []), (self.state(asked), self.votes(asked)))

    def test_who_is_not_asked_learns_nothing(self):
        erin = Person(self.gateway, "erin", ["others"])
        self.link(erin, ERIN)
        asked = self.ask()
        self.told(self.press("approve", user=ERIN), "no ")
        self.assertEqual(("pending", []), (self.state(asked), self.votes(asked)))

    def test_an_unlinked_person_is_shown_the_form_links_and_then_decides(self):
        dana = Person(self.gateway, "dana", ["oncall"])
        asked = self.ask()
        original = self.teams.card()
        form = self.shown(self.press("approve"), "not linked, so nothing was decided")
        self.assertEqual("pending", self.state(asked))
        self.shown(self.press("link", card=form, typed={"code": "0000-0000-0000"}), "make a new one")
        card = self.shown(self.press("link", card=form, typed={"code": self.code(dana)}), asked["id"])
        self.assertEqual(buttons_of(original), buttons_of(card))
        self.assertEqual("pending", self.state(asked))
        self.shown(self.press("approve", card=card), "Approved by dana")
        (link,) = dana.ok("GET", "/v1/me/chat-links")["links"]
        self.assertEqual(("teams", f"{TENANT}/{DANA}"), (link["service"], link["account"]))

    def test_a_removed_link_decides_no_more_and_a_disabled_person_neither(self):
        dana = self.person()
        self.person("erin", ERIN)
        asked = self.ask()
        (link,) = dana.ok("GET", "/v1/me/chat-links")["links"]
        dana.ok("DELETE", f"/v1/me/chat-links/{link['id']}")
        self.shown(self.press("approve"), "not linked")
        self.gateway.admin("POST", "/v1/people/erin/disable")
        self.shown(self.press("approve", user=ERIN), "not linked")
        self.assertEqual(("pending", []), (self.state(asked), self.votes(asked)))

    def test_a_guest_and_a_person_of_another_tenant_are_told_that_they_may_not(self):
        self.person()
        asked = self.ask()
        press = self.teams.press("approve")
        for odd in ({"userRole": "guest"}, {"userRole": "anonymous"}, {"tenantId": OTHER}, {"aadObjectId": None}, {"role": "bot"}):
            self.told(self.post({**press, "from": {**press["from"], **odd}}), "only members of this organization")
        self.assertEqual(("pending", []), (self.state(asked), self.votes(asked)))

    def test_a_linked_account_cannot_be_linked_to_somebody_else(self):
        self.person()
        erin = Person(self.gateway, "erin", ["oncall"])
        self.told(self.press("link", card=self.form(), typed={"code": self.code(erin)}), "linked already")
        self.assertEqual([], erin.ok("GET", "/v1/me/chat-links")["links"])

    def test_guesses_of_codes_are_slowed(self):
        form = self.form()
        for _ in range(5):
            self.shown(self.press("link", card=form, typed={"code": "0000-0000-0000"}, user=STRANGER), "make a new one")
        self.told(self.press("link", card=form, typed={"code": "0000-0000-0000"}, user=STRANGER), "too many")

    # ---- what decides nothing ----
    def test_a_message_decides_nothing_and_is_told_how_to_link(self):
        self.person()
        asked = self.ask()
        form = self.form()
        self.assertEqual({"link", "Action.OpenUrl"}, set(buttons_of(form)))
        self.assertIn("Do not send it as a message", json.dumps(form))
        self.assertEqual(("pending", []), (self.state(asked), self.votes(asked)))

    def test_a_message_in_a_place_where_the_bot_may_not_write_is_no_trouble(self):
        self.assertEqual(200, self.post(self.teams.activity("message", conversation="19:elsewhere@thread.tacv2")).status)
        eventually(lambda: self.gateway.logged("word_not_said"), "it is logged")

    def test_an_answer_that_gets_no_token_waits_ten_seconds_and_is_given_up(self):
        self.teams.login_answers = [401] * 50
        self.assertEqual(200, self.post(self.teams.activity("message")).status)
        eventually(lambda: self.teams.logins, "a token is asked for")
        self.gateway.advance(seconds=11)
        eventually(lambda: "there is no token" in json.dumps(self.gateway.logged("word_not_said")), "it is given up")
        self.assertEqual([], self.teams.calls)

    def test_what_is_no_press_of_ours_gets_the_error_form(self):
        self.person()
        asked = self.ask()
        press = self.teams.press("approve", trigger="automatic")
        odd = [press, {**self.teams.press("approve"), "name": "task/fetch"},
               {**press, "value": {"action": {**press["value"]["action"], "type": "Action.Submit"}, "trigger": "manual"}},
               {**press, "value": {"action": {**press["value"]["action"], "verb": "refresh"}, "trigger": "manual"}}]
        for activity in odd:
            answer = self.post(activity)
            self.assertEqual((400, 400, ERROR, "NotSupported"), (answer.status, answer.json["statusCode"], answer.json["type"], answer.json["value"]["code"]))
        self.assertEqual(("pending", []), (self.state(asked), self.votes(asked)))

    def test_where_the_bot_comes_and_goes_says_where_its_cards_are_sent(self):
        self.ask()
        self.assertEqual(200, self.post(self.teams.installed()).status)
        self.ask(resource="order/2")
        self.assertEqual(200, self.post(self.teams.removed()).status)
        self.ask(resource="order/3")
        self.assertEqual(200, self.post(self.teams.activity("installationUpdate", action="add")).status)
        self.assertEqual("yes", self.gateway.logged("bot_added")["has_cards"])
        self.assertEqual(200, self.post(self.teams.installed(conversation="19:elsewhere@thread.tacv2")).status)
        added = self.gateway.logged("bot_added")
        self.assertEqual(("19:elsewhere@thread.tacv2", "no"), (added["conversation"], added["has_cards"]), "an operator finds its id there")
        self.ask(resource="order/4")
        self.assertEqual([region for region in ("teams", "emea", "teams", "emea") for _ in ("the card", "its buttons")], self.regions)
        self.assertEqual(200, self.post({**self.teams.activity("message"), "serviceUrl": self.teams.base + "/amer/"}, serviceurl=self.teams.base + "/amer/").status)
        self.ask(resource="order/5")
        self.assertEqual(["amer", "amer", "amer"], self.regions[8:], "the bot's answer, the card, and its buttons")

    @property
    def regions(self):
        return [path.split("/")[1] for path in self.paths if "/activities" in path]

    def setUp(self):
        self.paths = []
        super().setUp()
        answer = self.teams.answer
        self.teams.answer = lambda handler, method, path, body: self.paths.append(path) or answer(handler, method, path, body)


class Standing(Callback):
    """Before a press is carried out Teams is asked who made it."""

    def setUp(self):
        super().setUp()
        self.person()
        self.asked = self.ask()
        self.gateway.advance(seconds=61)  # what was known of dana is asked again
        self.teams.asked.clear()

    def nothing_counted(self):
        self.assertEqual(("pending", []), (self.state(self.asked), self.votes(self.asked)))

    def test_who_became_a_guest_left_or_is_of_another_tenant_decides_no_more(self):
        for said, words in (({"userRole": "guest"}, "Guests of this organization decide nothing here"), ({"userRole": "anonymous"}, "Guests"),
                            ({"userRole": None}, "does not say whether"), ({"tenantId": OTHER}, "of another tenant"), ({"tenantId": None}, "of another tenant"),
                            ({"objectId": OTHER}, "another, or"), (None, "does not know this account")):
            self.teams.people[DANA] = said
            self.gateway.advance(seconds=61)
            self.told(self.press("approve"), words)
            self.told(self.press("deny"), "Nothing was counted")
        self.nothing_counted()
        self.assertEqual("not_a_member", self.gateway.logged("press_refused")["code"])
        self.teams.people[DANA] = {"objectId": None, "aadObjectId": DANA}
        self.gateway.advance(seconds=61)
        self.told(self.press("approve"), "another, or")
        self.teams.people.clear()
        self.gateway.advance(seconds=61)
        self.shown(self.press("approve"), "Approved by dana")

    def test_a_guest_links_nothing(self):
        erin = Person(self.gateway, "erin", ["oncall"])
        self.teams.people[ERIN] = {"userRole": "guest"}
        self.told(self.press("link", card=self.form(), typed={"code": self.code(erin)}, user=ERIN), "Nothing was linked")
        self.assertEqual([], erin.ok("GET", "/v1/me/chat-links")["links"])

    def test_it_is_asked_once_a_minute_for_one_person(self):
        self.teams.messages.clear()
        self.ask("payments.pair")
        self.told(self.press("approve"), "People still needed: 1")
        self.told(self.press("approve"), "You had said so before")
        self.assertEqual(1, len(self.teams.asked))
        self.gateway.advance(seconds=61)
        self.told(self.press("approve"), "You had said so before")
        self.assertEqual(2, len(self.teams.asked))

    def test_while_teams_says_nothing_nothing_is_counted_and_the_button_stays_good(self):
        for answers in ([500], [429], [(200, {}, b"garbage")], [(200, {}, [])]):
            self.teams.member_answers = answers
            self.told(self.press("approve"), "Teams did not say who you are")
            self.nothing_counted()
        self.gateway.advance(seconds=61)
        self.shown(self.press("approve"), "Approved by dana")

    def test_a_connector_that_hangs_is_waited_for_five_seconds(self):
        release = threading.Event()
        self.addCleanup(release.set)
        self.teams.member_answers = [lambda handler: release.wait(60) and None]
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.press("approve")))
        thread.start()
        eventually(lambda: self.teams.asked, "it is asked")
        self.assertEqual([], answers)
        self.gateway.advance(seconds=5)
        thread.join(30)
        self.told(answers[0], "Teams did not say who you are")
        self.nothing_counted()

    def test_a_token_that_is_void_is_replaced_and_it_is_asked_again_at_once(self):
        self.teams.revoke()
        self.shown(self.press("approve"), "Approved by dana")
        self.assertEqual(2, len(self.teams.asked))

    def test_a_press_from_elsewhere_than_where_the_card_stands_decides_nothing(self):
        elsewhere = "19:elsewhere@thread.tacv2"
        self.teams.members.add(elsewhere)
        press = self.teams.press("approve")
        self.shown(self.post({**press, "conversation": {**press["conversation"], "id": elsewhere}}), self.asked["id"])
        self.nothing_counted()
        self.shown(self.press("approve"), "Approved by dana")


class TwoPlaces(Callback):
    """One bot, two channels with a conversation each."""
    OTHER_PLACE = "19:second@thread.tacv2"

    def config(self):
        self.teams.members.add(self.OTHER_PLACE)
        return super().config() + self.teams.config(self.gateway.folder, name="second", conversation=f'"{self.OTHER_PLACE}"')

    def test_a_press_on_either_card_decides_and_both_are_settled(self):
        self.person()
        asked = self.gateway.submit(self.key)
        eventually(lambda: len(self.notices("sent")) == 2, "both are posted and settled")
        cards = {conversation: card_of(message) for (conversation, _), message in self.teams.messages.items()}
        first, second = cards[CONVERSATION], cards[self.OTHER_PLACE]
        self.assertNotEqual(buttons_of(first)["approve"]["data"]["n"], buttons_of(second)["approve"]["data"]["n"])
        self.shown(self.press("approve", card=second), "Approved by dana")
        self.assertEqual("approved", self.state(asked))
        eventually(lambda: all("Approved by dana" in json.dumps(message) for message in self.teams.messages.values()), "both say so")
        self.shown(self.press("deny", card=first), "Approved by dana")
        self.assertEqual(1, sum(entry["data"].get("late") is not True for entry in self.votes(asked)))


class Nowhere(unittest.TestCase):
    def test_without_a_bot_there_is_nothing_to_call(self):
        with Gateway(policy=POLICY) as gateway:
            answer = gateway.call("POST", "/v1/callbacks/teams", {"type": "message"}, headers={"Authorization": "Bearer a.b.c"})
            self.assertEqual((404, "no_teams_bot"), (answer.status, answer.json["code"]))


if __name__ == "__main__":
    unittest.main()
