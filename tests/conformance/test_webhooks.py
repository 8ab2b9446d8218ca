"""Our webhook signatures against the Standard Webhooks vectors."""
import subprocess
import unittest

import support.gateway as support


class Webhooks(unittest.TestCase):
    def test_vectors(self):
        vectors = support.SHARED / "conformance" / "webhooks" / "vectors.json"
        if not vectors.exists():
            self.skipTest("../shared is not here: the vectors cannot be read")
        run = subprocess.run([str(support.BUILD / "tests/conformance/webhooks"), str(vectors)], capture_output=True, text=True, timeout=60)
        print(run.stdout, end="")
        self.assertEqual(0, run.returncode, run.stdout)
