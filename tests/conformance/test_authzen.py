"""OpenID AuthZEN Authorization API 1.0: the certification cases of ../shared/conformance/authzen against the real binary."""
import json
import pathlib
import re
import unittest

import support.gateway as gateway

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = ROOT.parent / "shared" / "conformance" / "authzen" / "certification-cases.json"
ISSUER = "https://countersign.example"

# What the fixture decides by ids alone, and what by properties of the request.
BY_ID = """
version: 1
defaults: { verdict: deny, risk: low }
rules:
  - name: reading
    match: { subject: [user/alice, user/bob], action: read, resource: "record/*" }
    verdict: allow
  - name: alice-writes
    match: { subject: user/alice, action: write, resource: "record/*" }
    verdict: allow
"""
BY_PROPERTIES = BY_ID + """
  - name: admins-write-what-is-archived
    match: { action: write, resource: "record/*" }
    when: has(subject.properties) && has(subject.properties.role) && subject.properties.role == "admin"
    verdict: allow
  - name: archived
    match: { action: write, resource: "record/*" }
    when: >
      has(resource.properties) && has(resource.properties.status) && resource.properties.status == "archived"
      && !(has(subject.properties) && has(subject.properties.role) && subject.properties.role == "admin")
    verdict: deny
  - name: alice-deletes-softly
    match: { subject: user/alice, action: delete }
    when: has(action.properties) && has(action.properties.soft) && action.properties.soft
    verdict: allow
"""


def fits(got, wanted):
    """Members that must be there with these values; more may be."""
    if wanted == "<boolean>":
        return isinstance(got, bool)
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(name in got and fits(got[name], value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(got) == len(wanted) and all(map(fits, got, wanted))
    return type(got) is type(wanted) and got == wanted


class Authzen(unittest.TestCase):
    def faults(self, case, answers, named):
        expect = case["expect"]
        for answer in answers:
            if "status" in expect and answer.status != expect["status"]:
                yield f"status {answer.status}"
            if "json" in expect and not fits(answer.json, expect["json"]):
                yield f"body {answer.body}"
            for name, value in expect.get("headers", {}).items():
                if answer.headers.get(name) != value:
                    yield f"{name}: {answer.headers.get(name)}"
            if "content_type" in expect and not answer.headers["Content-Type"].startswith(expect["content_type"]):
                yield answer.headers["Content-Type"]
            for name in expect.get("required", []):
                if name not in answer.json:
                    yield f"no {name}"
            for name in expect.get("https_urls", []):
                if name.rstrip("?") in answer.json and not answer.json[name.rstrip("?")].startswith("https://"):
                    yield f"{name} is no https address"
            if "policy_decision_point" in expect and answer.json.get("policy_decision_point") != ISSUER:
                yield f"policy_decision_point {answer.json.get('policy_decision_point')}"
        if len({(answer.status, answer.json.get("decision")) for answer in answers if answer.body}) > 1:
            yield "the same again has another answer"
        other = expect.get("same_as")
        if other and answers[0].json.get("decision") != named[other].json.get("decision"):
            yield f"not the same as {other}"

    def test_the_cases_of_the_certification_scenario(self):
        if not CASES.is_file():
            self.skipTest(f"no cases at {CASES}")
        cases = json.loads(CASES.read_text())["cases"]
        offered = [case for case in cases if not case["level"].startswith("search")]
        searches = [case["id"] for case in cases if case["level"].startswith("search")]
        failed, named = [], {}
        with gateway.Gateway(policy=BY_PROPERTIES, config=f"issuer: {ISSUER}\n", scripted=False) as server:
            key = server.add_caller("pep", agents=["gateway"], subjects=["user/*"])
            for case in offered:
                body = case["raw_body"] if "raw_body" in case else case.get("body")
                headers = dict(case.get("headers", {}))
                if "content_type" in case:
                    headers["Content-Type"] = case["content_type"]
                answers = [server.call(case["method"], case["path"], body, key, headers)
                           for _ in range(case.get("repeat", 1))]
                named[case["id"]] = answers[0]
                failed += [f"{case['id']}: {fault}" for fault in self.faults(case, answers, named)]
            for case in cases:
                if case["level"].startswith("search"):
                    answer = server.call(case["method"], case["path"], case.get("body"), key)
                    self.assertEqual(404, answer.status, "search is not offered")
        passed = len(offered) - len({re.split(":", text)[0] for text in failed})
        print(f"authzen: {passed}/{len(offered)} ({len(searches)} search cases are not offered: {', '.join(searches)})")
        self.assertEqual([], failed)
        self.assertEqual((37, 20), (passed, len(searches)))


if __name__ == "__main__":
    unittest.main()
