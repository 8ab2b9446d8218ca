"""Transparency log: the vectors of ../shared/conformance/tlog, and our own log before verifiers that are not ours:
a second implementation below (standard library and the openssl command), and Go's x/mod/sumdb where Go is installed."""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import support.gateway as gateway

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
VECTORS = ROOT.parent / "shared" / "conformance" / "tlog" / "vectors.json"
DEBIAN_MODULE = pathlib.Path("/usr/share/gocode/src/golang.org/x/mod")


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_hash(leaves):
    """RFC 6962 section 2.1."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def path(index, leaves):
    """RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < k:
        return path(index, leaves[:k]) + [tree_hash(leaves[k:])]
    return path(index - k, leaves[k:]) + [tree_hash(leaves[:k])]


def is_signed(note, vkey):
    """C2SP signed-note with one Ed25519 key, the signature checked by openssl."""
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    if key[0] != 1 or hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() != key_id:
        return False
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, encoded = line.split(" ")
        blob = base64.b64decode(encoded)
        if dash == "\u2014" and signer == name and blob[:4].hex() == key_id:
            return openssl_verifies(key[1:], text.encode(), blob[4:])
    return False


def openssl_verifies(key, text, signature):
    spki = base64.encodebytes(bytes.fromhex("302a300506032b6570032100") + key).decode()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "key.pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{spki}-----END PUBLIC KEY-----\n")
        (folder / "text").write_bytes(text)
        (folder / "signature").write_bytes(signature)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "text",
                               "-sigfile", "signature"], cwd=folder, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=60).returncode == 0


def go_module():
    """The folder that holds sumdb/note: Debian's package, or the copy within Go itself."""
    if (DEBIAN_MODULE / "sumdb" / "note").is_dir():
        return DEBIAN_MODULE
    if shutil.which("go") is None:
        return None
    home = subprocess.run(["go", "env", "GOROOT"], stdout=subprocess.PIPE, text=True, timeout=60).stdout.strip()
    vendored = pathlib.Path(home) / "src" / "cmd" / "vendor" / "golang.org" / "x" / "mod"
    return vendored if (vendored / "sumdb" / "note").is_dir() else None


class Tlog(unittest.TestCase):
    def setUp(self):
        self.tools = gateway.BUILD / "tests" / "conformance"

    def sample(self, folder):
        subprocess.run([str(self.tools / "tlog_sample"), folder], check=True, timeout=60)
        return pathlib.Path(folder)

    def test_vectors_hold(self):
        if not VECTORS.is_file():
            self.skipTest(f"no vectors at {VECTORS}")
        run = subprocess.run([str(self.tools / "tlog"), str(VECTORS)], cwd=ROOT, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120)
        print(run.stdout, end="", flush=True)
        self.assertRegex(run.stdout, r"tlog: \d{3,}/\d{3,}\n\Z")
        self.assertEqual(run.returncode, 0, run.stdout[-4000:])

    def test_vectors_that_are_wrong_are_named(self):
        if not VECTORS.is_file():
            self.skipTest(f"no vectors at {VECTORS}")
        vectors = json.loads(VECTORS.read_text())
        vectors["signed_notes"]["cases"][7]["valid"] ^= True
        vectors["entry_tree"]["roots_hex"][9] = vectors["entry_tree"]["roots_hex"][8]
        vectors["negative"][0]["proof_hex"][0] = vectors["entry_tree"]["inclusion"][0]["proof_hex"][0]
        with tempfile.TemporaryDirectory() as folder:
            changed = pathlib.Path(folder) / "vectors.json"
            changed.write_text(json.dumps(vectors))
            run = subprocess.run([str(self.tools / "tlog"), str(changed)], stdout=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(len(re.findall("^FAIL ", run.stdout, re.M)), 2, run.stdout)

    def test_a_second_implementation_accepts_our_log(self):
        if shutil.which("openssl") is None:
            self.skipTest("no openssl command")
        with tempfile.TemporaryDirectory() as folder:
            folder = self.sample(folder)
            vkey = (folder / "vkey").read_text()
            leaves, checkpoints = [], 0
            for line in (folder / "export.jsonl").read_text().splitlines():
                value = json.loads(line)
                self.assertEqual(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")), line)
                if "entry" in value:
                    bytes_ = line[len('{"entry":'):-len(',"leaf":""}') - 64].encode()
                    leaves.append(leaf_hash(bytes_))
                    self.assertEqual(value["entry"]["seq"], len(leaves) - 1)
                    self.assertEqual(value["leaf"], leaves[-1].hex())
                elif "checkpoint" in value:
                    checkpoints += 1
                    origin, size, root = value["checkpoint"].split("\n")[:3]
                    self.assertTrue(is_signed(value["checkpoint"], vkey))
                    self.assertEqual((origin, int(size)), (vkey.split("+")[0], len(leaves)))
                    self.assertEqual(base64.b64decode(root), tree_hash(leaves))
            self.assertEqual((len(leaves), checkpoints), (300, 2))
            self.assertFalse(is_signed((folder / "checkpoint").read_text().replace("\n300\n", "\n301\n"), vkey))
            receipt = (folder / "receipt.tlog-proof").read_text().split("\n\n")[0].splitlines()
            index = int(receipt[1].removeprefix("index "))
            self.assertEqual(leaf_hash((folder / "entry").read_bytes()), leaves[index])
            self.assertEqual([base64.b64decode(line) for line in receipt[2:]], path(index, leaves))

    def test_go_sumdb_accepts_our_log(self):
        module = go_module()
        if module is None or shutil.which("go") is None:
            self.skipTest("no go with golang.org/x/mod (Debian: golang-go, golang-golang-x-mod-dev)")
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            log.mkdir()
            self.sample(str(log))
            parent = pathlib.Path(folder) / "path" / "src" / "golang.org" / "x"
            parent.mkdir(parents=True)
            (parent / "mod").symlink_to(module)
            environment = dict(os.environ, GO111MODULE="off", GOPATH=str(pathlib.Path(folder) / "path"), GOFLAGS="",
                               GOCACHE=str(pathlib.Path(folder) / "cache"), GOTOOLCHAIN="local", GOPROXY="off")
            run = subprocess.run(["go", "run", str(HERE / "tlog_check.go"), str(log)], env=environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        self.assertRegex(run.stdout, r"go: \d+ checks\n\Z")
        self.assertEqual(run.returncode, 0)


if __name__ == "__main__":
    unittest.main()
