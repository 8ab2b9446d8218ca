"""docs/api-guide.md: its shell blocks, run in order against a real gateway, print what it says they print."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from support.description import Description, ROOT, yaml
from support.gateway import Gateway

GUIDE = ROOT / "docs" / "api-guide.md"
MISSING = [tool for tool in ("curl", "jq", "openssl", "python3") if not shutil.which(tool)]

# What differs from run to run, and what it is.
SHAPES = [(r"\b[a-z]{3}_[0-9a-z]{26}\b", "ID"), (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME"), (r"\b1099511627\d{3}\b", "FENCE")]


def shaped(text):
    for pattern, name in SHAPES:
        text = re.sub(pattern, name, text)
    return text


def blocks():
    """(commands, kind of the output shown or None, output shown)"""
    found = re.findall(r"^```sh\n(.*?)^```\n(?:```(json|text)\n(.*?)^```\n)?", GUIDE.read_text(), re.M | re.S)
    assert GUIDE.read_text().count("```sh") == len(found)
    return found


class Dana(threading.Thread):
    """The person on call: approves what comes, denies order 4712, and has not seen 4713 and 4714."""

    def __init__(self, gateway, token):
        super().__init__(daemon=True)
        self.gateway, self.token, self.over = gateway, token, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            for request in self.gateway.ok("GET", "/v1/requests?inbox=true", secret=self.token)["requests"]:
                word = {"4711": "approve", "4712": "deny"}.get(request["resource"]["id"])
                if word:
                    self.gateway.vote(self.token, request["id"], word, shown=request, reason={"deny": "Wrong order."}.get(word, "checked"))


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}")
class Guide(unittest.TestCase):
    def setUp(self):
        policy = (ROOT / "policy" / "examples" / "first-steps" / "policy.yaml").read_text()
        self.gateway = Gateway(policy=policy)
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.gateway.start()
        token = self.gateway.add_person("dana", ["oncall"])
        key = self.gateway.add_caller("shop-runner", agents=["shop-bot"])
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="countersign-test-"))
        self.addCleanup(shutil.rmtree, self.work)
        (self.work / "dev-data").mkdir()
        self.issuer = "http://localhost:8080"  # the gateway's default; its port is another here
        (self.work / "dev-data" / "agent.env").write_text(
            f"export COUNTERSIGN_URL=http://127.0.0.1:{self.gateway.port}\nexport COUNTERSIGN_KEY={key}\n")
        self.dana = Dana(self.gateway, token)
        self.dana.start()
        self.addCleanup(self.dana.join)
        self.addCleanup(self.dana.over.set)

    def run_shell(self, script):
        return subprocess.run(["sh", "-eu", "-c", script], cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def test_its_blocks_print_what_it_says(self):
        # The issuer is the address that the guide's reader has; here it is the one the gateway believes in.
        script = "\n".join(f"{commands}\nprintf '\\n@@@\\n'" for commands, _, _ in blocks()).replace(
            'keys.json "$COUNTERSIGN_URL"', f'keys.json "{self.issuer}"')
        run = self.run_shell(script)
        self.assertEqual(0, run.returncode, f"{run.stdout}\n{run.stderr}")
        self.assertEqual("", run.stderr)
        printed = run.stdout.split("\n@@@\n")
        for (commands, kind, shown), output in zip(blocks(), printed):
            with self.subTest(commands.split("\n")[0]):
                if kind == "json":
                    self.assertEqual(json.loads(shaped(shown).replace("FENCE", '"FENCE"')), json.loads(shaped(output).replace("FENCE", '"FENCE"')))
                else:
                    self.assertEqual(shaped(shown or "").strip(), shaped(output).strip())
        self.refuses_what_is_not_a_redemption()

    def refuses_what_is_not_a_redemption(self):
        """The verifier of the guide, given what it must refuse."""
        token = json.loads((self.work / "redeemed.json").read_text())["token"]
        granted = json.loads((self.work / "decision.json").read_text())["grant"]["token"]
        caller = self.gateway.admin("GET", "/v1/callers")["callers"][0]["id"]
        header, claims, signature = token.split(".")
        verify = f"printf %%s '%s' | python3 verify.py keys.json {self.issuer} {caller}"
        self.assertEqual(0, self.run_shell(verify % token).returncode)
        flipped = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
        for bad in (granted, f"{header}.{claims}.{flipped}", f"{header}.{claims[:-4]}AAAA.{signature}"):
            self.assertNotEqual(0, self.run_shell(verify % bad).returncode, bad)
        self.assertNotEqual(0, self.run_shell((verify % token).replace(caller, "another")).returncode)
        self.assertNotEqual(0, self.run_shell((verify % token).replace(self.issuer, "https://elsewhere.example")).returncode)

    @unittest.skipUnless(yaml, "python3-yaml is not installed")
    def test_it_knows_every_refusal_and_every_reason(self):
        description, text = Description(), GUIDE.read_text()
        wanted = set(description.document["components"]["schemas"]["RequestReason"]["enum"])
        wanted |= set(description.document["components"]["schemas"]["RequestState"]["enum"])
        for status in (403, 404, 409):
            wanted |= set(description.operations["post", "/v1/grants/redeem"]["x-codes"][str(status)]) - {"not_allowed"}
        wanted |= set(description.operations["post", "/v1/requests"]["x-codes"]["403"])
        self.assertEqual(set(), {word for word in wanted if f"`{word}`" not in text})
