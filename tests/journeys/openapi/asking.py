"""Requests, grants and the ledger, policy, freezes: every answer of theirs."""
import concurrent.futures
import time

from journeys.openapi.book import Cast, Recorded
from support.gateway import POLICY

# Redeemed by another than who asked.
SHARED = """
  - name: shipping
    match: { action: stock.ship }
    verdict: allow
    grant: { audience: [payments] }
"""


class Asking:
    def test_2_the_life_of_a_request(self):
        with Recorded(self.book, policy=POLICY + SHARED) as gateway:
            cast = Cast(gateway)
            auditor = gateway.add_person("erik", auditor=True)
            other = gateway.add_caller("payer", agents=["pay-bot"], audiences=["payments"])
            key = cast.key
            pending = gateway.submit(key, headers={"Idempotency-Key": "one", "X-Request-ID": "mine-1"}, want=(202,), context={"n": 1})
            self.assertEqual([], self.description.faults(pending, {"$ref": "#/components/schemas/Request"}))
            gateway.submit(key, args={"other": 1}, headers={"Idempotency-Key": "one"}, want=(422,))
            gateway.submit(key, agent="nobody", want=(403,))
            path = f"/v1/requests/{pending['id']}"
            gateway.call("GET", path, secret=key, headers={"Prefer": "wait=1"})
            gateway.call("GET", path, secret=cast.dana)
            for what in ("receipt", "entries"):
                gateway.call("GET", f"{path}/{what}", secret=key)
            vote = {"vote": "approve", "revision": 1, "digest": pending["digest"]}
            gateway.ok("POST", path + "/votes", vote, key, want=(403,))
            gateway.ok("POST", path + "/votes", {**vote, "digest": "0" * 64}, cast.dana, want=(409,))
            gateway.ok("POST", path + "/cancel", {}, cast.dana, want=(403,))
            gateway.ok("POST", path + "/votes", {**vote, "reason": "looks right"}, cast.dana)
            shown = gateway.show(key, pending["id"])
            grant = f"/v1/grants/{shown['grant']['id']}"
            gateway.call("GET", grant + "/receipt", secret=key)
            gateway.ok("POST", grant + "/effect", {"effect": "succeeded"}, key, want=(404, 403, 409))
            gateway.ok("POST", grant + "/revoke", None, auditor, want=(403,))
            gateway.redeem(key, shown, args={"amount": 126}, want=(403,))
            gateway.redeem(cast.dana, shown, want=(403,))
            gateway.redeem(key, shown, token="no.such.token", want=(404,))
            redeemed = gateway.redeem(key, shown)
            gateway.redeem(key, shown, want=(409,))
            gateway.ok("POST", grant + "/revoke", {}, key, want=(409,))
            gateway.ok("POST", grant + "/resolve", {"effect": "failed"}, cast.dana, want=(409,))
            gateway.ok("POST", grant + "/resolve", {"effect": "failed"}, key, want=(403,))
            gateway.ok("POST", grant + "/effect", {"effect": "unknown", "summary": "no answer"}, key)
            gateway.ok("POST", grant + "/effect", {"effect": "failed"}, key, want=(409,))
            gateway.ok("POST", grant + "/resolve", {"effect": "succeeded"}, cast.dana)
            gateway.show(key, pending["id"])
            # For another redeemer: who asked knows of the grant, but does not report.
            shared = gateway.submit(key, action="stock.ship", audience="payments", want=(201,))
            gateway.redeem(other, shared)
            gateway.ok("POST", f"/v1/grants/{shared['grant']['id']}/effect", {"effect": "succeeded"}, cast.key, want=(403,))
            gateway.ok("POST", f"/v1/grants/{shared['grant']['id']}/effect", {"effect": "succeeded"}, other)
            self.ask_and_withdraw(gateway, cast)
            self.mint_too_often(gateway, cast)
            gateway.advance(2)
            for what in (path + "/receipt", grant + "/receipt"):
                self.eventually_200(gateway, what, key)
            for what in ("/v1/ledger/consistency", "/v1/ledger/checkpoint", "/v1/ledger/export", "/v1/requests?limit=2", "/v1/requests?inbox=true"):
                gateway.ok_text(what, cast.admin)
            for given in ({"secret": key}, {"secret": cast.dana}, {"host": True}):
                gateway.call("GET", "/v1/me", **given)

    def test_2_the_ledger_is_not_for_who_has_yet_to_vote(self):
        critical = POLICY + """  - name: wipe
    match: { action: disk.wipe }
    verdict: require_approval
    risk: critical
    approval: { groups: [oncall], assurance: session, timeout: 1h }
"""
        with Recorded(self.book, policy=critical) as gateway:
            cast = Cast(gateway)
            gateway.admin("POST", "/v1/groups/oncall/members", {"person": "root"})
            gateway.submit(cast.key, action="disk.wipe", want=(202,))
            self.assertEqual("vote_first", gateway.ok("GET", "/v1/ledger/export", None, cast.admin, want=(409,))["code"])

    def test_2_who_looks_at_it(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            asked = gateway.submit(cast.key, want=(202,))
            path = f"/v1/requests/{asked['id']}"
            shown = {"revision": 1, "digest": asked["digest"]}
            gateway.ok("POST", path + "/views", {**shown, "digest": "0" * 64}, cast.dana, want=(409,))
            at = gateway.ok("POST", path + "/views", shown, cast.dana)["viewed_at"]
            until = gateway.ok("POST", path + "/watch", None, cast.dana)["until"]
            seen = gateway.show(cast.dana, asked["id"])
            self.assertEqual((at, until), (seen["dwell"]["viewed_at"], seen["watching"][0]["until"]))
            gateway.ok("POST", path + "/watch", None, cast.admin, want=(403,))
            gateway.ok("POST", path + "/views", shown, cast.key, want=(403,))
            self.assertEqual({}, gateway.ok("DELETE", path + "/watch", None, cast.dana))
            gateway.vote(cast.dana, asked["id"], "deny")
            gateway.ok("POST", path + "/watch", None, cast.dana, want=(409,))
            self.assertEqual({"limit": 6, "used": 1}, gateway.ok("GET", "/v1/requests", None, cast.dana)["budget"])
            own = gateway.ok("GET", "/v1/insights?days=1", None, cast.dana)
            self.assertEqual(("dana", 1, 0), tuple(own["people"][0][k] for k in ("person", "denials", "unseen")))
            self.assertEqual(1, gateway.ok("GET", "/v1/insights", None, cast.admin)["requests"]["denied"])

    def test_2_comments(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            path = f"/v1/requests/{gateway.submit(cast.key, want=(202,))['id']}"
            gateway.ok("POST", path + "/comments", {"text": "May I?"}, cast.key, want=(409,))
            gateway.ok("POST", path + "/comments", {"text": "Why?"}, cast.admin, want=(403,))
            gateway.ok("POST", path + "/comments", {"text": "Why?"}, cast.dana)
            self.assertEqual("Why?", gateway.ok("GET", path, None, cast.key)["question"]["text"])
            gateway.ok("POST", path + "/comments", {"text": "Because."}, cast.key)
            self.assertEqual(["person", "agent"], [c["by"] for c in gateway.ok("GET", path + "/comments", None, cast.dana)["comments"]])

    def test_2_policies(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            asked = gateway.submit(cast.key, want=(202,))
            page = gateway.ok("GET", "/v1/policies", None, cast.admin)
            version = page["in_force"]
            gateway.ok("GET", f"/v1/policies/versions/{version}", None, cast.admin)
            gateway.ok("GET", "/v1/policies/versions/in-force", None, cast.admin)
            gateway.ok("POST", "/v1/policies/check", {"files": {"a.yaml": "version: 1\n"}}, cast.admin)
            gateway.ok("POST", "/v1/policies/check", {"files": {"a.yaml": "version: 1\nrulez: []\n"}}, cast.admin)
            what = {"subject": {"type": "user", "id": "sam"}, "action": {"name": "payments.refund"}, "resource": {"type": "order", "id": "1"}}
            gateway.ok("POST", "/v1/policies/simulate", what, cast.admin)
            gateway.ok("POST", "/v1/policies/simulate", {**what, "version": version, "files": {"a.yaml": "version: 1\n"}}, cast.admin, want=(400,))
            gateway.ok("POST", "/v1/policies/explain", {"request": asked["id"]}, cast.admin)
            for files in (None, {"a.yaml": POLICY}):
                answer = gateway.call("POST", "/v1/policies/replay", {"files": files} if files else {}, secret=cast.admin)
                self.assertEqual(200, answer.status)
            for path in ("simulate", "replay", "explain"):
                body = {**(what if path == "simulate" else {"request": asked["id"]} if path == "explain" else {}), "version": "0" * 64}
                gateway.ok("POST", f"/v1/policies/{path}", body, cast.admin, want=(404,))
            gateway.admin("POST", f"/v1/policies/versions/{version}/rollback", {})

    def test_2_edits(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            pending = gateway.submit(cast.key, want=(202,))
            path = f"/v1/requests/{pending['id']}"
            edit = {"revision": 1, "digest": pending["digest"], "args": {"amount": 40, "note": "as invoiced"}, "reason": "less"}
            gateway.ok("POST", path + "/edits", edit, cast.admin, want=(403,))
            gateway.ok("POST", path + "/edits", {**edit, "args": {"amount": 125}}, cast.dana, want=(400,))
            gateway.ok("POST", path + "/edits", edit, cast.dana)
            gateway.ok("POST", path + "/edits", edit, cast.dana, want=(409,))
            shown = gateway.ok("GET", path + "?seen=0", None, cast.key, headers={"Prefer": "wait=60"}, want=(202,))
            self.assertEqual(1, shown["news"])
            gateway.vote(cast.dana, pending["id"])
            gateway.redeem(cast.key, gateway.show(cast.key, pending["id"]))

    def test_2_a_request_that_nobody_can_approve_says_so(self):
        with Recorded(self.book) as gateway:
            key = gateway.add_caller(agents=["bot"])
            asked = gateway.submit(key, want=(202,))
            self.assertIs(True, asked["nobody_can_approve"])
            gateway.add_person("dana", ["oncall"])
            self.assertNotIn("nobody_can_approve", gateway.show(key, asked["id"]))

    def test_2_freezes_and_policy(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            pending = gateway.submit(cast.key, want=(202,))
            freeze = gateway.ok("POST", "/v1/freezes", {"scope": "agent", "target": "billing-bot", "reason": "drill"}, cast.admin)
            gateway.ok("GET", "/v1/freezes", secret=cast.dana)
            self.assertEqual("frozen", gateway.submit(cast.key, args={"n": 2})["reason"])
            self.assertEqual("frozen", gateway.vote(cast.dana, pending["id"], want=(409,))["code"])
            gateway.ok("POST", f"/v1/freezes/{freeze['id']}/thaw", secret=cast.admin)
            gateway.ok("POST", "/v1/policies/reload", secret=cast.admin)
            (gateway.folder / "policy" / "policy.yaml").write_text(POLICY + "  - name: broken\n    matsch: all\n")
            # Who may not publish learns nothing of what is in the files.
            for given, status in (({"secret": "csk_" + "A" * 43}, 401), ({"secret": cast.key}, 403)):
                answer = gateway.call("POST", "/v1/policies/reload", **given)
                self.assertEqual(status, answer.status)
                self.assertNotIn("matsch", answer.body.decode())
            refused = gateway.ok("POST", "/v1/policies/reload", secret=cast.admin, want=(409,))
            self.assertRegex(refused["detail"], r"policy.yaml:\d+:\d+: .*matsch")
            self.assertEqual("approved", gateway.submit(cast.key, action="orders.get")["state"])

    def eventually_200(self, gateway, path, key):
        deadline = time.monotonic() + 20
        while gateway.call("GET", path, secret=key).status != 200:
            self.assertLess(time.monotonic(), deadline, path)
            time.sleep(0.02)

    def ask_and_withdraw(self, gateway, cast):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(gateway.submit, cast.key, args={"n": 2}, wait=60, want=(200,))
            found = []
            while not found:
                found = gateway.ok("GET", "/v1/requests?inbox=true", secret=cast.dana)["requests"]
            gateway.ok("POST", f"/v1/requests/{found[0]['id']}/cancel", {"reason": "not needed"}, cast.key)
            self.assertEqual("withdrawn", waiting.result(20)["reason"])

    def mint_too_often(self, gateway, cast):
        asked = gateway.submit(cast.key, action="orders.get", resource="order/20", headers={"Idempotency-Key": "often"})
        for _ in range(19):
            gateway.show(cast.key, asked["id"])
        refused = gateway.call("GET", f"/v1/requests/{asked['id']}", secret=cast.key)
        self.assertEqual((409, "too_many_mints", None), (refused.status, refused.json["code"], refused.headers["Retry-After"]))
        gateway.submit(cast.key, action="orders.get", resource="order/20", headers={"Idempotency-Key": "often"}, want=(409,))
        gateway.ok("POST", f"/v1/grants/{asked['grant']['id']}/revoke", {"reason": "enough"}, cast.key)
