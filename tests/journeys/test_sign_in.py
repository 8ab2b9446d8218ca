"""Signing in with the real binary: set-up and enrolment links, passwords, sessions, and what other sites may not do."""
import concurrent.futures
import http.client
import json
import pathlib
import shutil
import sqlite3
import ssl
import subprocess
import unittest

import support.gateway
from journeys.test_tls import make_certificates
from support.browser import FAKE_PASSWORD, Browser
from support.gateway import Gateway, eventually

WRONG = "another fake password"


class SignIn(unittest.TestCase):
    def start(self, **more):
        gateway = Gateway(**more).start()
        self.addCleanup(gateway.__exit__, None, None, None)
        return gateway

    def assert_refused(self, answer, status, code):
        self.assertEqual((status, code), (answer.status, answer.json["code"]), answer)

    def assert_slowed(self, least, most, attempt, code="wrong_name_or_password", status=401):
        """Calls attempt(n) until it is told to wait: after `least` wrong ones, or a few more where the machine is so slow that
        time itself allows them. Returns the seconds to wait."""
        for number in range(most):
            answer = attempt(number)
            if answer.status == 429:
                break
            self.assert_refused(answer, status, code)
        self.assert_refused(answer, 429, "too_many_attempts")
        self.assertGreaterEqual(number, least)
        return int(answer.headers["Retry-After"])

    def entries(self, gateway):
        return gateway.call("GET", "/v1/ledger/export", host=True).body.decode().splitlines()

    def assert_entries(self, count, gateway, *texts):
        """An export ends with the newest checkpoint, which covers the newest entries a moment later."""
        eventually(lambda: sum(all(text in line for text in texts) for line in self.entries(gateway)) == count,
                   f"{count} entries with {texts}")


class SetUp(SignIn):
    def test_the_first_admin_comes_in_by_the_link_and_once(self):
        gateway = self.start()
        browser = Browser(gateway)
        self.assertEqual({"needed": True}, browser.call("GET", "/v1/setup").json)
        link = gateway.admin("POST", "/v1/setup/link")
        self.assertTrue(link["link_path"].startswith("/setup#csl_"))
        made = browser.set_up("root", link=link)
        self.assertEqual(201, made.status, made)
        self.assertEqual((True, "root"), (made.json["person"]["admin"], made.json["person"]["name"]))
        self.assertEqual({"needed": False}, browser.call("GET", "/v1/setup").json)
        self.assertTrue(browser.is_signed_in())
        self.assert_refused(Browser(gateway).set_up("mallory", link=link), 403, "setup_link_invalid")
        answer = gateway.call("POST", "/v1/setup/link", host=True)
        self.assert_refused(answer, 409, "already_set_up")
        secret = link["link_path"].split("#")[1]
        self.assertNotIn(secret, "\n".join(gateway.log + self.entries(gateway)))

    def test_a_link_is_good_for_fifteen_minutes_and_only_the_newest(self):
        gateway = self.start()
        former, link = gateway.admin("POST", "/v1/setup/link"), gateway.admin("POST", "/v1/setup/link")
        self.assert_refused(Browser(gateway).set_up("root", link=former), 403, "setup_link_invalid")
        gateway.advance(seconds=15 * 60)
        late = Browser(gateway).set_up("root", link=link)
        self.assert_refused(late, 403, "setup_link_invalid")
        self.assertIn("countersign admin setup-link", late.json["detail"])
        self.assertEqual(201, Browser(gateway).set_up("root").status)

    def test_two_at_once_make_one_admin(self):
        gateway = self.start()
        link = gateway.admin("POST", "/v1/setup/link")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            statuses = list(pool.map(lambda name: Browser(gateway).set_up(name, link=link).status, ("root", "mallory")))
        self.assertEqual([201, 403], sorted(statuses))
        self.assertEqual(1, len(gateway.admin("GET", "/v1/people")["people"]))

    def test_what_is_wrong_with_the_input_is_said_and_the_link_stays_good(self):
        gateway = self.start()
        link = gateway.admin("POST", "/v1/setup/link")
        short = Browser(gateway).set_up("root", password="short fake", link=link)
        self.assert_refused(short, 400, "password_too_short")
        self.assertEqual("/password", short.json["errors"][0]["pointer"])
        self.assert_refused(Browser(gateway).set_up("root", password="x" * 257, link=link), 400, "too_long")
        self.assert_refused(Browser(gateway).set_up("Root!", link=link), 400, "bad_name")
        self.assertEqual(201, Browser(gateway).set_up("root", password="x" * 256, link=link).status)

    def test_a_guessed_link_costs_no_hashing_and_is_noted(self):
        gateway = self.start()
        for _ in range(3):
            answer = Browser(gateway).call("POST", "/v1/setup", {"secret": "csl_" + "x" * 43, "name": "mallory", "password": FAKE_PASSWORD})
            self.assert_refused(answer, 403, "setup_link_invalid")
        gateway.advance(seconds=70)
        self.assert_entries(1, gateway, "refusals.noted", '"kind":"bad_link"', '"count":3')

    def test_the_command_line_prints_addresses_to_open(self):
        gateway = self.start(config="issuer: http://127.0.0.1:9/\n")
        def run(*words):
            return subprocess.run([str(support.gateway.BUILD / "countersign"), "admin", *words, "--socket", gateway.socket_path],
                                  capture_output=True, text=True, timeout=60)
        made = run("setup-link")
        self.assertRegex(made.stdout, r"^http://localhost:9/setup#csl_[\w-]{43}\n$")
        self.assertRegex(run("setup-link", "--url", "https://gate.example/").stdout, r"^https://gate\.example/setup#csl_[\w-]{43}\n$")
        gateway.admin("POST", "/v1/people", {"name": "dana"})
        self.assertRegex(run("enrol", "dana").stdout, r"^http://localhost:9/enrol#csl_[\w-]{43}\n$")
        missing = run("enrol", "nobody")
        self.assertEqual((1, ""), (missing.returncode, missing.stdout))
        self.assertIn("there is no person `nobody`", missing.stderr)


