"""A full disk and a read-only one: no approval, clear 503, what ends things still works, service again without a restart."""
import ctypes
import os
import subprocess

from faults import history
from faults.harness import CONFIG, Keeping, Machine, Skipped, driver, kill

DISK_MIB = 96
BALLAST_MIB = 4
CLONE_NEWNS = 0x20000
ROUNDS_MAX = 12
SECONDS_TO_RECOVER = 5


def own_mounts():
    """Mounts of this process from here on are nobody else's."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise Skipped(f"this process may not mount: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True)  # where / is no mount of its own, it need not be


class Disk:
    """A small tmpfs under the gateway's data folder."""

    def __init__(self, folder):
        self.folder = folder / "data"
        self.folder.mkdir(mode=0o700)
        run = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=700", "tmpfs", str(self.folder)],
                             capture_output=True, text=True)
        if run.returncode != 0:
            raise Skipped(f"a small disk cannot be mounted here: {run.stderr.strip()[:200]}")

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)

    def fill(self):
        with open(self.folder / "filler", "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65536)
            except OSError:
                pass
            try:
                while True:
                    file.write(b"x")
            except OSError:
                pass

    def free(self):
        (self.folder / "filler").unlink()

    def unmount(self):
        subprocess.run(["umount", str(self.folder)], check=True)


class Cast:
    """What stands when the disk fills up: pending requests, a grant not yet used, one that waits for its effect."""

    def __init__(self, machine, number):
        gateway, key = machine.gateway, machine.secrets["holder"]
        ask = lambda what: gateway.submit(key, resource=f"order/{number}-{what}")  # noqa: E731
        self.to_deny, self.to_cancel, self.to_approve = ask("deny"), ask("cancel"), ask("approve")
        self.unused = gateway.submit(key, action="orders.get", resource=f"order/{number}-unused")
        self.kept = gateway.submit(key, action="orders.get", resource=f"order/{number}-kept")
        running = gateway.submit(key, action="orders.get", resource=f"order/{number}-running")
        self.redeemed = gateway.redeem(key, running)


def is_full(answer):
    return answer.status == 503 and answer.json.get("code") in ("store_full", "store_failed")


def fill_up(tally, machine, number):
    """Asks until it is answered 503; a few asks still fit into pages that are there."""
    body = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "orders.get", "properties": {"args": {"text": "x" * 4000}}}}
    with Keeping(machine.gateway) as kept:
        for serial in range(5000):
            body["resource"] = {"type": "order", "id": f"{number}-full-{serial}"}
            answer = kept.call("POST", "/v1/requests", body, machine.secrets["holder"])
            if answer.status != 201:
                return tally.check(is_full(answer), f"a full disk was answered {answer}")
    return tally.check(False, "5000 requests fit on a full disk")


def check_refusals(tally, machine, cast, number):
    """Nothing new is let in, and nothing is approved or redeemed."""
    gateway, secrets = machine.gateway, machine.secrets
    shown = gateway.show(secrets["dana"], cast.to_approve["id"])
    asked = gateway.call("POST", "/v1/requests", {"subject": {"type": "user", "id": "alice"}, "action": {"name": "orders.get"},
                                                  "resource": {"type": "order", "id": f"{number}-late"}}, secrets["holder"])
    tally.check(is_full(asked), f"a request on a full disk: {asked}")
    approved = gateway.call("POST", f"/v1/requests/{shown['id']}/votes",
                            {"vote": "approve", "revision": 1, "digest": shown["digest"]}, secrets["dana"])
    tally.check(is_full(approved), f"an approval on a full disk: {approved}")
    redeemed = gateway.call("POST", "/v1/grants/redeem", {"token": cast.kept["grant"]["token"], "action": cast.kept["action"],
                                                          "resource": cast.kept["resource"]}, secrets["holder"])
    tally.check(is_full(redeemed), f"a redemption on a full disk: {redeemed}")
    tally.check(gateway.show(secrets["dana"], shown["id"])["state"] == "pending", "it is not pending any more")


def check_reads(tally, machine):
    gateway = machine.gateway
    for path, secret in (("/v1/requests?inbox=true", "dana"), ("/v1/requests?limit=5", "audit"), ("/v1/ledger/checkpoint", "audit")):
        answer = gateway.call("GET", path, secret=machine.secrets[secret])
        tally.check(answer.status == 200, f"GET {path} on a full disk: {answer}")
    tally.check(gateway.call("GET", "/healthz").status == 200, "/healthz on a full disk")
    ready = gateway.call("GET", "/readyz")
    tally.check(ready.status == 503 and "disk" in (ready.json.get("reason") or ""), f"/readyz on a full disk: {ready}")


