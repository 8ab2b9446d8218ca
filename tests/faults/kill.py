"""`kill -9` under load, at random moments, also while it starts again: what was acknowledged is there afterwards."""
import shutil

from faults import history
from faults.harness import Machine, Tally, kill

ROUNDS_A_STORE = 20  # every check reads the whole history of its store
LOAD_MS = 5000       # the kill ends it long before


def strike(machine, chance, journal, name):
    """Load, and 5 to 200 ms later the kill."""
    process, path = history.start_client(machine, LOAD_MS, name)
    try:
        process.wait(chance.uniform(0.005, 0.2))
    except history.subprocess.TimeoutExpired:
        pass
    kill(machine.gateway)
    process.wait(30)
    journal.read(path)
    path.unlink()


def start_again(machine, chance):
    """One start in five is killed as well: recovery must survive a crash too."""
    if chance.random() < 0.2:
        machine.gateway.spawn()
        try:
            machine.gateway.process.wait(chance.uniform(0.001, 0.05))
        except history.subprocess.TimeoutExpired:
            pass
        kill(machine.gateway)
    machine.gateway.start()


def wear_out(setting, first, last):
    """The rounds of one store."""
    with Machine() as machine:
        history.prepare(machine)
        journal = history.Journal()
        for number in range(first, last + 1):
            strike(machine, setting.chance, journal, f"k{number}")
            start_again(machine, setting.chance)
            history.check(setting.tally, machine, journal, setting.chance)
            setting.tally.rounds += 1
            setting.progress(number, setting.rounds)
            if setting.tally.violations:
                return journal.facts
        setting.tally.check(machine.gateway.stop() == 0, "the gateway did not end cleanly")
        return journal.facts


def copy_store(machine, back=False):
    """Store and mark, aside or back: what no gateway can notice, and the checker must."""
    folder, aside = machine.folder, machine.folder / "aside"
    source, target = (aside, folder) if back else (folder, aside)
    if target.joinpath("data").exists():
        shutil.rmtree(target / "data")
    shutil.copytree(source / "data", target / "data")
    shutil.copy(source / "mark", target / "mark")


def control(setting):
    """A store that loses what it acknowledged must be found out, or the campaign proves nothing."""
    tally = Tally("control")
    with Machine() as machine:
        history.prepare(machine)
        journal = history.Journal()
        machine.gateway.stop()
        copy_store(machine)
        machine.gateway.start()
        strike_until_told(machine, setting.chance, journal)
        copy_store(machine, back=True)
        machine.gateway.start()
        quiet(history.check, tally, machine, journal, setting.chance)
        machine.gateway.stop()
    if setting.tally.check(bool(tally.violations), "the negative control was NOT caught"):
        setting.say(f"negative control caught ({len(tally.violations)} violations found in a store set back by hand)")


def strike_until_told(machine, chance, journal):
    for attempt in range(20):
        strike(machine, chance, journal, f"c{attempt}")
        if journal.facts > 10:
            return
        machine.gateway.start()
    raise AssertionError("no facts were acknowledged in twenty tries")


def quiet(run, tally, *more):
    """Violations of the control are wanted: counted, not printed."""
    say, tally.check = tally.check, lambda holds, what: holds or tally.violations.append(what)
    try:
        run(tally, *more)
    finally:
        tally.check = say


def run(setting):
    control(setting)
    facts = 0
    for first in range(1, setting.rounds + 1, ROUNDS_A_STORE):
        facts += wear_out(setting, first, min(first + ROUNDS_A_STORE - 1, setting.rounds))
        if setting.tally.violations:
            return
    setting.say(f"{facts} acknowledged facts, none lost")
    setting.tally.check(facts > setting.rounds, f"{facts} facts in {setting.rounds} rounds are no load")

