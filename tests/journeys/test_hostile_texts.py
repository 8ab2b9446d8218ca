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

from journeys.test_slack import post
from journeys.test_slack_peer import HAS_NODE, PACKAGES, judge_cards
from support import everywhere, hostile
from support.everywhere import Everywhere
from support.gateway import BUILD, Gateway, eventually
from support.people import ORIGIN, Person
from support.slack import check_blocks
from support.teams import buttons_of

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

    def test_a_card_is_posted_without_the_buttons_that_it_gets_when_it_is_known_where_it_stands(self):
        for case in self.cases:
            posted, dressed = self.everywhere.calls("slack", case.id)[:2]
            self.assertEqual(["countersign_open"], [element["action_id"] for element in posted["blocks"][-1]["elements"]])
            self.assertEqual([block for block in posted["blocks"] if block["type"] not in ("actions", "context")],
                             [block for block in dressed["blocks"] if block["type"] not in ("actions", "context")])
            posted, dressed = (message["attachments"][0]["content"] for message in self.everywhere.calls("bot", case.id)[:2])
            self.assertEqual(["Action.OpenUrl"], list(buttons_of(posted)))
            self.assertEqual(len(dressed["body"]) + ("approve" in buttons_of(dressed)), len(posted["body"]), "it says to open the request")

    # ---- Teams ----
    def test_teams_shows_the_agents_text_in_text_runs_and_interprets_words_of_ours_alone(self):
        self.each("teams", self.check_teams)
        self.each("bot", self.check_teams)

    def check_teams(self, case, moment, message):
        self.assertLessEqual(len(json.dumps(message, ensure_ascii=False).encode()), 28 * 1024)
        (attachment,) = message["attachments"]
        card = attachment["content"]
        runs = ["".join(run["text"] for run in block["inlines"]) for block in card["body"] if block["type"] == "RichTextBlock"]
        lines = [hostile.cut(case.action, 300), *([case.outcome()] if moment == "ended" else []), *(f"{label}: {value}" for label, value in case.facts(moment))]
        self.assertEqual(lines, runs[:len(lines)])
        shown, why = runs[len(lines):]
        is_whole, decides = self.is_whole(case, shown, 9000), len(card["actions"]) > 1
        self.assertEqual(f"{UNCHECKED}: {hostile.cut(case.why, 500)}", why)
        notes = [] if moment == "ended" or (is_whole and decides) else [NOTHING_HERE if is_whole else NOT_ALL]
        self.assertEqual([MOMENTS[moment], *notes], [block["text"] for block in card["body"] if block["type"] == "TextBlock"], "these are read as Markdown")
        self.assertEqual({"TextBlock", "RichTextBlock"}, {block["type"] for block in card["body"]})
        self.assertEqual({"TextRun"}, {run["type"] for block in card["body"] for run in block.get("inlines", [{"type": "TextRun"}])})
        *buttons, opens = card["actions"]
        self.assertEqual({"type": "Action.OpenUrl", "title": "Open in dashboard", "url": case.link}, opens)
        self.assertEqual([] if moment == "ended" or not decides else ["Approve", "Deny…"] if is_whole else ["Deny…"], [button["title"] for button in buttons])
        for data in [button["data"] for button in buttons if "data" in button]:
            self.assertEqual((case.id, {"n", "r"}), (data["r"], set(data)))
        for _, text in self.texts(message):
            self.seen(text)

    @unittest.skipUnless(HAS_NODE and (PACKAGES / "adaptivecards").exists(), "adaptivecards is not installed (npm ci in web/)")
    def test_microsofts_renderer_finds_nothing_it_does_not_know_on_any_of_these_cards(self):
        cards = [message["attachments"][0]["content"] for case in self.cases for message in self.everywhere.said("teams", case.id)]
        cards += [message["attachments"][0]["content"] for case in self.cases for message in self.everywhere.said("bot", case.id)]
        for card, judged in zip(cards, judge_cards(cards), strict=True):
            self.assertEqual({"found": [], "actions": len(card["actions"]), "items": len(card["body"])}, judged)

    def test_a_bots_card_can_be_decided_where_all_of_it_shows(self):
        card = self.everywhere.said("bot", self.cases[0].id)[0]["attachments"][0]["content"]
        self.assertEqual(["Approve", "Deny…", "Open in dashboard"], [button["title"] for button in card["actions"]])

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

    # ---- mail ----
    def test_a_letter_has_the_headers_and_the_parts_that_it_always_has(self):
        def check(case, moment, letter):
            self.assertEqual([], [part.defects for part in letter.walk() if part.defects])
            self.assertEqual(HEADERS, [name for name, _ in letter.items()])
            self.assertEqual((f"[Countersign] {MOMENTS[moment]} ({case.id})", "ops@example.com", "countersign@example.com"),
                             (letter["Subject"], letter["To"].addresses[0].addr_spec, letter["From"].addresses[0].addr_spec))
            self.assertEqual(["multipart/alternative", "text/plain", "text/html"], [part.get_content_type() for part in letter.walk()])
            self.assertEqual([], [part.get_filename() for part in letter.walk() if part.get_filename()])
            self.assertLessEqual(max(len(line) for line in letter.as_bytes().splitlines()), 998)
        self.each("mail", check)
        self.assertEqual({("countersign@example.com", "ops@example.com")}, {(sender, to) for sender, (to,), _ in self.everywhere.mail.letters})
        self.assertEqual(len(self.cases) * len(MOMENTS), len(self.everywhere.mail.letters))

    def test_the_plain_part_of_a_letter_says_every_fact_on_a_line_of_its_own(self):
        def check(case, moment, letter):
            text = letter.get_body(("plain",)).get_content().replace("\r\n", "\n")
            outcome = case.outcome() + "\n\n" if moment == "ended" else ""
            facts = "".join(f"{label}: {value}\n" for label, value in case.facts(moment))
            self.assertEqual(f"{MOMENTS[moment]}\n\n  {hostile.cut(case.action, 300)}\n\n{outcome}Read it and decide in the dashboard:\n{case.link}\n\n{facts}\n"
                             f"What would run, as the agent sent it:\n\n{case.lines}\n\n{UNCHECKED}: {hostile.cut(case.why, 500)}\n\n"
                             "Nobody can decide by mail: answering this, or opening the link, changes nothing.\n", text.rstrip("\n") + "\n")
            self.seen(text)
        self.each("mail", check)

    def test_the_html_part_of_a_letter_has_the_elements_of_a_harmless_one_and_shows_the_same_text(self):
        def check(case, moment, letter):
            page = Page(letter.get_body(("html",)).get_content())
            facts = case.facts(moment)
            self.assertEqual([("a", [("href", case.link)])], [tag for tag in page.tags if tag[0] == "a"])
            self.assertLessEqual({name for name, _ in page.tags if not name.startswith("/")}, ELEMENTS)
            self.assertEqual([("align", "left"), ("charset", "utf-8"), ("dir", "ltr"), ("href", case.link), ("lang", "en"), ("style", STYLE)],
                             sorted({attribute for _, attributes in page.tags for attribute in attributes}))
            self.assertEqual(facts, list(zip(page.texts("th"), page.texts("td"), strict=True)))
            self.assertEqual([case.lines], page.texts("pre"))
            self.assertEqual(f"{UNCHECKED}: {hostile.cut(case.why, 500)}", page.texts("p")[-2])
            self.seen(page.all)
        self.each("mail", check)

    # ---- webhooks ----
    def test_webhooks_are_signed_carry_names_alone_and_carry_them_as_they_are(self):
        def check(case, moment, message):
            _, headers, body = message
            event = everywhere.strict(body)
            kind = {"asked": "request.pending", "ended": "request.denied"}.get(moment, "request.question")
            self.assertEqual((kind, {"type", "timestamp", "data"}), (event["type"], set(event)))
            data = event["data"]
            self.assertEqual({"action": case.action, "agent": "bot", "resource": case.resource, "subject": "user/alice", "request": case.id, "link": case.link},
                             {name: data[name] for name in ("action", "agent", "resource", "subject", "request", "link")}, "for programs: exactly")
            self.assertLessEqual(set(data), {"action", "agent", "created_at", "digest", "ended_at", "link", "reason", "request", "resource", "revision", "risk",
                                             "state", "subject", "tenant", "timeout_at"})
            self.assertEqual([], [sign for name in headers for sign in headers[name] if not " " <= sign <= "~"])
        self.each("hook", check)
        self.each("hook-a", check)

    def test_the_signatures_of_webhooks_are_of_the_bytes_that_came(self):
        for case in self.cases:
            _, headers, body = self.everywhere.said("hook", case.id)[0]
            text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            made = hmac.new(base64.b64decode(everywhere.HOOK_SECRET[6:]), text, hashlib.sha256).digest()
            self.assertEqual("v1," + base64.b64encode(made).decode(), headers["webhook-signature"])

    @unittest.skipUnless(shutil.which("openssl"), "the openssl command is not installed")
    def test_the_asymmetric_signatures_are_openssls_too(self):
        for case in self.cases[:8]:
            _, headers, body = self.everywhere.said("hook-a", case.id)[0]
            text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            version, signature = headers["webhook-signature"].split(",")
            self.assertEqual("v1a", version)
            for content, want in ((text, True), (text + b" ", False)):
                self.assertEqual(want, everywhere.ed25519_verifies(self.gateway.folder, everywhere.HOOK_SEED, base64.b64decode(signature), content))

    # ---- the dashboard's API, and the terminal ----
    def test_the_api_gives_programs_exactly_what_was_sent(self):
        for case in self.cases:
            with self.subTest(text=case.name):
                answer = self.gateway.call("GET", f"/v1/requests/{case.id}", secret=self.dana)
                self.assertEqual(("application/json", "nosniff"), (answer.headers["Content-Type"], answer.headers["X-Content-Type-Options"]))
                shown = everywhere.strict(answer.body)
                self.assertEqual((case.action, case.args, case.resource, case.why), (shown["action"]["name"], shown["action"]["properties"]["args"],
                                 f"order/{shown['resource']['id']}", shown["why"]))
                self.assertEqual([case.word, case.word], [comment["text"] for comment in
                                 self.gateway.ok("GET", f"/v1/requests/{case.id}/comments", secret=self.dana)["comments"]])

    def test_the_terminal_shows_nothing_raw_and_every_argument(self):
        listed = self.cli("inbox", "--all", "--limit", "200")
        self.seen(listed)
        for case in self.cases:
            with self.subTest(text=case.name):
                shown = self.cli("show", case.id)
                self.seen(shown)
                self.assertIn(case.lines.replace("\n", "\n" + " " * 12), shown)
                self.assertIn(hostile.visible(case.action), shown)

    def cli(self, *words, want=0):
        run = subprocess.run([str(BUILD / "countersign"), *words], capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
                             env={"PATH": os.environ["PATH"], "COUNTERSIGN_URL": f"http://127.0.0.1:{self.gateway.port}", "COUNTERSIGN_TOKEN": self.dana})
        self.assertEqual(want, run.returncode, run)
        return (run.stdout + run.stderr).decode()

    def test_what_the_gateway_refuses_is_shown_on_the_terminal_without_what_was_wrong_with_it(self):
        name = "\x1b]0;owned\x07\x9b2J\u202e"
        arguments = json.dumps({name: {"a\0": 1}})
        run = subprocess.run([str(BUILD / "countersign"), "request", "pay.refund", "--resource", "order/1", "--subject", "user/alice", "--args", arguments],
                             capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
                             env={"PATH": os.environ["PATH"], "COUNTERSIGN_URL": f"http://127.0.0.1:{self.gateway.port}", "COUNTERSIGN_KEY": self.key})
        self.assertNotEqual(0, run.returncode)
        self.seen((run.stdout + run.stderr).decode())

    def test_what_is_no_text_is_refused_wherever_it_stands(self):
        before = len(self.gateway.admin("GET", "/v1/requests?limit=200")["requests"])
        for name, raw in hostile.NO_TEXTS.items():
            for place in ("memo", "reason", "action", "resource", "name"):
                with self.subTest(text=name, place=place):
                    fill = {one: raw if one == place else b"x" for one in ("memo", "reason", "action", "resource", "name")}
                    body = (b'{"subject":{"type":"user","id":"alice"},"resource":{"type":"order","id":"%(resource)s"},"reason":"%(reason)s",'
                            b'"action":{"name":"%(action)s","properties":{"args":{"%(name)s":"%(memo)s"}}}}' % {one.encode(): text for one, text in fill.items()})
                    answer = self.gateway.call("POST", "/v1/requests", body, self.key)
                    self.assertEqual((400, "invalid_json"), (answer.status, answer.json["code"]), answer)
        self.assertEqual(before, len(self.gateway.admin("GET", "/v1/requests?limit=200")["requests"]))


