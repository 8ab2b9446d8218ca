"""CEL: the cases of cel-spec and cel-go's answers to them, in ../shared/conformance/cel or, where that is
missing, those the npm package @bufbuild/cel-spec carries."""
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import support.gateway as gateway

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VECTORS = ROOT.parent / "shared" / "conformance" / "cel"
PACKAGE = ROOT / "web" / "node_modules" / "@bufbuild" / "cel-spec"
RUNNER = gateway.BUILD / "tests" / "conformance" / "cel"

# docs/cel-conformance.md says why.
DEVIATIONS = {"network_ext.json ipv4/ipv4_equals_ipv6", "network_ext.json ipv4/ipv4_not_equals_ipv6"}
COST_DEVIATIONS = {
    # The pattern is not literal: compiling it at every call is charged for.
    'cel.block(["h" + "e", cel.index(0) + "l", cel.index(1) + "l", cel.index(2) + "o", cel.index(3) + " world"], '
    'cel.index(4).matches(cel.index(3)))',
    # Go goes over a map in any order; we go in order of making.
    "self.details.all(key, self.details[key].matches('^[a-zA-Z]*$'))",
}


class Answers:
    """What the runner says of a folder of cases."""

    def __init__(self, folder):
        run = subprocess.run([str(RUNNER), str(folder)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, timeout=300)
        self.text = run.stdout
        self.status = run.returncode
        self.failures = set(re.findall(r"^FAIL ([\w.]+ \S+/[^`]*) `", run.stdout, re.M)) - {"cost /"}
        self.failures = {failure for failure in self.failures if not failure.startswith("cost ")}
        self.costs = set(re.findall(r"^FAIL cost [^`]*`(.*)`$", run.stdout, re.M))
        self.counts = {name: (int(passed), int(total))
                       for name, passed, total in re.findall(r"^cel(?: (\S+))?: (\d+)/(\d+)$", run.stdout, re.M)}


def mark_doubles(value):
    """2.0 is a double to the oracle; C reads JSON's numbers by value."""
    if isinstance(value, float):
        return {"$double": repr(value)}
    if isinstance(value, dict):
        return {name: mark_doubles(inside) for name, inside in value.items()}
    return [mark_doubles(inside) for inside in value] if isinstance(value, list) else value


def copy_cases(folder):
    (folder / "cases").symlink_to(VECTORS / "cases")
    (folder / "oracle.json").symlink_to(VECTORS / "oracle.json")
    rules = json.loads((VECTORS / "realworld.json").read_text())
    for rule in rules:
        for sample in rule["cases"]:
            sample["vars"] = mark_doubles(sample["vars"])
    (folder / "realworld.json").write_text(json.dumps(rules))


class Cel(unittest.TestCase):
    def test_every_case_answers_as_the_specification_says(self):
        if not VECTORS.is_dir():
            self.skipTest(f"no cases at {VECTORS}")
        with tempfile.TemporaryDirectory() as name:
            copy_cases(pathlib.Path(name))
            answers = Answers(name)
        print("\n".join(f"deviation {name} (docs/cel-conformance.md)" for name in sorted(answers.failures)))
        print("\n".join(line for line in answers.text.splitlines() if re.match(r"cel[ :]", line)), flush=True)
        self.assertEqual(answers.failures, DEVIATIONS, answers.text[-4000:])
        self.assertEqual(answers.counts[""], (1741, 1743), answers.text[-4000:])
        self.assertEqual(answers.counts["realworld"], (186, 186), answers.text[-4000:])
        self.assertEqual(answers.costs, COST_DEVIATIONS, answers.text[-4000:])
        self.assertGreater(answers.counts["costs"][0], 1880)

    def test_the_cases_of_the_npm_package_answer_as_the_specification_says(self):
        if not PACKAGE.is_dir():
            self.skipTest("no @bufbuild/cel-spec in web/node_modules: run `npm ci` in web/")
        with tempfile.TemporaryDirectory() as name:
            subprocess.run(["node", str(ROOT / "tests" / "conformance" / "cel_cases.mjs"), name], check=True,
                           stdout=subprocess.DEVNULL, timeout=120)
            answers = Answers(name)
        self.assertEqual(answers.failures, set(), answers.text[-4000:])
        self.assertEqual(answers.counts[""], (1651, 1651), answers.text[-4000:])

    def test_a_program_of_its_own_uses_the_library_alone(self):
        run = subprocess.run([str(gateway.BUILD / "cel-example")], stdout=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stdout), (0, "true\n"))


if __name__ == "__main__":
    unittest.main()