class Passwords(SignIn):
    def start_with_dana(self, **more):
        gateway = self.start(**more)
        gateway.admin("POST", "/v1/people", {"name": "dana", "groups": ["oncall"]})
        dana = Browser(gateway)
        self.assertEqual(201, dana.enrol("dana").status)
        return gateway, dana

    def test_a_person_signs_in_and_out(self):
        gateway, first = self.start_with_dana()
        dana = Browser(gateway)
        self.assertEqual(401, dana.call("GET", "/v1/session").status)
        self.assertEqual(201, dana.sign_in("dana").status)
        session = dana.call("GET", "/v1/session")
        self.assertEqual("no-store", session.headers["Cache-Control"])
        shown = session.json
        self.assertEqual({"csrf", "person", "tenant", "expires_at", "production", "gateway"}, set(shown))
        self.assertEqual({"id", "name", "display", "admin", "auditor", "groups"}, set(shown["person"]))
        self.assertEqual((["oncall"], False, "default"), (shown["person"]["groups"], shown["production"], shown["tenant"]))
        self.assertEqual({"version", "issuer"}, set(shown["gateway"]))
        kept = Browser(gateway)
        kept.cookie = dana.cookie
        ended = dana.call("DELETE", "/v1/session")
        self.assertEqual(204, ended.status)
        self.assertIsNone(dana.cookie)
        self.assertFalse(kept.is_signed_in())
        self.assertTrue(first.is_signed_in())
        self.assert_entries(2, gateway, '"type":"signin"', '"outcome":"in"', '"via":"session"')
        self.assert_entries(1, gateway, '"type":"signin"', '"outcome":"out"')

    def test_the_cookie_is_out_of_reach(self):
        gateway, _ = self.start_with_dana()
        cookie = Browser(gateway).sign_in("dana").headers["Set-Cookie"]
        self.assertRegex(cookie, r"^countersign-dev=css_[\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$")

    def test_a_wrong_name_takes_every_step_of_a_wrong_password(self):
        gateway, _ = self.start_with_dana()
        gateway.admin("POST", "/v1/people", {"name": "erin"})
        answers = []
        for name in ("dana", "erin", "nobody"):
            before = gateway.metric("countersign_password_checks_total")
            answer = Browser(gateway).sign_in(name, WRONG)
            self.assert_refused(answer, 401, "wrong_name_or_password")
            self.assertEqual(before + 1, gateway.metric("countersign_password_checks_total"))
            answers.append({key: value for key, value in answer.json.items() if key != "instance"})
            self.assertNotIn("Set-Cookie", answer.headers)
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0], answers[2])
        gateway.advance(seconds=70)
        self.assert_entries(1, gateway, "refusals.noted", '"kind":"bad_password"', '"count":3')

    def test_signing_in_again_is_another_session_and_ends_the_former(self):
        gateway, dana = self.start_with_dana()
        former = Browser(gateway)
        former.cookie, former.csrf = dana.cookie, dana.csrf
        self.assertEqual(201, dana.sign_in("dana").status)
        self.assertNotEqual((former.cookie, former.csrf), (dana.cookie, dana.csrf))
        self.assertFalse(former.is_signed_in())
        # A cookie that was planted before signing in is not taken up.
        planted = Browser(gateway)
        planted.cookie = "countersign-dev=css_" + "p" * 43
        self.assertEqual(201, planted.sign_in("dana").status)
        self.assertNotIn("pppp", planted.cookie)

    def test_wrong_passwords_are_slowed_without_locking_the_owner_out(self):
        gateway, dana = self.start_with_dana()
        self.assertEqual(201, dana.sign_in("dana").status)
        # Four from each address, so that it is the account's bucket that is empty for whoever never signed in from there.
        seconds = self.assert_slowed(20, 60, lambda number: Browser(gateway, f"127.0.{number // 4 + 1}.2").sign_in("dana", WRONG))
        self.assertIn(seconds, range(1, 11))
        self.assertEqual(201, Browser(gateway).sign_in("dana").status)  # where dana signed in before
        gateway.admin("POST", "/v1/people", {"name": "erin"})
        self.assertEqual(201, Browser(gateway, "127.0.1.2").enrol("erin").status)
        self.assertEqual(201, Browser(gateway, "127.0.99.2").sign_in("erin").status)  # others are not slowed
        gateway.advance(seconds=11)
        self.assertEqual(201, Browser(gateway, "127.0.99.2").sign_in("dana").status)  # from anywhere, a little later

    def test_five_wrong_ones_from_one_place_wait_and_a_right_one_clears(self):
        gateway, _ = self.start_with_dana()
        here = Browser(gateway, "127.0.2.2")
        checks = lambda: gateway.metric("countersign_password_checks_total")
        def wrong(number):
            before = checks()
            answer = here.sign_in("dana", WRONG)
            self.assertEqual(before + (answer.status != 429), checks())
            return answer
        self.assertIn(self.assert_slowed(5, 15, wrong), range(1, 21))
        gateway.advance(seconds=20)
        self.assertEqual(201, here.sign_in("dana").status)
        self.assert_slowed(5, 15, wrong)

    def test_a_flood_of_sign_ins_does_not_hold_up_decisions(self):
        gateway, dana = self.start_with_dana()
        key = gateway.add_caller()
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            flood = [pool.submit(Browser(gateway, f"127.1.{each}.2").sign_in, f"nobody{each}", WRONG) for each in range(24)]
            asked = gateway.submit(key)
            self.assertEqual(200, dana.vote(asked["id"]).status)
            self.assertFalse(all(each.done() for each in flood), "the flood was over before the vote")
            self.assertTrue({each.result().status for each in flood} <= {401, 429})

    def test_changing_the_password_ends_the_other_sessions(self):
        gateway, dana = self.start_with_dana()
        elsewhere = Browser(gateway)
        self.assertEqual(201, elsewhere.sign_in("dana").status)
        wrong = dana.call("POST", "/v1/session/password", {"old": WRONG, "new": "a new fake password"})
        self.assert_refused(wrong, 403, "wrong_password")
        self.assert_refused(dana.call("POST", "/v1/session/password", {"old": FAKE_PASSWORD, "new": "short"}), 400, "password_too_short")
        self.assertTrue(elsewhere.is_signed_in())
        self.assertEqual(204, dana.call("POST", "/v1/session/password", {"old": FAKE_PASSWORD, "new": "a new fake password"}).status)
        self.assertTrue(dana.is_signed_in())
        self.assertFalse(elsewhere.is_signed_in())
        self.assert_refused(elsewhere.sign_in("dana"), 401, "wrong_name_or_password")
        self.assertEqual(201, elsewhere.sign_in("dana", "a new fake password").status)

    def test_a_stolen_session_cannot_guess_the_password(self):
        gateway, dana = self.start_with_dana()
        body = {"old": WRONG, "new": "a new fake password"}
        self.assert_slowed(5, 15, lambda number: dana.call("POST", "/v1/session/password", body), "wrong_password", 403)
        self.assertEqual(201, Browser(gateway).sign_in("dana").status)

    def test_passwords_are_nowhere_but_hashed(self):
        gateway, dana = self.start_with_dana()
        gateway.stop()
        for path in gateway.folder.rglob("*"):
            if path.is_file() and path.name != "countersign.yaml":
                content = path.read_bytes()
                self.assertNotIn(FAKE_PASSWORD.encode(), content, path)
                self.assertNotIn(dana.cookie.split("=")[1].encode(), content, path)
        self.assertNotIn(FAKE_PASSWORD, "\n".join(gateway.log))
        gateway.start()
        self.assertTrue(dana.is_signed_in())  # sessions outlive a restart


