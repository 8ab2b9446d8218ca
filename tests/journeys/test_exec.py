"""countersign exec: exactly the approved command runs, once, and its effect is reported."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import support.gateway as support
from support.gateway import Gateway, eventually

POLICY = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
rules:
  - { name: commands, match: { action: process.exec }, verdict: require_approval }
  - { name: harmless, match: { action: process.harmless }, verdict: allow }
"""


class Exec(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(policy=POLICY).start()
        cls.dana = cls.gateway.add_person("dana", ["oncall"])
        cls.key = cls.gateway.add_caller()
        holder = tempfile.TemporaryDirectory(prefix="countersign-test-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = pathlib.Path(holder.name).resolve()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None, None, None)

    def start(self, *command, options=(), **environment):
        return subprocess.Popen(
            [str(support.BUILD / "countersign"), "exec", "--subject", "user/alice", *options, "--", *command],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "COUNTERSIGN_URL": f"http://127.0.0.1:{self.gateway.port}",
                 "COUNTERSIGN_KEY": self.key, **environment})

    def asked(self, command):
        def found():
            listed = self.gateway.ok("GET", "/v1/requests?inbox=true", secret=self.dana)["requests"]
            return [r for r in listed if r["action"]["properties"]["args"]["argv"] == list(command)]
        return eventually(found, "it reaches the inbox")[0]

    def run_approved(self, *command, **more):
        process = self.start(*command, **more)
        request = self.asked(command)
        self.gateway.vote(self.dana, request["id"])
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err, self.gateway.show(self.dana, request["id"])

    def test_the_approved_command_runs_with_what_was_bound_and_nothing_else(self):
        status, out, err, shown = self.run_approved("/bin/sh", "-c", "pwd; env | sort", options=("--env", "CHOSEN"), CHOSEN="yes", OTHER="no")
        self.assertEqual(0, status, err)
        self.assertIn(str(self.folder), out.splitlines()[0])
        self.assertIn("CHOSEN=yes", out)
        self.assertNotIn("OTHER", out)
        self.assertNotIn("COUNTERSIGN_KEY", out)
        args = shown["action"]["properties"]["args"]
        self.assertEqual((str(self.folder), "yes"), (args["folder"], args["env"]["CHOSEN"]))
        self.assertNotIn(self.key, json.dumps(shown))
        self.assertEqual("succeeded", shown["grant"]["state"])

    def test_a_failing_command_keeps_its_exit_status_and_reports_failed(self):
        status, _, _, shown = self.run_approved("/bin/sh", "-c", "exit 42")
        self.assertEqual((42, "failed"), (status, shown["grant"]["state"]))

    def test_a_killed_command_reports_unknown(self):
        status, _, _, shown = self.run_approved("/bin/sh", "-c", "kill -KILL $$")
        self.assertEqual((128 + 9, "unknown"), (status, shown["grant"]["state"]))

    def run_edited(self, *command, **changed):
        process = self.start(*command)
        request = self.asked(command)
        args = {**request["action"]["properties"]["args"], **changed}
        edited = self.gateway.ok("POST", f"/v1/requests/{request['id']}/edits", {
            "revision": 1, "digest": request["digest"], "args": args, "reason": "that one"}, self.dana)
        self.gateway.vote(self.dana, request["id"])
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err, edited

    def test_what_an_approver_made_of_it_runs_and_never_what_was_asked(self):
        status, out, err, edited = self.run_edited("/bin/echo", "asked", argv=["/bin/echo", "edited"], env={"WORD": "x"})
        self.assertEqual((0, "edited\n"), (status, out), err)
        self.assertIn('/argv/1: "asked" -> "edited"', err)
        self.assertIn("edited by dana, revision 2: that one", err)
        self.assertIn({"path": "/env/WORD", "to": "x"}, edited["changes"])

    def test_an_edit_to_what_is_no_command_runs_nothing(self):
        for changed in ({"argv": []}, {"argv": "rm"}, {"argv": ["/bin/echo", 7]}, {"program": "echo"}, {"env": {"A=B": "c"}}, {"more": 1}):
            status, out, err, _ = self.run_edited("/bin/echo", "asked", str(changed), **changed)
            self.assertEqual((124, ""), (status, out), err)
            self.assertIn("nothing ran", err)

    def test_signals_are_passed_on(self):
        command = ("/bin/sh", "-c", "trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.1; done")
        process = self.start(*command)
        self.gateway.vote(self.dana, self.asked(command)["id"])
        self.assertEqual("ready\n", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
        self.assertEqual((7, "caught\n"), (process.returncode, out))

    def test_a_denied_command_does_not_run(self):
        marker = self.folder / "ran"
        process = self.start("/usr/bin/touch", str(marker))
        self.gateway.vote(self.dana, self.asked(("/usr/bin/touch", str(marker)))["id"], "deny")
        process.communicate(timeout=30)
        self.assertEqual(120, process.returncode)
        self.assertFalse(marker.exists())

    def test_interrupting_the_wait_withdraws_the_request(self):
        process = self.start("/bin/true", "interrupted")
        request = self.asked(("/bin/true", "interrupted"))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        self.assertEqual(125, process.returncode, err)
        self.assertEqual("withdrawn", self.gateway.show(self.dana, request["id"])["reason"])

    def test_a_program_that_is_not_there_is_never_asked_about(self):
        process = self.start("no-such-program-here")
        _, err = process.communicate(timeout=30)
        self.assertEqual(127, process.returncode)
        self.assertIn("no-such-program-here", err)

    def test_a_program_found_on_the_path_is_bound_by_its_file(self):
        process = self.start("true", options=("--action", "process.harmless"))
        process.communicate(timeout=30)
        self.assertEqual(0, process.returncode)
