"""Drives a real gateway: the built binary, a folder of its own, real sockets on free ports. Standard library only.

    with Gateway() as gateway:
        key = gateway.add_caller("runner", agents=["bot"])
        answer = gateway.call("POST", "/v1/requests", body, secret=key)

Time is scripted: gateway.advance(seconds=…) moves the clock of countersignd-scripted. Nothing here sleeps for a
condition; `eventually` polls one until it holds or says what did not.
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"  # tests/run sets it
SHARED = ROOT.parent / "shared"

POLICY = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
rules:
  - name: reading
    match: { action: ["*.get", "*.list"] }
    verdict: allow
    risk: low
  - name: refunds
    match: { action: payments.refund }
    verdict: require_approval
    approval: { groups: [oncall], timeout: 15m }
  - name: payouts
    match: { action: payments.transfer }
    verdict: require_approval
    risk: high
    approval: { quorum: 2, groups: [finance], timeout: 1h }
  - name: payroll
    match: { resource: "payroll/**" }
    verdict: deny
    message: Payroll is changed by people only.
"""


def eventually(check, what, seconds=20):
    """Polls until check() is true; the deadline is only there so that a broken gateway ends the test."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {seconds} s: {what}")
        time.sleep(0.01)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Answer({self.status}, {self.body[:600]!r})"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Gateway:
    def __init__(self, policy=POLICY, config="", folder=None, scripted=True, environment=None, wrapper=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="countersign-test-"))
        self.owns_folder = folder is None
        self.extra_config = config
        self.scripted = scripted
        self.environment = environment or {}
        self.wrapper = wrapper or []  # a command in front of the binary, such as strace
        self.process = None
        self.log = []
        (self.folder / "policy").mkdir(exist_ok=True)
        if policy is not None:
            (self.folder / "policy" / "policy.yaml").write_text(policy)
        self.clock_file = self.folder / "clock"
        if not self.clock_file.exists():
            self.clock_file.write_bytes(struct.pack("qq", 0, 0))

    # ---- life ----
    @property
    def binary(self):
        return BUILD / ("countersignd-scripted" if self.scripted else "countersignd")

    @property
    def socket_path(self):
        return str(self.folder / "admin.sock")

    def write_config(self):
        text = (f"version: 1\nlisteners:\n  - {{ address: 127.0.0.1, port: 0 }}\ndata: {self.folder}/data\n"
                f"policy: {self.folder}/policy\nadmin_socket: {self.folder}/admin.sock\n"
                f"mark: {self.folder}/mark\n")
        if "store:" not in self.extra_config:
            text += "store: { ballast_mib: 1 }\n"
        if "limits:" not in self.extra_config:
            text += "limits: { requests_per_second: 0 }\n"
        (self.folder / "countersign.yaml").write_text(text + self.extra_config)

    def spawn(self):
        self.write_config()
        environment = {"PATH": os.environ["PATH"], "COUNTERSIGN_SCRIPTED_CLOCK": str(self.clock_file),
                       "ASAN_OPTIONS": "detect_leaks=1", **self.environment}
        self.process = subprocess.Popen(
            [*self.wrapper, str(self.binary), "--config", str(self.folder / "countersign.yaml")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment,
            start_new_session=True)
        self.log = []
        self.reader = threading.Thread(target=self._read_log, args=(self.process.stderr,), daemon=True)
        self.reader.start()

    def _read_log(self, stream):
        for line in stream:
            self.log.append(line.decode(errors="replace").rstrip("\n"))

    def logged(self, event):
        found = [json.loads(line) for line in list(self.log) if line.startswith("{") and f'"event":"{event}"' in line]
        return found[-1] if found else None

    def start(self):
        self.spawn()
        eventually(lambda: self.logged("started") or self.process.poll() is not None, "the gateway starts", 30)
        if self.process.poll() is not None:
            self.reader.join(5)
            raise AssertionError("the gateway did not start:\n" + "\n".join(self.log))
        self.port = self.logged("listening")["port"]
        return self

    def stop(self, how=signal.SIGTERM, within=30):
        """Ends the gateway and returns its exit status. A TERM must end it cleanly by itself, within so many seconds."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError("the gateway did not stop by itself:\n" + "\n".join(self.log[-20:]))
        self.reader.join(5)
        self.process.stderr.close()
        self.process = None
        return status

    def kill(self):
        return self.stop(signal.SIGKILL)

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        return self.start()

    def __enter__(self):
        return self.start()

    def verify_ledger(self):
        """Exports the ledger and has the command line verify it offline, as an auditor would."""
        head = self.call("GET", "/v1/ledger/checkpoint", host=True)
        export = self.call("GET", "/v1/ledger/export", host=True)
        assert (head.status, export.status) == (200, 200), (head, export)
        path = self.folder / "export.jsonl"
        path.write_bytes(export.body)
        # The key is the log's first: later epochs sign under the same one.
        key = json.loads(export.body.split(b"\n", 1)[0])["vkey"]
        run = subprocess.run([str(BUILD / "countersign"), "ledger", "verify", str(path), "--key", key],
                             capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, f"the ledger does not verify:\n{run.stdout}{run.stderr}"
        return run.stdout

    def __exit__(self, kind, value, trace):
        log = list(self.log)
        try:
            if kind is None and self.process is not None and self.process.poll() is None:
                self.verify_ledger()
            status = self.stop()
        finally:
            if self.owns_folder:
                shutil.rmtree(self.folder, ignore_errors=True)
        if kind is None and status not in (0, None):
            raise AssertionError(f"the gateway ended with {status}:\n" + "\n".join(self.log[-40:]))
        if kind is not None:
            print("\n".join(log[-40:]))

    # ---- time ----
    def advance(self, seconds=0, boot=None):
        """Moves the wall clock, and the boot clock with it unless told otherwise."""
        wall, since_boot = struct.unpack("qq", self.clock_file.read_bytes())
        moved = struct.pack("qq", wall + int(seconds * 1000),
                            since_boot + int((seconds if boot is None else boot) * 1000))
        with open(self.clock_file, "r+b") as file:
            file.write(moved)

    # ---- calls ----
    def connection(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def call(self, method, path, body=None, secret=None, headers=None, host=False, connection=None, timeout=60):
        """One exchange. `host` uses the host socket; `secret` is an API key, a token, or the headers of a session."""
        mine = connection is None
        connection = connection or (UnixConnection(self.socket_path, timeout) if host else self.connection(timeout))
        sent = {"Content-Type": "application/json", **(headers or {})}
        if isinstance(secret, dict):
            sent.update(secret)
        elif secret:
            sent["Authorization"] = f"Bearer {secret}"
        payload = None
        if body is not None:
            payload = body if isinstance(body, (bytes, str)) else json.dumps(body)
        connection.request(method, path, payload, sent)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if mine:
            connection.close()
        return answer

    def admin(self, method, path, body=None, want=(200, 201, 204)):
        answer = self.call(method, path, body, host=True)
        assert answer.status in want, f"{method} {path}: {answer}"
        return answer.json if answer.body else None

    def ok(self, method, path, body=None, secret=None, want=(200, 201, 202), **more):
        answer = self.call(method, path, body, secret, **more)
        assert answer.status in want, f"{method} {path}: {answer}"
        return answer.json

    # ---- people and agents ----
    def add_person(self, name, groups=(), **more):
        """Returns the person's token."""
        self.admin("POST", "/v1/people", {"name": name, "groups": list(groups), **more})
        return self.admin("POST", "/v1/tokens", {"person": name})["secret"]

    def add_caller(self, name="runner", agents=("bot",), subjects=("user/*",), audiences=(), owner=None):
        """Returns the caller's API key."""
        known = [agent["name"] for agent in self.admin("GET", "/v1/agents")["agents"]]
        for agent in agents:
            if agent not in known:
                self.admin("POST", "/v1/agents", {"name": agent, **({"owner": owner} if owner else {})})
        self.admin("POST", "/v1/callers", {"name": name, "agents": list(agents), "subjects": list(subjects),
                                           "audiences": list(audiences)})
        return self.admin("POST", "/v1/keys", {"caller": name})["secret"]

    # ---- the usual steps ----
    def submit(self, key, action="payments.refund", resource="order/4711", args=None, headers=None, wait=None,
               want=(201, 202), **more):
        kind, name = resource.split("/", 1)
        body = {"subject": {"type": "user", "id": "alice"}, "resource": {"type": kind, "id": name},
                "action": {"name": action, "properties": {"args": args if args is not None else {"amount": 125}}}, **more}
        headers = dict(headers or {})
        if wait is not None:
            headers["Prefer"] = f"wait={wait}"
        return self.ok("POST", "/v1/requests", body, key, want=want, headers=headers)

    def show(self, secret, request, want=(200,)):
        return self.ok("GET", f"/v1/requests/{request}", secret=secret, want=want)

    def vote(self, token, request, word="approve", want=(200,), shown=None, **more):
        shown = shown or self.show(token, request)
        return self.ok("POST", f"/v1/requests/{request}/votes",
                       {"vote": word, "revision": shown["revision"], "digest": shown["digest"], **more}, token, want=want)

    def redeem(self, key, shown, token=None, args=None, want=(200,)):
        action = shown["action"] if args is None else {"name": shown["action"]["name"], "properties": {"args": args}}
        return self.ok("POST", "/v1/grants/redeem",
                       {"token": token or shown["grant"]["token"], "action": action, "resource": shown["resource"]},
                       key, want=want)

    def metric(self, name):
        text = self.call("GET", "/metrics").body.decode()
        found = re.search(rf"^{name} (\d+)", text, re.M)
        return int(found[1]) if found else None
