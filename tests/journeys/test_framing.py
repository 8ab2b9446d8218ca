"""The HTTP front against everything two readers could frame differently, and against clients that are slow, silent or
gone. Each case is sent whole and byte by byte; after each the process must be idle and serve a fresh client."""
import contextlib
import json
import os
import pathlib
import random
import resource
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

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

# name, bytes, statuses, how the connection is left, requests the handler must have seen
CASES = [
    # lengths said twice, wrongly or not at all
    ("content-length and transfer-encoding", b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, [400], CLOSED, 0),
    ("transfer-encoding and content-length", b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
     b"Content-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED, [400], CLOSED, 0),
    ("chunked alone", chunked(b"/b", b"3\r\nabc\r\n0\r\n\r\n") + GET, [200, 200], OPEN, 2),
    ("two lengths", field(b"Content-Length: 3\r\nContent-Length: 5"), [400], CLOSED, 0),
    ("two equal lengths", field(b"Content-Length: 5\r\nContent-Length: 5"), [400], CLOSED, 0),
    ("a list of lengths", field(b"Content-Length: 5, 5"), [400], CLOSED, 0),
    ("length +5", field(b"Content-Length: +5"), [400], CLOSED, 0),
    ("length -1", field(b"Content-Length: -1"), [400], CLOSED, 0),
    ("length 0x5", field(b"Content-Length: 0x5"), [400], CLOSED, 0),
    ("length 0_5", field(b"Content-Length: 0_5"), [400], CLOSED, 0),
    ("length 5 5", field(b"Content-Length: 5 5"), [400], CLOSED, 0),
    ("length empty", field(b"Content-Length: "), [400], CLOSED, 0),
    ("length with a vertical tab", field(b"Content-Length: \x0b5"), [400], CLOSED, 0),
    ("length of 20 digits", field(b"Content-Length: 99999999999999999999"), [413], CLOSED, 0),
    ("length over the limit", field(b"Content-Length: 99999999"), [413], CLOSED, 0),
    ("blank before the colon of a length", field(b"Content-Length : 5"), [400], CLOSED, 0),
    ("tab before the colon of a length", field(b"Content-Length\t: 5"), [400], CLOSED, 0),
    ("no length on a POST", b"POST /e HTTP/1.1\r\nHost: x\r\n\r\n" + GET, [200, 200], OPEN, 2),
    ("length 0", request(b"POST", b"/z", b"") + GET, [200, 200], OPEN, 2),
    ("blanks around a length", field(b"Content-Length: \t 5 \t") + GET, [200, 200], OPEN, 2),
    ("a body on GET", request(b"GET", b"/r", SMUGGLED), [400], CLOSED, 0),
    ("a body on HEAD", request(b"HEAD", b"/r", b"x"), [400], CLOSED, 0),
    ("a body on DELETE", request(b"DELETE", b"/r", b"x"), [400], CLOSED, 0),
    ("a body on OPTIONS", request(b"OPTIONS", b"/r", b"x"), [400], CLOSED, 0),
    ("chunks on GET", field(b"Transfer-Encoding: chunked", b"GET", b"0\r\n\r\n"), [400], CLOSED, 0),
    ("length 0 on DELETE", request(b"DELETE", b"/d", b"") + GET, [200, 200], OPEN, 2),
    ("more bytes than the length", request(b"POST", b"/x", b"abc") + b"def", [200], None, 1),
    # transfer codings
    ("transfer-encoding xchunked", field(b"Transfer-Encoding: xchunked"), [501], CLOSED, 0),
    ("transfer-encoding chunked, identity", field(b"Transfer-Encoding: chunked, identity"), [501], CLOSED, 0),
    ("transfer-encoding identity", field(b"Transfer-Encoding: identity"), [501], CLOSED, 0),
    ("transfer-encoding gzip, chunked", field(b"Transfer-Encoding: gzip, chunked"), [501], CLOSED, 0),
    ("transfer-encoding chunked twice in one", field(b"Transfer-Encoding: chunked, chunked"), [501], CLOSED, 0),
    ("transfer-encoding with a parameter", field(b"Transfer-Encoding: chunked;q=1"), [501], CLOSED, 0),
    ("transfer-encoding quoted", field(b'Transfer-Encoding: "chunked"'), [501], CLOSED, 0),
    ("transfer-encoding after a vertical tab", field(b"Transfer-Encoding: \x0bchunked"), [400], CLOSED, 0),
    ("transfer-encoding before a form feed", field(b"Transfer-Encoding: chunked\x0c"), [400], CLOSED, 0),
    ("transfer-encoding with a blank before the colon", field(b"Transfer-Encoding : chunked"), [400], CLOSED, 0),
    ("transfer-encoding with a tab before the colon", field(b"Transfer-Encoding\t: chunked"), [400], CLOSED, 0),
    ("transfer-encoding after a leading blank", field(b" Transfer-Encoding: chunked"), [400], CLOSED, 0),
    ("transfer-encoding folded", field(b"Transfer-Encoding:\r\n chunked"), [400], CLOSED, 0),
    ("transfer-encoding twice", field(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), [400], CLOSED, 0),
    ("transfer-encoding empty", field(b"Transfer-Encoding:"), [400], CLOSED, 0),
    ("transfer-encoding after a bare CR", field(b"X: y\rTransfer-Encoding: chunked"), [400], CLOSED, 0),
    ("transfer-encoding after a bare LF", field(b"X: y\nTransfer-Encoding: chunked"), [400], CLOSED, 0),
    ("transfer-encoding after NUL", field(b"X: y\0Transfer-Encoding: chunked"), [400], CLOSED, 0),
    ("transfer-encoding after a tab", chunked(b"/t", b"3\r\nabc\r\n0\r\n\r\n").replace(b": chunked", b":\tchunked"),
     [200], OPEN, 1),
    ("transfer-encoding CHUNKED", chunked(b"/t", b"3\r\nabc\r\n0\r\n\r\n").replace(b"chunked", b"CHUNKED"), [200], OPEN, 1),
    ("transfer_encoding is another header", field(b"Transfer_Encoding: chunked\r\nContent-Length: 5") + GET,
     [200, 200], OPEN, 2),
    # chunks
    ("chunks split in ones", chunked(b"/c", b"1\r\na\r\n1\r\nb\r\n01\r\nc\r\n0\r\n\r\n") + GET, [200, 200], OPEN, 2),
    ("last chunk of many zeros", chunked(b"/c", b"3\r\nabc\r\n00000000\r\n\r\n") + GET, [200, 200], OPEN, 2),
    ("chunk sizes in both cases", chunked(b"/c", b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), [200], OPEN, 1),
    ("chunk size of nine digits", chunked(b"/c", b"000000003\r\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk size empty", chunked(b"/c", b"\r\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk size 0x3", chunked(b"/c", b"0x3\r\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk size +3", chunked(b"/c", b"+3\r\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk size -3", chunked(b"/c", b"-3\r\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("blank before a chunk size", chunked(b"/c", b" 3\r\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("blank after a chunk size", chunked(b"/c", b"3 \r\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk size over the limit", chunked(b"/c", b"ffffffff\r\nabc\r\n0\r\n\r\n"), [413], CLOSED, 0),
    ("chunk size with LF alone", chunked(b"/c", b"3\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk data ended by LF alone", chunked(b"/c", b"3\r\nabc\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk data ended by CR alone", chunked(b"/c", b"3\r\nabc\r0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk size ended by CR alone", chunked(b"/c", b"3\rabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk data too long", chunked(b"/c", b"3\r\nabcd\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk data not ended", chunked(b"/c", b"3\r\nabc0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk extension", chunked(b"/c", b"3;a=b\r\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk extension with CR", chunked(b"/c", b"3;a\rb\r\nabc\r\n0\r\n\r\n"), [400], CLOSED, 0),
    ("chunk extension with LF", chunked(b"/c", b"3;\nabc\r\n0\r\n\r\n" + SMUGGLED), [400], CLOSED, 0),
    ("trailers", chunked(b"/c", b"3\r\nabc\r\n0\r\nHost: y\r\n\r\n"), [400], CLOSED, 0),
    ("last chunk with LF alone", chunked(b"/c", b"3\r\nabc\r\n0\r\n\n"), [400], CLOSED, 0),
    # line ends, controls, folding
    ("bare LF", b"GET /i HTTP/1.1\nHost: x\n\n", [400], CLOSED, 0),
    ("bare LF after the request line", b"GET /i HTTP/1.1\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("bare LF after a header", b"GET /i HTTP/1.1\r\nHost: x\n\r\n", [400], CLOSED, 0),
    ("bare LF as the last line", b"GET /i HTTP/1.1\r\nHost: x\r\n\n", [400], CLOSED, 0),
    ("bare CR", b"GET /i HTTP/1.1\rHost: x\r\r", [400], CLOSED, 0),
    ("bare CR in a value", b"GET /i HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n", [400], CLOSED, 0),
    ("CR CR LF", b"GET /i HTTP/1.1\r\nHost: x\r\r\n\r\n", [400], CLOSED, 0),
    ("folded line", b"GET /j HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n 2\r\n\r\n", [400], CLOSED, 0),
    ("folded by a tab", b"GET /j HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n\t2\r\n\r\n", [400], CLOSED, 0),
    ("white space before the first header", b"GET /j HTTP/1.1\r\n Host: x\r\n\r\n", [400], CLOSED, 0),
    ("NUL in a value", b"GET /m HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n", [400], CLOSED, 0),
    ("NUL in a name", b"GET /m HTTP/1.1\r\nHost: x\r\nX\x00A: ab\r\n\r\n", [400], CLOSED, 0),
    ("NUL in the target", b"GET /m\x00 HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("DEL in a value", b"GET /m HTTP/1.1\r\nHost: x\r\nX-A: a\x7fb\r\n\r\n", [400], CLOSED, 0),
    ("0x80 in a name", b"GET /m HTTP/1.1\r\nHost: x\r\nX\x80A: b\r\n\r\n", [400], CLOSED, 0),
    ("0xff in a name", b"GET /m HTTP/1.1\r\nHost: x\r\n\xff: b\r\n\r\n", [400], CLOSED, 0),
    ("0xff in a value", b"GET /m HTTP/1.1\r\nHost: x\r\nX: \xff\r\n\r\n", [200], OPEN, 1),
    ("blank before a colon", b"GET /m HTTP/1.1\r\nHost: x\r\nX : b\r\n\r\n", [400], CLOSED, 0),
    ("no colon", b"GET /m HTTP/1.1\r\nHost: x\r\nNonsense\r\n\r\n", [400], CLOSED, 0),
    ("no name", b"GET /m HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", [400], CLOSED, 0),
    ("brackets in a name", b"GET /m HTTP/1.1\r\nHost: x\r\nX[a]: b\r\n\r\n", [400], CLOSED, 0),
    # request lines
    ("HTTP/0.9", b"GET /\r\n", [400], CLOSED, 0),
    ("HTTP/1.0", b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", [505], CLOSED, 0),
    ("HTTP/1.9", b"GET /n HTTP/1.9\r\nHost: x\r\n\r\n", [505], CLOSED, 0),
    ("HTTP/2.0", b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", [505], CLOSED, 0),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505], CLOSED, 0),
    ("http/1.1 in lower case", b"GET / http/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("HTTP/1.10", b"GET / HTTP/1.10\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("HTTP/01.1", b"GET / HTTP/01.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("two blanks after the method", b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("two blanks before the version", b"GET /  HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("blank after the version", b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("tab in the request line", b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("vertical tab in the request line", b"GET\x0b/ HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("blank before the method", b" GET / HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("one empty line first", b"\r\n" + GET, [200], OPEN, 1),
    ("two empty lines first", b"\r\n\r\n" + GET, [400], CLOSED, 0),
    ("LF first", b"\n" + GET, [400], CLOSED, 0),
    ("unknown method", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", [501], CLOSED, 0),
    ("method in lower case", b"get / HTTP/1.1\r\nHost: x\r\n\r\n", [501], CLOSED, 0),
    ("method not a token", b"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("TRACE", b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", [501], CLOSED, 0),
    ("CONNECT", b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", [501], CLOSED, 0),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("absolute form of another host", b"GET http://evil/o HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("absolute form of the same host", b"GET http://x/o HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("empty target", b"GET  HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("a query alone", b"GET ?a HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("a TLS hello", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", [400], CLOSED, 0),
    # paths
    ("dot dot", b"GET /p/../../etc HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("encoded dot dot", b"GET /p/%2e%2E/etc HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("single dot", b"GET /p/./etc HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("dot dot at the end", b"GET /p/.. HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("three dots", b"GET /p/...?../.. HTTP/1.1\r\nHost: x\r\n\r\n", [200], OPEN, 1),
    ("encoded slash and NUL", b"GET /q%2f..%2fadmin%00z HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("encoded slash", b"GET /q%2Fadmin HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("encoded NUL", b"GET /q%00 HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("encoded line feed", b"GET /q%0a HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("broken escape", b"GET /q%zz HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("escape cut short", b"GET /q%4 HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("fragment", b"GET /q#a HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("backslash", b"GET /q\\a HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("0xff in the target", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("escaped once", b"GET /a%2520b HTTP/1.1\r\nHost: x\r\n\r\n", [200], OPEN, 1),
    # hosts
    ("no Host", b"GET /l HTTP/1.1\r\n\r\n", [400], CLOSED, 0),
    ("two Hosts", b"GET /k HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", [400], CLOSED, 0),
    ("two equal Hosts", b"GET /k HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", [400], CLOSED, 0),
    ("empty Host", b"GET /k HTTP/1.1\r\nHost: \r\n\r\n", [400], CLOSED, 0),
    ("Host with a path", b"GET /k HTTP/1.1\r\nHost: x/y\r\n\r\n", [400], CLOSED, 0),
    ("Host with a user", b"GET /k HTTP/1.1\r\nHost: a@x\r\n\r\n", [400], CLOSED, 0),
    ("Host with two ports", b"GET /k HTTP/1.1\r\nHost: x:1:2\r\n\r\n", [400], CLOSED, 0),
    ("Host with a port too high", b"GET /k HTTP/1.1\r\nHost: x:65536\r\n\r\n", [400], CLOSED, 0),
    ("a list of Hosts", b"GET /k HTTP/1.1\r\nHost: x, y\r\n\r\n", [400], CLOSED, 0),
    ("Host with IPv6", b"GET /k HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", [200], OPEN, 1),
    # expectations
    ("100-continue", b"POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", [200], OPEN, 1),
    ("another expectation", field(b"Expect: 200-ok\r\nContent-Length: 5"), [417], CLOSED, 0),
    # pipelines
    ("two POSTs", POST + POST, [200, 200], OPEN, 2),
    ("POST and a bad one", POST + SMALL, [200, 400], OPEN, 2),
    ("three GETs", GET * 3, [200] * 3, OPEN, 3),
    ("GET and a GET with a body", GET + GET_BODY, [200, 400], CLOSED, 1),
    ("two GETs with bodies", GET_BODY * 2, [400], CLOSED, 0),
    ("POST and a GET with a body", POST + GET_BODY, [200, 400], CLOSED, 1),
    ("GET and POST", GET + POST, [200, 200], OPEN, 2),
    ("POST and GET", POST + GET, [200, 200], OPEN, 2),
    ("chunks that are not JSON", chunked(b"/decide", b"5\r\nhello\r\n0\r\n\r\n"), [400], OPEN, 1),
    ("hundred GETs", GET * 100, [200] * 100, OPEN, 100),
    ("late answers in turn", (LATER + GET) * 5, [200] * 10, OPEN, 10),
    ("Connection: close in the middle", GET + request(b"GET", b"/get", extra=b"Connection: close\r\n") + GET,
     [200, 200], CLOSED, 2),
    ("late answer, then close", request(b"POST", b"/later", b"x", b"Connection: Close\r\n") + GET, [200], CLOSED, 1),
]


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


class Corpus(unittest.TestCase):
    """Every case of the corpus gets its answers and nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.server = cls.stack.enter_context(Server())

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def exchange(self, case, piece):
        name, data, statuses, end, handled = case
        before = self.server.stat()["requests"]
        with self.server.connect() as connection:
            connection.send(data, piece)
            got = [connection.answer(to_head=data.startswith(b"HEAD")).status for _ in statuses]
            if got == [100]:  # said or not, as the body had come or not (RFC 9110 section 10.1.1)
                got = [connection.answer().status]
            self.assertEqual(statuses, got)
            if end == OPEN:
                self.assertEqual(200, connection.ask(GET).status, "the connection serves on")
                handled += 1
            elif end == CLOSED:
                self.assertTrue(connection.at_end(), "nothing more and closed")
        after = self.server.stat()["requests"]
        self.assertEqual(handled, after - before - 1, "requests the handler saw")

    def run_all(self, piece):
        for case in CASES:
            with self.subTest(case=case[0], piece=piece):
                self.exchange(case, piece)
        self.assertLess(self.server.share_of_cpu(0.3), 0.1, "idle afterwards")
        self.assertIsNone(self.server.process.poll())

    def test_whole(self):
        self.run_all(None)

    def test_byte_by_byte(self):
        self.run_all(1)

    def test_each_case_leaves_the_process_idle(self):
        for case in CASES:
            with self.subTest(case=case[0]), self.server.connect() as connection:
                connection.send(case[1])
                self.server.stat()  # a fresh client is served beside it
                self.assertLess(self.server.share_of_cpu(0.02), 0.5)

    def test_answers_of_refusals(self):
        with self.server.connect() as connection:
            answer = connection.ask(b"GET /p/../x HTTP/1.1\r\nHost: x\r\n\r\n")
        problem = json.loads(answer.body)
        self.assertEqual(b"application/problem+json", answer.headers[b"content-type"])
        self.assertEqual(b"close", answer.headers[b"connection"])
        self.assertEqual((400, "dot_segment"), (problem["status"], problem["code"]))

    def test_random_pipelines_in_random_pieces(self):
        chance = random.Random(7)
        for round_number in range(40):
            data, expected = b"", []
            for number in range(chance.randrange(1, 30)):
                body = chance.randbytes(chance.choice([0, 1, 17, 900, 5000]))
                path = chance.choice([b"/later", b"/echo"])
                if chance.random() < 0.5:
                    data += request(b"POST", path, body)
                else:
                    wire, rest = b"", body
                    while rest:
                        size = chance.randrange(1, len(rest) + 1)
                        wire += b"%x\r\n" % size + rest[:size] + b"\r\n"
                        rest = rest[size:]
                    data += chunked(path, wire + b"0\r\n\r\n")
                expected.append((path.decode(), len(body), fnv(body)))
            with self.subTest(round=round_number), self.server.connect() as connection:
                sender = Sender(connection, data, chance)
                got = []
                while len(got) < len(expected):
                    sender.send_some()
                    if sender.is_done or connection.buffer:
                        described = json.loads(connection.answer().body)
                        got.append((described["path"], described["length"], described["hash"]))
                self.assertEqual(expected, got)


def fnv(data):
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 % 2 ** 64
    return f"{value:016x}"


class Sender:
    """Sends in random pieces, a few at a time, so that sending and reading interleave."""

    def __init__(self, connection, data, chance):
        self.connection, self.data, self.chance = connection, data, chance
        self.is_done = False

    def send_some(self):
        for _ in range(self.chance.randrange(1, 4)):
            size = self.chance.choice([1, 2, 3, 50, 700, 4096, 9000])
            self.connection.send(self.data[:size])
            self.data = self.data[size:]
        self.is_done = not self.data


class Limits(unittest.TestCase):
    def check(self, server, data, status, code, to_head=False):
        with server.connect() as connection:
            connection.send(data)
            answer = connection.answer(to_head)
            self.assertEqual(status, answer.status)
            self.assertTrue(connection.at_end())
        self.assertEqual(code, server.stat()["refusal"])

    def test_bytes_and_counts(self):
        with Server() as server:
            self.check(server, b"GET /" + b"a" * 4096 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "target_too_long")
            self.check(server, b"GET /" + b"a" * 300000, 414, "target_too_long")
            self.check(server, field(b"X: " + b"a" * 17000), 431, "head_too_large")
            self.check(server, field(b"\r\n".join(b"X: a" for _ in range(64))), 431, "too_many_headers")
            self.check(server, request(b"POST", b"/x", b"a" * (272 * 1024 + 1)), 413, "body_too_large")
            self.check(server, chunked(b"/x", b"1000\r\n" + b"a" * 4096 + b"\r\n" +
                                       b"43001\r\n" + b"a" * 0x43001), 413, "body_too_large")
            with server.connect() as connection:
                body = b"a" * (272 * 1024)
                described = json.loads(connection.ask(request(b"POST", b"/x", body)).body)
                self.assertEqual((len(body), fnv(body)), (described["length"], described["hash"]))
                many = field(b"\r\n".join(b"X: a" for _ in range(63)), b"GET", b"")
                self.assertEqual(200, connection.ask(many).status)
                wide = field(b"X: " + b"a" * 16000, b"GET", b"")
                self.assertEqual(200, connection.ask(wide).status)

    def test_slow_heads_and_bodies_are_cut(self):
        with Server("--head-ms", 300, "--body-ms", 300) as server:
            self.check(server, b"GET / HTTP/1.1\r\nHost: x\r\n", 408, "head_timeout")
            self.check(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", 408, "body_timeout")
            self.check(server, chunked(b"/", b"5\r\nabc"), 408, "body_timeout")
            self.check(server, b"HEAD / HTTP/1.1\r\nHost: x\r\n", 408, "head_timeout", to_head=True)
            self.check(server, GET[:-1], 408, "head_timeout")

    def test_a_drip_does_not_put_the_limit_off(self):
        with Server("--head-ms", 400) as server, server.connect() as connection:
            started = time.monotonic()
            connection.socket.settimeout(0.05)
            connection.send(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
            while time.monotonic() - started < TIMEOUT:
                connection.send(b"a")
                with contextlib.suppress(TimeoutError):
                    connection.more()
                    break
            self.assertEqual(408, connection.answer().status)

    def test_idle_connections_are_closed_without_a_word(self):
        with Server("--idle-ms", 300) as server, server.connect() as first, server.connect() as second:
            first.ask(GET)
            self.assertTrue(first.at_end())
            self.assertTrue(second.at_end())

    def test_a_reader_that_stalls_is_dropped(self):
        with Server("--write-ms", 300) as server, server.connect() as connection:
            connection.send(request(b"GET", b"/stream?bytes=60000000"))
            server.until(lambda stat: stat["gone"] == 1)

    def test_connection_caps(self):
        with Server("--connections", 5, "--per-address", 3) as server, contextlib.ExitStack() as stack:
            for _ in range(3):
                self.assertEqual(200, stack.enter_context(server.connect()).ask(GET).status)
            with server.connect() as refused:
                self.assertEqual(503, refused.answer().status)
                self.assertTrue(refused.at_end())
            for _ in range(2):
                other = stack.enter_context(server.connect(source=("127.0.0.2", 0)))
                self.assertEqual(200, other.ask(GET).status)
            with server.connect(source=("127.0.0.3", 0)) as refused:
                self.assertEqual(503, refused.answer().status)
            stack.close()
            deadline = time.monotonic() + TIMEOUT
            status = 503  # until the server has seen them leave
            while status == 503 and time.monotonic() < deadline:
                with server.connect() as connection:
                    status = connection.ask(GET).status
            self.assertEqual(200, status)

    def test_running_out_of_descriptors(self):
        with Server() as server, contextlib.ExitStack() as stack:
            limit = len(os.listdir(f"/proc/{server.process.pid}/fd")) + 3
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
            served = [stack.enter_context(server.connect()) for _ in range(3)]
            for connection in served:
                self.assertEqual(200, connection.ask(GET).status)
            waiting = [stack.enter_context(server.connect()) for _ in range(4)]
            self.assertEqual(503, waiting[0].answer().status)
            self.assertLess(server.share_of_cpu(0.3), 0.1, "does not spin on the listening socket")
            served[0].close()
            served[1].close()
            last = stack.enter_context(server.connect())
            last.send(GET)
            answers = set()
            for connection in (*waiting[1:], last):
                if connection is not last:
                    connection.send(GET)
                answers.add(connection.answer().status)
            self.assertIn(200, answers)
            self.assertLessEqual(answers, {200, 503})

    def test_no_descriptor_even_for_turning_away(self):
        with Server() as server:
            pid = server.process.pid
            whole = resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 20000))
            with server.connect() as connection:
                connection.send(GET)
                self.assertLess(server.share_of_cpu(0.3), 0.1, "does not spin on the listening socket")
                resource.prlimit(pid, resource.RLIMIT_NOFILE, whole)
                self.assertEqual(200, connection.answer().status)

    def test_a_refused_upload_ends_in_order(self):
        with Server() as server, server.connect() as connection:
            connection.send(field(b"Content-Length: 400000", body=b"a" * 400000))
            self.assertEqual(413, connection.answer().status)
            self.assertFalse(connection.more(), "an end and not a reset, which could overtake the answer")

    def test_waiting_has_no_limit_of_the_front(self):
        with Server("--idle-ms", 200, "--head-ms", 200, "--body-ms", 200) as server, \
                server.connect() as waiting, server.connect() as idle:
            waiting.send(PARK)
            idle.ask(GET)
            for _ in range(2):
                self.assertTrue(idle.at_end())  # longer than any limit
                idle = server.connect()
                idle.ask(GET)
            idle.close()
            self.assertEqual(1, server.release())
            self.assertEqual(200, waiting.answer().status)

    def test_five_thousand_slow_heads_do_not_slow_others(self):
        with Server("--per-address", 100000, "--head-ms", 60000) as server, contextlib.ExitStack() as stack:
            count = min(5000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
            before = self.slowest_of_most(server)
            for _ in range(count):
                slow = socket.create_connection(server.address)
                stack.callback(slow.close)
                slow.sendall(b"POST /decide HTTP/1.1\r\nHost: x\r\nX: ")
            after = self.slowest_of_most(server)
            # Every one of them was answered; how fast is a figure, not a verdict.
            print(f"     {count} slow heads: others' p99 {after * 1000:.2f} ms, {after / before:.1f} times as without")

    @staticmethod
    def slowest_of_most(server):
        """The 99th percentile of 500 answers, in seconds."""
        times = []
        with server.connect() as connection:
            for _ in range(500):
                started = time.perf_counter()
                connection.ask(POST)
                times.append(time.perf_counter() - started)
        return sorted(times)[494]


class Waiting(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.server = stack.enter_context(Server())

    def parked(self, count=1):
        self.server.until(lambda stat: stat["parked"] == count)

    def test_released_and_reused(self):
        with self.server.connect() as connection:
            connection.send(PARK)
            self.parked()
            self.assertEqual(1, self.server.release())
            self.assertEqual(200, connection.answer().status)
            self.assertEqual(200, connection.ask(GET).status)

    def test_requests_behind_a_waiting_one_are_served_after_it(self):
        for behind in (POST, GET, LATER, chunked(b"/x", b"3\r\nabc\r\n0\r\n\r\n"), GET * 2000):
            for piece in (None, 1 if len(behind) < 2000 else 1000):
                with self.subTest(bytes=len(behind), piece=piece), self.server.connect() as connection:
                    before = self.server.stat()["requests"]
                    connection.send(PARK + behind[:100])
                    self.parked()
                    connection.send(behind[100:], piece)
                    self.assertLess(self.server.share_of_cpu(0.05), 0.5)
                    self.assertEqual(1, self.server.release())
                    count = 2000 if len(behind) > 60000 else 1
                    self.assertEqual([200] * (count + 1), [connection.answer().status for _ in range(count + 1)])
                    self.assertEqual(200, connection.ask(GET).status)
                    after = self.server.stat()["requests"]
                    self.assertGreaterEqual(after - before, count + 3)

    def test_waiting_behind_another(self):
        with self.server.connect() as connection:
            connection.send(POST + PARK + GET)
            self.assertEqual(200, connection.answer().status)
            self.parked()
            self.server.release()
            self.assertEqual([200, 200], [connection.answer().status for _ in range(2)])

    def test_a_waiter_that_leaves_is_noticed(self):
        for leave in (Connection.close, Connection.half_close, reset):
            with self.subTest(how=leave.__name__):
                before = self.server.stat()["gone"]
                with self.server.connect() as connection:
                    connection.send(PARK)
                    self.parked()
                    leave(connection)
                    self.server.until(lambda stat: stat["gone"] == before + 1 and stat["parked"] == 0)

    def test_half_close_with_whole_requests_still_gets_all_answers(self):
        for data, count in ((GET * 3, 3), (LATER + GET, 2), (LATER * 3, 3), (GET * 40, 40)):
            with self.subTest(count=count), self.server.connect() as connection:
                connection.send(data)
                connection.half_close()
                self.assertEqual([200] * count, [connection.answer().status for _ in range(count)])
                self.assertTrue(connection.at_end())

    def test_a_client_that_leaves_before_its_late_answer(self):
        for _ in range(20):
            with self.server.connect() as connection:
                connection.send(LATER)
                reset(connection)
        self.server.until(lambda stat: stat["requests"] >= 20)

    def test_streams(self):
        with self.server.connect() as connection:
            for count in (0, 1, 10000, 5000000):
                answer = connection.ask(request(b"GET", b"/stream?bytes=%d" % count))
                self.assertEqual(count, len(answer.body))
            connection.send(request(b"HEAD", b"/stream?bytes=5"))
            self.assertEqual(b"chunked", connection.answer(to_head=True).headers[b"transfer-encoding"])
            self.assertEqual(200, connection.ask(GET).status)
        with self.server.connect() as connection:
            connection.send(request(b"GET", b"/stream-cut?bytes=70000"))
            with self.assertRaises(AssertionError):
                connection.answer()
        before = self.server.stat()["gone"]
        with self.server.connect() as connection:
            connection.send(request(b"GET", b"/stream?bytes=60000000"))
            connection.exactly(1000)
        self.server.until(lambda stat: stat["gone"] == before + 1)

    def test_heads_have_no_body(self):
        with self.server.connect() as connection:
            connection.send(request(b"HEAD", b"/get"))
            self.assertEqual(b"11", connection.answer(to_head=True).headers[b"content-length"])
            self.assertEqual(b'{"ok":true}', connection.ask(GET).body)

    def test_continue_comes_before_the_body(self):
        with self.server.connect() as connection:
            connection.send(b"POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            self.assertEqual(100, connection.answer().status)
            connection.send(b"abc")
            self.assertEqual(3, json.loads(connection.answer().body)["length"])

    def test_an_answer_cannot_be_split(self):
        with self.server.connect() as connection:
            answer = connection.ask(request(b"GET", b"/split"))
            self.assertEqual(500, answer.status)
            self.assertNotIn(b"set-cookie", answer.headers)

    def test_an_upgraded_connection_belongs_to_its_taker(self):
        with self.server.connect() as connection:
            connection.send(b"GET /u%20p?q=1 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
                            b"UPGRADE: Echo\r\n\r\nfirst bytes")
            self.assertEqual(101, connection.answer(to_head=True).status)
            connection.half_close()
            connection.at_end()
            self.assertEqual(b"GET /u%20p?q=1 HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\n"
                             b"upgrade: Echo\r\n\r\nfirst bytes", connection.buffer)

    def test_stopping_answers_what_is_under_way(self):
        with self.server.connect() as waiting, self.server.connect() as idle, self.server.connect() as late:
            waiting.send(PARK)
            self.parked()
            idle.ask(GET)
            late.send(LATER)
            self.server.until(lambda stat: stat["requests"] >= 4)
            self.server.process.send_signal(signal.SIGTERM)
            answer = waiting.answer()
            self.assertEqual((200, b"close"), (answer.status, answer.headers[b"connection"]))
            self.assertEqual(200, late.answer().status)
            self.assertTrue(idle.at_end())
            waiting.close()
            late.close()
            self.assertEqual(0, self.server.process.wait(TIMEOUT))

    def test_many_waiters_are_all_answered(self):
        count = 500
        with contextlib.ExitStack() as stack:
            waiting = [stack.enter_context(self.server.connect()) for _ in range(count)]
            for connection in waiting:
                connection.send(PARK)
            self.parked(count)
            self.assertLess(self.server.share_of_cpu(0.3), 0.1)
            self.assertEqual(count, self.server.release())
            self.assertEqual({200}, {connection.answer().status for connection in waiting})


def reset(connection):
    """Closes with a reset instead of an orderly end."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


class Hosts(unittest.TestCase):
    def test_only_named_hosts_are_served(self):
        with Server("--host", "gate.example") as server:
            for host, status in (("gate.example", 200), ("GATE.example:8443", 200), ("gate.example.evil", 421),
                                 ("gate.exampl", 421), ("x", 421), ("127.0.0.1", 421), ("[::1]", 421)):
                with self.subTest(host=host), server.connect() as connection:
                    data = b"GET /get HTTP/1.1\r\nHost: " + host.encode() + b"\r\n\r\n"
                    self.assertEqual(status, connection.ask(data).status)


class UnixSocket(unittest.TestCase):
    def test_mode_owner_and_left_over_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "admin.sock")
            for left_over in (False, True):
                with Server("--socket", path) as server, Connection(path) as connection:
                    self.assertEqual(0o600, os.stat(path).st_mode & 0o777)
                    described = json.loads(connection.ask(request(b"GET", b"/x")).body)
                    self.assertEqual(("unix", os.getuid()), (described["peer"], described["uid"]))
                    second = Server("--socket", path)
                    _, errors = second.process.communicate(timeout=TIMEOUT)
                    self.assertIn("another process listens", errors)
                    if not left_over:
                        connection.close()
                        server.process.kill()
                        server.process.communicate()
                        server.process.returncode = 0
            self.assertFalse(os.path.exists(path), "removed at the end")
            pathlib.Path(path).write_text("not a socket")
            refused = Server("--socket", path)
            _, errors = refused.process.communicate(timeout=TIMEOUT)
            self.assertIn("is not a socket", errors)


class Batch:
    """TLS by hand, so that many records leave in one segment."""

    def __init__(self, connection, context):
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.pump(self.tls.do_handshake)
        self.send()

    def pump(self, call):
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                self.send()
                self.incoming.write(self.connection.socket.recv(65536))

    def add(self, data):
        self.tls.write(data)

    def send(self):
        self.connection.socket.sendall(self.outgoing.read())

    def receive(self):
        return self.pump(lambda: self.tls.read(65536))


class Tls(unittest.TestCase):
    """Certificates are made here, live an hour and belong to nobody."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.make("ca", "/CN=test ca", None, "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
                 "subjectKeyIdentifier=hash")
        cls.make("server", "/CN=gate", "ca", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        cls.make("client", "/CN=tool", "ca", "subjectAltName=URI:spiffe://test.example/tool\nextendedKeyUsage=clientAuth")
        cls.make("other-ca", "/CN=other ca", None, "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
                 "subjectKeyIdentifier=hash")
        cls.make("stranger", "/CN=stranger", "other-ca", "subjectAltName=URI:spiffe://test.example/tool")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def make(cls, name, subject, issuer, extensions):
        """A P-256 key and a certificate, self-signed or by `issuer`."""
        def run(*arguments):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True)
        settings = cls.path(name + ".cnf")
        pathlib.Path(settings).write_text(f"[req]\ndistinguished_name=d\n[d]\n[x]\n{extensions}\n"
                                            + ("authorityKeyIdentifier=keyid\n" if issuer else ""))
        run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", cls.path(name + ".key"))
        by = ["-CA", cls.path(issuer + ".pem"), "-CAkey", cls.path(issuer + ".key")] if issuer else \
            ["-key", cls.path(name + ".key")]
        run("req", "-new", "-key", cls.path(name + ".key"), "-subj", subject, "-config", settings, "-out",
            cls.path(name + ".csr"))
        run("x509", "-req", "-in", cls.path(name + ".csr"), "-days", "1", "-out", cls.path(name + ".pem"), "-extfile",
            settings, "-extensions", "x", *(by if issuer else ["-signkey", cls.path(name + ".key")]))

    def server(self, *arguments):
        return Server("--certificate", self.path("server.pem"), "--key", self.path("server.key"), *arguments)

    def wrap(self, client=None, protocols=None, **versions):
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if client:
            context.load_cert_chain(self.path(client + ".pem"), self.path(client + ".key"))
        if protocols:
            context.set_alpn_protocols(protocols)
        for name, version in versions.items():
            setattr(context, name, version)
        return lambda plain: context.wrap_socket(plain, server_hostname="localhost")

    def test_requests_over_tls(self):
        with self.server() as server:
            for versions in ({"maximum_version": ssl.TLSVersion.TLSv1_2}, {"minimum_version": ssl.TLSVersion.TLSv1_3}):
                with server.connect(wrap=self.wrap(protocols=["h2", "http/1.1"], **versions)) as connection:
                    self.assertEqual("http/1.1", connection.socket.selected_alpn_protocol())
                    self.assertIsNone(connection.socket.compression())
                    body = b"b" * 250000
                    described = json.loads(connection.ask(request(b"POST", b"/x", body)).body)
                    self.assertEqual(fnv(body), described["hash"])
                    connection.send((LATER + GET + chunked(b"/x", b"3\r\nabc\r\n0\r\n\r\n")) * 20)
                    self.assertEqual([200] * 60, [connection.answer().status for _ in range(60)])
                    answer = connection.ask(request(b"GET", b"/stream?bytes=5000000"))
                    self.assertEqual(5000000, len(answer.body))
                    self.assertEqual(400, connection.ask(b"GET /../ HTTP/1.1\r\nHost: x\r\n\r\n").status)
                    self.assertTrue(connection.at_end())

    def test_waiting_over_tls(self):
        with self.server() as server, server.connect(wrap=self.wrap()) as connection, \
                server.connect(wrap=self.wrap()) as leaver, server.connect(wrap=self.wrap()) as other:
            connection.send(PARK + GET + LATER)
            leaver.send(PARK)
            stat = {}
            while stat.get("parked") != 2:
                stat = json.loads(other.ask(request(b"GET", b"/stat")).body)
            leaver.close()
            while stat.get("parked") != 1:
                stat = json.loads(other.ask(request(b"GET", b"/stat")).body)
            self.assertEqual(1, stat["gone"])
            other.ask(request(b"GET", b"/release"))
            self.assertEqual([200] * 3, [connection.answer().status for _ in range(3)])

    def test_bytes_that_tls_holds_back_are_not_forgotten(self):
        body = b"b" * 9000
        for tiny in range(10):  # records that make the front stop in the middle of the last one
            with self.subTest(tiny=tiny), self.server() as server, server.connect() as connection:
                encrypted = Batch(connection, ssl.create_default_context(cafile=self.path("ca.pem")))
                data = request(b"POST", b"/x", body)
                for byte in data[:tiny]:
                    encrypted.add(bytes([byte]))
                encrypted.add(data[tiny:])
                encrypted.send()
                self.assertIn(fnv(body).encode(), encrypted.receive())

    def test_an_upgrade_over_tls(self):
        head = b"GET /u HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
        with self.server() as server, server.connect(wrap=self.wrap()) as connection:
            connection.send(head + b"first")
            self.assertEqual(101, connection.answer(to_head=True).status)
            again = b"GET /u HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\nfirst"
            self.assertEqual(again, connection.exactly(len(again)))
            for size in (1, 100, 16384, 100000):
                data = random.Random(size).randbytes(size)
                connection.send(data)
                self.assertEqual(data, connection.exactly(size))
            connection.socket.unwrap()  # both sides say goodbye
            self.assertEqual(200, server.connect(wrap=self.wrap()).ask(GET).status)
        with self.server() as server, server.connect() as connection:  # records the front must not leave lying
            encrypted = Batch(connection, ssl.create_default_context(cafile=self.path("ca.pem")))
            encrypted.add(head)
            for _ in range(40):
                encrypted.add(b"a" * 1000)
            encrypted.send()
            got = b""
            while got.count(b"a" * 1000) < 40:
                got += encrypted.receive()

    def test_what_is_not_spoken(self):
        with self.server() as server:
            with self.assertRaises(ssl.SSLError):
                server.connect(wrap=self.wrap(protocols=["h2"]))
            old = self.wrap(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
            with self.assertRaises(ssl.SSLError):
                server.connect(wrap=old)
            with server.connect() as plain:
                plain.send(GET)
                plain.at_end()
                self.assertFalse(plain.buffer.startswith(b"HTTP/"), plain.buffer)
            with server.connect(wrap=self.wrap()) as connection:
                self.assertEqual(200, connection.ask(GET).status)

    def test_client_certificates(self):
        with self.server("--client-ca", self.path("ca.pem")) as server:
            with server.connect(wrap=self.wrap("client")) as connection:
                described = json.loads(connection.ask(request(b"GET", b"/x")).body)
                self.assertEqual("spiffe://test.example/tool", described["uri"])
            with server.connect(wrap=self.wrap()) as connection:
                self.assertEqual("", json.loads(connection.ask(request(b"GET", b"/x")).body)["uri"])
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with server.connect(wrap=self.wrap("stranger")) as connection:
                    connection.ask(request(b"GET", b"/x"))

    def test_certificates_are_read_again_on_hangup(self):
        with self.server() as server:
            server.process.send_signal(signal.SIGHUP)
            self.assertEqual("reloaded", server.process.stdout.readline().strip())
            whole = pathlib.Path(self.path("server.pem")).read_text()
            try:
                pathlib.Path(self.path("server.pem")).write_text("nonsense")
                server.process.send_signal(signal.SIGHUP)
                self.assertIn("server.pem", server.process.stdout.readline())
            finally:
                pathlib.Path(self.path("server.pem")).write_text(whole)
            with server.connect(wrap=self.wrap()) as connection:
                self.assertEqual(200, connection.ask(GET).status, "the old certificate still serves")

    def test_errors_name_the_file(self):
        refused = Server("--certificate", self.path("server.pem"), "--key", self.path("client.key"))
        _, errors = refused.process.communicate(timeout=TIMEOUT)
        self.assertIn("client.key", errors)
        refused = Server("--certificate", self.path("missing.pem"), "--key", self.path("client.key"))
        _, errors = refused.process.communicate(timeout=TIMEOUT)
        self.assertIn("missing.pem", errors)
        self.assertIn("No such file", errors)


if __name__ == "__main__":
    unittest.main()
