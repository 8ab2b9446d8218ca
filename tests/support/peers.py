"""What stands at the other end of a channel: an HTTP receiver and a mail server, both on 127.0.0.1."""
import base64
import email
import email.policy
import http.server
import json
import shutil
import socket
import subprocess
import threading

from support.gateway import ROOT
from support.quiet_server import QuietServer


class Receiver:
    """Answers as told and remembers what came."""

    def __init__(self):
        self.came, self.answers = [], []  # answers: statuses, (status, headers, body), or callables taking the handler
        self.otherwise = 200
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.append((self.path, dict(self.headers.items()), body))
                answer = receiver.answers.pop(0) if receiver.answers else receiver.otherwise
                if callable(answer):
                    answer(self)
                    return
                status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, b"")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_PUT = do_POST

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def bodies(self):
        return [json.loads(body) for _, _, body in self.came]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class MailServer:
    """Enough of RFC 5321, in plain text, to take letters and to refuse them."""

    def __init__(self):
        self.letters = []  # (sender, recipients, message)
        self.refused = {}  # recipient: answer
        self.logins = []
        self.says_good_bye = True
        self.troubles = []  # of the next letters: (word at which, what: takes connection and say); b"" at once, b"." when all was taken
        self.port = 0
        self.listen()

    def listen(self):
        self.socket = socket.create_server(("127.0.0.1", self.port))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.socket,), daemon=True).start()

    def _accept(self, listening):
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self._converse(connection)
        except OSError:
            pass  # a client that goes away is no finding

    def _converse(self, connection):
        with connection, connection.makefile("rwb") as stream:
            def say(text):
                stream.write(text.encode() + b"\r\n")
                stream.flush()

            def fails(at):
                if not self.troubles or self.troubles[0][0] != at:
                    return False
                self.troubles.pop(0)[1](connection, say)
                return True
            if fails(b""):
                return
            say("220 fake ESMTP")
            sender, recipients = None, []
            for line in stream:
                word = line.split()[0].upper() if line.split() else b""
                if fails(word):
                    return
                if word == b"EHLO":
                    say("250-fake\r\n250 AUTH PLAIN")
                elif word == b"AUTH":
                    self.logins.append(base64.b64decode(line.split()[2]).split(b"\0")[1:])
                    say("235 welcome")
                elif word == b"MAIL":
                    sender, recipients = line.decode().split("<")[1].split(">")[0], []
                    say("250 ok")
                elif word == b"RCPT":
                    to = line.decode().split("<")[1].split(">")[0]
                    recipients.append(to)
                    say(self.refused.get(to, "250 ok"))
                elif word == b"DATA":
                    say("354 go on")
                    lines = []
                    for text in stream:
                        if text == b".\r\n":
                            break
                        lines.append(text[1:] if text.startswith(b"..") else text)
                    else:
                        return  # the client went away in the middle: there is no letter
                    message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                    self.letters.append((sender, recipients, message))
                    if fails(b"."):
                        return
                    say("250 2.0.0 taken as number " + str(len(self.letters)))
                elif word == b"QUIT":
                    if self.says_good_bye:
                        say("221 bye")
                        return
                else:
                    say("250 ok")

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)  # who waits in accept() holds the port otherwise
        self.socket.close()


def mail_channel(port, more=""):
    """A channel by the MailServer on this port."""
    return (f"  - name: mail\n    kind: mail\n    url: smtp://127.0.0.1:{port}\n    allow_plain: true\n"
            f"    allow_networks: [127.0.0.0/8]\n    from: countersign@example.com\n" + more)


def has_real_mail_server():
    return bool(shutil.which("node")) and (ROOT / "web/node_modules/smtp-server").exists()


def start_real_mail_server(test, folder, mode):
    """A mail server that others wrote, with a certificate of an authority of its own: the process, which writes each letter as a
    line of JSON, and its port. Ends with the test."""
    run = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                          "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "mail.key",
                          "-out", folder / "mail.pem"], capture_output=True, timeout=60)
    test.assertEqual(0, run.returncode, run.stderr)
    process = subprocess.Popen(["node", str(ROOT / "tests/support/smtp_peer.mjs"), str(folder / "mail.pem"), str(folder / "mail.key"), mode],
                               cwd=ROOT / "web", stdout=subprocess.PIPE, text=True)
    test.addCleanup(process.stdout.close)
    test.addCleanup(process.wait)
    test.addCleanup(process.kill)
    return process, int(process.stdout.readline())


class Proxy:
    """An egress proxy: forwards absolute addresses and tunnels CONNECT. `places`: where a host that it knows really is."""

    def __init__(self, places):
        self.places, self.asked, self.passwords = dict(places), [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def hosts(self):
        return {host for _, host in list(self.asked)}

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection:
                self._forward(connection)
        except OSError:
            pass  # whoever goes away is no finding

    def _forward(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(65536)
            if not more:
                return
            head += more
        head, rest = head.split(b"\r\n\r\n", 1)
        method, target, *_ = head.split(b"\r\n")[0].decode().split()
        self.passwords += [line.split()[-1].decode() for line in head.split(b"\r\n") if line.lower().startswith(b"proxy-authorization")]
        host = target if method == "CONNECT" else target.split("/")[2]
        host = host.rsplit(":", 1)[0]
        self.asked.append((method, host))
        if host not in self.places:
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.places[host])) as other:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = "/" + target.split("/", 3)[3]
                first, lines = head.split(b"\r\n", 1)
                other.sendall(first.replace(target.encode(), path.encode(), 1) + b"\r\n" + lines + b"\r\nConnection: close\r\n\r\n" + rest)
            self._pump(connection, other)

    def _pump(self, left, right):
        back = threading.Thread(target=self._copy, args=(right, left), daemon=True)
        back.start()
        self._copy(left, right)
        back.join(10)

    def _copy(self, source, sink):
        try:
            for part in iter(lambda: source.recv(65536), b""):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other half has ended

    def stop(self):
        self.socket.close()
