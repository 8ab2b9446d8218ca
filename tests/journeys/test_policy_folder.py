"""countersign policy check, test, explain and bench: a folder of rules, offline."""
import hashlib
import json
import pathlib
import subprocess
import tempfile
import unittest

from support import gateway as support

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted(path.parent for path in (ROOT / "policy" / "examples").glob("*/policy.yaml"))
HEAD = "version: 1\ndefaults: { verdict: deny, approval: { groups: [oncall], timeout: 30m } }\n"
RULES = HEAD + """tools:
  pay: { args: { amount: number, to: string }, show: [to], challenge: to }
variables: { amount: double(args.amount) }
rules:
  - name: large
    match: { action: pay }
    when: variables.amount > 100.0
    verdict: require_approval
    risk: high
    message: Look at the amount.
    approval: { timeout: 15m }
  - { name: small, match: { action: pay }, when: variables.amount <= 100.0, verdict: allow }
"""
CASES = """cases:
  - { name: small, input: { action: pay, args: { amount: 5, to: acme } }, verdict: allow, rules: [small] }
  - { name: large, input: { action: pay, args: { amount: 500, to: acme } }, verdict: require_approval, rules: [large], risk: high }
"""


def run(*words, status=0, given=None):
    done = subprocess.run([str(support.BUILD / "countersign"), "policy", *map(str, words)], capture_output=True, text=True,
                          timeout=60, input=given, stdin=None if given is not None else subprocess.DEVNULL)
    assert done.returncode == status, done
    return done


def last_line(done):
    return done.stdout.splitlines()[-1]


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        (self.folder / "tests").mkdir()
        self.write(RULES)
        self.write(CASES, "tests/cases.yaml")

    def write(self, text, name="policy.yaml"):
        (self.folder / name).write_text(text)

    def test_every_example_is_good_and_passes_its_own_tests(self):
        self.assertGreaterEqual(len(EXAMPLES), 6)
        for example in EXAMPLES:
            with self.subTest(example=example.name):
                self.assertTrue(last_line(run("check", "--strict", example)).startswith("good: 0 errors, 0 warnings"))
                self.assertRegex(last_line(run("test", example)), r"^passed: \d+ cases passed, 0 failed$")

    def test_check_says_the_version_the_gateway_would(self):
        name, text = b"policy.yaml", RULES.encode()
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in (name, text))
        version = hashlib.sha256(framed).hexdigest()[:12]
        self.assertIn(f"1 files, 2 rules, version {version}\n", run("check", self.folder).stdout)

    def test_an_error_is_shown_with_its_line_and_a_caret(self):
        self.write(RULES.replace("variables.amount > 100.0", "varables.amount > 100.0"))
        done = run("check", self.folder, status=1)
        self.assertEqual(last_line(done), "not good: the policy does not load")
        lines = done.stderr.splitlines()
        self.assertTrue(lines[0].startswith("policy.yaml:9:11: "), lines)
        self.assertEqual(lines[1], "        when: varables.amount > 100.0")
        self.assertEqual(lines[2].index("^"), lines[1].index("varables"))

    def test_warnings_fail_only_when_asked_to(self):
        self.write(RULES + "  - { name: never, match: { action: pay }, when: 1 > 2, verdict: deny }\n")
        done = run("check", self.folder)
        self.assertIn("warning: the condition of `never` is always false", done.stdout)
        self.assertEqual(last_line(done), "good: 0 errors, 1 warnings, 0 notes")
        self.assertEqual(last_line(run("check", "--strict", self.folder, status=1)), "not good: 0 errors, 1 warnings, 0 notes")

    def test_groups_that_do_not_exist_are_an_error_when_known(self):
        run("check", self.folder, "--groups", "finance,oncall")
        self.assertIn("asks the group `oncall`", run("check", self.folder, "--groups", "finance", status=1).stdout)

    def test_a_case_that_differs_fails_and_says_how(self):
        self.write(CASES.replace("rules: [small]", "rules: [large]"), "tests/cases.yaml")
        done = run("test", self.folder, status=1)
        self.assertIn("small: rules: expected [large], got [small]", done.stdout)
        self.assertEqual(last_line(done), "failed: 1 cases passed, 1 failed")

    def test_no_cases_are_no_success(self):
        (self.folder / "tests" / "cases.yaml").unlink()
        done = run("test", self.folder, status=1)
        self.assertIn("there are no tests", done.stderr)
        self.assertTrue(last_line(done).startswith("failed: "))

    def test_a_case_that_is_none_fails_with_its_place(self):
        self.write(CASES + "  - { name: x, input: { action: pay, arguments: {} }, verdict: deny }\n", "tests/cases.yaml")
        done = run("test", self.folder, status=1)
        self.assertRegex(done.stderr, r"tests/cases.yaml:4:\d+: .*`arguments`")

    def request(self, amount):
        return json.dumps({"subject": {"type": "user", "id": "dana"}, "agent": "bot", "resource": {"type": "order", "id": "1"},
                           "action": {"name": "pay", "properties": {"args": {"amount": amount, "to": "acme"}}}})

    def test_explain_says_why(self):
        self.write(self.request(500), "request.json")
        said = run("explain", self.folder, "--request", self.folder / "request.json").stdout
        self.assertRegex(said, r"matched +large +require_approval")
        self.assertRegex(said, r"not +small +allow")
        self.assertIn("variables.amount = 500.0", said)
        self.assertIn("asks     large: 1 of oncall", said)
        self.assertIn("retyped  to", said)
        self.assertEqual(said.splitlines()[-1], "require_approval, high risk, because rules_matched")

    def test_explain_as_json_is_what_is_stored(self):
        said = json.loads(run("explain", self.folder, "--request", "-", "--json", given=self.request(5)).stdout)
        self.assertEqual((said["verdict"], said["show"], said["variables"]), ("allow", ["to"], {"amount": "5.0"}))
        self.assertEqual([(rule["name"], rule["matched"]) for rule in said["rules"]], [("small", True), ("large", False)])

    def test_explain_of_arguments_that_do_not_fit(self):
        said = run("explain", self.folder, "--request", "-", given=self.request("500")).stdout
        self.assertIn("The argument `amount` must be a number, not a string.", said)
        self.assertEqual(said.splitlines()[-1], "deny, medium risk, because arguments_do_not_fit")

    def test_explain_of_what_is_no_request(self):
        for text, says in (("{", "too early"), ("{}", "names its action"), (self.request(5).replace("\"type\"", "\"kind\""), "`type`")):
            with self.subTest(text=text):
                self.assertIn(says, run("explain", self.folder, "--request", "-", status=1, given=text).stderr)

    def test_bench_measures_on_the_inputs_of_the_cases(self):
        said = run("bench", self.folder, "--ms", "20").stdout.splitlines()
        self.assertEqual(said[0], "2 inputs, 2 rules")
        self.assertRegex(said[1], r"^\d+ ns per decision, \d+ decisions/s on one core$")
        self.assertRegex(said[2], r"^\d+ ns of it without any rule: [\d.]+ times that$")

    def test_slips_on_the_command_line(self):
        run("explain", self.folder, status=2)
        run("check", status=2)
        run("bench", self.folder, "--ms", "0", status=1)
        self.assertIn("cannot be opened", run("check", self.folder / "nowhere", status=1).stderr)


if __name__ == "__main__":
    unittest.main()
