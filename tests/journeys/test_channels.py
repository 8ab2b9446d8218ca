"""Channels: who is told, what stands there afterwards, and what happens when the other side fails."""
import email.utils
import json
import shutil
import subprocess
import threading
import time
import unittest

from support.gateway import BUILD, Gateway, eventually
from support.peers import MailServer, Receiver, has_real_mail_server, mail_channel, start_real_mail_server

HOSTILE = "\u202eevil <!channel> @everyone [x](http://evil) </pre><script> ``` \u200bEND"
OPTIONS = {"ntfy": "topic: deploys", "pagerduty": "routing_key: EXAMPLE-not-a-key", "mattermost": None, "discord": None, "google-chat": None}


class Channels(unittest.TestCase):
    def gateway(self, channels, **more):
        gateway = Gateway(**more)
        gateway.extra_config = "channels:\n" + channels
        self.addCleanup(gateway.__exit__, None, None, None)
        gateway.start()
        self.dana = gateway.add_person("dana", ["oncall"])
        self.key = gateway.add_caller()
        return gateway

    def receiver(self):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        return receiver

    def mail_server(self):
        server = MailServer()
        self.addCleanup(server.stop)
        return server

    def template(self, receiver, name="chat", template="mattermost", more=""):
        options = OPTIONS[template]
        return (f"  - name: {name}\n    kind: template\n    template: {template}\n    url: {receiver.url}\n    allow_http: true\n"
                f"    allow_networks: [127.0.0.0/8]\n" + (f"    options: {{ {options} }}\n" if options else "") + more)

    def mail(self, server, more=""):
        return mail_channel(server.port, more)

    def notices(self, gateway, query=""):
        return gateway.admin("GET", "/v1/notices" + query)["notices"]

    def settled(self, gateway, count, state="sent"):
        return eventually(lambda: len(self.notices(gateway, f"?state={state}")) == count, f"{count} notices are {state}")

    # ---- templates ----
    def test_every_shipped_template_says_what_is_asked_and_how_it_ended_and_lets_nothing_out_of_its_string(self):
        receivers = {name: self.receiver() for name in OPTIONS}
        gateway = self.gateway("".join(self.template(receiver, name, name) for name, receiver in receivers.items()))
        asked = gateway.submit(self.key, args={"note": HOSTILE, "amount": 125}, reason=HOSTILE)
        self.settled(gateway, len(OPTIONS))
        gateway.vote(self.dana, asked["id"], "deny")
        self.settled(gateway, 2 * len(OPTIONS))
        for name, receiver in receivers.items():
            with self.subTest(template=name):
                first, last = receiver.bodies()
                shown = json.dumps(first, ensure_ascii=False)
                self.assertIn("payments.refund", shown)
                self.assertIn("/requests/" + asked["id"], shown)
                self.assertNotIn("\u202e", shown)
                self.assertNotIn("\u200b", shown)
                self.assertIn("u{202e}", shown)
                self.assertIn("Denied by dana", json.dumps(last))
                if name in ("mattermost", "discord", "google-chat"):
                    text = first.get("text") or first.get("content")
                    self.assertEqual(2, text.count("```"), "agent text opens no block of its own")
                    self.assertLess(text.index("```"), text.index("@everyone"))
        self.assertEqual({"parse": []}, receivers["discord"].bodies()[0]["allowed_mentions"])
        ntfy = receivers["ntfy"].bodies()[0]
        self.assertEqual(("deploys", "view"), (ntfy["topic"], ntfy["actions"][0]["action"]))
        pages = receivers["pagerduty"].bodies()
        self.assertEqual(["trigger", "resolve"], [page["event_action"] for page in pages])
        self.assertEqual(1, len({page["dedup_key"] for page in pages}))

    def test_a_template_of_ones_own_is_filled_and_a_wrong_one_is_refused_at_start(self):
        receiver = self.receiver()
        good = '{"say": "${heading}: ${action}", "n": "#${priority}", "to": "${option.room}"}'
        gateway = Gateway()
        own = gateway.folder / "own.json"
        own.write_text(good)
        gateway.extra_config = (f"channels:\n  - {{ name: own, kind: template, template_file: {own}, url: \"{receiver.url}\", allow_http: true, "
                                f"allow_networks: [127.0.0.0/8], options: {{ room: r1 }} }}\n")
        with gateway:
            gateway.add_person("dana", ["oncall"])
            gateway.submit(gateway.add_caller())
            eventually(lambda: receiver.came, "it is told")
            body = receiver.bodies()[0]
            self.assertEqual(("Approval needed: payments.refund", "r1"), (body["say"], body["to"]))
            self.assertIn(body["n"], (2, 3, 4, 5))

    def test_channels_that_are_configured_wrong_are_refused_with_what_to_write(self):
        for words, said in (("{ name: a, kind: template, url: \"https://x/\" }", "template: ntfy"),
                            ("{ name: a, kind: template, template: nfty, url: \"https://x/\" }", "no template is called"),
                            ("{ name: a, kind: template, template: ntfy, url: \"https://x/\" }", "option.topic"),
                            ("{ name: a, kind: template, template: discord, url: \"https://x/\", secret_file: /x }", "secret_file"),
                            ("{ name: a, kind: template, template: discord, url: \"https://x/\", tell: [everything] }", "everything"),
                            ("{ name: a, kind: template, template: discord, url: \"https://x/\", limits: { in_flight: 0 } }", "in_flight|between|least|1"),
                            ("{ name: a, kind: template, template: discord, url: \"https://x/\", proxy: x }", "proxy"),
                            ("{ name: a, kind: template, template: discord, url: \"https://x/\", quiet_hours: \"22:00-27:00\" }", "quiet_hours"),
                            ("{ name: a, kind: template, template: discord, url: \"https://x/\", quiet_hours: at night }", "quiet_hours"),
                            ("{ name: a, kind: mail, url: \"https://x/\", from: a@example.com }", "smtps://"),
                            ("{ name: a, kind: mail, url: \"smtps://x:465\" }", "from"),
                            ("{ name: a, kind: mail, url: \"smtps://x:465\", from: a@example.com, to: [\"a@x\\r\\nRCPT TO:<b@y>\"] }", "not a plain address"),
                            ("{ name: a, kind: mail, url: \"smtps://x:465\", from: a@example.com, user: a }", "secret_file")):
            with self.subTest(said=said):
                gateway = Gateway(config=f"channels:\n  - {words}\n")
                with self.assertRaisesRegex(AssertionError, said):
                    gateway.start()
                gateway.reader.join(5)
                gateway.process.stderr.close()
                shutil.rmtree(gateway.folder)

    # ---- what stands on a channel ----
    def test_a_card_says_what_the_agent_was_asked_and_what_it_answered(self):
        receiver = self.receiver()
        gateway = self.gateway(self.template(receiver))
        asked = gateway.submit(self.key)
        self.settled(gateway, 1)
        gateway.ok("POST", f"/v1/requests/{asked['id']}/comments", {"text": "Which customer?"}, self.dana)
        self.settled(gateway, 2)
        self.assertIn("Which customer?", receiver.bodies()[1]["text"])
        gateway.ok("POST", f"/v1/requests/{asked['id']}/comments", {"text": "Number four"}, self.key)
        self.settled(gateway, 3)
        self.assertIn("Number four", receiver.bodies()[2]["text"])

    def test_a_card_is_there_soon_after_the_request_was_made(self):
        receiver = self.receiver()
        arrived = {}

        def take(handler):
            text = receiver.came[-1][2].decode()
            arrived.setdefault(text.split("/requests/")[1][:30], time.monotonic())
            handler.send_response(200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        receiver.otherwise = take
        gateway = self.gateway(self.template(receiver, more="    limits: { per_second: 1000 }\n"))
        made = {}
        for number in range(60):
            began = time.monotonic()
            made[gateway.submit(self.key, resource=f"order/{number}")["id"]] = began
        eventually(lambda: len(arrived) == len(made), "all have arrived")
        took = sorted(arrived[request] - began for request, began in made.items())
        print(f"     from submission to card: p50 {took[30] * 1000:.0f} ms, p99 {took[58] * 1000:.0f} ms")
        self.assertLess(took[58], 3, "on a machine that does other things as well")

    def test_votes_do_not_show_before_the_end(self):
        receiver = self.receiver()
        gateway = self.gateway(self.template(receiver))
        asked = gateway.submit(self.key)
        self.settled(gateway, 1)
        gateway.vote(self.dana, asked["id"])
        self.settled(gateway, 2)
        first, last = [body["text"] for body in receiver.bodies()]
        self.assertNotIn("dana", first)
        self.assertIn("Approved by dana", last)

    def test_what_ended_before_it_could_be_asked_is_not_asked_any_more(self):
        receiver = self.receiver()
        receiver.answers = [503]
        gateway = self.gateway(self.template(receiver))
        asked = gateway.submit(self.key)
        eventually(lambda: receiver.came, "it was tried")
        eventually(lambda: [n for n in self.notices(gateway, "?state=waiting") if n["attempts"] == 1], "it failed")
        gateway.vote(self.dana, asked["id"], "deny")
        gateway.advance(10)
        self.settled(gateway, 2, "stale")
        self.assertEqual(1, len(receiver.came), "nobody saw the question, so nobody needs the answer")

    def test_an_answer_that_was_lost_is_followed_by_the_end_all_the_same(self):
        receiver = self.receiver()
        receiver.answers = [lambda handler: handler.connection.close()]
        gateway = self.gateway(self.template(receiver))
        asked = gateway.submit(self.key)
        eventually(lambda: [n for n in self.notices(gateway, "?state=waiting") if n["attempts"] == 1], "no answer came")
        gateway.vote(self.dana, asked["id"], "deny")
        gateway.advance(10)
        eventually(lambda: len(receiver.came) >= 2, "its end is told: the question may stand there")
        self.assertIn("Denied by dana", receiver.bodies()[-1]["text"])

    def test_notices_of_one_request_leave_one_after_the_other(self):
        receiver = self.receiver()
        release = threading.Event()
        self.addCleanup(release.set)

        def slow(handler):
            release.wait(10)
            handler.send_response(200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        receiver.answers = [slow]
        gateway = self.gateway(self.template(receiver))
        first = gateway.submit(self.key)
        eventually(lambda: receiver.came, "the first is under way")
        gateway.vote(self.dana, first["id"], "deny")
        gateway.submit(self.key, args={"amount": 7})
        eventually(lambda: len(receiver.came) == 2, "another request's is not held up")
        self.assertIn("Approval needed", receiver.bodies()[1]["text"])
        release.set()
        eventually(lambda: len(receiver.came) == 3, "the end follows its question")
        self.assertIn("Denied", receiver.bodies()[2]["text"])

    def test_what_waits_for_a_channel_survives_a_kill_and_ends_as_it_ended(self):
        receiver = self.receiver()
        gateway = self.gateway(self.template(receiver))
        asked = gateway.submit(self.key)
        self.settled(gateway, 1)
        receiver.otherwise = 503
        gateway.vote(self.dana, asked["id"])
        eventually(lambda: len(receiver.came) >= 2, "the end was tried")
        gateway.kill()
        receiver.otherwise = 200
        gateway.start()
        gateway.advance(70)
        self.settled(gateway, 2)
        self.assertIn("Approved by dana", receiver.bodies()[-1]["text"])

    # ---- who is told ----
    def test_groups_and_tell_say_what_goes_where(self):
        ours, theirs, outcome = self.receiver(), self.receiver(), self.receiver()
        gateway = self.gateway(self.template(ours, "ours", more="    groups: [oncall]\n    tell: [asked]\n") +
                               self.template(theirs, "theirs", more="    groups: [finance]\n") +
                               self.template(outcome, "outcome", more="    tell: [decided]\n"))
        asked = gateway.submit(self.key)
        self.settled(gateway, 1)
        gateway.vote(self.dana, asked["id"])
        self.settled(gateway, 2)
        self.assertEqual((1, 0, 1), (len(ours.came), len(theirs.came), len(outcome.came)))
        self.assertIn("Approval needed", ours.bodies()[0]["text"])
        self.assertIn("Approved", outcome.bodies()[0]["text"])

    # ---- mail ----
    def test_mail_goes_to_the_people_who_are_asked_and_to_nobody_else(self):
        server = self.mail_server()
        gateway = self.gateway(self.mail(server, "    to: [ops@example.com]\n"))
        gateway.add_person("omar", ["oncall"])
        gateway.add_person("nina", ["other"])
        gateway.add_person("alice", ["oncall"], subjects=["user/alice"])
        for name in ("dana", "nina", "alice"):
            gateway.admin("POST", f"/v1/people/{name}/addresses", {"kind": "mail", "address": f"{name}@example.com"})
        asked = gateway.submit(self.key, args={"note": HOSTILE}, reason=HOSTILE)
        self.settled(gateway, 2)
        self.assertEqual([["dana@example.com"], ["ops@example.com"]], sorted(to for _, to, _ in server.letters))
        for sender, (to,), letter in server.letters:
            self.assertEqual(("countersign@example.com", to), (sender, letter["To"].addresses[0].addr_spec))
            self.assertEqual(f"[Countersign] Approval needed ({asked['id']})", letter["Subject"])
            self.assertEqual("auto-generated", letter["Auto-Submitted"])
            text = letter.get_body(("plain",)).get_content()
            html = letter.get_body(("html",)).get_content()
            self.assertIn(f"/requests/{asked['id']}", text)
            self.assertNotIn("\u202e", text)
            self.assertNotIn("<script>", html)
            self.assertIn("&lt;script&gt;", html)
        gateway.vote(self.dana, asked["id"], "deny")
        self.settled(gateway, 4)
        ended = server.letters[-1][2]
        self.assertIn("Denied", ended["Subject"])
        self.assertEqual(server.letters[0][2]["References"], ended["References"])

    def test_addresses_are_plain_and_nobody_elses(self):
        server = self.mail_server()
        gateway = self.gateway(self.mail(server))
        gateway.add_person("omar")
        gateway.admin("POST", "/v1/people/dana/addresses", {"kind": "mail", "address": "dana@example.com"})
        for person, kind, address, want in (("omar", "mail", "dana@example.com", 409), ("omar", "mail", "a@x\r\nRCPT TO:<b@y>", 400),
                                            ("omar", "mail", "Omar <o@example.com>", 400), ("omar", "pigeon", "roof", 400),
                                            ("omar", "webhook", "https://x", 400), ("nobody", "mail", "n@example.com", 404)):
            with self.subTest(address=address):
                gateway.admin("POST", f"/v1/people/{person}/addresses", {"kind": kind, "address": address}, want=(want,))
        self.assertEqual([{"kind": "mail", "address": "dana@example.com"}], gateway.admin("GET", "/v1/people/dana/addresses")["addresses"])
        gateway.admin("POST", "/v1/people/dana/addresses", {"kind": "mail", "address": ""})
        self.assertEqual([], gateway.admin("GET", "/v1/people/dana/addresses")["addresses"])

    def test_a_mailbox_that_is_not_there_is_dead_and_says_so(self):
        server = self.mail_server()
        server.refused["gone@example.com"] = "550 5.1.1 no such mailbox"
        gateway = self.gateway(self.mail(server, "    to: [gone@example.com]\n"))
        gateway.submit(self.key)
        dead = eventually(lambda: self.notices(gateway, "?state=dead"), "it is dead")[0]
        self.assertEqual("answered 550", dead["last_error"])
        self.assertIn("no such mailbox", dead["answer"])

    def test_a_server_without_tls_gets_no_mail_unless_that_is_allowed(self):
        server = self.mail_server()
        gateway = self.gateway(self.mail(server, "    to: [ops@example.com]\n").replace("    allow_plain: true\n", ""))
        gateway.submit(self.key)
        eventually(lambda: [n for n in self.notices(gateway) if n["attempts"] == 1], "it is tried")
        self.assertEqual([], server.letters)

    @unittest.skipUnless(has_real_mail_server(), "the npm package smtp-server is not installed (npm ci in web/)")
    def test_a_real_mail_server_takes_letters_under_tls_from_who_has_signed_in(self):
        for mode, scheme in (("starttls", "smtp"), ("smtps", "smtps")):
            with self.subTest(mode=mode):
                gateway = Gateway()
                process, port = start_real_mail_server(self, gateway.folder, mode)
                (gateway.folder / "mail.secret").write_text("EXAMPLE not a password\n")
                (gateway.folder / "mail.secret").chmod(0o600)
                common = (f"    kind: mail\n    url: {scheme}://localhost:{port}\n    allow_networks: [127.0.0.0/8, \"::1/128\"]\n"
                          f"    from: gate@example.com\n    user: gate\n    secret_file: {gateway.folder}/mail.secret\n    to: [ops@example.com]\n")
                gateway.extra_config = (f"channels:\n  - name: good\n    ca: {gateway.folder}/mail.pem\n{common}"
                                        f"  - name: stranger\n{common}")
                with gateway:
                    gateway.add_person("dana", ["oncall"])
                    asked = gateway.submit(gateway.add_caller(), args={"note": ".\n..\n" + HOSTILE})
                    letter = json.loads(process.stdout.readline())
                    self.assertEqual((True, "gate", "gate@example.com", ["ops@example.com"]), tuple(letter[name] for name in ("secure", "user", "from", "to")))
                    self.assertIn(f"Subject: [Countersign] Approval needed ({asked['id']})", letter["text"])
                    self.assertEqual([], [line for line in letter["text"].split("\r\n") if len(line) > 998])
                    failed = eventually(lambda: [n for n in self.notices(gateway, "?channel=stranger") if n["attempts"]], "another's certificate is refused")[0]
                    self.assertIn("certificate", failed["last_error"])
                    sent = eventually(lambda: self.notices(gateway, "?channel=good&state=sent"), "it is settled")[0]
                    self.assertIn("taken", sent["answer"])

    # ---- when the other side fails ----
    def test_a_destination_that_fails_is_left_alone_and_tried_again_and_loses_nothing(self):
        receiver, other = self.receiver(), self.receiver()
        receiver.otherwise = 500
        gateway = self.gateway(self.template(receiver) + self.template(other, "other"))
        for amount in range(12):
            gateway.submit(self.key, args={"amount": amount})
        state = lambda: {c["name"]: c for c in gateway.admin("GET", "/v1/channels")["channels"]}
        eventually(lambda: not state()["chat"]["answers"], "its circuit opens")
        eventually(lambda: len(other.came) == 12, "the other channel is not held up")
        self.assertTrue(state()["other"]["answers"])
        self.assertEqual(1, gateway.metric("countersign_channels_open"))
        tried = len(receiver.came)
        self.assertLess(tried, 24)
        self.assertIn("tried_again_at", state()["chat"])
        receiver.otherwise = 200
        eventually(lambda: gateway.advance(5) or len(self.notices(gateway, "?state=sent&channel=chat")) == 12, "all are told in the end", 60)
        eventually(lambda: state()["chat"]["answers"], "it answers again")
        self.assertEqual(0, gateway.metric("countersign_channels_open"))
        self.assertEqual([], self.notices(gateway, "?state=dead"))

    def test_a_retry_after_is_honoured(self):
        self.is_left_alone_after("30")

    def test_a_retry_after_may_be_a_date(self):
        self.is_left_alone_after(email.utils.formatdate(time.time() + 30, usegmt=True))

    def is_left_alone_after(self, retry_after):
        receiver = self.receiver()
        receiver.answers = [(429, {"Retry-After": retry_after}, b"slow down")]
        gateway = self.gateway(self.template(receiver))
        gateway.submit(self.key)
        waiting = eventually(lambda: [n for n in self.notices(gateway, "?state=waiting") if n["attempts"] == 1], "it is put off")[0]
        self.assertEqual("429 slow down", waiting["answer"])
        gateway.advance(20)
        self.assertFalse(gateway.admin("GET", "/v1/channels")["channels"][0]["answers"])
        self.assertEqual(1, len(receiver.came))
        gateway.advance(15)
        self.settled(gateway, 1)

    def test_no_more_is_under_way_at_one_destination_than_it_takes(self):
        receiver = self.receiver()
        lock, most, now = threading.Lock(), [0], [0]

        def counted(handler):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.02)
            with lock:
                now[0] -= 1
            handler.send_response(200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        receiver.otherwise = counted
        gateway = self.gateway(self.template(receiver, more="    limits: { in_flight: 2, per_second: 1000 }\n"))
        for amount in range(20):
            gateway.submit(self.key, args={"amount": amount})
        self.settled(gateway, 20)
        self.assertLessEqual(most[0], 2)

    def test_what_goes_through_a_proxy_is_the_proxys_to_say_and_the_environments_is_not_asked(self):
        proxy, other = self.receiver(), self.receiver()
        common = "    kind: template\n    template: mattermost\n    url: http://hooks.example.invalid/a\n    allow_http: true\n"
        gateway = self.gateway(f"  - name: through\n    proxy: http://127.0.0.1:{proxy.port}\n{common}  - name: direct\n{common}",
                               environment={"http_proxy": f"http://127.0.0.1:{other.port}", "ALL_PROXY": f"http://127.0.0.1:{other.port}", "no_proxy": "*"})
        gateway.submit(self.key)
        eventually(lambda: proxy.came, "the proxy is asked")
        self.assertEqual("http://hooks.example.invalid/a", proxy.came[0][0])
        eventually(lambda: [n for n in self.notices(gateway, "?channel=direct") if n["attempts"]], "the other found nobody")
        self.assertEqual([], other.came)

    # ---- what an operator does ----
    def cli(self, gateway, *words):
        return subprocess.run([str(BUILD / "countersign"), *words, "--socket", gateway.socket_path], capture_output=True, text=True, timeout=60)

    def test_the_test_button_says_what_the_other_side_answered(self):
        receiver = self.receiver()
        receiver.answers = [(200, {}, b"thank you"), (403, {}, b"invalid_token \xe2\x80\xaeevil")]
        gateway = self.gateway(self.template(receiver))
        good = self.cli(gateway, "channels", "test", "chat")
        self.assertEqual((0, True), (good.returncode, "200 thank you" in good.stdout), good)
        self.assertIn("This is a test", receiver.bodies()[0]["text"])
        bad = self.cli(gateway, "channels", "test", "chat")
        self.assertNotEqual(0, bad.returncode)
        self.assertIn("403 invalid_token \\u{202e}evil", bad.stdout + bad.stderr)
        self.assertEqual("dead", self.notices(gateway)[0]["state"], "a test is tried once")
        listed = self.cli(gateway, "channels", "list")
        self.assertIn("chat", listed.stdout)

    def test_what_was_sent_can_be_sent_once_more(self):
        receiver = self.receiver()
        gateway = self.gateway(self.template(receiver))
        gateway.submit(self.key)
        self.settled(gateway, 1)
        sent = self.notices(gateway, "?state=sent")[0]
        self.assertEqual("200", sent["answer"])
        self.assertIn("settled_at", sent)
        gateway.admin("POST", f"/v1/notices/{sent['id']}/replay")
        eventually(lambda: len(receiver.came) == 2, "it is told once more")


if __name__ == "__main__":
    unittest.main()
