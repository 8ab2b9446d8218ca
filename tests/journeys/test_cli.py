"""The command line as people and scripts use it: two terminals, exit statuses, nothing hidden."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import support.gateway as support
from support.gateway import Gateway, eventually


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway().start()
        cls.environment = {"PATH": os.environ["PATH"], "COUNTERSIGN_URL": f"http://127.0.0.1:{cls.gateway.port}"}
        admin = {"COUNTERSIGN_SOCKET": cls.gateway.socket_path}
        for words in (["person", "add", "dana", "--group", "oncall"], ["agent", "add", "shop-bot"],
                      ["caller", "add", "shop-runner", "--agent", "shop-bot", "--subject", "user/*"]):
            assert cls.run_words(cls, ["admin", *words], **admin).returncode == 0, words
        cls.key = cls.run_words(cls, ["admin", "key", "add", "shop-runner"], **admin).stdout.strip()
        cls.token = cls.run_words(cls, ["admin", "token", "add", "dana"], **admin).stdout.strip()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None, None, None)

    def run_words(self, words, **environment):
        return subprocess.run([str(support.BUILD / "countersign"), *words], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, env={**self.environment, **environment})

    def as_agent(self, *words):
        return self.run_words(words, COUNTERSIGN_KEY=self.key)

    def as_person(self, *words):
        return self.run_words(words, COUNTERSIGN_TOKEN=self.token)

    def ask(self, *more, action="payments.refund"):
        return subprocess.Popen([str(support.BUILD / "countersign"), "request", action, "--resource", "order/4711",
                                 "--subject", "user/alice", *more], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env={**self.environment, "COUNTERSIGN_KEY": self.key})

    def wait_for(self, args):
        def found():
            listed = json.loads(self.as_person("inbox", "--json").stdout)["requests"]
            return [r for r in listed if r["action"]["properties"].get("args") == args]
        return eventually(found, "it reaches the inbox")[0]

    def test_a_blocked_request_is_released_from_a_second_terminal_and_redeemed_once(self):
        asking = self.ask("--args", '{"amount": 125, "currency": "EUR"}', "--json")
        request = self.wait_for({"amount": 125, "currency": "EUR"})
        self.assertIsNone(asking.poll())
        approved = self.as_person("approve", request["id"], "--digest", request["digest"], "--yes", "--reason", "fine")
        self.assertEqual((0, "approved (approved_by_people)\n"), (approved.returncode, approved.stdout), approved.stderr)
        out, err = asking.communicate(timeout=20)
        self.assertEqual(0, asking.returncode, err)
        self.assertIn("waiting: req_", err)
        token = json.loads(out)["grant"]["token"]
        redeem = ["redeem", "--token", token, "--action", "payments.refund", "--resource", "order/4711", "--args"]
        self.assertEqual(7, self.as_agent(*redeem, '{"amount": 126, "currency": "EUR"}').returncode)
        first = self.as_agent(*redeem, '{"currency": "EUR", "amount": 125.0}')
        self.assertEqual(0, first.returncode, first.stderr)
        second = self.as_agent(*redeem, '{"amount": 125, "currency": "EUR"}')
        self.assertEqual(7, second.returncode)
        self.assertIn("already_redeemed", second.stderr)
        grant = json.loads(out)["grant"]["id"]
        self.assertEqual(f"{grant} succeeded\n", self.as_agent("effect", grant, "succeeded").stdout)

    def test_exit_statuses_tell_denied_from_expired_from_pending(self):
        asking = self.ask("--args", '{"deny": 1}')
        request = self.wait_for({"deny": 1})
        self.as_person("deny", request["id"], "--digest", request["digest"], "--yes", "--reason", "not today")
        out, _ = asking.communicate(timeout=20)
        self.assertEqual(3, asking.returncode)
        self.assertIn("dana: deny - not today", out)
        pending = self.ask("--args", '{"wait": 0}', "--wait", "0")
        out, _ = pending.communicate(timeout=20)
        self.assertEqual(6, pending.returncode)
        denied = self.ask(action="payments.close-account")
        denied.communicate(timeout=20)
        self.assertEqual(3, denied.returncode)
        asking = self.ask("--args", '{"cancel": 1}')
        request = self.wait_for({"cancel": 1})
        self.as_agent("cancel", request["id"])
        asking.communicate(timeout=20)
        self.assertEqual(5, asking.returncode)

    def test_show_makes_dangerous_characters_visible_and_hides_nothing(self):
        args = {"to": "p\u0430ypal", "memo": "Invoice \u202egnp.exe", "esc": "\u001b[2J", "long": "x" * 5000 + "rm -rf"}
        asking = self.ask("--args", json.dumps(args), "--wait", "0", "--reason", "trust me \u200b!")
        out, _ = asking.communicate(timeout=20)
        request = self.wait_for(args)
        shown = self.as_person("show", request["id"]).stdout
        self.assertIn("\\u{202e}", shown)
        self.assertIn("\\u{200b}", shown)
        self.assertIn("\\u001b", shown)
        self.assertIn("x" * 5000 + "rm -rf", shown)
        for hidden in ("\u202e", "\u200b", "\u001b"):
            self.assertNotIn(hidden, shown)

    def test_without_a_terminal_nothing_is_decided_by_accident(self):
        asking = self.ask("--args", '{"careful": 1}', "--wait", "0")
        asking.communicate(timeout=20)
        request = self.wait_for({"careful": 1})
        run = self.as_person("approve", request["id"])
        self.assertEqual(1, run.returncode)
        self.assertIn("nothing was sent", run.stderr)
        stale = self.as_person("approve", request["id"], "--digest", "0" * 64, "--yes")
        self.assertEqual(1, stale.returncode)
        self.assertIn("digest_mismatch", stale.stderr)

    def test_a_gateway_that_restarts_meanwhile_loses_nothing(self):
        asking = self.ask("--args", '{"restart": 1}')
        request = self.wait_for({"restart": 1})
        port = self.gateway.port
        self.gateway.stop()
        # The same port again, as a service would have it.
        file = self.gateway.folder / "countersign.yaml"
        original = Gateway.write_config
        def same_port(gateway):
            original(gateway)
            file.write_text(file.read_text().replace("port: 0", f"port: {port}"))
        self.gateway.write_config = lambda: same_port(self.gateway)
        self.gateway.start()
        self.as_person("approve", request["id"], "--digest", request["digest"], "--yes")
        out, err = asking.communicate(timeout=40)
        self.assertEqual(0, asking.returncode, err)
        self.assertIn("approved", out)

    def test_an_exported_ledger_verifies_and_one_flipped_bit_is_found(self):
        with tempfile.TemporaryDirectory(prefix="countersign-test-") as folder:
            export = pathlib.Path(folder) / "ledger.jsonl"
            host = {"COUNTERSIGN_SOCKET": self.gateway.socket_path}
            eventually(lambda: self.run_words(["ledger", "checkpoint"], **host).stdout, "there is a checkpoint")
            head = self.run_words(["ledger", "checkpoint"], **host)
            key = head.stderr.removeprefix("key: ").strip()
            (pathlib.Path(folder) / "kept").write_text(head.stdout)
            self.assertEqual(0, self.run_words(["ledger", "export", "--output", str(export)], **host).returncode)
            verify = ["ledger", "verify", str(export), "--key", key, "--checkpoint", str(pathlib.Path(folder) / "kept")]
            good = self.run_words(verify)
            self.assertEqual(0, good.returncode, good.stdout)
            self.assertRegex(good.stdout.splitlines()[-1], r"^complete to entry \d+ at 20")
            whole = export.read_bytes()
            for place in range(200, len(whole), max(1, len(whole) // 40)):
                changed = bytearray(whole)
                changed[place] ^= 1
                export.write_bytes(changed)
                bad = self.run_words(verify)
                self.assertEqual(8, bad.returncode, f"byte {place}: {bad.stdout}")
            lines = whole.splitlines(keepends=True)
            export.write_bytes(b"".join(lines[:5] + lines[6:]))
            self.assertEqual(8, self.run_words(verify).returncode)

    def test_what_is_wrong_is_said_with_what_to_do(self):
        for words, status, said in ((["requst"], 2, "is not a command"), (["request"], 2, "usage"), (["approve", "../x"], 1, "is not an id"),
                                    (["request", "a.b", "--resource", "order", "--subject", "user/a"], 2, "TYPE/ID"),
                                    (["request", "a.b", "--resource", "o/1", "--subject", "user/a", "--args", "[1]"], 2, "JSON object")):
            with self.subTest(words=words):
                run = self.run_words(words, COUNTERSIGN_KEY=self.key, COUNTERSIGN_TOKEN=self.token)
                self.assertEqual(status, run.returncode, run.stderr)
                self.assertIn(said, run.stderr + run.stdout)
        self.assertIn("COUNTERSIGN_KEY", self.run_words(["request", "a.b", "--resource", "o/1", "--subject", "user/a"]).stderr)
        unreachable = self.run_words(["inbox", "--url", "http://127.0.0.1:1"], COUNTERSIGN_TOKEN=self.token)
        self.assertEqual(1, unreachable.returncode)
        self.assertIn("127.0.0.1:1", unreachable.stderr)

    def test_every_command_has_help(self):
        listed = self.run_words(["--help"]).stdout
        commands = [line.split()[1] for line in listed.splitlines() if line.startswith("  countersign ")]
        self.assertGreater(len(commands), 12)
        for command in commands:
            if command not in ("ledger", "admin"):
                run = self.run_words([command, "--help"])
                self.assertEqual(0, run.returncode, command)
                self.assertIn(f"countersign {command}", run.stdout)
