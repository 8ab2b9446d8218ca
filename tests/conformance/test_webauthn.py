"""Our verdicts on passkeys against those of libfido2 and of the npm package @simplewebauthn/server, on the same bytes: what a
browser answered with each of the three algorithms, and what lies in one thing each."""
import ctypes
import ctypes.util
import json
import re
import shutil
import subprocess
import tempfile
import unittest

import support.gateway as support
from support.authenticator import ATTESTED, PRESENT, VERIFIED, Passkey, cbor_bytes, decode, encode

RP_ID, ORIGIN = "gate.example", "https://gate.example"
ES256, EDDSA, RS256 = -7, -8, -257
PACKAGE = support.ROOT / "web/node_modules/@simplewebauthn/server"
# What asks the peer. It throws for what it refuses, or says that it did not verify.
SCRIPT = """
import { readFileSync } from 'node:fs';
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
for (const one of JSON.parse(readFileSync(process.argv[1], 'utf8'))) {
  const response = { clientDataJSON: one.client_data, attestationObject: one.attestation_object,
                     authenticatorData: one.authenticator_data, signature: one.signature };
  const asked = { response: { id: one.credential, rawId: one.credential, type: 'public-key', clientExtensionResults: {}, response },
                  expectedChallenge: one.challenge, expectedOrigin: one.origin, expectedRPID: one.rp_id, requireUserVerification: true };
  try {
    const answer = one.attestation_object
      ? await verifyRegistrationResponse({ ...asked, supportedAlgorithmIDs: [-7, -8, -257] })
      : await verifyAuthenticationResponse({ ...asked, authenticator: { credentialID: Buffer.from(one.credential, 'base64url'),
          credentialPublicKey: Buffer.from(one.key, 'base64url'), counter: 0 } });
    console.log(answer.verified ? 'ok' : 'refused');
  } catch (error) { console.log('refused: ' + error.message); }
}
"""


def browser_cases():
    """The vectors of the unit tests: a registration and an assertion of each algorithm."""
    text = (support.ROOT / "tests/unit/crypto/webauthn_vectors.h").read_text()
    origin = re.search(r'vector_origin\[\] = "([^"]+)"', text)[1]
    for entry in re.findall(r"\{(-\d+),(.*?)\}", text, re.S):
        parts = ["".join(re.findall(r'"([^"]*)"', part)) for part in entry[1].split(",\n")]
        credential, made_for, made_data, attestation, challenge, client_data, data, signature = parts
        shared = {"rp_id": "localhost", "origin": origin, "credential": credential, "alg": int(entry[0])}
        yield {**shared, "name": f"browser {entry[0]} registers", "challenge": made_for, "client_data": made_data, "attestation_object": attestation}
        yield {**shared, "name": f"browser {entry[0]} signs", "challenge": challenge, "client_data": client_data,
               "authenticator_data": data, "signature": signature, "key": encode(cose_of(decode(attestation)))}


def cose_of(attestation):
    data = attestation[attestation.index(b"authData") + 8:]
    data = data[2 if data[0] == 0x58 else 3:]
    length = int.from_bytes(data[53:55], "big")
    return data[55 + length:]


