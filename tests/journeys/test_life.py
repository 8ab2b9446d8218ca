"""The life of a request through the real door: asked, decided, redeemed, proved; and every other way it can end."""
import concurrent.futures
import threading
import time
import unittest

from support.gateway import POLICY, Gateway, eventually


class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway().start()
        cls.dana = cls.gateway.add_person("dana", ["oncall", "finance"])
        cls.erik = cls.gateway.add_person("erik", ["finance"])
        cls.omar = cls.gateway.add_person("omar", ["oncall"])
        cls.alice = cls.gateway.add_person("alice", ["oncall"])
        cls.admin = cls.gateway.add_person("root", admin=True)
        cls.key = cls.gateway.add_caller(owner="omar")
        cls.other = cls.gateway.add_caller("other", agents=["bot"])
        cls.serial = 0

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None, None, None)

    def ask(self, **more):
        """A request no other test repeats."""
        type(self).serial += 1
        return self.gateway.submit(self.key, args={"amount": 125, "serial": self.serial}, **more)

    def test_a_request_that_policy_allows_is_approved_at_once_with_a_token(self):
        shown = self.gateway.submit(self.key, action="orders.get", want=(201,))
        self.assertEqual(("approved", "policy_allow"), (shown["state"], shown["reason"]))
        self.assertTrue(shown["grant"]["token"])

    def test_what_a_submission_answers_is_what_reading_it_answers(self):
        shown = self.gateway.submit(self.key, action="orders.get", resource="order/17", args={"limit": 1}, reason="to look",
                                    context={"ticket": "T-1"}, want=(201,))
        again = self.gateway.show(self.key, shown["id"])
        for each in (shown, again):
            each["grant"].pop("token")
            each["grant"].pop("token_expires_at")
        self.assertEqual(shown, again)

    def test_a_request_that_policy_denies_says_so_and_why(self):
        shown = self.gateway.submit(self.key, action="payroll.get", resource="payroll/2026", want=(201,))
        self.assertEqual(("denied", "policy_deny"), (shown["state"], shown["reason"]))
        self.assertEqual("Payroll is changed by people only.", shown["message"])
        self.assertNotIn("grant", shown)

    def test_a_blocked_call_is_answered_by_the_approval_and_its_grant_redeems_once(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            type(self).serial += 1
            args = {"amount": 125, "serial": self.serial}
            waiting = pool.submit(self.gateway.submit, self.key, args=args, wait=60, want=(200,))
            inbox = eventually(lambda: [r for r in self.gateway.ok("GET", "/v1/requests?inbox=true", secret=self.dana)["requests"]
                                        if r["action"]["properties"]["args"] == args], "it reaches the inbox")
            self.assertFalse(waiting.done())
            self.gateway.vote(self.dana, inbox[0]["id"], reason="looks right")
            shown = waiting.result(20)
        self.assertEqual(("approved", "approved_by_people"), (shown["state"], shown["reason"]))
        redeemed = self.gateway.redeem(self.key, shown)
        self.assertGreater(redeemed["fence"], 2**40)
        again = self.gateway.redeem(self.key, shown, want=(409,))
        self.assertEqual(("already_redeemed", True, redeemed["fence"]), (again["code"], again["yours"], again["fence"]))
        effect = self.gateway.ok("POST", f"/v1/grants/{redeemed['grant']}/effect", {"effect": "succeeded"}, self.key)
        self.assertEqual("succeeded", effect["state"])

    def test_a_person_who_says_no_is_told_apart_from_nobody_answering(self):
        asked = self.ask()
        self.assertEqual("denied", self.gateway.vote(self.dana, asked["id"], "deny", reason="wrong order")["state"])
        shown = self.gateway.show(self.key, asked["id"])
        self.assertEqual(("denied", "denied_by_person", "wrong order"), (shown["state"], shown["reason"], shown["votes"][0]["reason"]))

    def test_asking_again_right_after_a_denial_is_denied_at_once(self):
        asked = self.ask()
        self.gateway.vote(self.dana, asked["id"], "deny")
        again = self.gateway.submit(self.key, args={"amount": 125, "serial": self.serial}, want=(201,))
        self.assertEqual(("denied", "recently_denied"), (again["state"], again["reason"]))

    def test_two_of_finance_means_two_people(self):
        asked = self.ask(action="payments.transfer", resource="account/1")
        self.assertEqual(("pending", 1), tuple(self.gateway.vote(self.dana, asked["id"])[k] for k in ("state", "missing")))
        self.assertEqual("unchanged", self.gateway.vote(self.dana, asked["id"])["outcome"])
        self.assertEqual("approved", self.gateway.vote(self.erik, asked["id"])["state"])

    def test_the_owner_and_the_subject_may_not_approve_but_may_deny(self):
        asked = self.ask()
        for token in (self.omar, self.alice):
            refused = self.gateway.vote(token, asked["id"], want=(403,))
            self.assertIn("may not approve", refused["detail"])
        self.assertEqual("denied", self.gateway.vote(self.omar, asked["id"], "deny")["state"])

    def test_who_was_not_asked_cannot_tell_a_request_from_one_that_does_not_exist(self):
        asked = self.ask()
        hidden = self.gateway.call("GET", f"/v1/requests/{asked['id']}", secret=self.erik)
        missing = self.gateway.call("GET", f"/v1/requests/{asked['id'][:-1]}z", secret=self.erik)
        self.assertEqual((404, 404), (hidden.status, missing.status))
        self.assertEqual(hidden.json["detail"], missing.json["detail"])
        self.assertEqual(404, self.gateway.call("GET", f"/v1/requests/{asked['id']}", secret=self.other).status)

    def test_a_vote_for_something_else_than_was_shown_is_refused(self):
        asked = self.ask()
        shown = self.gateway.show(self.dana, asked["id"])
        shown["digest"] = "0" * 64
        refused = self.gateway.vote(self.dana, asked["id"], shown=shown, want=(409,))
        self.assertEqual("digest_mismatch", refused["code"])
        self.assertEqual("pending", self.gateway.show(self.key, asked["id"])["state"])

    def test_a_late_vote_is_recorded_and_changes_nothing(self):
        asked = self.ask()
        shown = self.gateway.show(self.dana, asked["id"])
        self.gateway.ok("POST", f"/v1/requests/{asked['id']}/cancel", {}, self.key)
        late = self.gateway.vote(self.dana, asked["id"], shown=shown)
        self.assertEqual(("late", "cancelled"), (late["outcome"], late["state"]))
        self.assertEqual("withdrawn", self.gateway.show(self.key, asked["id"])["reason"])

    def test_a_retry_with_the_same_key_is_the_same_request(self):
        headers = {"Idempotency-Key": f'"try-{time.monotonic_ns()}"'}
        first = self.ask(headers=headers)
        again = self.gateway.submit(self.key, args={"amount": 125, "serial": self.serial}, headers=headers)
        self.assertEqual(first["id"], again["id"])
        refused = self.gateway.submit(self.key, args={"amount": 126}, headers=headers, want=(422,))
        self.assertEqual("idempotency_mismatch", refused["code"])

    def test_a_retry_without_a_key_attaches_to_what_is_pending(self):
        first = self.ask()
        again = self.gateway.submit(self.key, args={"amount": 125, "serial": self.serial})
        self.assertEqual(first["id"], again["id"])

    def test_a_wait_that_is_over_says_where_to_continue(self):
        asked = self.ask()
        answer = self.gateway.call("GET", f"/v1/requests/{asked['id']}", secret=self.key, headers={"Prefer": "wait=1"})
        self.assertEqual((202, "wait"), (answer.status, answer.headers["Preference-Applied"]))
        self.assertEqual(f"/v1/requests/{asked['id']}", answer.headers["Location"])

    def test_a_caller_that_hangs_up_loses_nothing(self):
        type(self).serial += 1
        connection = self.gateway.connection()
        connection.request("POST", "/v1/requests", '{"subject":{"type":"user","id":"alice"},"resource":{"type":"order","id":"9"},'
                           f'"action":{{"name":"payments.refund","properties":{{"args":{{"serial":{self.serial}}}}}}}}}',
                           {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}", "Prefer": "wait=60"})
        found = eventually(lambda: [r for r in self.gateway.ok("GET", "/v1/requests?inbox=true", secret=self.dana)["requests"]
                                    if r["action"]["properties"]["args"] == {"serial": self.serial}], "it is there")
        connection.close()
        self.gateway.vote(self.dana, found[0]["id"])
        self.assertEqual("approved", self.gateway.show(self.key, found[0]["id"])["state"])

    def test_only_the_newest_token_redeems(self):
        old = self.gateway.submit(self.key, action="orders.get", resource="order/11")
        new = self.gateway.show(self.key, old["id"])
        refused = self.gateway.redeem(self.key, old, want=(409,))
        self.assertEqual("superseded_token", refused["code"])
        self.gateway.redeem(self.key, new)

    def test_other_arguments_than_approved_do_not_redeem(self):
        shown = self.gateway.submit(self.key, action="orders.get", resource="order/12", args={"limit": 1})
        refused = self.gateway.redeem(self.key, shown, args={"limit": 2}, want=(403,))
        self.assertEqual("args_mismatch", refused["code"])
        self.gateway.redeem(self.key, shown)

    def test_another_caller_cannot_redeem_or_even_see_it(self):
        shown = self.gateway.submit(self.key, action="orders.get", resource="order/13")
        refused = self.gateway.redeem(self.other, shown, want=(403,))
        self.assertEqual("wrong_audience", refused["code"])

    def test_a_thousand_tries_redeem_one_grant_once(self):
        shown = self.gateway.submit(self.key, action="orders.get", resource="order/14")
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: self.gateway.call(
                "POST", "/v1/grants/redeem", {"token": shown["grant"]["token"], "action": shown["action"], "resource": shown["resource"]},
                self.key).status, range(200)))
        self.assertEqual(1, answers.count(200))
        self.assertEqual(199, answers.count(409))

    def test_while_an_effect_is_open_the_same_action_needs_a_person(self):
        first = self.gateway.submit(self.key, action="orders.get", resource="order/15")
        redeemed = self.gateway.redeem(self.key, first)
        again = self.gateway.submit(self.key, action="orders.get", resource="order/15", want=(202,))
        self.assertEqual(redeemed["grant"], again["open_effect_of"])
        self.gateway.ok("POST", f"/v1/grants/{redeemed['grant']}/effect", {"effect": "unknown"}, self.key)
        settle = ("POST", f"/v1/grants/{redeemed['grant']}/resolve", {"effect": "failed"})
        self.gateway.ok(*settle, self.erik, want=(404,))
        self.assertEqual("failed", self.gateway.ok(*settle, self.admin)["state"])
        self.assertEqual("approved", self.gateway.submit(self.key, action="orders.get", resource="order/15", args={"n": 2})["state"])

    def test_revoking_ends_a_grant_before_its_use(self):
        shown = self.gateway.submit(self.key, action="orders.get", resource="order/16")
        self.gateway.ok("POST", f"/v1/grants/{shown['grant']['id']}/revoke", {"reason": "not needed"}, self.key)
        self.assertEqual("revoked", self.gateway.redeem(self.key, shown, want=(409,))["code"])

    def test_every_state_change_is_an_entry_of_the_timeline(self):
        asked = self.ask()
        self.gateway.vote(self.dana, asked["id"])
        self.gateway.redeem(self.key, self.gateway.show(self.key, asked["id"]))
        types = [entry["type"] for entry in self.gateway.ok("GET", f"/v1/requests/{asked['id']}/entries", secret=self.dana)["entries"]]
        for wanted in ("request.submitted", "policy.decided", "vote", "request.approved", "grant.issued", "grant.minted", "grant.redeemed"):
            self.assertIn(wanted, types)

    def test_a_disabled_key_is_refused_from_the_next_call_on(self):
        key = self.gateway.add_caller(f"short-{time.monotonic_ns()}")
        self.assertEqual("caller", self.gateway.ok("GET", "/v1/me", secret=key)["kind"])
        listed = self.gateway.admin("GET", "/v1/credentials")["credentials"]
        newest = max(listed, key=lambda c: c["created_at"])
        self.gateway.admin("POST", f"/v1/credentials/{newest['id']}/disable")
        answer = self.gateway.call("GET", "/v1/me", secret=key)
        self.assertEqual((401, 'Bearer realm="countersign"'), (answer.status, answer.headers["WWW-Authenticate"]))