class Enrolment(SignIn):
    def test_an_admin_lets_a_person_in_with_a_link(self):
        gateway = self.start()
        root = Browser(gateway)
        root.set_up("root")
        self.assertEqual(201, root.call("POST", "/v1/people", {"name": "dana", "groups": ["oncall"]}).status)
        made = root.call("POST", "/v1/people/dana/enrolment")
        self.assertEqual(201, made.status, made)
        self.assertTrue(made.json["link_path"].startswith("/enrol#csl_"))
        dana = Browser(gateway)
        self.assertEqual(201, dana.enrol("dana", link=made.json).status)
        self.assert_refused(Browser(gateway).enrol("dana", WRONG, link=made.json), 403, "enrolment_link_invalid")
        self.assert_refused(dana.call("POST", "/v1/people/root/enrolment"), 403, "not_allowed")
        late = root.call("POST", "/v1/people/dana/enrolment").json
        gateway.advance(seconds=24 * 3600)
        self.assert_refused(Browser(gateway).enrol("dana", link=late), 403, "enrolment_link_invalid")
        self.assert_entries(1, gateway, '"type":"token.disabled"', '"owner":"per_', '"via":"link"')

    def test_a_forgotten_password_is_replaced_and_sessions_end(self):
        gateway = self.start()
        gateway.admin("POST", "/v1/people", {"name": "dana"})
        dana, again = Browser(gateway), Browser(gateway)
        dana.enrol("dana")
        self.assertEqual(201, again.enrol("dana", "a new fake password").status)
        self.assertFalse(dana.is_signed_in())
        self.assert_refused(dana.sign_in("dana"), 401, "wrong_name_or_password")

    def test_a_disabled_person_is_out_at_once_and_cannot_come_back(self):
        gateway = self.start()
        gateway.admin("POST", "/v1/people", {"name": "dana", "groups": ["oncall"]})
        dana = Browser(gateway)
        dana.enrol("dana")
        link = gateway.admin("POST", "/v1/people/dana/enrolment")
        gateway.admin("POST", "/v1/people/dana/disable")
        self.assertFalse(dana.is_signed_in())
        self.assert_refused(dana.sign_in("dana"), 401, "wrong_name_or_password")
        self.assert_refused(Browser(gateway).enrol("dana", link=link), 403, "enrolment_link_invalid")


