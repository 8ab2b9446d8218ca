"""What clients were told, held against what is there: the ledger read offline, and the gateway asked again.

A journal line that acknowledges is a promise: it must be found. A step that was announced and never settled may have
happened or not, but never twice.
"""
import json
import os
import subprocess

from faults.harness import Keeping, driver, entries_of, key_of, verify

KEPT_MAX = 16
STATES = {"request.approved": "approved", "request.denied": "denied", "request.expired": "expired",
          "request.cancelled": "cancelled"}


class Journal:
    """The facts of any number of runs of tests/faults/client against one store."""

    def __init__(self):
        self.requests = {}      # id -> states that were told
        self.votes = set()      # (request, person)
        self.minted = {}        # grant -> (request, action, resource, token)
        self.tried = set()      # grants
        self.redeemed = {}      # grant -> fences that were told
        self.effects = {}       # grant -> states that were told
        self.checkpoints = []   # signed notes, in order
        self.refused = set()    # grants whose redemption was answered "nothing happened"
        self.refusals = 0
        self.odd = []
        self.facts = 0

    def read(self, path):
        """Adds a run's journal. The last line may be cut: then its step was not acknowledged to anybody."""
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.endswith("\n"):
                    self.take(*line.rstrip("\n").split(" ", 1))
        return self

    def take(self, word, rest):
        words = rest.split(" ")
        self.facts += word not in ("try", "voting", "reporting", "refused")
        if word in ("request", "state", "cancelled"):
            self.requests.setdefault(words[0], []).append(words[1])
        elif word == "vote":
            self.votes.add((words[0], words[1]))
        elif word == "mint":
            self.minted[words[1]] = (words[0], *words[2:])
        elif word == "try":
            self.tried.add(words[0])
        elif word in ("redeemed", "again"):
            self.redeemed.setdefault(words[0], []).append(int(words[1]))
        elif word == "effect":
            self.effects.setdefault(words[0], []).append(words[1])
        elif word == "checkpoint":
            self.checkpoints.append(json.loads(rest)["checkpoint"])
        elif word == "refused":
            self.refusals += 1
            self.refused.update(words[1:])
        elif word == "odd":
            self.odd.append(rest)


class Ledger:
    """An export by subject."""

    def __init__(self, path):
        self.submitted, self.states, self.votes, self.minted = set(), {}, set(), set()
        self.redeemed, self.effects, self.issued = {}, {}, set()
        for entry in entries_of(path):
            kind, request, grant = entry["type"], entry.get("request"), entry.get("grant")
            if kind == "request.submitted":
                self.submitted.add(request)
                self.states[request] = "pending"
            elif kind in STATES:
                self.states[request] = STATES[kind]
            elif kind in ("vote", "vote.late"):
                self.votes.add((request, entry["actor"]["id"]))
            elif kind == "grant.issued":
                self.issued.add(grant)
            elif kind == "grant.minted":
                self.minted.add(grant)
            elif kind == "grant.redeemed":
                self.redeemed.setdefault(grant, []).append(entry["data"]["fence"])
            elif kind.startswith("effect."):
                self.effects.setdefault(grant, []).append(entry["data"]["outcome"])


def start_client(machine, ms, name):
    """Starts the clients; their journal is the file returned. The caller waits for the process."""
    path = machine.folder / f"journal-{name}"
    secrets = machine.secrets
    with open(path, "wb") as file:
        process = subprocess.Popen(
            [str(driver.BUILD / "tests/faults/client"), str(machine.gateway.port), str(ms), name], stdout=file,
            stdin=subprocess.DEVNULL,
            env={"CLIENT_CALLER": secrets["holder"], "CLIENT_DANA": secrets["dana"], "CLIENT_ERIK": secrets["erik"],
                 "CLIENT_AUDIT": secrets["audit"], "PATH": os.environ["PATH"]})
    return process, path


def pick_checkpoints(chance, notes):
    """The first, the last and some between, of different sizes."""
    distinct = list({note.split("\n")[1]: note for note in notes}.values())
    if len(distinct) <= KEPT_MAX:
        return distinct
    return [distinct[0], distinct[-1], *chance.sample(distinct[1:-1], KEPT_MAX - 2)]


