"""Texts that would mislead whoever approves, from a real client through every channel: what stands at the other side is read
as that service reads it, and says the same facts, the whole arguments or that they are not whole, and nothing of the agent's own."""
import base64
import email.policy
import hashlib
import hmac
import html.parser
import json
import os
import re
import shutil
import subprocess
import unittest

from journeys.test_slack_peer import HAS_NODE, PACKAGES, judge_cards
from support import everywhere, hostile
from support.everywhere import Everywhere
from support.gateway import BUILD, Gateway, eventually
from support.people import ORIGIN, Person
from support.slack import check_blocks

POLICY = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
rules:
  - { name: all, match: { resource: "order/**" }, verdict: require_approval, approval: { groups: [oncall], timeout: 1d, assurance: chat } }
"""
LIMITS = "limits: { requests_per_second: 0, body_kib: 4096, pending_per_caller: 10000, votes_per_hour: 0 }\n"
APPROVE, DENY = "countersign_approve", "countersign_deny"
MOMENTS = {"asked": "Approval needed", "question": "A question was asked or answered", "answer": "A question was asked or answered", "ended": "Denied"}
UNCHECKED = "The agent says (not checked)"
NOTHING_HERE = "Nothing can be decided here: open the request."
NOT_ALL = "Not all of it can be shown here. Open the request to read the rest and decide."


class Case:
    """One text, and the request that carries it wherever it is legal."""

    def __init__(self, gateway, key, name, text, args=None):
        self.name, self.text = name, text
        self.args = args if args is not None else {"memo": text, "n": 1, "nested": {text.replace("\0", ""): [text, True, None]}}
        self.why = legal(text, 2000, "\n\t") or "because"
        self.word = legal(text, 2000, "\n\t") or "?"
        self.action = "pay." + (legal(text, 190) or "refund")
        self.asked = None
        for self.resource in ("order/" + (legal(text, 200) or "4711"), "order/4711"):
            answer = gateway.call("POST", "/v1/requests", self.body(), key)
            if answer.status == 202:
                self.asked = answer.json
                break
            assert (answer.status, answer.json["code"]) == (400, "bad_entity"), answer
        self.id = self.asked["id"]
        self.link = f"{ORIGIN}/requests/{self.id}"
        self.lines = hostile.arguments(self.args)

    def body(self):
        kind, name = self.resource.split("/", 1)
        return {"subject": {"type": "user", "id": "alice"}, "resource": {"type": kind, "id": name}, "reason": self.why,
                "action": {"name": self.action, "properties": {"args": self.args}}}

    def facts(self, moment):
        shown = self.shown
        time = lambda name: shown[name][:19] + " UTC"
        said = [("Agent", "bot"), ("For", "user/alice"), ("On", hostile.cut(self.resource, 300)), ("Risk", "medium")]
        mixed = hostile.mixed(self.action, self.resource, *hostile.strings(self.args))
        if mixed:
            said.append(("Mixed alphabets", mixed))
        if moment != "asked":
            said.append(("Question", "dana: " + hostile.cut(self.word, 500)))
        if moment in ("answer", "ended"):
            said.append(("The agent answers (not checked)", hostile.cut(self.word, 500)))
        said += [("Asked", "oncall"), ("Since", time("created_at"))]
        if moment != "ended":
            said.append(("Expires, not approved", self.expires[:19] + " UTC"))
        return said + [("Digest", shown["digest"][:12] + "…")]

    def outcome(self):
        return f"Denied by dana at {self.shown['ended_at'][:19]} UTC"


def legal(text, bytes_max, but=""):
    """The text where the gateway takes it, cut as a client would; None where it holds what is refused there."""
    if any((sign < " " and sign not in but) or sign == "\x7f" for sign in text) or (not but and "\n" in text):
        return None
    return text.encode()[:bytes_max].decode(errors="ignore")


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(policy=POLICY)
        cls.everywhere = Everywhere(cls.gateway)
        cls.addClassCleanup(cls.everywhere.stop)
        cls.gateway.extra_config = LIMITS + cls.everywhere.config()
        cls.addClassCleanup(cls.gateway.__exit__, None, None, None)
        cls.gateway.start()
        cls.dana = cls.gateway.add_person("dana", ["oncall"])
        cls.key = cls.gateway.add_caller()
        cls.cases = [Case(cls.gateway, cls.key, name, text) for name, text in hostile.TEXTS.items()]
        cls.arrived("asked", 1)
        for moment, who, count in (("question", cls.dana, 2), ("answer", cls.key, 3)):
            for case in cls.cases:
                cls.gateway.ok("POST", f"/v1/requests/{case.id}/comments", {"text": case.word}, who)
            cls.arrived(moment, count)
        for case in cls.cases:
            case.expires = cls.gateway.show(cls.key, case.id)["timeout_at"]
            cls.gateway.vote(cls.dana, case.id, "deny", reason=legal(case.text, 900, "\n\t") or "no")
            case.shown = cls.gateway.show(cls.key, case.id)
        cls.arrived("ended", 4)

    @classmethod
    def arrived(cls, moment, count):
        """Every place has this many messages of every request, and the gateway knows."""
        def all_sent():
            page = cls.gateway.admin("GET", "/v1/notices?state=waiting&limit=1")["notices"]
            return not page
        eventually(all_sent, f"all is sent that says {moment}", 60)
        dead = cls.gateway.admin("GET", "/v1/notices?state=dead")["notices"]
        assert not dead, dead[:3]
        for place in everywhere.PLACES:
            for case in cls.cases:
                found = cls.everywhere.said(place, case.id)
                assert len(found) == count, f"{moment} of `{case.name}` is on {place} {len(found)} times for {count}"

    # ---- reading ----
    def each(self, place, check):
        """check(case, moment, message) of every message at this place."""
        for case in self.cases:
            for moment, message in zip(MOMENTS, self.everywhere.said(place, case.id), strict=True):
                with self.subTest(place=place, text=case.name, moment=moment):
                    check(case, moment, message)

    def is_whole(self, case, shown, room):
        """Whether these are all the arguments; if not, their head and tail, and how much lies between."""
        whole = case.lines
        if shown == whole:
            return True
        head, count, of, tail = re.fullmatch(r"(?s)(.*)\n\n… (\d+) of (\d+) bytes are not shown here …\n\n(.*)", shown).groups()
        self.assertTrue(whole.startswith(head) and whole.endswith(tail) and min(len(head), len(tail)) > 100, "head and tail are the arguments'")
        self.assertEqual(len(whole.encode()), int(of))
        self.assertEqual(int(of), int(count) + len(head.encode()) + len(tail.encode()))
        self.assertGreater(len(whole.encode()), room, "what fits is shown")
        return False

    def seen(self, text, allowed="\n"):
        self.assertEqual([], hostile.unseen(text, allowed), text[:500])

    def texts(self, value, place=""):
        """Every string below, with where it stands."""
        if isinstance(value, dict):
            for name, member in value.items():
                yield from self.texts(member, f"{place}/{name}")
        elif isinstance(value, list):
            for member in value:
                yield from self.texts(member, place + "/*")
        elif isinstance(value, str):
            yield place, value

    # ---- Slack ----
    def test_slack_shows_the_agents_text_only_where_nothing_is_interpreted_and_all_of_it_or_no_approve(self):
        self.each("slack", self.check_slack)

    def check_slack(self, case, moment, message):
        self.assertIsNone(check_blocks(message["blocks"]))
        self.assertEqual(f"{MOMENTS[moment]} (risk medium): {case.link}", message["text"], "this is read as mrkdwn")
        more = {name: value for name, value in message.items() if name not in ("blocks", "text", "ts")}
        self.assertEqual({"channel": "C0APPROVALS", "link_names": False, "parse": "none", "unfurl_links": False, "unfurl_media": False}, more)
        *blocks, actions = message["blocks"]
        shown = [block["elements"][0]["elements"][0]["text"] for block in blocks if block["type"] == "rich_text"][0]
        is_whole = self.is_whole(case, shown, 5000)
        self.assertEqual(self.slack_blocks(case, moment, shown, is_whole), blocks, "word by word: what is not here is not there either")
        self.check_slack_buttons(case, moment, actions, is_whole)
        for _, text in self.texts(message):
            self.seen(text)

    def slack_blocks(self, case, moment, shown, is_whole):
        facts = [plain(f"{label}\n{value}", 1450) for label, value in case.facts(moment)]
        action = hostile.cut(case.action, 300)
        head = f"{MOMENTS[moment]}: {action}"
        blocks = [{"type": "header", "text": plain(head, 150)}]
        if len(head.encode()) > 150:
            blocks.append({"type": "section", "expand": True, "text": plain(f"Action: {action}", 2900)})
        if moment == "ended":
            blocks.append({"type": "section", "expand": True, "text": plain(case.outcome(), 2900)})
        blocks += [{"type": "section", "fields": facts[at:at + 10]} for at in range(0, len(facts), 10)]
        blocks.append({"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]}]})
        blocks.append({"type": "context", "elements": [plain(f"{UNCHECKED}: {hostile.cut(case.why, 500)}", 2900)]})
        if moment != "ended" and not is_whole:
            blocks.append({"type": "context", "elements": [plain(NOT_ALL, 2900)]})
        return blocks

    def check_slack_buttons(self, case, moment, actions, is_whole):
        buttons = {element["action_id"]: element for element in actions["elements"]}
        wanted = [] if moment == "ended" else [APPROVE, DENY] if is_whole else [DENY]
        self.assertEqual([*wanted, "countersign_open"], [element["action_id"] for element in actions["elements"]])
        self.assertEqual(case.link, buttons["countersign_open"]["url"])
        for name in wanted:
            self.assertRegex(buttons[name]["value"], rf"^v1\.{case.id}\.[A-Za-z0-9_-]{{27}}$")
        if APPROVE in wanted:
            confirm = buttons[APPROVE]["confirm"]
            said = f"{hostile.cut(case.action, 300)} on {hostile.cut(case.resource, 300)}. It runs once, exactly as shown."
            self.assertEqual({"confirm": plain("Approve", 30), "deny": plain("Not yet", 30), "title": plain("Approve this?", 100), "text": plain(said, 290)}, confirm)

    # ---- Teams ----
    def test_teams_shows_the_agents_text_in_text_runs_and_interprets_words_of_ours_alone(self):
        self.each("teams", self.check_teams)

    def check_teams(self, case, moment, message):
        self.assertLessEqual(len(json.dumps(message, ensure_ascii=False).encode()), 28 * 1024)
        (attachment,) = message["attachments"]
        card = attachment["content"]
        runs = ["".join(run["text"] for run in block["inlines"]) for block in card["body"] if block["type"] == "RichTextBlock"]
        lines = [hostile.cut(case.action, 300), *([case.outcome()] if moment == "ended" else []), *(f"{label}: {value}" for label, value in case.facts(moment))]
        self.assertEqual(lines, runs[:len(lines)])
        shown, why = runs[len(lines):]
        self.is_whole(case, shown, 9000)
        self.assertEqual(f"{UNCHECKED}: {hostile.cut(case.why, 500)}", why)
        notes = [] if moment == "ended" else [NOTHING_HERE if shown == case.lines else NOT_ALL]
        self.assertEqual([MOMENTS[moment], *notes], [block["text"] for block in card["body"] if block["type"] == "TextBlock"], "these are read as Markdown")
        self.assertEqual({"TextBlock", "RichTextBlock"}, {block["type"] for block in card["body"]})
        self.assertEqual({"TextRun"}, {run["type"] for block in card["body"] for run in block.get("inlines", [{"type": "TextRun"}])})
        self.assertEqual([{"type": "Action.OpenUrl", "title": "Open in dashboard", "url": case.link}], card["actions"])
        for _, text in self.texts(message):
            self.seen(text)

    @unittest.skipUnless(HAS_NODE and (PACKAGES / "adaptivecards").exists(), "adaptivecards is not installed (npm ci in web/)")
    def test_microsofts_renderer_finds_nothing_it_does_not_know_on_any_of_these_cards(self):
        cards = [message["attachments"][0]["content"] for case in self.cases for message in self.everywhere.said("teams", case.id)]
        for card, judged in zip(cards, judge_cards(cards), strict=True):
            self.assertEqual({"found": [], "actions": 1, "items": len(card["body"])}, judged)

    # ---- templates ----
    def fenced(self, place, case, moment, text, before, bytes_max):
        """One block of code, words of ours before it and nothing behind it; no mention anywhere that could be one."""
        head, block = re.fullmatch(r"(?s)(.*?)\n```\n(.*)\n```", text).groups()
        self.assertEqual(before, head, "this is interpreted")
        for sign in "`<":
            self.assertNotIn(sign, block)
        self.assertLessEqual(len(text.encode("utf-16-le")) // 2, bytes_max)
        self.starts_with_the_facts(case, moment, block)

    def starts_with_the_facts(self, case, moment, block):
        action, outcome, *rest = block.split("\n")
        self.assertEqual(case.outcome() if moment == "ended" else "", outcome)
        coded = lambda value: value.replace("`", "\\u{60}").replace("<", "\\u{3c}")
        self.assertTrue(is_begun(action, coded(hostile.cut(case.action, 300))), action)
        said = "\n".join(f"{label}: {coded(value)}" for label, value in case.facts(moment))
        self.assertTrue(is_begun("\n".join(rest).split("\n\n")[0], said), (rest, said))

    def test_mattermost_reads_one_block_of_code_and_no_mention(self):
        self.each("mattermost", lambda case, moment, message: (self.assertEqual({"text"}, set(message)), self.fenced(
            "mattermost", case, moment, message["text"], f"**{MOMENTS[moment]}** (risk medium)\n[Open in dashboard]({case.link})", 16383)))

    def test_discord_reads_one_block_of_code_and_mentions_nobody_whatever_it_says(self):
        def check(case, moment, message):
            self.assertEqual(({"content", "allowed_mentions"}, {"parse": []}), (set(message), message["allowed_mentions"]))
            self.fenced("discord", case, moment, message["content"], f"**{MOMENTS[moment]}** (risk medium)\n<{case.link}>", 2000)
        self.each("discord", check)

    def test_google_chat_reads_one_block_of_code_and_no_mention(self):
        self.each("google-chat", lambda case, moment, message: (self.assertEqual({"text"}, set(message)), self.fenced(
            "google-chat", case, moment, message["text"], f"*{MOMENTS[moment]}* (risk medium)\n{case.link}", 4096)))

    def test_ntfy_gets_plain_text_and_a_button_that_only_opens_the_request(self):
        def check(case, moment, message):
            self.assertEqual({"topic": "deploys", "priority": 3, "click": case.link, "actions": [{"action": "view", "label": "Open in dashboard", "url": case.link}]},
                             {name: value for name, value in message.items() if name not in ("title", "message")}, "Markdown is not asked for")
            self.assertTrue(is_begun(message["title"], f"{MOMENTS[moment]}: {hostile.cut(case.action, 300)}"), message["title"])
            self.assertLessEqual(len(message["message"].encode()), 4096)
            self.assertTrue(message["message"].startswith(case.outcome() if moment == "ended" else "\nAgent: bot\nFor: user/alice\n"))
        self.each("ntfy", check)

    def test_pagerduty_gets_one_incident_a_request_within_its_limits(self):
        def check(case, moment, message):
            payload = message["payload"]
            self.assertEqual({"routing_key": "EXAMPLE-not-a-key", "event_action": "resolve" if moment == "ended" else "trigger", "dedup_key": f"countersign-{case.id}",
                              "links": [{"href": case.link, "text": "Open in dashboard"}]}, {name: value for name, value in message.items() if name != "payload"})
            self.assertEqual(("countersign", "warning", {"summary", "source", "severity", "custom_details"}), (payload["source"], payload["severity"], set(payload)))
            self.assertLessEqual(len(payload["summary"]), 1024)
            self.assertLessEqual(len(json.dumps(message, ensure_ascii=False).encode()), 512 * 1024)
            self.assertTrue(payload["summary"].startswith(MOMENTS[moment] + ": "))
        self.each("pagerduty", check)

    def test_nothing_that_hides_or_reorders_text_stands_raw_in_any_template(self):
        for place in everywhere.TEMPLATES:
            self.each(place, lambda case, moment, message: [self.seen(text) for _, text in self.texts(message)])


def is_begun(shown, whole):
    """The whole, or a beginning of it that says that more follows."""
    return shown == whole or (shown.endswith(" …") and whole.startswith(shown[:-2]) and len(shown) > 30)


def cut_to(text, bytes_max):
    raw = text.encode()
    return text if len(raw) <= bytes_max else raw[:bytes_max - 4].decode(errors="ignore") + " …"


def plain(text, bytes_max):
    return {"type": "plain_text", "emoji": False, "text": cut_to(text, bytes_max)}


if __name__ == "__main__":
    unittest.main()