def check_endings(tally, machine, cast):
    """What takes authority away, and what reports, goes through: that is what the ballast is for."""
    gateway, secrets = machine.gateway, machine.secrets
    shown = gateway.show(secrets["dana"], cast.to_deny["id"])
    steps = [
        ("deny", f"/v1/requests/{shown['id']}/votes", {"vote": "deny", "revision": 1, "digest": shown["digest"]}, "dana", 200),
        ("cancel", f"/v1/requests/{cast.to_cancel['id']}/cancel", {}, "holder", 200),
        ("revoke", f"/v1/grants/{cast.unused['grant']['id']}/revoke", {"reason": "not needed"}, "holder", 200),
        ("effect", f"/v1/grants/{cast.redeemed['grant']}/effect", {"effect": "succeeded"}, "holder", 200),
        ("freeze", "/v1/freezes", {"scope": "everything", "reason": "the disk is full"}, "audit", 201),
    ]
    answers = {}
    for name, path, body, who, status in steps:
        answers[name] = gateway.call("POST", path, body, secrets[who])
        tally.check(answers[name].status == status, f"{name} on a full disk: {answers[name]}")
    return answers["freeze"]


def check_service(tally, machine, cast, frozen, number):
    """The same process serves again within 5 s, and what stood still goes on."""
    gateway, secrets = machine.gateway, machine.secrets
    if frozen.status == 201:
        driver.eventually(lambda: gateway.call("POST", f"/v1/freezes/{frozen.json['id']}/thaw", secret=secrets["audit"]).status == 200,
                          "the freeze is thawed again", SECONDS_TO_RECOVER)
    answer = driver.eventually(lambda: ask_once(gateway, secrets, number), "requests are served again", SECONDS_TO_RECOVER)
    tally.check(answer.json["state"] == "approved", f"after the disk had room again: {answer}")
    tally.check(gateway.call("GET", "/readyz").status == 200, "/readyz after the disk had room again")
    voted = gateway.vote(secrets["dana"], cast.to_approve["id"])
    tally.check(voted["state"] == "approved", f"the approval after the disk had room again: {voted}")


def ask_once(gateway, secrets, number):
    answer = gateway.call("POST", "/v1/requests", {"subject": {"type": "user", "id": "alice"}, "action": {"name": "orders.get"},
                                                   "resource": {"type": "order", "id": f"{number}-again"}}, secrets["holder"])
    return answer if answer.status == 201 else None


def exhaust(setting, machine, disk, journal, number):
    tally = setting.tally
    cast = Cast(machine, number)
    process, path = history.start_client(machine, 400, f"d{number}")
    if number % 2 == 0:
        disk.fill()  # under load; otherwise when it is quiet
    process.wait(60)
    journal.read(path)
    path.unlink()
    if number % 2 == 1:
        disk.fill()
    fill_up(tally, machine, number)
    check_refusals(tally, machine, cast, number)
    check_reads(tally, machine)
    frozen = check_endings(tally, machine, cast)
    machine.was_frozen = True
    disk.free()
    check_service(tally, machine, cast, frozen, number)
    history.check(tally, machine, journal, setting.chance, count=5)


def refuse_read_only(setting, machine, disk):
    """On a disk that cannot be written the gateway does not start, says so, and starts when it can be written again."""
    machine.gateway.stop()
    disk.remount("ro")
    try:
        machine.gateway.start()
        setting.tally.check(False, "the gateway started on a read-only store")
        machine.gateway.stop()
    except AssertionError as refusal:
        setting.tally.check("cannot be written" in str(refusal), f"a read-only store was refused with: {refusal}")
        machine.gateway.process = None
    disk.remount("rw")
    machine.gateway.start()


def run(setting):
    own_mounts()
    config = CONFIG + f"store: {{ ballast_mib: {BALLAST_MIB} }}\n"
    rounds = min(setting.rounds, ROUNDS_MAX)
    for number in range(1, rounds + 1):
        with Machine(config=config) as machine:
            disk = Disk(machine.folder)
            try:
                history.prepare(machine)
                journal = history.Journal()
                exhaust(setting, machine, disk, journal, number)
                refuse_read_only(setting, machine, disk)
                history.check(setting.tally, machine, journal, setting.chance, count=5)
                setting.tally.check(machine.gateway.stop() == 0, "the gateway did not end cleanly")
            finally:
                if machine.gateway.process is not None:
                    kill(machine.gateway)
                disk.unmount()
            setting.tally.rounds += 1
            setting.progress(number, rounds)
