"""RFC 8785: the documents, numbers and binding hashes of ../shared/conformance/jcs."""
import pathlib
import subprocess
import unittest

import support.gateway as gateway

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VECTORS = ROOT.parent / "shared" / "conformance" / "jcs"


class Jcs(unittest.TestCase):
    def test_canonical_bytes_are_those_of_the_rfc(self):
        if not VECTORS.is_dir():
            self.skipTest(f"no vectors at {VECTORS}")
        run = subprocess.run([str(gateway.BUILD / "tests" / "conformance" / "jcs"), str(VECTORS)], cwd=ROOT,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        print(run.stdout, end="", flush=True)
        self.assertRegex(run.stdout, r"jcs: \d{5,}/\d{5,}\n\Z")
        self.assertEqual(run.returncode, 0, run.stdout[-4000:])


if __name__ == "__main__":
    unittest.main()
