"""A passkey in software: ES256 in plain Python, answering as a browser with an authenticator would, or as one that lies.

    passkey = Passkey("http://localhost:8080")
    body = passkey.register(question["challenge"])        # for POST /v1/passkeys, with a name added
    answer = passkey.answer(question["challenge"])        # of a sign-in or step-up
    signed = passkey.sign(question["statement"])          # of a vote
"""
import base64
import hashlib
import json
import secrets
import urllib.parse

# P-256, SEC 2 section 2.4.2.
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def add(left, right):
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P) if left == right else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def multiply(number, point):
    found = None
    while number:
        if number & 1:
            found = add(found, point)
        point, number = add(point, point), number >> 1
    return found


def der(number):
    body = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(body)]) + body


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor_bytes(data):
    return (b"\x58" + bytes([len(data)]) if len(data) < 256 else b"\x59" + len(data).to_bytes(2, "big")) + data


class Passkey:
    def __init__(self, origin, rp_id=None):
        self.origin = origin
        self.rp_id = rp_id or urllib.parse.urlsplit(origin).hostname
        self.secret = secrets.randbelow(N - 1) + 1
        self.id = secrets.token_bytes(32)
        self.count = 0

    @property
    def credential(self):
        return encode(self.id)

    def cose(self):
        x, y = (number.to_bytes(32, "big") for number in multiply(self.secret, G))
        return b"\xa5\x01\x02\x03\x26\x20\x01\x21" + cbor_bytes(x) + b"\x22" + cbor_bytes(y)

    def client_data(self, kind, challenge, **lies):
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False, **lies}
        return json.dumps(told, separators=(",", ":")).encode()

    def authenticator_data(self, flags, rp_id=None, count=None):
        self.count = self.count + 1 if count is None else count
        return hashlib.sha256((rp_id or self.rp_id).encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def register(self, challenge, flags=PRESENT | VERIFIED, **lies):
        data = self.authenticator_data(flags | ATTESTED) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self.cose()
        attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData" + cbor_bytes(data)
        return {"challenge": challenge, "client_data": encode(self.client_data("webauthn.create", challenge, **lies)),
                "attestation_object": encode(attestation)}

    def assertion(self, challenge, flags=PRESENT | VERIFIED, rp_id=None, count=None, **lies):
        client_data = self.client_data("webauthn.get", challenge, **lies)
        data = self.authenticator_data(flags, rp_id, count)
        hashed = int.from_bytes(hashlib.sha256(data + hashlib.sha256(client_data).digest()).digest(), "big")
        nonce = secrets.randbelow(N - 1) + 1
        r = multiply(nonce, G)[0] % N
        s = pow(nonce, -1, N) * (hashed + r * self.secret) % N
        body = der(r) + der(s)
        return {"credential": self.credential, "client_data": encode(client_data), "authenticator_data": encode(data),
                "signature": encode(b"\x30" + bytes([len(body)]) + body)}

    def answer(self, challenge, **lies):
        return {"challenge": challenge, **self.assertion(challenge, **lies)}

    def sign(self, statement, **lies):
        """The challenge of a vote is the hash of what is signed: no server is asked what it would be."""
        return {"statement": statement, **self.assertion(encode(hashlib.sha256(statement.encode()).digest()), **lies)}
