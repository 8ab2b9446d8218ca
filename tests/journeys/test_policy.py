"""Versions of the policy, and what another one would decide: published, rolled back, replayed, explained."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from support import gateway as support
from support.gateway import POLICY, Gateway, eventually

DEFAULTS = "version: 1\ndefaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [oncall], timeout: 30m } }\n"
LOOSE = POLICY.replace("verdict: require_approval\n    approval: { groups: [oncall], timeout: 15m }", "verdict: allow")
STRICT = POLICY + "  - name: no-refunds\n    match: { action: payments.refund }\n    verdict: deny\n    message: Refunds are over.\n"
BROKEN = POLICY + "  - name: typo\n    match: { action: a }\n    verdit: allow\n"


def write(gateway, text):
    (gateway.folder / "policy" / "policy.yaml").write_text(text)


def cli(gateway, *words, secret=None, status=0):
    environment = {**os.environ, "COUNTERSIGN_SOCKET": str(gateway.socket_path)}
    environment.pop("COUNTERSIGN_TOKEN", None)
    if secret:
        environment.pop("COUNTERSIGN_SOCKET")
        environment |= {"COUNTERSIGN_TOKEN": secret, "COUNTERSIGN_URL": f"http://127.0.0.1:{gateway.port}"}
    done = subprocess.run([str(support.BUILD / "countersign"), "policy", *words], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done
    return done


def versions(gateway):
    return gateway.admin("GET", "/v1/policies")


def replayed(gateway, secret=None, **body):
    answer = gateway.call("POST", "/v1/policies/replay", body, secret=secret, host=secret is None)
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.body.decode().splitlines()]


class Versions(unittest.TestCase):
    def test_a_publication_is_a_version_with_its_files_and_an_entry(self):
        with Gateway() as gateway:
            first = versions(gateway)["in_force"]
            self.assertIn(f"unchanged {first}", cli(gateway, "publish").stdout)
            write(gateway, LOOSE)
            self.assertIn("published ", cli(gateway, "publish").stdout)
            page = versions(gateway)
            self.assertEqual([True, False], [version["in_force"] for version in page["versions"]])
            self.assertEqual(first, page["versions"][1]["version"])
            self.assertEqual("host", page["versions"][0]["published_by"])
            read = gateway.admin("GET", f"/v1/policies/versions/{first}")
            self.assertEqual({"policy.yaml": POLICY}, read["files"])
            self.assertEqual(page["in_force"], gateway.admin("GET", "/v1/policies/versions/in-force")["version"])
            shown = cli(gateway, "versions").stdout.splitlines()
            self.assertTrue(shown[0].startswith("* " + page["in_force"]), shown)
            self.assertTrue(shown[1].startswith("  " + first), shown)

    def test_pages_of_versions_hold_each_once(self):
        with Gateway() as gateway:
            for i in range(4):
                write(gateway, POLICY + f"# {i}\n")
                cli(gateway, "publish")
            seen, path = [], "/v1/policies?limit=2"
            while path:
                page = gateway.admin("GET", path)
                seen += [version["version"] for version in page["versions"]]
                path = f"/v1/policies?limit=2&before={page['next']}" if "next" in page else None
            self.assertEqual(5, len(set(seen)))
            self.assertEqual(len(seen), len(set(seen)))

    def test_a_rollback_survives_a_restart_and_says_so_until_the_next_publication(self):
        with Gateway() as gateway:
            first = versions(gateway)["in_force"]
            write(gateway, LOOSE)
            cli(gateway, "publish")
            done = cli(gateway, "rollback", first[:12])
            self.assertEqual(f"published {first}\n", done.stdout)
            gateway.restart()
            page = versions(gateway)
            self.assertEqual((first, first), (page["in_force"], page["chosen"]))
            self.assertTrue(gateway.logged("policy_rollback_kept"))
            self.assertIn("was chosen by a rollback", cli(gateway, "versions").stdout)
            cli(gateway, "publish")
            page = versions(gateway)
            self.assertNotIn("chosen", page)
            self.assertNotEqual(first, page["in_force"])
            gateway.restart()
            self.assertEqual(page["in_force"], versions(gateway)["in_force"])
            gateway.verify_ledger()

    def test_a_rollback_evaluates_what_is_pending_again(self):
        with Gateway(policy=STRICT) as gateway:
            key = gateway.add_caller()
            strict = versions(gateway)["in_force"]
            write(gateway, POLICY)
            cli(gateway, "publish")
            pending = gateway.submit(key, want=(202,))
            cli(gateway, "rollback", strict)
            shown = gateway.show(key, pending["id"])
            self.assertEqual(("denied", "policy_deny"), (shown["state"], shown["reason"]))

    def test_a_rollback_is_for_the_host_alone(self):
        with Gateway() as gateway:
            first = versions(gateway)["in_force"]
            admin = gateway.add_person("root", admin=True)
            answer = gateway.call("POST", f"/v1/policies/versions/{first}/rollback", {}, secret=admin)
            self.assertEqual((403, "not_allowed"), (answer.status, answer.json["code"]))
            self.assertIn("no version begins with", cli(gateway, "rollback", "0" * 12, status=1).stderr)
            cli(gateway, "rollback", "nonsense", status=2)

    def test_a_broken_folder_keeps_the_version_and_everybody_can_see_it(self):
        with Gateway() as gateway:
            first = versions(gateway)["in_force"]
            write(gateway, BROKEN)
            self.assertIn("verdit", cli(gateway, "publish", status=1).stderr)
            page = versions(gateway)
            self.assertEqual(first, page["in_force"])
            self.assertRegex(page["folder_error"], r"policy\.yaml:\d+:\d+: .*verdit")
            self.assertEqual(1, gateway.metric("countersign_policy_stale"))
            self.assertTrue(gateway.logged("policy_reload_failed"))
            self.assertIn("does not load", cli(gateway, "versions").stdout)
            write(gateway, LOOSE)
            cli(gateway, "publish")
            self.assertNotIn("folder_error", versions(gateway))
            self.assertEqual(0, gateway.metric("countersign_policy_stale"))

    def test_who_may_read_policies(self):
        with Gateway() as gateway:
            auditor = gateway.add_person("erik", auditor=True)
            dana = gateway.add_person("dana", ["oncall"])
            self.assertEqual(200, gateway.call("GET", "/v1/policies", secret=auditor).status)
            self.assertEqual(403, gateway.call("GET", "/v1/policies", secret=dana).status)
            self.assertEqual(403, gateway.call("POST", "/v1/policies/replay", {}, secret=gateway.add_caller()).status)


class Redemption(unittest.TestCase):
    def refused(self, policy, before=POLICY, approve=True, action="payments.refund"):
        with Gateway(policy=before) as gateway:
            key = gateway.add_caller()
            dana = gateway.add_person("dana", ["oncall"])
            asked = gateway.submit(key, action=action, want=(201, 202))
            if approve:
                gateway.vote(dana, asked["id"])
            shown = gateway.show(key, asked["id"])
            write(gateway, policy)
            cli(gateway, "publish")
            answer = gateway.redeem(key, shown, want=(403,))
            self.assertEqual("policy_changed", answer["code"])
            # What was given back is good again: the grant itself was not used up.
            cli(gateway, "rollback", versions(gateway)["versions"][1]["version"])
            gateway.redeem(key, gateway.show(key, asked["id"]))
            gateway.verify_ledger()

    def test_a_deny_published_since_refuses_and_its_rollback_lets_through(self):
        self.refused(STRICT)

    def test_requirements_that_the_votes_no_longer_meet_refuse(self):
        self.refused(POLICY.replace("approval: { groups: [oncall], timeout: 15m }", "approval: { groups: [oncall], timeout: 15m, quorum: 2 }"))

    def test_what_was_allowed_and_now_needs_people_is_refused(self):
        self.refused(POLICY, before=LOOSE, approve=False)


class Questions(unittest.TestCase):
    def test_check_answers_with_the_place_of_the_mistake(self):
        with Gateway() as gateway:
            good = gateway.admin("POST", "/v1/policies/check", {"files": {"policy.yaml": POLICY}})
            self.assertEqual((True, 4, versions(gateway)["in_force"]), (good["valid"], good["rules"], good["version"]))
            bad = gateway.admin("POST", "/v1/policies/check", {"files": {"policy.yaml": BROKEN}})
            self.assertFalse(bad["valid"])
            self.assertEqual(("policy.yaml", BROKEN.count("\n")), (bad["error"]["file"], bad["error"]["line"]))

    def test_simulate_decides_without_a_trace(self):
        with Gateway() as gateway:
            what = {"subject": {"type": "user", "id": "sam"}, "action": {"name": "payments.refund"}, "resource": {"type": "order", "id": "1"}}
            now = gateway.admin("POST", "/v1/policies/simulate", what)
            self.assertEqual("require_approval", now["verdict"])
            self.assertEqual(["refunds"], [requirement["rule"] for requirement in now["requirements"]])
            strict = gateway.admin("POST", "/v1/policies/simulate", {**what, "files": {"policy.yaml": STRICT}})
            self.assertEqual(("deny", "Refunds are over."), (strict["verdict"], strict["message"]))
            self.assertEqual([], gateway.admin("GET", "/v1/requests")["requests"])

    def test_explain_says_why_then_and_what_now(self):
        with Gateway() as gateway:
            key = gateway.add_caller()
            asked = gateway.submit(key, want=(202,))
            answer = gateway.admin("POST", "/v1/policies/explain", {"request": asked["id"], "files": {"policy.yaml": STRICT}})
            self.assertEqual("require_approval", answer["stored"]["verdict"])
            self.assertEqual("deny", answer["decision"]["verdict"])
            self.assertEqual({"refunds", "no-refunds"}, {rule["name"] for rule in answer["decision"]["explanation"]["rules"]})

    def test_replay_lists_what_would_be_loosened_first_and_ends_with_a_summary(self):
        with Gateway() as gateway, tempfile.TemporaryDirectory() as folder:
            key = gateway.add_caller()
            for i in range(3):
                gateway.submit(key, args={"n": i}, want=(202,))
            gateway.submit(key, action="orders.get", want=(201,))
            other = LOOSE.replace('["*.get", "*.list"]', '"*.list"')  # refunds allowed, reading denied
            lines = replayed(gateway, files={"policy.yaml": other})
            self.assertEqual(["loosened"] * 3 + ["tightened"], [line["change"] for line in lines if line["kind"] == "changed"])
            summary = lines[-1]
            self.assertEqual(("summary", 4, 3, 1, 0),
                             tuple(summary[name] for name in ("kind", "looked_at", "loosened", "tightened", "unlisted")))
            self.assertEqual(("require_approval", "allow"), (lines[-5]["was"]["verdict"], lines[-5]["is"]["verdict"]))
            (pathlib.Path(folder) / "policy.yaml").write_text(other)
            shown = cli(gateway, "replay", folder, "--since", "1d", secret=gateway.add_person("erik", auditor=True)).stdout.splitlines()
            self.assertTrue(shown[1].startswith("loosened"), shown)
            self.assertTrue(shown[4].startswith("tightened"), shown)
            self.assertRegex(shown[-1], r"^3 loosened, 1 tightened of 4 requests since ")

    def test_replay_looks_back_as_far_as_it_was_told_and_shows_how_far_it_is(self):
        with Gateway() as gateway:
            key = gateway.add_caller()
            gateway.submit(key, action="orders.get", want=(201,))
            gateway.advance(3 * 24 * 3600)
            for i in range(450):
                gateway.submit(key, action="orders.list", resource=f"order/{i}", want=(201,))
            lines = replayed(gateway, since="1d", version=versions(gateway)["in_force"])
            self.assertEqual([200, 400], [line["looked_at"] for line in lines if line["kind"] == "progress"])
            self.assertEqual(450, lines[-1]["looked_at"])
            self.assertEqual(451, replayed(gateway, since="7d")[-1]["looked_at"])

    def test_more_changes_than_are_listed_are_counted(self):
        with Gateway(config="limits: { requests_per_second: 0 }\n") as gateway:
            key = gateway.add_caller()
            for i in range(1010):
                gateway.submit(key, action="orders.list", resource=f"order/{i}", want=(201,))
            lines = replayed(gateway, files={"policy.yaml": DEFAULTS})
            self.assertEqual(1000, sum(line["kind"] == "changed" for line in lines))
            self.assertEqual((1010, 10), (lines[-1]["tightened"], lines[-1]["unlisted"]))


OFTEN = DEFAULTS + """rules:
  - name: refunds
    match: { action: payments.refund }
    verdict: allow
  - name: many
    match: { action: payments.refund }
    when: history.count("1h") >= 3
    verdict: deny
    message: More than three refunds in an hour.
