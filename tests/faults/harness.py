"""What the campaigns share: a tally of what was checked, a gateway for rough treatment, and its ledger read offline."""
import json
import pathlib
import random
import shutil
import subprocess
import tempfile

from support import gateway as driver

# Allows reading, needs two of finance for a transfer and one person for a refund. Tokens live long: a slow machine must
# not turn a lost race into an expired token.
POLICY = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [finance], timeout: 30m } }
rules:
  - name: reading
    match: { action: "orders.*" }
    verdict: allow
    risk: low
    grant: { ttl: 15m, claim_within: 1h, audience: [orders-api], bearer: true }
  - name: refunds
    match: { action: payments.refund }
    verdict: require_approval
    approval: { groups: [finance], timeout: 1h }
    grant: { ttl: 15m, claim_within: 1h }
  - name: payouts
    match: { action: payments.transfer }
    verdict: require_approval
    risk: high
    approval: { quorum: 2, groups: [finance], timeout: 1h }
    grant: { ttl: 15m, claim_within: 1h }
"""
CONFIG = "limits: { requests_per_second: 0, pending_per_caller: 1000000 }\n"


class Skipped(Exception):
    """The campaign cannot run on this machine; the text says why."""


class Tally:
    """Counts checks; remembers what did not hold."""

    def __init__(self, name):
        self.name = name
        self.rounds = 0
        self.checks = 0
        self.violations = []

    def check(self, holds, what):
        self.checks += 1
        if not holds:
            self.violations.append(what)
            if len(self.violations) <= 20:
                print(f"VIOLATION {self.name}: {what[:400]}", flush=True)
        return holds

    def line(self):
        return f"{self.name}: {self.rounds} rounds, {self.checks} checks, {len(self.violations)} violations"


class Setting:
    """One campaign's share of the run: how much, by which chance, and where its progress goes."""

    def __init__(self, name, rounds, seed):
        self.name = name
        self.rounds = rounds
        self.chance = random.Random(f"{seed}/{name}")
        self.tally = Tally(name)

    def say(self, text):
        print(f"  {self.name}: {text}", flush=True)

    def progress(self, number, of):
        """About ten lines a campaign."""
        if number == of or number % max(1, of // 10) == 0:
            self.say(f"round {number} of {of}, {self.tally.checks} checks, {len(self.tally.violations)} violations")


class Machine:
    """A folder with a gateway, its people and its keys, on the product's own binary and the system's clock."""

    def __init__(self, config=CONFIG, policy=POLICY, **more):
        self.folder = pathlib.Path(more.pop("folder", None) or tempfile.mkdtemp(prefix="countersign-faults-"))
        more.setdefault("scripted", False)
        self.was_frozen = False  # a campaign that freezes says so: grants from before are not good any more
        self.gateway = driver.Gateway(policy=policy, config=config, folder=self.folder, **more)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print("\n".join(self.gateway.log[-20:]), flush=True)
        if self.gateway.process is not None:
            kill(self.gateway)
        shutil.rmtree(self.folder, ignore_errors=True)

    def people(self):
        """Two of finance, an auditor, a caller and another one; started gateways only."""
        gateway = self.gateway
        self.secrets = {
            "dana": gateway.add_person("dana", ["finance"]),
            "erik": gateway.add_person("erik", ["finance"]),
            "audit": gateway.add_person("audit", auditor=True, admin=True),
            "holder": gateway.add_caller("holder", audiences=["orders-api"], owner="audit"),
            "other": gateway.add_caller("other", audiences=["orders-api"]),
        }
        return self

    # ---- the ledger, offline ----
    def export(self, name="export.jsonl"):
        """An export with everything committed so far: it ends at a checkpoint, which follows within a second."""
        size = self.gateway.metric("countersign_ledger_entries")
        driver.eventually(lambda: self.checkpoint()["size"] >= size, "a checkpoint covers what is committed")
        path = self.folder / name
        run = subprocess.run([str(driver.BUILD / "countersign"), "ledger", "export", "--output", str(path),
                              "--socket", self.gateway.socket_path], capture_output=True, text=True, timeout=1800)
        if run.returncode != 0:
            raise AssertionError(f"the ledger cannot be exported: {run.stdout}{run.stderr}")
        return path

    def checkpoint(self):
        return self.gateway.admin("GET", "/v1/ledger/checkpoint")


def kill(gateway):
    """SIGKILL, and nothing of it left."""
    gateway.process.kill()
    gateway.process.wait()
    gateway.reader.join(10)
    gateway.process.stderr.close()
    gateway.process = None


def verify(path, key, kept=(), folder=None):
    """Whether the export verifies offline under `key` and against kept checkpoints, and what was said."""
    words = [str(driver.BUILD / "countersign"), "ledger", "verify", str(path), "--key", key]
    for number, note in enumerate(kept):
        file = pathlib.Path(folder or path.parent) / f"kept-{number}"
        file.write_text(note)
        words += ["--checkpoint", str(file)]
    run = subprocess.run(words, capture_output=True, text=True, timeout=1800)
    return run.returncode == 0, (run.stdout + run.stderr).strip()


def key_of(path):
    with open(path, "rb") as file:
        return json.loads(file.readline())["vkey"]


def entries_of(path, only=None):
    """The entries of an export; `only` is a set of types, found without parsing the rest."""
    wanted = None if only is None else [f'"type":"{kind}"'.encode() for kind in only]
    with open(path, "rb") as file:
        for line in file:
            if line.startswith(b'{"entry"') and (wanted is None or any(kind in line for kind in wanted)):
                yield json.loads(line)["entry"]


class Keeping:
    """One connection kept for many small calls: checks after a restart are many."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.connection = gateway.connection()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def call(self, method, path, body=None, secret=None):
        return self.gateway.call(method, path, body, secret, connection=self.connection)

