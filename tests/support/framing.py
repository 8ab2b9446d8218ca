"""The HTTP front alone, started for a test, and the requests that tests of it send."""
import json
import pathlib
import subprocess
import time

from support import gateway
from support.raw_http import Connection, TIMEOUT

JSON = b'{"request_id":"01J9Z6T3QK8M7N5P4R2S1V0W9X","action":"payments.transfer","note":"' + b"n" * 600 + b'"}'
OPEN, CLOSED = "open", "closed"


def request(method, path, body=None, extra=b""):
    head = method + b" " + path + b" HTTP/1.1\r\nHost: x\r\n" + extra
    if body is not None:
        head += b"Content-Length: %d\r\n" % len(body)
    return head + b"\r\n" + (body or b"")


def chunked(path, wire, extra=b""):
    return b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + extra + b"\r\n" + wire


def field(line, method=b"POST", body=b"abcde"):
    """A request with one header line more, and a body to misframe."""
    return method + b" /h HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n\r\n" + body


GET = request(b"GET", b"/get")
POST = request(b"POST", b"/decide", JSON)
LATER = request(b"POST", b"/later", b"abc")
PARK = request(b"POST", b"/park", JSON)
SMALL = request(b"POST", b"/decide", b"0123456789")
GET_BODY = request(b"GET", b"/get", b"hello")
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def fnv(data):
    """The hash that framing_server describes a body with."""
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 % 2 ** 64
    return f"{value:016x}"


class Server:
    """The front alone (tests/journeys/framing_server.c)."""

    def __init__(self, *arguments):
        program = gateway.BUILD / "tests" / "journeys" / "framing_server"
        self.process = subprocess.Popen([str(program), *map(str, arguments)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.out = self.process.stdout.readline().split()
        self.address = ("127.0.0.1", int(self.out[1])) if self.out else None

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if kind is not None:
            self.process.kill()
        elif self.process.poll() is None:
            self.process.terminate()
        _, errors = self.process.communicate(timeout=TIMEOUT)
        if kind is None and (self.process.returncode != 0 or errors):
            raise AssertionError(f"the server ended with {self.process.returncode}: {errors}")

    def connect(self, **how):
        return Connection(self.address, **how)

    def stat(self):
        with self.connect() as connection:
            return json.loads(connection.ask(request(b"GET", b"/stat")).body)

    def until(self, test):
        """Asks for the counters until they are as wanted."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            stat = self.stat()
            if test(stat):
                return stat
            if time.monotonic() > deadline:
                raise AssertionError(f"never came about: {stat}")

    def release(self):
        with self.connect() as connection:
            return json.loads(connection.ask(request(b"GET", b"/release")).body)["released"]

    def cpu_us(self):
        return int(pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) // 1000

    def share_of_cpu(self, seconds):
        """How busy the process is while nobody asks it anything."""
        before = self.cpu_us()
        time.sleep(seconds)  # the measurement itself, not a wait for something
        return (self.cpu_us() - before) / (seconds * 1e6)
