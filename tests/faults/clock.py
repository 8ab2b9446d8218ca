"""The wall clock steps by an hour to ten years either way: no grant is redeemed past its time, none comes back."""
import math

from faults import history
from faults.harness import CONFIG, Machine

TTL, CLAIM_WITHIN = 30, 300
SLACK = 1  # s a grant may be redeemed past its time
HOUR, YEARS = 3600, 10 * 366 * 86400
ROUNDS_A_STORE = 25
POLICY = f"""
version: 1
defaults: {{ verdict: deny, approval: {{ groups: [finance], timeout: 30m }} }}
rules:
  - name: reading
    match: {{ action: "orders.*" }}
    verdict: allow
    grant: {{ ttl: {TTL}s, claim_within: {CLAIM_WITHIN}s }}
"""
REFUSALS = ("expired", "lapsed", "superseded_token")


class Clock:
    """Scripted: `pass_time` is what elapses, `step` is what somebody does to the wall clock."""

    def __init__(self, gateway):
        self.gateway, self.elapsed, self.stepped = gateway, 0.0, 0.0

    def pass_time(self, seconds):
        self.elapsed += seconds
        self.gateway.advance(seconds)

    def step(self, seconds):
        self.stepped += seconds
        self.gateway.advance(seconds, boot=0)


def choose_step(chance):
    """Anything between an hour and ten years, small ones as often as big ones."""
    return chance.choice((-1, 1)) * math.exp(chance.uniform(math.log(HOUR), math.log(YEARS)))


def restart(machine, chance):
    machine.gateway.restart() if chance.random() < 0.5 else (machine.gateway.kill(), machine.gateway.start())


def redeem(machine, shown):
    return machine.gateway.call("POST", "/v1/grants/redeem", {"token": shown["grant"]["token"], "action": shown["action"],
                                                              "resource": shown["resource"]}, machine.secrets["holder"])


def judge(tally, what, answer, age, was_refused):
    """`age` is how long the token has lived by elapsed time. Returns whether it was refused for its age."""
    if answer.status == 200:
        tally.check(age <= TTL + SLACK, f"{what}: redeemed {age:.0f} s after it was minted for {TTL} s")
        tally.check(not was_refused, f"{what}: it had expired and came back")
        return False
    return tally.check(answer.json.get("code") in REFUSALS, f"{what}: {answer}")


def one_life(setting, machine, clock, number):
    """A token, then steps, time and perhaps a restart in any order, and tries in between."""
    chance, tally = setting.chance, setting.tally
    shown = machine.gateway.submit(machine.secrets["holder"], action="orders.get", resource=f"order/{number}")
    minted, refused, told = clock.elapsed, False, []
    for _ in range(chance.randint(2, 5)):
        what = chance.choice(("step", "step back", "time", "long", "restart"))
        told.append(what)
        if what == "step":
            clock.step(choose_step(chance))
        elif what == "step back" and clock.stepped:
            clock.step(-clock.stepped)
        elif what == "time":
            clock.pass_time(chance.uniform(1, TTL))
        elif what == "long":
            clock.pass_time(chance.uniform(TTL, 3 * CLAIM_WITHIN))
        elif what == "restart":
            restart(machine, chance)
        if chance.random() < 0.4:
            told.append("try")
            answer = redeem(machine, shown)
            refused = judge(tally, f"round {number}, {told}", answer, clock.elapsed - minted, refused) or refused
            if answer.status == 200:
                break
    answer = redeem(machine, shown)
    if answer.status == 409 and answer.json.get("code") == "already_redeemed":
        tally.check("try" in told and not refused, f"round {number}, {told}: redeemed by nobody's try")
    else:
        judge(tally, f"round {number}, {told}, last", answer, clock.elapsed - minted, refused)


def claim_late(setting, machine, clock, number):
    """A grant nobody claimed in time lapses and does not come back with the clock."""
    shown = machine.gateway.submit(machine.secrets["holder"], action="orders.get", resource=f"order/{number}-late")
    clock.pass_time(CLAIM_WITHIN + 60)
    for step in (choose_step(setting.chance), None):
        clock.step(-clock.stepped if step is None else step)
        fresh = machine.gateway.show(machine.secrets["holder"], shown["id"])
        setting.tally.check("token" not in fresh["grant"], f"round {number}: a token {clock.elapsed:.0f} s late: {fresh['grant']}")
        setting.tally.check(redeem(machine, shown).status == 409, f"round {number}: a lapsed grant redeems")


def run(setting):
    for first in range(1, setting.rounds + 1, ROUNDS_A_STORE):
        with Machine(config=CONFIG, policy=POLICY, scripted=True) as machine:
            history.prepare(machine)
            clock = Clock(machine.gateway)
            for number in range(first, min(first + ROUNDS_A_STORE, setting.rounds + 1)):
                one_life(setting, machine, clock, number)
                if number % 5 == 0:
                    claim_late(setting, machine, clock, number)
                setting.tally.rounds += 1
                setting.progress(number, setting.rounds)
            history.check(setting.tally, machine, history.Journal(), setting.chance)
            setting.tally.check(machine.gateway.stop() == 0, "the gateway did not end cleanly")
