"""The host socket: who is on this machine, as the gateway's own user or as root, is its operator; nobody else is, whatever the file allows."""
import os
import stat
import subprocess
import sys
import unittest

from support.gateway import Gateway

ASK = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    connection.sendall(b"GET /v1/people HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    print(connection.makefile().read())
"""


class HostSocket(unittest.TestCase):
    def test_its_mode_lets_nobody_else_in(self):
        with Gateway() as gateway:
            self.assertEqual(0o600, stat.S_IMODE(os.stat(gateway.socket_path).st_mode))

    @unittest.skipUnless(os.getuid() == 0, "needs root, to connect as another user")
    def test_another_user_is_nobody_even_where_the_file_was_opened_to_all(self):
        with Gateway() as gateway:
            self.assertEqual([], gateway.admin("GET", "/v1/people")["people"])
            gateway.folder.chmod(0o755)
            os.chmod(gateway.socket_path, 0o666)
            run = subprocess.run([sys.executable, "-c", ASK, gateway.socket_path], capture_output=True, text=True, timeout=30)
            self.assertEqual(0, run.returncode, run.stderr)
            self.assertTrue(run.stdout.startswith("HTTP/1.1 401"), run.stdout)
            self.assertIn("no_credential", run.stdout)


if __name__ == "__main__":
    unittest.main()