class Freeze(unittest.TestCase):
    def test_a_freeze_denies_refuses_and_revokes_until_thawed(self):
        with Gateway() as gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            pending = gateway.submit(key)
            allowed = gateway.submit(key, action="orders.get")
            freeze = gateway.admin("POST", "/v1/freezes", {"scope": "everything", "reason": "something is wrong"})
            self.assertEqual("frozen", gateway.submit(key, args={"n": 2}, want=(201,))["reason"])
            self.assertEqual("frozen", gateway.redeem(key, allowed, want=(403,))["code"])
            refused = gateway.vote(dana, pending["id"], want=(403, 409))
            self.assertIn("fr", refused["code"])
            gateway.admin("POST", f"/v1/freezes/{freeze['id']}/thaw")
            self.assertEqual("approved", gateway.vote(dana, pending["id"])["state"])
            shown = gateway.show(key, allowed["id"])
            self.assertNotIn("token", shown["grant"])


class Time(unittest.TestCase):
    def test_nobody_answering_expires_and_a_vote_after_that_is_late(self):
        with Gateway() as gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key)
            shown = gateway.show(dana, asked["id"])
            gateway.advance(16 * 60)
            self.assertEqual("late", gateway.vote(dana, asked["id"], shown=shown)["outcome"])
            ended = gateway.show(key, asked["id"])
            self.assertEqual(("expired", "timed_out"), (ended["state"], ended["reason"]))

    def test_a_waiter_is_told_of_the_expiry_by_itself(self):
        with Gateway() as gateway, concurrent.futures.ThreadPoolExecutor() as pool:
            gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            waiting = pool.submit(gateway.submit, key, wait=60, want=(200,))
            eventually(lambda: gateway.metric("countersign_waiters_parked"), "it waits")
            gateway.advance(16 * 60, boot=0)
            self.assertEqual("timed_out", waiting.result(20)["reason"])

    def test_a_grant_that_is_not_claimed_lapses_and_an_old_token_expires(self):
        with Gateway() as gateway:
            key = gateway.add_caller()
            shown = gateway.submit(key, action="orders.get")
            gateway.advance(61)
            self.assertEqual("expired", gateway.redeem(key, shown, want=(409,))["code"])
            fresh = gateway.show(key, shown["id"])
            gateway.advance(16 * 60)
            self.assertIn(gateway.redeem(key, fresh, want=(409,))["code"], ("lapsed", "expired"))
            eventually(lambda: gateway.show(key, shown["id"])["grant"]["state"] == "lapsed", "it lapses by itself")

    def test_a_clock_that_steps_back_revives_nothing(self):
        with Gateway() as gateway:
            key = gateway.add_caller()
            shown = gateway.submit(key, action="orders.get")
            gateway.advance(120)
            self.assertEqual("expired", gateway.redeem(key, shown, want=(409,))["code"])
            gateway.advance(-3600, boot=0)
            self.assertEqual("expired", gateway.redeem(key, shown, want=(409,))["code"])

    def test_an_effect_nobody_reports_becomes_unknown(self):
        with Gateway() as gateway:
            key = gateway.add_caller()
            shown = gateway.submit(key, action="orders.get")
            gateway.redeem(key, shown)
            gateway.advance(16 * 60)
            eventually(lambda: gateway.show(key, shown["id"])["grant"]["state"] == "unknown", "it becomes unknown")

    def test_a_frozen_clock_stops(self):
        with Gateway() as gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key)
            freeze = gateway.admin("POST", "/v1/freezes", {"scope": "tenant", "reason": "lunch"})
            gateway.advance(3600)
            self.assertTrue(gateway.show(key, asked["id"])["frozen"])
            gateway.admin("POST", f"/v1/freezes/{freeze['id']}/thaw")
            self.assertEqual("approved", gateway.vote(dana, asked["id"])["state"])


