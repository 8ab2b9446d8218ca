"""Reads and verifies our tokens with nothing of ours: openssl checks the signatures."""
import base64
import hashlib
import json
import pathlib
import subprocess
import tempfile


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read(token):
    """(header, claims) of a token nobody has verified."""
    header, payload, _ = token.split(".")
    return json.loads(decode(header)), json.loads(decode(payload))


def der(tag, content):
    length = len(content)
    size = bytes([length]) if length < 128 else bytes([0x80 | (length.bit_length() + 7) // 8]) + length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + content


def integer(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def public_key(jwk):
    """The JWK as a SubjectPublicKeyInfo in DER."""
    if jwk["kty"] == "RSA":
        number = lambda name: int.from_bytes(decode(jwk[name]), "big")
        algorithm = der(0x30, bytes.fromhex("06092a864886f70d010101") + b"\x05\x00")
        return der(0x30, algorithm + der(3, b"\x00" + der(0x30, integer(number("n")) + integer(number("e")))))
    assert (jwk["kty"], jwk["crv"]) == ("EC", "P-256"), jwk
    algorithm = der(0x30, bytes.fromhex("06072a8648ce3d0201") + bytes.fromhex("06082a8648ce3d030107"))
    return der(0x30, algorithm + der(3, b"\x00\x04" + decode(jwk["x"]) + decode(jwk["y"])))


def thumbprint(jwk):
    """RFC 7638."""
    names = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in names}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def verify(token, keys, algorithms=("ES256", "RS256")):
    """The claims, after the signature was checked by the key the header names; an AssertionError otherwise."""
    header, claims = read(token)
    assert header["alg"] in algorithms, header
    found = [jwk for jwk in keys["keys"] if jwk["kid"] == header["kid"]]
    assert len(found) == 1 and found[0]["alg"] == header["alg"], (header, keys)
    assert thumbprint(found[0]) == header["kid"]
    signed, signature = token.rsplit(".", 1)
    raw = decode(signature)
    if header["alg"] == "ES256":
        assert len(raw) == 64
        raw = der(0x30, integer(int.from_bytes(raw[:32], "big")) + integer(int.from_bytes(raw[32:], "big")))
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "key.der").write_bytes(public_key(found[0]))
        (place / "signature").write_bytes(raw)
        run = subprocess.run(["openssl", "dgst", "-sha256", "-verify", place / "key.der", "-keyform", "DER", "-signature",
                              place / "signature"], input=signed.encode(), capture_output=True, timeout=30)
    assert run.returncode == 0 and b"Verified OK" in run.stdout, run
    return claims
