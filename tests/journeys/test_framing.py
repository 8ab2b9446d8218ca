"""The HTTP front against everything two readers could frame differently. Each case is sent whole and byte by byte; after
each the process must be idle and serve a fresh client."""
import contextlib
import json
import random
import unittest

from support.framing import (JSON, OPEN, CLOSED, request, chunked, field, GET, POST, LATER, SMALL, GET_BODY,
                             SMUGGLED, Server, fnv)

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


if __name__ == "__main__":
    unittest.main()