class Restart(unittest.TestCase):
    def test_everything_pending_survives_a_restart_and_a_kill(self):
        gateway = Gateway()
        with gateway:
            dana = gateway.add_person("dana", ["oncall", "finance"])
            erik = gateway.add_person("erik", ["finance"])
            key = gateway.add_caller()
            asked = gateway.submit(key, action="payments.transfer", resource="account/1")
            gateway.vote(dana, asked["id"])
            gateway.restart()
            self.assertEqual("pending", gateway.show(key, asked["id"])["state"])
            gateway.kill()
            gateway.start()
            self.assertEqual("approved", gateway.vote(erik, asked["id"])["state"])
            shown = gateway.show(key, asked["id"])
            gateway.redeem(key, shown)
            gateway.kill()
            gateway.start()
            self.assertEqual("already_redeemed", gateway.redeem(key, shown, want=(409,))["code"])

    def test_term_answers_those_who_wait_and_ends_with_zero(self):
        with Gateway() as gateway, concurrent.futures.ThreadPoolExecutor() as pool:
            gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            waiting = pool.submit(gateway.submit, key, wait=60, want=(202,))
            eventually(lambda: gateway.metric("countersign_waiters_parked"), "it waits")
            self.assertEqual(0, gateway.stop())
            self.assertEqual("pending", waiting.result(10)["state"])
            gateway.start()
            self.assertEqual("pending", gateway.show(key, waiting.result()["id"])["state"])