"""
FIRST = DEFAULTS + """rules:
  - name: all
    match: { action: "**" }
    verdict: allow
  - name: first-time
    match: { action: "**" }
    when: history.of("agent", "resource").count("90d", "redeemed") == 0
    verdict: require_approval
    approval: { groups: [oncall] }
"""
NEAR = DEFAULTS + """rules:
  - name: refunds
    match: { action: payments.refund }
    verdict: require_approval
    approval: { groups: [oncall] }
  - name: again
    match: { action: payments.refund }
    when: history.denials() >= 1
    verdict: deny
"""
AMOUNT = DEFAULTS + """rules:
  - name: refunds
    match: { action: payments.refund }
    verdict: allow
  - name: large
    match: { action: payments.refund }
    when: double(args.amount) > LIMIT
    verdict: deny
"""


class History(unittest.TestCase):
    def ask(self, gateway, key, n, action="payments.refund", resource=None):
        answer = gateway.call("POST", "/v1/requests", {"subject": {"type": "user", "id": "sam"}, "action": {"name": action, "properties": {"args": {"n": n}}},
                                                       "resource": {"type": "order", "id": resource or str(n)}}, secret=key)
        return answer.json

    def states(self, gateway, key, *numbers):
        return [self.ask(gateway, key, n)["state"] for n in numbers]

    def run_once(self, gateway, key, asked):
        redeemed = gateway.ok("POST", "/v1/grants/redeem", {"token": asked["grant"]["token"], "action": asked["action"], "resource": asked["resource"]}, key)
        gateway.ok("POST", f"/v1/grants/{redeemed['grant']}/effect", {"effect": "succeeded"}, key)

    def test_no_more_than_three_in_an_hour_also_across_a_restart(self):
        with Gateway(policy=OFTEN) as gateway:
            key = gateway.add_caller()
            self.assertEqual(["approved"] * 2, self.states(gateway, key, 1, 2))
            gateway.restart()
            self.assertEqual(["approved", "denied"], self.states(gateway, key, 3, 4))
            gateway.kill()
            gateway.start()
            denied = self.ask(gateway, key, 5)
            self.assertEqual(("denied", "More than three refunds in an hour."), (denied["state"], denied["message"]))
            self.assertEqual("approved", self.ask(gateway, gateway.add_caller("other", agents=["other-bot"]), 6)["state"])
            gateway.advance(3600 * 9 / 8 + 2)  # an hour, and what counting may err
            self.assertEqual(["approved"] * 3 + ["denied"], self.states(gateway, key, 7, 8, 9, 10))
            gateway.verify_ledger()

    def test_what_was_asked_before_the_rule_came_counts(self):
        with Gateway(policy=LOOSE) as gateway:
            key = gateway.add_caller()
            self.states(gateway, key, 1, 2, 3)
            write(gateway, OFTEN)
            cli(gateway, "publish")
            # Not known yet, or counted: either way the rule is strict.
            self.assertEqual("denied", self.ask(gateway, key, 4)["state"])
            # A newcomer each time: whoever is denied while the past is being counted has asked, which counts too.
            newcomers = (gateway.add_caller(f"caller-{n}", agents=[f"bot-{n}"]) for n in range(1000))
            eventually(lambda: self.ask(gateway, next(newcomers), 5)["state"] == "approved", "the past is counted")

    def test_the_first_time_an_agent_touches_a_resource_needs_a_person(self):
        with Gateway(policy=FIRST) as gateway:
            key = gateway.add_caller()
            dana = gateway.add_person("dana", ["oncall"])
            denied = self.ask(gateway, key, 1, "orders.update", "7")
            gateway.vote(dana, denied["id"], "deny")
            again = self.ask(gateway, key, 2, "orders.update", "7")  # a denied attempt makes nothing familiar
            self.assertEqual("pending", again["state"])
            gateway.vote(dana, again["id"])
            self.run_once(gateway, key, gateway.show(key, again["id"]))
            self.assertEqual("approved", self.ask(gateway, key, 3, "orders.delete", "7")["state"])
            self.assertEqual("pending", self.ask(gateway, key, 4, "orders.delete", "8")["state"])

    def test_denials_by_people_are_read_by_rules(self):
        with Gateway(policy=NEAR) as gateway:
            key = gateway.add_caller()
            dana = gateway.add_person("dana", ["oncall"])
            asked = self.ask(gateway, key, 1, resource="7")
            gateway.vote(dana, asked["id"], "deny")
            self.assertEqual(("denied", "policy_deny"), tuple(self.ask(gateway, key, 2, resource="7")[name] for name in ("state", "reason")))
            self.assertEqual("pending", self.ask(gateway, key, 3, resource="8")["state"])

    def test_what_others_ask_later_takes_no_grant_away(self):
        with Gateway(policy=OFTEN) as gateway:
            key = gateway.add_caller()
            first = self.ask(gateway, key, 1)
            self.states(gateway, key, 2, 3, 4)
            self.run_once(gateway, key, first)

    def test_a_simulation_is_told_what_happened(self):
        with Gateway(policy=OFTEN) as gateway:
            what = {"subject": {"type": "user", "id": "sam"}, "agent": "bot", "action": {"name": "payments.refund"}, "resource": {"type": "order", "id": "1"}}
            for history, verdict in (([], "allow"), ([{"count": 3, "window": "1h"}], "deny"), ([{"count": 3, "window": "1d"}], "allow"),
                                     ([{"count": 3, "outcome": "denied"}], "allow"), ([{"count": 3, "parts": ["agent"]}], "allow")):
                self.assertEqual(verdict, gateway.admin("POST", "/v1/policies/simulate", {**what, "history": history})["verdict"], history)
            # Not told, it is not known: strict.
            self.assertEqual("deny", gateway.admin("POST", "/v1/policies/simulate", what)["verdict"])

    def test_a_replay_counts_history_as_it_was(self):
        with Gateway(policy=LOOSE) as gateway:
            key = gateway.add_caller()
            self.states(gateway, key, *range(5))
            gateway.advance(2 * 3600)
            self.states(gateway, key, *range(5, 7))
            lines = replayed(gateway, files={"policy.yaml": OFTEN})
            changed = [line for line in lines if line["kind"] == "changed"]
            self.assertEqual(["order/3", "order/4"], [line["resource"] for line in changed])
            self.assertEqual((2, 0, 7, 0), tuple(lines[-1][name] for name in ("tightened", "loosened", "looked_at", "without_history")))
            # The window before the first request that is looked at counts too.
            lines = replayed(gateway, files={"policy.yaml": OFTEN.replace('"1h"', '"1d"')}, since="1h")
            self.assertEqual((2, 2), (lines[-1]["looked_at"], lines[-1]["tightened"]))


class Conditions(unittest.TestCase):
    def test_a_grant_is_redeemed_under_the_conditions_in_force_then(self):
        with Gateway(policy=AMOUNT.replace("LIMIT", "1000.0")) as gateway:
            key = gateway.add_caller()
            asked = gateway.submit(key, args={"amount": 125}, want=(201,))
            lower, unknown = AMOUNT.replace("LIMIT", "100.0"), AMOUNT.replace("double(args.amount) > LIMIT", "double(args.cents) > 100.0")
            for policy in (lower, unknown):  # denies; cannot decide
                write(gateway, policy)
                cli(gateway, "publish")
                refused = gateway.redeem(key, asked, args={"amount": 125}, want=(403,))
                self.assertEqual("policy_changed", refused["code"])
            cli(gateway, "rollback", versions(gateway)["versions"][2]["version"])
            gateway.redeem(key, asked, args={"amount": 125})
            gateway.verify_ledger()


CONDITIONED = DEFAULTS + """tools:
  pay: { args: { amount: number, to: string }, show: [to], challenge: to }
