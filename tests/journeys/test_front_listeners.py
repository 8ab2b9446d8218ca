"""Where the HTTP front listens: named hosts, the unix socket, TLS and client certificates."""
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest

from support.framing import request, chunked, GET, LATER, PARK, Server, fnv
from support.raw_http import Connection, TIMEOUT


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
