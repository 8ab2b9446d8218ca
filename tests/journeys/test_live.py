"""The live door: who may watch, what they are told, and that nobody who is slow, gone or elsewhere harms the rest."""
import time
import unittest

from support.gateway import Gateway, eventually
from support.websocket import Closed, Refused, WebSocket


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway().start()
        cls.key = cls.gateway.add_caller()
        cls.dana = cls.sign_in("dana", ["oncall"])
        cls.erik = cls.sign_in("erik", ["finance"])
        cls.token = cls.gateway.admin("POST", "/v1/tokens", {"person": "dana"})["secret"]
        cls.serial = 0

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None, None, None)

    @classmethod
    def sign_in(cls, name, groups):
        """Cookie and CSRF token of a fresh session of a new person."""
        cls.gateway.admin("POST", "/v1/people", {"name": name, "groups": groups})
        link = cls.gateway.admin("POST", f"/v1/people/{name}/enrolment")["link_path"]
        answer = cls.gateway.call("POST", "/v1/enrol", {"secret": link.split("#")[1], "password": "an obviously fake password"})
        assert answer.status == 201, answer
        return answer.headers["Set-Cookie"].split(";")[0], answer.json["csrf"]

    def open(self, session=None, hello=None, **more):
        cookie, csrf = session or self.dana
        socket = WebSocket(self.gateway.port, cookie, **more)
        self.addCleanup(socket.close)
        socket.send({"hello": {"csrf": csrf, **(hello or {})}})
        return socket, socket.receive()

    def ask(self, **more):
        type(self).serial += 1
        return self.gateway.submit(self.key, args={"live": self.serial}, **more)

    def next_about(self, socket, request):
        while True:
            message = socket.receive()
            if message["k"] == "request" and message["r"]["id"] == request:
                return message

    def test_who_is_asked_is_told_of_a_request_and_of_its_end(self):
        socket, start = self.open()
        self.assertEqual("reset", start["k"])
        asked = self.ask()
        told = self.next_about(socket, asked["id"])
        self.assertEqual(("pending", "payments.refund", ["oncall"], 1), tuple(told["r"][k] for k in ("state", "action", "asked", "missing")))
        self.assertGreater(told["seq"], start["seq"])
        self.assertNotIn("args", str(told))
        self.gateway.vote(self.token, asked["id"])
        ended = self.next_about(socket, asked["id"])
        self.assertEqual(("approved", "approved_by_people"), (ended["r"]["state"], ended["r"]["reason"]))

    def test_who_may_not_know_of_a_request_is_not_told(self):
        socket, _ = self.open(self.erik)
        asked = self.ask()
        transfer = self.ask(action="payments.transfer", resource="account/1")
        message = socket.receive()
        self.assertEqual(transfer["id"], message["r"]["id"])
        self.assertNotEqual(asked["id"], message["r"]["id"])

    def test_who_comes_back_gets_what_was_missed_once_each(self):
        socket, start = self.open()
        first = self.ask()
        seen = self.next_about(socket, first["id"])
        socket.close()
        missed = [self.ask() for _ in range(5)]
        self.gateway.vote(self.token, missed[0]["id"])
        back, message = self.open(hello={"epoch": start["epoch"], "since": seen["seq"]})
        told = {}
        while message["k"] == "request":
            self.assertNotIn(message["r"]["id"], told)
            told[message["r"]["id"]] = message["r"]["state"]
            message = back.receive()
        self.assertEqual(("ready", 5), (message["k"], message["replayed"]))
        self.assertEqual({request["id"] for request in missed}, set(told))
        self.assertEqual("approved", told[missed[0]["id"]])
        after = self.ask()
        self.assertEqual("pending", self.next_about(back, after["id"])["r"]["state"])

    def test_another_epoch_or_a_number_from_the_future_starts_over(self):
        for hello in ({"epoch": "liv_other", "since": 1}, {"since": 1}):
            self.assertEqual("reset", self.open(hello=hello)[1]["k"])
        _, start = self.open()
        self.assertEqual("reset", self.open(hello={"epoch": start["epoch"], "since": start["seq"] + 1000})[1]["k"])

    def test_another_site_no_session_and_no_protocol_are_refused_before_the_upgrade(self):
        cookie, _ = self.dana
        for status, more in ((403, {"cookie": cookie, "origin": "http://evil.example"}), (403, {"cookie": cookie, "origin": None}),
                             (403, {"cookie": cookie, "origin": "null"}), (401, {}), (401, {"cookie": cookie[:-1] + ("E" if cookie[-1] == "A" else "A")}),
                             (400, {"cookie": cookie, "protocol": None}), (400, {"cookie": cookie, "protocol": "chat"})):
            with self.subTest(**more):
                with self.assertRaises(Refused) as refused:
                    WebSocket(self.gateway.port, **more)
                self.assertEqual(status, refused.exception.status, refused.exception)

    def test_another_sessions_csrf_token_closes_the_socket(self):
        socket = WebSocket(self.gateway.port, self.dana[0])
        self.addCleanup(socket.close)
        socket.send({"hello": {"csrf": self.erik[1]}})
        with self.assertRaises(Closed) as closed:
            socket.receive()
        self.assertEqual(4403, closed.exception.code)

    def test_a_first_message_that_is_no_hello_closes_the_socket(self):
        for text in (b"nonsense", b"{}", b'{"hello":1}', b'{"viewing":"req_1"}'):
            socket = WebSocket(self.gateway.port, self.dana[0])
            self.addCleanup(socket.close)
            socket.send(text)
            with self.assertRaises(Closed) as closed:
                socket.receive()
            self.assertEqual(4403, closed.exception.code)

    def test_too_long_and_binary_messages_close_the_socket(self):
        for payload, opcode, code in ((b"x" * 10000, 1, 1009), (b"\x00" * 10, 2, 1003)):
            socket, _ = self.open()
            socket.send(payload, opcode=opcode)
            with self.assertRaises(Closed) as closed:
                while True:
                    socket.receive()
            self.assertEqual(code, closed.exception.code)

    def test_a_session_that_ends_ends_its_sockets(self):
        session = self.sign_in(f"short{time.monotonic_ns()}", ["oncall"])
        socket, _ = self.open(session)
        cookie, csrf = session
        answer = self.gateway.call("DELETE", "/v1/session", headers={"Cookie": cookie, "X-CSRF-Token": csrf})
        self.assertEqual(204, answer.status)
        self.gateway.advance(6)
        with self.assertRaises(Closed) as closed:
            while True:
                socket.receive()
        self.assertEqual(4401, closed.exception.code)

    def test_freezes_are_told(self):
        socket, _ = self.open()
        freeze = self.gateway.admin("POST", "/v1/freezes", {"scope": "action", "target": "nothing.**", "reason": "test"})
        while socket.receive()["k"] != "freeze":
            pass
        self.gateway.admin("POST", f"/v1/freezes/{freeze['id']}/thaw")
        while socket.receive()["k"] != "freeze":
            pass

    def test_a_peer_that_never_reads_is_dropped_and_others_are_told(self):
        deaf, _ = self.open(receive_buffer=2048)
        reader, _ = self.open()
        for _ in range(1500):
            last = self.ask()
            if self.serial % 300 == 0:
                self.next_about(reader, last["id"])
        self.assertEqual("pending", self.next_about(reader, self.ask()["id"])["r"]["state"])
        self.assertEqual(200, self.gateway.call("GET", "/healthz").status)


class Stop(unittest.TestCase):
    def test_stopping_tells_dashboards_to_come_back(self):
        with Gateway() as gateway:
            Live.gateway = gateway
            session = Live.sign_in("dana", ["oncall"])
            socket = WebSocket(gateway.port, session[0])
            self.addCleanup(socket.close)
            socket.send({"hello": {"csrf": session[1]}})
            self.assertEqual("reset", socket.receive()["k"])
            self.assertEqual(0, gateway.stop())
            with self.assertRaises(Closed) as closed:
                socket.receive()
            self.assertEqual(1001, closed.exception.code)
            gateway.start()
