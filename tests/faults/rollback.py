"""An old copy of the store is put back at any moment: noticed every time, and nothing of before is good any more."""
import shutil

from faults import history
from faults.harness import Machine, kill

ROUNDS_MAX = 40
STEPS_MAX = 6


def copy_data(machine, back=False):
    """The store without its mark: what a backup of the data folder holds, taken between two runs of the gateway."""
    source, target = machine.folder / "data", machine.folder / "copy"
    if back:
        source, target = target, source
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def step(machine, chance, name):
    """Something that is in the ledger afterwards. Returns what it left."""
    gateway, secrets = machine.gateway, machine.secrets
    shown = gateway.submit(secrets["holder"], action="orders.get", resource=f"order/{name}")
    if chance.random() < 0.5:
        return "token", shown
    gateway.redeem(secrets["holder"], shown)
    return "redeemed", shown


def leave(machine, chance, number):
    """The gateway ends in one of the ways it can after its mark was written: cleanly, or killed behind a redemption."""
    gateway, secrets = machine.gateway, machine.secrets
    if chance.random() < 0.5:
        gateway.stop()
        return
    last = gateway.submit(secrets["holder"], action="orders.get", resource=f"order/{number}-last")
    gateway.redeem(secrets["holder"], last)
    kill(gateway)


def check_noticed(tally, machine, before, pending):
    """Everything from before is revoked, cancelled or disabled, and frozen until somebody on the host says why."""
    gateway, secrets = machine.gateway, machine.secrets
    tally.check(gateway.logged("store_rolled_back") is not None, "an old store was put back and not noticed")
    ready = gateway.call("GET", "/readyz")
    tally.check(ready.status == 503 and "recover" in ready.json["reason"], f"/readyz after a rollback: {ready}")
    tally.check(gateway.call("GET", "/v1/me", secret=secrets["holder"]).status == 401, "a key of before works")
    tally.check(gateway.call("GET", "/v1/me", secret=secrets["dana"]).status == 401, "a token of before works")
    gateway.admin("POST", "/v1/recover", {"reason": "restored by the campaign", "trust_credentials": True})
    for what, shown in before:
        answer = gateway.call("POST", "/v1/grants/redeem", {"token": shown["grant"]["token"], "action": shown["action"],
                                                            "resource": shown["resource"]}, secrets["holder"])
        tally.check(answer.status in (403, 404, 409), f"a grant of before ({what}) redeems: {answer}")
    shown = gateway.show(secrets["audit"], pending["id"])
    tally.check((shown["state"], shown["reason"]) == ("cancelled", "rolled_back"), f"a request of before: {shown['state']}")


def one_round(setting, machine, number):
    chance, gateway = setting.chance, machine.gateway
    before = []
    pending = gateway.submit(machine.secrets["holder"], resource=f"order/{number}-pending")
    for serial in range(chance.randint(1, STEPS_MAX)):
        before.append(step(machine, chance, f"{number}-{serial}"))
    gateway.stop() if chance.random() < 0.5 else kill(gateway)
    copy_data(machine)
    gateway.start()
    fences = [gateway.redeem(machine.secrets["holder"], gateway.submit(
        machine.secrets["holder"], action="orders.get", resource=f"order/{number}-fence"))["fence"]]
    for serial in range(chance.randint(0, STEPS_MAX)):
        before.append(step(machine, chance, f"{number}-after-{serial}"))
    leave(machine, chance, number)
    copy_data(machine, back=True)
    gateway.start()
    check_noticed(setting.tally, machine, before, pending)
    fresh = gateway.submit(machine.secrets["holder"], action="orders.get", resource=f"order/{number}-fresh")
    fence = gateway.redeem(machine.secrets["holder"], fresh)["fence"]
    setting.tally.check(fence > max(fences), f"fence {fence} was handed out after {fences}")


def run(setting):
    rounds = min(setting.rounds, ROUNDS_MAX)
    for number in range(1, rounds + 1):
        with Machine() as machine:
            history.prepare(machine)
            one_round(setting, machine, number)
            good, said = history.verify(machine.export(), machine.key)
            setting.tally.check(good, f"the ledger of both epochs does not verify: {said[-300:]}")
            setting.tally.check(machine.gateway.stop() == 0, "the gateway did not end cleanly")
            setting.tally.rounds += 1
            setting.progress(number, rounds)