class Sessions(SignIn):
    def start_with_request(self, **more):
        gateway = self.start(**more)
        gateway.admin("POST", "/v1/people", {"name": "dana", "groups": ["oncall"]})
        dana = Browser(gateway)
        dana.enrol("dana")
        self.key = gateway.add_caller()
        return gateway, dana, gateway.submit(self.key)["id"]

    def state(self, gateway, request):
        return gateway.show(self.key, request)["state"]

    def test_a_vote_by_session_approves(self):
        gateway, dana, request = self.start_with_request()
        self.assertEqual(200, dana.vote(request).status)
        self.assertEqual("approved", self.state(gateway, request))
        self.assert_entries(1, gateway, '"type":"vote"', '"via":"session"', '"assurance":"session"')

    def test_without_the_token_of_this_session_nothing_happens(self):
        gateway, dana, request = self.start_with_request()
        gateway.admin("POST", "/v1/people", {"name": "erin", "groups": ["oncall"]})
        erin = Browser(gateway)
        erin.enrol("erin")
        for token in (None, "", "x", erin.csrf, dana.csrf[:-1], dana.csrf + "x"):
            self.assert_refused(dana.vote(request, x_csrf_token=token), 403, "csrf_mismatch")
        for method, path, body in (("DELETE", "/v1/session", None), ("POST", "/v1/people", {}), ("PUT", "/v1/callers/runner", {})):
            self.assert_refused(dana.call(method, path, body, x_csrf_token=erin.csrf), 403, "csrf_mismatch")
        self.assertEqual("pending", self.state(gateway, request))
        self.assertEqual(200, dana.vote(request).status)

    def test_another_site_cannot_post(self):
        gateway, dana, request = self.start_with_request()
        for origin in ("https://evil.example", "null", f"https://localhost:{gateway.port}", "http://localhost", f"http://127.0.0.1:{gateway.port}"):
            self.assert_refused(dana.vote(request, origin=origin), 403, "wrong_origin")
        for site in ("cross-site", "same-site", "none"):
            self.assert_refused(dana.vote(request, sec_fetch_site=site), 403, "wrong_origin")
        self.assertEqual("pending", self.state(gateway, request))
        # Nor sign somebody in as somebody else.
        forged = {"name": "dana", "password": FAKE_PASSWORD}
        stranger = Browser(gateway)
        self.assert_refused(stranger.call("POST", "/v1/session", forged, origin="https://evil.example"), 403, "wrong_origin")
        self.assert_refused(stranger.call("POST", "/v1/session", forged, sec_fetch_site="cross-site"), 403, "wrong_origin")
        form = stranger.call("POST", "/v1/session", forged, content_type="text/plain")
        self.assert_refused(form, 415, "unsupported_media_type")
        # A client that is no browser sends neither header.
        self.assertEqual(200, dana.vote(request, origin=None, sec_fetch_site=None).status)

    def test_an_authorization_header_is_what_counts_where_there_is_one(self):
        gateway, dana, request = self.start_with_request()
        refused = dana.call("GET", "/v1/session", authorization="Bearer cst_" + "x" * 43)
        self.assertEqual(401, refused.status)
        self.assert_refused(gateway.call("GET", "/v1/session", secret=self.key), 403, "not_allowed")
        token = gateway.admin("POST", "/v1/tokens", {"person": "dana"})["secret"]
        self.assertEqual(200, dana.vote(request, authorization=f"Bearer {token}", x_csrf_token=None, origin="https://tool.example").status)

    def test_a_session_that_ended_while_deciding_decides_nothing(self):
        gateway, dana, request = self.start_with_request()
        shown = dana.call("GET", f"/v1/requests/{request}").json
        body = {"vote": "approve", "revision": shown["revision"], "digest": shown["digest"]}
        elsewhere = Browser(gateway)
        elsewhere.sign_in("dana")
        elsewhere.call("POST", "/v1/session/password", {"old": FAKE_PASSWORD, "new": "a new fake password"})
        self.assert_refused(dana.call("POST", f"/v1/requests/{request}/votes", body), 401, "session_over")
        self.assertEqual("pending", self.state(gateway, request))
        gateway.admin("POST", "/v1/people/dana/disable")
        self.assert_refused(elsewhere.call("POST", f"/v1/requests/{request}/votes", body), 401, "session_over")
        self.assertEqual("pending", self.state(gateway, request))

    def test_disabling_after_the_vote_takes_it_back(self):
        gateway, dana, request = self.start_with_request()
        self.assertEqual(200, dana.vote(request).status)
        gateway.admin("POST", "/v1/people/dana/disable")
        shown = gateway.show(self.key, request)
        self.assertEqual("revoked", shown["grant"]["state"])

    def test_a_session_ends_unused_and_in_any_case(self):
        gateway, dana, _ = self.start_with_request()
        gateway.advance(seconds=29 * 60)
        self.assertTrue(dana.is_signed_in())
        # That use is remembered by a job of its own; the next read sees it.
        def stays():
            gateway.advance(seconds=1)
            return dana.is_signed_in() and self.touched(gateway)
        eventually(stays, "the use is remembered")
        gateway.advance(seconds=29 * 60)
        self.assertTrue(dana.is_signed_in())
        gateway.advance(seconds=31 * 60)
        self.assert_refused(dana.call("GET", "/v1/session"), 401, "session_over")

    def touched(self, gateway):
        with sqlite3.connect(f"file:{gateway.folder}/data/countersign.db?mode=ro", uri=True) as store:
            return store.execute("SELECT max(seen_at - created_at) FROM sessions").fetchone()[0] > 0

    def test_times_can_be_configured(self):
        gateway, dana, _ = self.start_with_request(config="timing: { session_idle: 5m, session_longest: 10m }\n")
        gateway.advance(seconds=5 * 60)
        self.assertFalse(dana.is_signed_in())

    def test_who_guesses_keys_next_door_does_not_stop_a_session(self):
        gateway, dana, request = self.start_with_request()
        for _ in range(61):
            gateway.call("GET", "/v1/me", secret="csk_" + "x" * 43)
        self.assertEqual(429, gateway.call("GET", "/v1/me", secret="csk_" + "x" * 43).status)
        self.assertEqual(200, dana.vote(request).status)

    def test_odd_cookies_are_nobody(self):
        gateway, dana, _ = self.start_with_request()
        for cookie in (f"{dana.cookie}; {dana.cookie}", dana.cookie + "x", "countersign-dev=", "__Host-" + dana.cookie, "a=b"):
            self.assertEqual(401, dana.call("GET", "/v1/session", cookie=cookie).status, cookie)
        self.assertEqual(200, dana.call("GET", "/v1/session", cookie=f"theme=dark; {dana.cookie}; other=1").status)


