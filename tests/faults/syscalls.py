"""The nth write or sync fails, or kills the gateway on the way in: nothing acknowledged is lost, nothing happens twice.

strace stands between the gateway and the kernel. An error at COMMIT has to end the process with status 70; at start it
has to end it with a reason; a disk that is full has to be answered with 503.
"""
import shutil
import subprocess

from faults import history
from faults.harness import Machine, Skipped, kill

ROUNDS_A_STORE = 20
LOAD_MS = 600
AMBIGUOUS, CANNOT_START = 70, 75
NTH_MAX = 400
FAULTS = [
    ("pwrite64", "error=EIO"), ("pwrite64", "error=ENOSPC"), ("pwrite64", "signal=SIGKILL"),
    ("fdatasync", "error=EIO"), ("fdatasync", "error=ENOSPC"), ("fdatasync", "signal=SIGKILL"),
    ("fsync", "error=EIO"), ("fsync", "signal=SIGKILL"), ("ftruncate", "error=EIO"), ("fallocate", "error=ENOSPC"),
]


def need_strace():
    if shutil.which("strace") is None:
        raise Skipped("strace is not installed")
    tried = subprocess.run(["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"],
                           capture_output=True, text=True)
    if tried.returncode != 0:
        raise Skipped(f"this process may not trace others: {tried.stderr.strip()[:200]}")


def choose(chance, number):
    """Every kind in turn; mostly among the first calls of a thread, sometimes far out; one error in three stays."""
    call, fault = FAULTS[number % len(FAULTS)]
    nth = min(NTH_MAX, 1 + int(chance.expovariate(1 / 25)))
    lasts = fault.startswith("error") and chance.random() < 0.33
    return call, fault, f"{nth}+" if lasts else str(nth)


def run_with(machine, chance, journal, call, fault, nth, name):
    """A gateway's life with that fault in it. Returns its exit status; None when it had to be ended."""
    gateway = machine.gateway
    # -D makes the gateway the child, and strace the one that goes when it does.
    gateway.wrapper = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                       f"inject={call}:{fault}:when={nth}"]
    try:
        gateway.start()
    except AssertionError:
        status = gateway.process.wait()
        gateway.process.stderr.close()
        gateway.process = None
        return status
    finally:
        gateway.wrapper = []
    process, path = history.start_client(machine, LOAD_MS, name)
    process.wait(60)
    journal.read(path)
    path.unlink()
    try:
        return gateway.stop()
    except AssertionError:
        gateway.process = None
        return None


def judge(tally, what, fault, status, log):
    """Which ends are allowed: none of it, killed as asked, stopped as ambiguous; not started, or stopped without being able
    to note it, with a reason."""
    if fault == "signal=SIGKILL":
        tally.check(status in (0, -9), f"{what}: ended with {status}")
    else:
        tally.check(status in (0, AMBIGUOUS, CANNOT_START), f"{what}: ended with {status}: {log[-3:]}")
    if status == CANNOT_START:
        tally.check(any("cannot start" in line or "stop_not_noted" in line for line in log), f"{what}: 75 without a reason")


def wear_out(setting, first, last, ends):
    # A sanitized gateway cannot look for leaks while it is traced.
    with Machine(environment={"ASAN_OPTIONS": "detect_leaks=0"}) as machine:
        history.prepare(machine)
        machine.gateway.stop()
        journal = history.Journal()
        for number in range(first, last + 1):
            call, fault, nth = choose(setting.chance, number)
            what = f"round {number}, {call} {fault} at {nth}"
            status = run_with(machine, setting.chance, journal, call, fault, nth, f"s{number}")
            judge(setting.tally, what, fault, status, machine.gateway.log)
            ends[status] = ends.get(status, 0) + 1
            machine.gateway.start()
            before = len(setting.tally.violations)
            history.check(setting.tally, machine, journal, setting.chance, count=10)
            if len(setting.tally.violations) > before:
                setting.say(f"the violations above are of {what}, which ended with {status}")
            kill(machine.gateway) if setting.chance.random() < 0.5 else machine.gateway.stop()
            setting.tally.rounds += 1
            setting.progress(number, setting.rounds)
            if setting.tally.violations:
                break
        return journal.facts


def run(setting):
    need_strace()
    facts, ends = 0, {}
    for first in range(1, setting.rounds + 1, ROUNDS_A_STORE):
        facts += wear_out(setting, first, min(first + ROUNDS_A_STORE - 1, setting.rounds), ends)
        if setting.tally.violations:
            return
    setting.say(f"{facts} acknowledged facts; ended " + ", ".join(
        f"{count} times with {status}" for status, count in sorted(ends.items(), key=str)))
    if setting.rounds >= 20:
        setting.tally.check(ends.get(AMBIGUOUS, 0) > 0, "no error was met at a COMMIT: the campaign proves nothing")
