"""An HTTP/1.1 client that sends exactly the bytes it is given and reads answers strictly, for tests of framing."""
import collections
import socket

TIMEOUT = 20  # seconds; a test that gets here has failed

Answer = collections.namedtuple("Answer", "status headers body")


class Framing(AssertionError):
    """The peer's bytes are not an HTTP/1.1 answer."""


class Connection:
    def __init__(self, address, wrap=None, source=None):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(TIMEOUT)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout=TIMEOUT, source_address=source)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if wrap:
            self.socket = wrap(self.socket)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data, piece=None):
        """Sends all of it, or `piece` bytes at a time. A peer that has closed meanwhile is not an error here."""
        try:
            if not piece:
                self.socket.sendall(data)
                return
            for start in range(0, len(data), piece):
                self.socket.sendall(data[start:start + piece])
        except (BrokenPipeError, ConnectionResetError):
            pass

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def more(self):
        """Reads once. False at the end."""
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.more():
                raise Framing(f"closed inside a line: {self.buffer[:80]!r}")
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.more():
                raise Framing(f"closed with {len(self.buffer)} of {count} bytes")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def chunks(self):
        body = b""
        while True:
            size = int(self.line(), 16)
            body += self.exactly(size)
            if self.exactly(2) != b"\r\n":
                raise Framing("a chunk does not end with CR LF")
            if size == 0:
                return body

    def answer(self, to_head=False):
        """The next whole answer."""
        version, status, _ = self.line().split(b" ", 2)
        if version != b"HTTP/1.1":
            raise Framing(f"not an answer: {version!r}")
        headers = {}
        while True:
            line = self.line()
            if not line:
                break
            name, value = line.split(b": ", 1)
            if name.lower() in headers:
                raise Framing(f"{name!r} twice")
            headers[name.lower()] = value
        status, body = int(status), b""
        if headers.get(b"transfer-encoding") == b"chunked":
            if not to_head:
                body = self.chunks()
        elif status >= 200 and status not in (204, 304) and not to_head:
            body = self.exactly(int(headers[b"content-length"]))
        return Answer(status, headers, body)

    def at_end(self):
        """True when the peer has closed and nothing unread is left."""
        try:
            while self.more():
                pass
        except ConnectionResetError:
            pass
        return not self.buffer

    def ask(self, data):
        self.send(data)
        return self.answer()