def own_cases():
    """An honest registration and assertion, and the same with one lie each; `sees` names the peers that look at what is wrong:
    libfido2 does not read client data."""
    passkey = Passkey(ORIGIN, RP_ID)
    challenge = encode(b"a challenge of thirty-two bytes.")
    shared = {"rp_id": RP_ID, "origin": ORIGIN, "challenge": challenge, "credential": passkey.credential, "alg": ES256,
              "key": encode(passkey.cose())}
    both, npm = ("npm", "libfido2"), ("npm",)
    lies = (("honest", {}, both), ("another type", {"type": "webauthn.create"}, npm), ("another origin", {"origin": "https://evil.example"}, npm),
            ("another challenge", {"challenge": encode(bytes(32))}, npm), ("another site", {"rp_id": "evil.example"}, both),
            ("nobody there", {"flags": VERIFIED}, both), ("nobody verified", {"flags": PRESENT}, both))
    for name, lie, sees in lies:
        told = {"type": "webauthn.get", "challenge": challenge, "origin": ORIGIN, "crossOrigin": False,
                **{k: v for k, v in lie.items() if k in ("type", "origin", "challenge")}}
        passkey.client_data = lambda *_, told=told, **__: json.dumps(told).encode()
        signed = passkey.assertion(challenge, **{k: v for k, v in lie.items() if k in ("flags", "rp_id")})
        yield {**shared, **signed, "name": name, "sees": sees}
    honest = signed = {**shared, **Passkey.assertion(fresh(passkey), challenge)}
    for name, part, place in (("a changed signature", "signature", -1), ("a changed counter", "authenticator_data", -1)):
        changed = bytearray(decode(honest[part]))
        changed[place] ^= 1
        yield {**honest, part: encode(bytes(changed)), "name": name, "sees": both}
    yield {**honest, "key": encode(Passkey(ORIGIN, RP_ID).cose()), "name": "another's key", "sees": both}
    yield {**honest, "key": encode(passkey.cose()[:-1] + bytes([passkey.cose()[-1] ^ 1])), "name": "a key off the curve", "sees": both}
    for name, flags, rp_id in (("registers", PRESENT | VERIFIED, RP_ID), ("registers for another site", PRESENT | VERIFIED, "evil.example"),
                               ("registers unverified", PRESENT, RP_ID), ("registers with nobody there", VERIFIED, RP_ID)):
        data = passkey.authenticator_data(flags | ATTESTED, rp_id) + bytes(16) + b"\0\x20" + passkey.id + passkey.cose()
        told = {"type": "webauthn.create", "challenge": challenge, "origin": ORIGIN, "crossOrigin": False}
        yield {**{k: v for k, v in shared.items() if k != "key"}, "name": name, "sees": npm, "client_data": encode(json.dumps(told).encode()),
               "attestation_object": encode(b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData" + cbor_bytes(data))}


def fresh(passkey):
    del passkey.client_data  # the class's own again
    return passkey


class LibFido2:
    """Verdicts of the library's own verifier; no device is needed."""
    TRUE = 2

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        for name in ("fido_assert_new", "es256_pk_new", "eddsa_pk_new", "rs256_pk_new", "fido_cred_new", "fido_cred_id_ptr"):
            getattr(self.library, name).restype = ctypes.c_void_p
        self.library.fido_cred_id_len.restype = ctypes.c_size_t
        self.library.fido_init(0)

    def call(self, name, *arguments):
        return getattr(self.library, name)(*[ctypes.c_void_p(a) if isinstance(a, int) and a > 2**31 else
                                             ctypes.c_size_t(a[0]) if isinstance(a, tuple) else a for a in arguments])

    def key(self, cose, algorithm):
        name = {ES256: "es256", EDDSA: "eddsa", RS256: "rs256"}[algorithm]
        raw = {ES256: lambda: cose[10:42] + cose[45:77], EDDSA: lambda: cose[-32:], RS256: lambda: cose[11:267] + cose[-3:]}[algorithm]()
        key = self.call(f"{name}_pk_new")
        return key, self.call(f"{name}_pk_from_ptr", key, raw, (len(raw),))

    def verifies(self, one):
        client_data, data, signature = (decode(one[name]) for name in ("client_data", "authenticator_data", "signature"))
        key, status = self.key(decode(one["key"]), one["alg"])
        made = self.call("fido_assert_new")
        steps = (("fido_assert_set_rp", made, one["rp_id"].encode()), ("fido_assert_set_count", made, (1,)),
                 ("fido_assert_set_clientdata", made, client_data, (len(client_data),)), ("fido_assert_set_up", made, self.TRUE),
                 ("fido_assert_set_uv", made, self.TRUE), ("fido_assert_set_authdata_raw", made, (0,), data, (len(data),)),
                 ("fido_assert_set_sig", made, (0,), signature, (len(signature),)))
        return status == 0 and all(self.call(*step) == 0 for step in steps) and \
            self.call("fido_assert_verify", made, (0,), one["alg"], key) == 0

    def credential(self, one):
        """The id in a registration, as the library reads it."""
        attestation = decode(one["attestation_object"])
        data = attestation[attestation.index(b"authData") + 8:]
        data = data[2 if data[0] == 0x58 else 3:]
        client_data = decode(one["client_data"])
        made = self.call("fido_cred_new")
        steps = (("fido_cred_set_type", made, one["alg"]), ("fido_cred_set_rp", made, one["rp_id"].encode(), None),
                 ("fido_cred_set_clientdata", made, client_data, (len(client_data),)),
                 ("fido_cred_set_authdata_raw", made, data, (len(data),)))
        for step in steps:
            assert self.call(*step) == 0, (one["name"], step[0])
        return encode(ctypes.string_at(self.call("fido_cred_id_ptr", made), self.call("fido_cred_id_len", made)))


class WebAuthn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = [*browser_cases(), *own_cases()]
        cls.file = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump(cls.cases, cls.file)
        cls.file.flush()
        run = subprocess.run([str(support.BUILD / "tests/conformance/webauthn"), cls.file.name], capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr
        cls.ours = run.stdout.splitlines()
        assert len(cls.ours) == len(cls.cases)

    @classmethod
    def tearDownClass(cls):
        cls.file.close()

    def compare(self, peer, judged):
        """Ours and the peer's on each case the peer looks at."""
        different = [(one["name"], ours, theirs) for one, ours, theirs in judged if ours.startswith("ok") != theirs]
        print(f"webauthn {peer}: {len(judged) - len(different)}/{len(judged)}")
        self.assertEqual([], different)
        self.assertTrue(any(theirs for *_, theirs in judged) and not all(theirs for *_, theirs in judged), "both verdicts occur")

    def test_what_is_honest_is_taken_and_nothing_else(self):
        for one, ours in zip(self.cases, self.ours):
            honest = one["name"] in ("honest", "registers") or one["name"].startswith("browser")
            self.assertEqual(honest, ours.startswith("ok"), (one["name"], ours))

    def test_libfido2_says_the_same(self):
        path = ctypes.util.find_library("fido2")
        if path is None:
            self.skipTest("libfido2 is not installed (libfido2-1, for this test alone)")
        library = LibFido2(path)
        self.compare("libfido2", [(one, ours, library.verifies(one)) for one, ours in zip(self.cases, self.ours)
                                  if "signature" in one and "libfido2" in one.get("sees", ("libfido2",))])
        registered = [(one, ours) for one, ours in zip(self.cases, self.ours) if "signature" not in one and ours.startswith("ok")]
        self.assertEqual([ours.split()[1] for _, ours in registered], [library.credential(one) for one, _ in registered])

    @unittest.skipUnless(shutil.which("node") and PACKAGE.exists(), "the npm package @simplewebauthn/server is not installed (npm ci in web/)")
    def test_the_npm_package_says_the_same(self):
        run = subprocess.run(["node", "--input-type=module", "-e", SCRIPT, self.file.name], cwd=support.ROOT / "web",
                             capture_output=True, text=True, timeout=120)
        self.assertEqual(0, run.returncode, run.stderr)
        theirs = [line == "ok" for line in run.stdout.splitlines()]
        self.assertEqual(len(self.cases), len(theirs), run.stderr)
        self.compare("npm", list(zip(self.cases, self.ours, theirs)))


if __name__ == "__main__":
    unittest.main()
