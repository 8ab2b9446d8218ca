"""Hardly any descriptors: connections beyond are shed, those inside are served, and room is used again when there is some."""
import contextlib
import http.client
import shutil
import socket

from faults import history
from faults.harness import Machine, Skipped, driver

DESCRIPTORS = 96
CROWD = 200
ROUNDS_MAX = 20


def crowd(port, chance):
    """Connections that stay: silent ones, and some in the middle of a head."""
    sockets = []
    for _ in range(CROWD):
        each = socket.socket()
        each.settimeout(5)
        try:
            each.connect(("127.0.0.1", port))
            if chance.random() < 0.5:
                each.sendall(b"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\n")
        except OSError:
            pass  # shed at once
        sockets.append(each)
    return sockets


def count_shed(sockets):
    """How many were told 503 or closed: the others wait inside or in the kernel's queue."""
    shed = 0
    for each in sockets:
        each.setblocking(False)
        try:
            got = each.recv(4096)
            shed += got == b"" or b" 503 " in got
        except BlockingIOError:
            pass
        except OSError:
            shed += 1
    return shed


def serve(tally, machine, connection, number, what):
    """One whole life over a connection that is there."""
    gateway, secrets = machine.gateway, machine.secrets
    body = {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "order", "id": f"{number}-{what}"},
            "action": {"name": "orders.get"}}
    answer = gateway.call("POST", "/v1/requests", body, secrets["holder"], connection=connection)
    if not tally.check(answer.status == 201, f"{what}: {answer}"):
        return
    shown = answer.json
    redeemed = gateway.call("POST", "/v1/grants/redeem", {"token": shown["grant"]["token"], "action": shown["action"],
                                                          "resource": shown["resource"]}, secrets["holder"], connection=connection)
    tally.check(redeemed.status == 200, f"{what}: {redeemed}")


def try_anew(gateway):
    """A new connection that is answered, or None."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)) as fresh:
        try:
            fresh.request("GET", "/healthz")
            return fresh.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return None


def press(setting, machine, number):
    tally, gateway = setting.tally, machine.gateway
    with contextlib.closing(gateway.connection()) as inside:
        serve(tally, machine, inside, number, "before")
        sockets = crowd(gateway.port, setting.chance)
        try:
            driver.eventually(lambda: count_shed(sockets) > 0, "connections beyond the limit are shed", 20)
            serve(tally, machine, inside, number, "among the crowd")
            export = gateway.call("GET", "/v1/ledger/export", secret=machine.secrets["audit"], connection=inside)
            tally.check(export.status == 200 and export.body.count(b"\n") > 10, f"an export among the crowd: {export.status}")
        finally:
            for each in sockets:
                each.close()
        tally.check(driver.eventually(lambda: try_anew(gateway), "new connections are served again", 5), "")
        serve(tally, machine, inside, number, "after")


def run(setting):
    if shutil.which("prlimit") is None:
        raise Skipped("prlimit is not installed")
    rounds = min(setting.rounds, ROUNDS_MAX)
    wrapper = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"]
    with Machine(config="limits: { requests_per_second: 0, connections_per_address: 20000 }\n", wrapper=wrapper) as machine:
        history.prepare(machine)
        journal = history.Journal()
        for number in range(1, rounds + 1):
            press(setting, machine, number)
            process, path = history.start_client(machine, 200, f"f{number}")
            process.wait(60)
            journal.read(path)
            setting.tally.rounds += 1
            setting.progress(number, rounds)
        history.check(setting.tally, machine, journal, setting.chance)
        setting.tally.check(machine.gateway.stop() == 0, "the gateway did not end cleanly")