def check_acknowledged(tally, journal, ledger, people):
    """Everything that was acknowledged is in the ledger, and nothing happened twice."""
    for request, told in journal.requests.items():
        tally.check(request in ledger.submitted, f"{request} was acknowledged and is not there")
        final = [state for state in told if state != "pending"]
        tally.check(not final or {ledger.states.get(request)} == set(final),
                    f"{request} was told to be {final}, the ledger says {ledger.states.get(request)}")
    for request, person in journal.votes:
        tally.check((request, people[person]) in ledger.votes, f"the vote of {person} on {request} is lost")
    for grant in journal.minted:
        tally.check(grant in ledger.issued and grant in ledger.minted, f"{grant} was told and is not there")
    for grant, told in journal.redeemed.items():
        tally.check(ledger.redeemed.get(grant) == sorted(set(told)),
                    f"{grant} was redeemed under {told}, the ledger says {ledger.redeemed.get(grant)}")
    for grant in journal.refused - set(journal.redeemed):
        tally.check(grant not in ledger.redeemed, f"{grant} was redeemed, although the answer was that nothing happened")
    for grant, told in journal.effects.items():
        tally.check(ledger.effects.get(grant) == sorted(set(told)), f"the effect of {grant} is lost")
    for grant, fences in ledger.redeemed.items():
        tally.check(len(fences) == 1, f"{grant} was redeemed {len(fences)} times")
    fences = [fence for each in ledger.redeemed.values() for fence in each]
    tally.check(len(set(fences)) == len(fences), "a fence was handed out twice")
    for text in journal.odd:
        tally.check(False, f"an answer nobody should get: {text[:300]}")
    tally.check(True, "")


def ask_again(tally, machine, journal, ledger, chance, count):
    """Asks the gateway itself: states agree with the ledger, what is redeemed stays so, what is unsettled happens once."""
    requests = chance.sample(sorted(journal.requests), min(count, len(journal.requests)))
    unsettled = sorted(journal.tried - set(journal.redeemed))
    settled = chance.sample(sorted(journal.redeemed), min(count, len(journal.redeemed)))
    with Keeping(machine.gateway) as kept:
        for request in requests:
            shown = kept.call("GET", f"/v1/requests/{request}", secret=machine.secrets["audit"])
            tally.check(shown.status == 200 and shown.json["state"] == ledger.states.get(request),
                        f"{request} is shown as {shown.body[:200]}, the ledger says {ledger.states.get(request)}")
        for grant in settled:
            answer = redeem(kept, machine, journal, grant)
            tally.check((answer.status, answer.json.get("code"), answer.json.get("fence")) ==
                        (409, "already_redeemed", journal.redeemed[grant][0]), f"{grant} was redeemed, now {answer}")
        for grant in unsettled:
            settle(tally, kept, machine, journal, grant, grant in ledger.redeemed)


def settle(tally, kept, machine, journal, grant, happened):
    """Redeems what nobody knows about, twice: it must have happened before, happen now, or not be good any more."""
    first, second = redeem(kept, machine, journal, grant), redeem(kept, machine, journal, grant)
    if machine.was_frozen and not happened and first.json.get("code") in ("frozen", "revoked"):
        tally.check(second.json.get("code") == first.json["code"], f"{grant} was not good any more, now {second}")
        journal.tried.discard(grant)
        return
    tally.check(first.status == (409 if happened else 200), f"{grant}: unsettled, redeemed {happened}, now {first}")
    tally.check(second.status == 409 and second.json.get("code") == "already_redeemed" and
                second.json.get("fence") == first.json.get("fence"), f"{grant} redeems again: {second}")
    journal.redeemed[grant] = [first.json.get("fence")]


def redeem(kept, machine, journal, grant):
    _, action, resource, token = journal.minted[grant]
    return kept.call("POST", "/v1/grants/redeem", {"token": token, "action": {"name": action},
                                                   "resource": {"type": "order", "id": resource}}, machine.secrets["holder"])


def check(tally, machine, journal, chance, count=25):
    """Everything that can be held against a gateway that is up again. Returns the ledger."""
    path = machine.export()
    kept = pick_checkpoints(chance, journal.checkpoints)
    good, said = verify(path, machine.key, kept)
    tally.check(good, f"the ledger does not verify: {said[-600:]}")
    ledger = Ledger(path)
    check_acknowledged(tally, journal, ledger, machine.person_ids)
    if tally.violations:
        return ledger  # what follows asks for what is known to be gone
    ask_again(tally, machine, journal, ledger, chance, count)
    return ledger


def prepare(machine):
    """Starts the gateway, makes its people, remembers their ids and the log's key."""
    machine.gateway.start()
    machine.people()
    machine.person_ids = {person["name"]: person["id"] for person in machine.gateway.admin("GET", "/v1/people")["people"]}
    machine.key = key_of(machine.export())
    return machine
