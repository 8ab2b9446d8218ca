"""Many clients redeem the same grants at once: each grant is redeemed exactly once."""
import subprocess

from faults.harness import CONFIG, Machine, driver, entries_of, key_of, verify

GRANTS_A_ROUND = 10
TRIES_A_GRANT = 1000
CONNECTIONS = 64


def tear(setting, machine, number):
    """One round: returns {grant: fence} of its winners."""
    tally, gateway = setting.tally, machine.gateway
    run = subprocess.run([str(driver.BUILD / "tests/faults/contend"), str(gateway.port), str(GRANTS_A_ROUND),
                          str(TRIES_A_GRANT), str(CONNECTIONS), f"r{number}"], capture_output=True, text=True, timeout=1800,
                         env={"CONTEND_HOLDER": machine.secrets["holder"], "CONTEND_OTHER": machine.secrets["other"]})
    winners = {}
    for line in run.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word == "violation":
            tally.check(False, rest)
        elif word == "redeemed":
            grant, fence = rest.split()
            winners[grant] = int(fence)
        elif word == "tries":
            tally.checks += int(rest)
            machine.tries += int(rest)
    tally.check(run.returncode == 0, f"contend ended with {run.returncode}: {run.stderr[-300:]}")
    return winners


def check_ledger(setting, machine, winners):
    """What the ledger says, read by the offline verifier: one redemption a grant, every refusal an entry."""
    tally = setting.tally
    path = machine.export()
    good, said = verify(path, key_of(path))
    tally.check(good, f"the ledger does not verify: {said[-500:]}")
    redeemed, refused = {}, 0
    for entry in entries_of(path, {"grant.redeemed", "grant.refused"}):
        if entry["type"] == "grant.refused":
            refused += 1
            continue
        tally.check(entry["grant"] not in redeemed, f"{entry['grant']} is redeemed twice in the ledger")
        redeemed[entry["grant"]] = entry["data"]["fence"]
    tally.check(redeemed == winners, "the ledger's fences are not those that were answered")
    tally.check(refused == machine.tries - len(winners), f"{refused} refusals are entries, of {machine.tries - len(winners)}")
    return said.splitlines()[-1]


def run(setting):
    with Machine(config=CONFIG) as machine:
        machine.gateway.start()
        machine.people()
        machine.tries = 0
        winners, highest = {}, 0
        for number in range(1, setting.rounds + 1):
            fresh = tear(setting, machine, number)
            setting.tally.check(len(fresh) == GRANTS_A_ROUND, f"{len(fresh)} grants were redeemed, of {GRANTS_A_ROUND}")
            setting.tally.check(not fresh or min(fresh.values()) > highest, "fences do not grow from round to round")
            highest = max([highest, *fresh.values()])
            winners.update(fresh)
            setting.tally.rounds += 1
            setting.progress(number, setting.rounds)
        setting.tally.check(len(set(winners.values())) == len(winners), "a fence was handed out twice")
        covered = check_ledger(setting, machine, winners)
        setting.say(f"{machine.tries} contested tries of {len(winners)} grants, {len(winners)} successes; {covered}")
        setting.tally.check(machine.gateway.stop() == 0, "the gateway did not end cleanly")