class Rollback(unittest.TestCase):
    def test_an_old_copy_of_the_store_put_back_is_noticed_and_nothing_is_good_until_recovered(self):
        import shutil
        gateway = Gateway()
        with gateway:
            key = gateway.add_caller()
            shown = gateway.submit(key, action="orders.get")
            gateway.stop()
            shutil.copytree(gateway.folder / "data", gateway.folder / "copy", ignore=lambda *_: ["admin.sock"])
            gateway.start()
            shown = gateway.show(key, shown["id"])
            gateway.redeem(key, shown)
            gateway.stop()
            shutil.rmtree(gateway.folder / "data")
            shutil.copytree(gateway.folder / "copy", gateway.folder / "data")
            gateway.start()
            self.assertIsNotNone(gateway.logged("store_rolled_back"))
            self.assertEqual(401, gateway.call("GET", "/v1/me", secret=key).status)
            answer = gateway.admin("POST", "/v1/recover", {"reason": "restored by mistake", "trust_credentials": True})
            self.assertGreaterEqual(answer["credentials_enabled"], 1)
            refused = gateway.redeem(key, shown, want=(403, 409))
            self.assertIn(refused["code"], ("frozen", "revoked"))
            self.assertEqual("revoked", gateway.show(key, shown["id"])["grant"]["state"])
            self.assertEqual("approved", gateway.submit(key, action="orders.get", resource="order/2")["state"])