variables: { amount: double(args.amount) }
rules:
  - { name: small, match: { action: pay }, when: variables.amount <= 100.0, verdict: allow }
  - { name: large, match: { action: pay }, when: variables.amount > 100.0, verdict: require_approval }
  - { name: often, match: { action: pay }, when: 'history.count("1h") >= 3', verdict: deny, message: That is enough for an hour. }
  - { name: ticket, match: { action: move }, when: context.ticket.startsWith("OPS-"), verdict: allow }
  - { name: closed, match: { action: move }, when: subject.id == "mallory" || resource.properties.sealed, verdict: deny }
"""


class Conditions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(policy=CONDITIONED)
        cls.gateway.__enter__()
        cls.addClassCleanup(cls.gateway.__exit__, None, None, None)

    def ask(self, agent, *, want=(201,), **more):
        key = self.gateway.add_caller(name=f"runner-{agent}", agents=(agent,))
        return lambda **asked: self.gateway.submit(key, **{"want": want, **more, **asked})

    def test_arguments_decide(self):
        pay = self.ask("payer", action="pay")
        small = pay(args={"amount": 99.5, "to": "acme"})
        self.assertEqual(("approved", "allow"), (small["state"], small["verdict"]))
        self.assertEqual({"amount": "99.5"}, small["explanation"]["variables"])
        large = pay(args={"amount": 101, "to": "acme"}, want=(202,))
        self.assertEqual([("large", True, True), ("often", False, False), ("small", False, False)],
                         sorted((rule["name"], rule["matched"], rule["value"]) for rule in large["explanation"]["rules"]))

    def test_arguments_that_do_not_fit_are_denied_and_the_agent_is_told_which(self):
        denied = self.ask("slipper", action="pay")(args={"amuont": 5, "to": "acme"})
        self.assertEqual(("denied", "arguments_do_not_fit"), (denied["state"], denied["explanation"]["reason"]))
        self.assertEqual("The argument `amuont` is not known to this tool; did you mean `amount`?", denied["message"])

    def test_earlier_requests_count(self):
        pay = self.ask("hasty", action="pay")
        verdicts = [pay(args={"amount": 1, "to": f"to-{i}"})["verdict"] for i in range(4)]
        self.assertEqual(["allow", "allow", "allow", "deny"], verdicts)

    def test_an_error_is_strict_and_said(self):
        move = self.ask("mover", action="move")
        denied = move(context={"ticket": "OPS-1"})
        self.assertEqual("deny", denied["verdict"])
        rules = {rule["name"]: rule for rule in denied["explanation"]["rules"]}
        self.assertEqual((True, True), (rules["closed"]["matched"], rules["ticket"]["matched"]))
        self.assertIn("properties", rules["closed"]["error"])


if __name__ == "__main__":
    unittest.main()
