"""What stands between the gateway and a double of the other side, and fails as networks, proxies and services do."""
import http.client
import http.server
import socket
import struct
import threading
import time

from support.gateway import eventually
from support.quiet_server import QuietServer


# ---- troubles: each takes the handler and forward(), which has the other side take the request and returns its answer ----

def status(number, headers=None, body=b""):
    def answer(handler, _):
        handler.say(number, headers or {}, body)
    return answer


def reset(handler, _=None):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def hang_up(handler, _=None):
    handler.connection.shutdown(socket.SHUT_RDWR)


def hang(handler, _):
    time.sleep(0.3)
    hang_up(handler)


def garbage(handler, _):
    handler.wfile.write(b"\x00\xff garbage\r\n\r\n")
    hang_up(handler)


def half(handler, _):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
    hang_up(handler)


def endless(handler, forward):
    """It was taken: a status says so, whatever comes behind it."""
    forward()
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)
    hang_up(handler)


def lost_answer(handler, forward):
    """It was taken, and nobody learns so."""
    forward()
    reset(handler)


TROUBLES = {"500": status(500), "503": status(503), "429": status(429, {"Retry-After": "1"}, b"slow down"), "302": status(302, {"Location": "/elsewhere"}),
            "reset": reset, "hung up": hang_up, "hang": hang, "garbage": garbage, "half": half, "endless": endless, "lost answer": lost_answer}


class Front:
    """Passes what comes to the port behind, but for what `plan` says."""

    def __init__(self, behind):
        self.behind, self.plans, self.lock = behind, [], threading.Lock()
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # the head and the body are two writes

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                forward = lambda: front.forward(self, body)
                trouble = front.take(self)
                if trouble:
                    self.close_connection = True
                    trouble(self, forward)
                else:
                    self.say(*forward())

            def say(self, number, headers, body):
                self.send_response(number)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "date", "server", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST

            def log_message(self, *_):
                pass

        self.kind = lambda: QuietServer(("127.0.0.1", self.port), Handler)
        self.port, self.is_refusing = 0, False
        self.server = self.kind()
        self.port = self.server.server_port
        self.listen()

    def listen(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def refuse(self):
        """Nobody listens any more."""
        self.is_refusing = True
        self.stop()

    def listen_again(self):
        self.server = eventually(self.try_again, "the port is free again")
        self.is_refusing = False
        self.listen()

    def try_again(self):
        try:
            return self.kind()
        except OSError:
            return None

    def plan(self, trouble, times=1, only=""):
        """The next requests whose first line holds `only` go so."""
        with self.lock:
            self.plans += [(trouble, only)] * times

    def clear(self):
        with self.lock:
            self.plans.clear()

    def take(self, handler):
        with self.lock:
            if self.plans and self.plans[0][1] in handler.requestline:
                return self.plans.pop(0)[0]
        return None

    def forward(self, handler, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=30)
        connection.request(handler.command, handler.path, body, dict(handler.headers.items()))
        answer = connection.getresponse()
        got = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return got
