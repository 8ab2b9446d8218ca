"""No memory left: the gateway ends with a message instead of going on half, and starts clean with everything acknowledged."""
import pathlib
import shutil
import signal
import socket
import subprocess

from faults import history
from faults.harness import Machine, Skipped

ROUNDS_MAX = 10
SPARE_MIB = 24
BODY_BYTES = 250000
CONNECTIONS = 400
CONFIG = "limits: { requests_per_second: 0, connections_per_address: 20000 }\ntiming: { body: 60s }\n"


def limit(process):
    """What it has mapped now, and a little more."""
    pages = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[0])
    most = pages * 4096 + SPARE_MIB * 1024 * 1024
    if most > 1 << 40:
        raise Skipped("a sanitized gateway maps more than can be limited")
    subprocess.run(["prlimit", f"--pid={process.pid}", f"--as={most}:{most}"], check=True)


def swell(port):
    """Bodies that never end: each has to be kept."""
    sockets = []
    head = f"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {BODY_BYTES + 1}\r\n\r\n"
    for _ in range(CONNECTIONS):
        each = socket.socket()
        each.settimeout(10)
        try:
            each.connect(("127.0.0.1", port))
            each.sendall(head.encode() + b"x" * BODY_BYTES)
        except OSError:
            break  # it is gone
        finally:
            sockets.append(each)
    return sockets


def starve(setting, machine, journal, number):
    tally, gateway = setting.tally, machine.gateway
    client, path = history.start_client(machine, 20000, f"m{number}")
    limit(gateway.process)
    sockets = swell(gateway.port)
    try:
        status = gateway.process.wait(60)
    except subprocess.TimeoutExpired:
        gateway.kill()
        status = None
    for each in sockets:
        each.close()
    client.wait(60)
    journal.read(path)
    gateway.reader.join(10)
    tally.check(status == -signal.SIGABRT, f"without memory it ended with {status}")
    tally.check(any("out of memory" in line for line in gateway.log), f"it did not say why: {gateway.log[-3:]}")
    if gateway.process is not None:
        gateway.process.stderr.close()
        gateway.process = None


def run(setting):
    if shutil.which("prlimit") is None:
        raise Skipped("prlimit is not installed")
    rounds = min(setting.rounds, ROUNDS_MAX)
    with Machine(config=CONFIG) as machine:
        history.prepare(machine)
        journal = history.Journal()
        for number in range(1, rounds + 1):
            starve(setting, machine, journal, number)
            machine.gateway.start()
            history.check(setting.tally, machine, journal, setting.chance)
            setting.tally.rounds += 1
            setting.progress(number, rounds)
        setting.tally.check(machine.gateway.stop() == 0, "the gateway did not end cleanly")