class Listeners(SignIn):
    def with_listener(self, listener):
        gateway = Gateway()
        self.addCleanup(gateway.__exit__, None, None, None)
        write = gateway.write_config
        def changed():
            write()
            file = pathlib.Path(gateway.folder) / "countersign.yaml"
            file.write_text(file.read_text().replace("{ address: 127.0.0.1, port: 0 }", listener.format(gateway.folder)))
        gateway.write_config = changed
        return gateway

    def test_plain_http_beyond_this_machine_takes_no_password(self):
        gateway = self.with_listener("{{ address: 0.0.0.0, port: 0 }}").start()
        self.assert_refused(Browser(gateway).set_up("root"), 403, "plain_http")
        self.assert_refused(Browser(gateway).sign_in("root"), 403, "plain_http")

    def test_a_port_published_on_this_machine_does(self):
        gateway = self.with_listener("{{ address: 0.0.0.0, port: 0, reached_by: this_machine }}").start()
        made = Browser(gateway).set_up("root")
        self.assertEqual((201, False), (made.status, made.json["production"]))

    def test_behind_a_proxy_that_ends_tls_the_cookie_is_bound_to_the_host(self):
        gateway = self.with_listener("{{ address: 127.0.0.1, port: 0, reached_by: tls_proxy }}").start()
        browser = Browser(gateway, host="gate.example")
        body = {"secret": gateway.admin("POST", "/v1/setup/link")["link_path"].split("#")[1], "name": "root", "password": FAKE_PASSWORD}
        self.assert_refused(browser.call("POST", "/v1/setup", body), 403, "wrong_origin")
        made = browser.call("POST", "/v1/setup", body, origin=f"https://{browser.authority}")
        self.assertEqual((201, True), (made.status, made.json["production"]), made)
        self.assertTrue(browser.is_signed_in())

    def test_behind_a_proxy_each_client_has_its_own_attempts(self):
        gateway = self.with_listener("{{ address: 127.0.0.1, port: 0, reached_by: tls_proxy }}").start()
        browser = Browser(gateway)
        def sign_in(forwarded):
            body = {"name": "dana", "password": WRONG}
            return browser.call("POST", "/v1/session", body, origin=None, x_forwarded_for=forwarded)
        # The proxy adds at the end; what a client claims before that is nothing.
        self.assert_slowed(5, 15, lambda number: sign_in(f"192.0.2.{number}, 198.51.100.1"))
        self.assertEqual(401, sign_in("198.51.100.2").status)
        self.assert_slowed(5, 15, lambda number: sign_in(f"2001:db8:1::{number}"))  # one /64 is one
        self.assertEqual(401, sign_in("2001:db8:1:1::1").status)
        self.assertEqual(401, sign_in("not an address").status)
        self.assertEqual(403, browser.call("GET", "/metrics", x_forwarded_for="198.51.100.1").status)
        self.assertEqual(200, browser.call("GET", "/metrics", x_forwarded_for=None).status)

    def test_without_a_proxy_nobody_chooses_their_address(self):
        gateway = self.start()
        browser = Browser(gateway)
        body = {"name": "dana", "password": WRONG}
        self.assert_slowed(5, 15, lambda number: browser.call("POST", "/v1/session", body, x_forwarded_for=f"192.0.2.{number}"))

    def test_a_wrong_word_is_refused_at_start(self):
        gateway = self.with_listener("{{ address: 127.0.0.1, port: 0, reached_by: magic }}")
        with self.assertRaisesRegex(AssertionError, "countersign.yaml:3:.*tls_proxy"):
            gateway.start()
        self.assertEqual(78, gateway.stop())

    @unittest.skipUnless(shutil.which("openssl"), "the openssl command is not installed")
    def test_over_tls_the_cookie_is_secure_and_bound_to_the_host(self):
        gateway = self.with_listener("{{ address: 127.0.0.1, port: 0, tls: {{ certificate: {0}/server.pem, key: {0}/server.key }} }}")
        make_certificates(gateway.folder)
        gateway.start()
        context = ssl.create_default_context(cafile=str(gateway.folder / "ca.pem"))
        def call(method, path, body=None, **headers):
            connection = http.client.HTTPSConnection("127.0.0.1", gateway.port, context=context, timeout=60)
            connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            answer = response.status, response.headers, response.read()
            connection.close()
            return answer
        secret = gateway.admin("POST", "/v1/setup/link")["link_path"].split("#")[1]
        body = {"secret": secret, "name": "root", "password": FAKE_PASSWORD}
        self.assertEqual(403, call("POST", "/v1/setup", body, Origin=f"http://127.0.0.1:{gateway.port}")[0])
        status, headers, made = call("POST", "/v1/setup", body, Origin=f"https://127.0.0.1:{gateway.port}")
        self.assertEqual(201, status, made)
        self.assertRegex(headers["Set-Cookie"], r"^__Host-countersign=css_[\w-]{43}; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Strict$")
        self.assertTrue(json.loads(made)["production"])
        cookie = headers["Set-Cookie"].split(";")[0]
        self.assertEqual(200, call("GET", "/v1/session", Cookie=cookie)[0])
        self.assertEqual(401, call("GET", "/v1/session", Cookie=cookie.replace("__Host-countersign", "countersign-dev"))[0])


if __name__ == "__main__":
    unittest.main()