class Reload(unittest.TestCase):
    def test_a_broken_reload_keeps_the_old_policy_and_says_so(self):
        import signal
        with Gateway() as gateway:
            key = gateway.add_caller()
            (gateway.folder / "policy" / "policy.yaml").write_text(POLICY + "  - name: broken\n    matsch: all\n")
            gateway.process.send_signal(signal.SIGHUP)
            failed = eventually(lambda: gateway.logged("policy_reload_failed"), "it says so")
            self.assertEqual(POLICY.count("\n") + 2, failed["line"])
            self.assertEqual(1, gateway.metric("countersign_policy_stale"))
            self.assertEqual("approved", gateway.submit(key, action="orders.get")["state"])

    def test_a_published_policy_is_asked_again_about_what_is_pending(self):
        with Gateway() as gateway:
            dana = gateway.add_person("dana", ["oncall"])
            key = gateway.add_caller()
            asked = gateway.submit(key)
            (gateway.folder / "policy" / "policy.yaml").write_text(
                POLICY + "  - name: no-refunds-today\n    match: { action: payments.refund }\n    verdict: deny\n")
            self.assertTrue(gateway.admin("POST", "/v1/policies/reload")["changed"])
            eventually(lambda: gateway.show(key, asked["id"])["state"] == "denied", "the new deny ends it")
            self.assertEqual("policy_deny", gateway.show(key, asked["id"])["reason"])
            self.assertFalse(gateway.admin("POST", "/v1/policies/reload")["changed"])

    def test_a_grant_the_policy_no_longer_permits_does_not_redeem(self):
        with Gateway() as gateway:
            key = gateway.add_caller()
            shown = gateway.submit(key, action="orders.get")
            (gateway.folder / "policy" / "policy.yaml").write_text(
                POLICY + "  - name: no-reading-today\n    match: { action: orders.get }\n    verdict: deny\n")
            gateway.admin("POST", "/v1/policies/reload")
            self.assertEqual("policy_changed", gateway.redeem(key, shown, want=(403,))["code"])