class HostileShapes(unittest.TestCase):
    """What is too much to show, or stands where nobody looks."""

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(policy=POLICY)
        cls.everywhere = Everywhere(cls.gateway)
        cls.addClassCleanup(cls.everywhere.stop)
        cls.gateway.extra_config = LIMITS + cls.everywhere.config(limits="    limits: { in_flight: 4 }\n")
        cls.addClassCleanup(cls.gateway.__exit__, None, None, None)
        cls.gateway.start()
        cls.dana = cls.gateway.add_person("dana", ["oncall"])
        cls.key = cls.gateway.add_caller()

    def ask(self, args, resource, **more):
        body = {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "order", "id": resource},
                "action": {"name": "payments.refund", "properties": {"args": args}}, **more}
        asked = self.gateway.ok("POST", "/v1/requests", json.dumps(body, ensure_ascii=False).encode(), self.key)
        eventually(lambda: all(self.everywhere.said(place, asked["id"]) for place in everywhere.PLACES), "it is told everywhere", 60)
        return {place: self.everywhere.said(place, asked["id"])[0] for place in everywhere.PLACES}

    def buttons(self, card):
        return [element["action_id"] for block in card["blocks"] if block["type"] == "actions" for element in block["elements"]]

    def preformatted(self, card):
        return [block["elements"][0]["elements"][0]["text"] for block in card["blocks"] if block["type"] == "rich_text"][0]

    def check_sizes(self, said):
        size = lambda message: len(json.dumps(message, ensure_ascii=False).encode())
        self.assertIsNone(check_blocks(said["slack"]["blocks"]))
        self.assertLessEqual(size(said["teams"]), 28 * 1024)
        self.assertLessEqual(size(said["bot"]), 28 * 1024)
        self.assertLessEqual(len(said["discord"]["content"].encode("utf-16-le")) // 2, 2000)
        self.assertLessEqual(len(said["google-chat"]["text"].encode()), 4096)
        self.assertLessEqual(len(said["mattermost"]["text"]), 16383)
        self.assertLessEqual(len(said["ntfy"]["message"].encode()), 4096)
        self.assertLessEqual(size(said["pagerduty"]), 512 * 1024)
        self.assertLessEqual(len(said["mail"].as_bytes()), 256 * 1024)
        self.assertLessEqual(len(said["hook"][2]), 4096)

    def test_two_megabytes_fit_every_channel_show_their_end_and_cannot_be_approved_there(self):
        for name, unit in (("overrides", "\u202e"), ("quotes", "\\\""), ("backticks", "`<")):
            with self.subTest(unit=name):
                pad = unit * (2 * 1024 * 1024 // len(json.dumps(unit, ensure_ascii=False).encode()[1:-1]) - 100)
                said = self.ask(args={"a": pad, "z": "rm -rf /"}, resource=name, reason=unit * (1900 // len(unit.encode())))
                self.check_sizes(said)
                self.assertEqual([DENY, "countersign_open"], self.buttons(said["slack"]))
                self.assertEqual({"deny", "Action.OpenUrl"}, set(buttons_of(said["bot"]["attachments"][0]["content"])))
                shown = [self.preformatted(said["slack"]), json.dumps(said["teams"]), said["mail"].get_body(("plain",)).get_content(),
                         *(json.dumps(said[place]) for place in everywhere.TEMPLATES)]
                for text in shown[:3]:
                    self.assertIn("rm -rf /", text, "the end shows")
                for text in shown:
                    self.assertIn("bytes are not shown here", text)
                self.assertIn(NOT_ALL, json.dumps(said["slack"]) )
                self.assertIn(NOT_ALL, shown[1])
                self.assertIn(NOT_ALL, shown[2])

    def test_many_small_arguments_and_deep_ones_are_whole_or_not_to_be_approved(self):
        deep = "end"
        for _ in range(25):
            deep = {"d": [deep]}
        for name, args, is_whole in (("many", {f"k{number:04}": number for number in range(3000)}, False), ("few", {f"k{number:03}": number for number in range(200)}, True),
                                     ("deep", {"deep": deep}, True), ("empty", {}, True), ("nothing in it", {"a": {}, "b": [], "c": ""}, True)):
            with self.subTest(shape=name):
                said = self.ask(args, name)
                self.check_sizes(said)
                self.assertEqual(is_whole, APPROVE in self.buttons(said["slack"]))
                self.assertEqual(is_whole, self.preformatted(said["slack"]) == hostile.arguments(args))

    def test_what_is_bound_beside_the_arguments_shows_where_it_could_be_approved(self):
        args, more = {"amount": 1}, {"force": True, "to": "\u202eelsewhere"}
        body = lambda order, **parts: {"subject": {"type": "user", "id": "alice", **parts.get("subject", {})}, "resource": {"type": "order", "id": order, **parts.get("resource", {})},
                                       "action": {"name": "pay.refund", "properties": {"args": args, **parts.get("action", {})}}}
        for name, given, lines in (("none", {}, args), ("action", {"action": more}, {"action": {"properties": {"args": args, **more}}}),
                                   ("resource", {"resource": {"properties": more}}, {"action": {"properties": {"args": args}}, "resource": {"properties": more}}),
                                   ("subject", {"subject": {"properties": more}}, {"action": {"properties": {"args": args}}, "subject": {"properties": more}})):
            with self.subTest(beside=name):
                asked = self.gateway.ok("POST", "/v1/requests", body(name, **given), self.key)
                eventually(lambda: self.everywhere.said("slack", asked["id"]), "the card is posted")
                card = self.everywhere.said("slack", asked["id"])[0]
                self.assertEqual(hostile.arguments(lines), self.preformatted(card))
                self.assertIn(APPROVE, self.buttons(card))

    def test_a_callback_repeats_the_state_it_was_given_and_nothing_else_of_the_agents(self):
        for name, text in hostile.TEXTS.items():
            with self.subTest(text=name):
                state = legal(text, 900, "\n\t") or "x"
                body = {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "order", "id": "task " + name},
                        "action": {"name": "pay." + (legal(text, 100) or "refund"), "properties": {"args": {"memo": text}}}}
                context = self.gateway.ok("POST", "/access/v1/evaluation", body, self.key)["context"]
                denial = {"evaluation_id": context["evaluation_id"], "expires_at": context["access_request"]["expires_at"]}
                task = self.gateway.ok("POST", "/access/v1/requests", {**body, "denial": denial, "callback": {
                    "endpoint": self.everywhere.receivers["tasks"].url, "state": state}}, self.key)["task"]
                (request,) = [one["id"] for one in self.gateway.ok("GET", "/v1/requests?limit=200", secret=self.key)["requests"]
                              if one["resource"]["id"] == "task " + name]
                self.gateway.vote(self.dana, request, "deny", reason=legal(text, 900, "\n\t") or "no")
                (_, _, told), = eventually(lambda: self.everywhere.said("tasks", task["id"]), "it is told")
                self.assertEqual({"state": state, "task": {"id": task["id"], "status": "denied", "status_endpoint": task["status_endpoint"]}}, everywhere.strict(told))

    # ---- what a person types in a chat ----
    def test_a_reason_typed_in_slack_reaches_the_agent_as_it_was_typed_and_the_card_not_at_all(self):
        dana = Person(self.gateway, "erin", ["oncall"])
        link(self.gateway, self.everywhere.slack, dana)
        for name, text in hostile.TEXTS.items():
            reason = legal(text, 240, "\n\t")
            if reason is None:
                continue
            with self.subTest(text=name):
                asked = self.gateway.submit(self.key, resource="order/typed " + name)
                eventually(lambda: self.everywhere.said("slack", asked["id"]), "the card is posted")
                message = next(one for one in self.everywhere.slack.messages.values() if asked["id"] in json.dumps(one["blocks"]))
                opened = len(self.everywhere.slack.views)
                post(self.gateway, self.everywhere.slack.press(DENY, message))
                eventually(lambda: len(self.everywhere.slack.views) > opened, "the modal opens")
                answer = post(self.gateway, self.everywhere.slack.submit(self.everywhere.slack.views[-1], "reason", reason))
                self.assertEqual((200, "update"), (answer.status, everywhere.strict(answer.body)["response_action"]))
                shown = self.gateway.show(self.key, asked["id"])
                self.assertEqual(("denied", [reason]), (shown["state"], [vote["reason"] for vote in shown["votes"]]))
                settled = eventually(lambda: self.everywhere.said("slack", asked["id"])[1:], "the card is settled")[-1]
                self.assertIn("Denied by erin", json.dumps(settled))
                self.assertEqual(["countersign_open"], self.buttons(settled))
                self.assertNotIn(json.dumps("reason: " + reason)[9:-1], json.dumps(settled))


def link(gateway, slack, person, user="U0DANA"):
    """Their account at our double of Slack becomes a person's, as a person does it."""
    person.step_up()
    code = person.ok("POST", "/v1/me/chat-links", {}, want=(201,))["code"]
    opened = len(slack.views)
    post(gateway, slack.shortcut(user=user))
    eventually(lambda: len(slack.views) > opened, "the modal opens")
    answer = post(gateway, slack.submit(slack.views[-1], "code", code, user=user))
    assert (answer.status, answer.json["response_action"]) == (200, "update"), answer


HEADERS = ["Date", "From", "To", "Message-ID", "References", "Subject", "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"]
STYLE = "unicode-bidi:isolate;white-space:pre-wrap;overflow-wrap:anywhere"
ELEMENTS = {"html", "head", "meta", "title", "body", "h2", "p", "b", "bdi", "a", "table", "tr", "th", "td", "pre"}


class Page(html.parser.HTMLParser):
    """Elements in order, and the text within each."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.found, self.all = [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.tags.append((name, attributes))
        if name != "meta":
            self.open.append([name, ""])

    def handle_endtag(self, name):
        opened, text = self.open.pop()
        assert opened == name, (opened, name)
        self.found.append((name, text))

    def handle_data(self, text):
        self.all += text
        for element in self.open:
            element[1] += text

    def handle_comment(self, text):
        raise AssertionError(f"a comment: {text}")

    def texts(self, name):
        return [text for found, text in self.found if found == name]


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
