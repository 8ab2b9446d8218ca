"""Whatever is done to an export is found with the public key alone; truncation and forks with a checkpoint kept outside."""
import shutil
import subprocess

from faults import history
from faults.harness import Machine, driver, key_of, verify

EDITS_MIN = 10000
EDITS_A_ROUND = 100
FORKS_MAX = 10
CYCLES = 12


def live(machine, number, cycles):
    """Requests of every kind, so that every kind of entry is there. Returns the checkpoints that were signed meanwhile."""
    signed = []
    gateway, secrets = machine.gateway, machine.secrets
    for serial in range(cycles):
        allowed = gateway.submit(secrets["holder"], action="orders.get", resource=f"order/{number}-{serial}")
        redeemed = gateway.redeem(secrets["holder"], allowed)
        gateway.ok("POST", f"/v1/grants/{redeemed['grant']}/effect", {"effect": "succeeded"}, secrets["holder"])
        asked = gateway.submit(secrets["holder"], action="payments.transfer", resource=f"order/{number}-{serial}-two")
        gateway.vote(secrets["dana"], asked["id"])
        gateway.vote(secrets["erik"], asked["id"], "deny" if serial % 3 == 2 else "approve")
        if serial % 3 == 2:
            signed.append(covered(machine))
    return signed


def covered(machine):
    size = machine.gateway.metric("countersign_ledger_entries")
    driver.eventually(lambda: machine.checkpoint()["size"] >= size, "a checkpoint covers it")
    return machine.checkpoint()["checkpoint"]


def edit(setting, machine, path, key, earlier):
    tally = setting.tally
    notes = []
    for number, note in enumerate([machine.checkpoint()["checkpoint"], *earlier]):
        notes.append(str(machine.folder / f"note-{number}"))
        (machine.folder / f"note-{number}").write_text(note)
    count = max(EDITS_MIN, EDITS_A_ROUND * setting.rounds)
    run = subprocess.run([str(driver.BUILD / "tests/faults/mutate"), str(path), key, str(count),
                          str(setting.chance.getrandbits(60)), *notes], capture_output=True, text=True, timeout=36000)
    tally.check(run.returncode == 0, f"mutate ended with {run.returncode}: {run.stderr[-300:]}")
    done = {}
    for line in run.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word == "missed":
            tally.check(False, f"not found: {rest}")
        else:
            done[word] = int(rest)
            tally.checks += int(rest)
    tally.check(done.get("mutated") == count and done.get("cut", 0) > 0, f"mutate did {done}")
    setting.say(f"{done.get('mutated')} edits, deletions and swaps, {done.get('cut')} truncations")


def other_key(tally, machine, path):
    """The same history under a key that is not the log's is nobody's."""
    name, _, rest = machine.key.partition("+")
    good, said = verify(path, f"{name}x+{rest}")
    tally.check(not good, f"an export verifies under another name: {said[-200:]}")


def fork(setting, machine, number):
    """Two gateways go on from the same store under the same key. Each history is good; only who kept a checkpoint of the
    other can tell."""
    gateway, folder, tally = machine.gateway, machine.folder, setting.tally
    gateway.stop()
    for name in ("data", "mark"):
        copy = shutil.copytree if (folder / name).is_dir() else shutil.copy
        copy(folder / name, folder / f"{name}-fork")
    gateway.start()
    live(machine, f"{number}-ours", setting.chance.randint(1, 3))
    ours = machine.export("ours.jsonl")
    kept = machine.checkpoint()["checkpoint"]
    gateway.stop()
    shutil.rmtree(folder / "data")
    (folder / "data-fork").rename(folder / "data")
    (folder / "mark-fork").rename(folder / "mark")
    gateway.start()
    live(machine, f"{number}-theirs", setting.chance.randint(1, 4))
    theirs = machine.export("theirs.jsonl")
    for path in (ours, theirs):
        good, said = verify(path, machine.key)
        tally.check(good, f"{path.name} does not verify by itself: {said[-300:]}")
    good, said = verify(ours, machine.key, [kept])
    tally.check(good, f"the history a checkpoint was kept of is refused: {said[-300:]}")
    good, said = verify(theirs, machine.key, [kept])
    tally.check(not good, f"a fork is not found: {said[-300:]}")


def run(setting):
    with Machine() as machine:
        history.prepare(machine)
        earlier = live(machine, 0, CYCLES)
        live(machine, "last", 1)
        path = machine.export()
        good, said = verify(path, key_of(path))
        setting.tally.check(good, f"the export does not verify: {said[-300:]}")
        edit(setting, machine, path, machine.key, earlier)
        other_key(setting.tally, machine, path)
        forks = min(FORKS_MAX, setting.rounds)
        for number in range(1, forks + 1):
            fork(setting, machine, number)
            setting.tally.rounds += 1
            setting.progress(number, forks)
        setting.tally.check(machine.gateway.stop() == 0, "the gateway did not end cleanly")
