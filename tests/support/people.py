"""People who sign in: sessions as a browser holds them, and passkeys."""
from support.authenticator import Passkey

ORIGIN = "http://localhost:8080"  # the default issuer
PASSWORD = "EXAMPLE not a password"


class Person:
    """Somebody with a browser. `gateway` is a running Gateway."""

    def __init__(self, gateway, name, groups=(), password=PASSWORD, exists=False, **more):
        self.gateway, self.name, self.password = gateway, name, password
        if not exists:
            gateway.admin("POST", "/v1/people", {"name": name, "groups": list(groups), **more})
        self.passkey = None
        self.enrol()

    def enrol(self):
        secret = self.gateway.admin("POST", f"/v1/people/{self.name}/enrolment")["link_path"].split("#")[1]
        self.take(self.gateway.call("POST", "/v1/enrol", {"secret": secret, "password": self.password}))

    def take(self, answer, want=201):
        """Keeps the session that an answer opened, as a browser does."""
        assert answer.status == want, answer
        self.headers = {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": answer.json["csrf"]}
        self.id = answer.json["person"]["id"]
        return answer

    def call(self, method, path, body=None):
        return self.gateway.call(method, path, body, headers=self.headers)

    def ok(self, method, path, body=None, want=(200, 201, 204)):
        answer = self.call(method, path, body)
        assert answer.status in want, f"{method} {path}: {answer}"
        return answer.json if answer.body else None

    # ---- passkeys ----
    def add_passkey(self, passkey=None, name="blue key", want=201, **lies):
        passkey = passkey or Passkey(ORIGIN)
        begun = self.ok("POST", "/v1/me/passkeys/begin")
        answer = self.call("POST", "/v1/passkeys", {"name": name, **passkey.register(begun["challenge"], **lies)})
        assert answer.status == want, answer
        if want == 201:
            self.passkey = self.passkey or passkey
        return answer.json

    def sign_in(self):
        """With the password, in another browser."""
        self.take(self.gateway.call("POST", "/v1/session", {"name": self.name, "password": self.password}))

    def sign_in_by_passkey(self, passkey=None, want=201, **lies):
        begun = self.gateway.call("POST", "/v1/session/passkey/begin").json
        answer = self.gateway.call("POST", "/v1/session/passkey", (passkey or self.passkey).answer(begun["challenge"], **lies))
        return self.take(answer) if answer.status == want == 201 else answer

    def step_up(self, passkey=None):
        begun = self.ok("POST", "/v1/session/step-up/begin")
        if begun["method"] == "password":
            return self.take(self.call("POST", "/v1/session/step-up", {"password": self.password}))
        answer = (passkey or self.passkey).answer(begun["challenge"])
        return self.take(self.call("POST", "/v1/session/step-up", {"passkey": answer}))

    # ---- votes ----
    def show(self, request):
        return self.ok("GET", f"/v1/requests/{request}")

    def statement(self, request, shown=None, **more):
        shown = shown or self.show(request)
        return self.ok("POST", f"/v1/requests/{request}/statement",
                       {"revision": shown["revision"], "digest": shown["digest"], **more})

    def vote(self, request, word="approve", signed=None, shown=None):
        shown = shown or self.show(request)
        return self.call("POST", f"/v1/requests/{request}/votes",
                         {"vote": word, "revision": shown["revision"], "digest": shown["digest"],
                          **({"passkey": signed} if signed else {})})

    def approve(self, request, passkey=None, **lies):
        """An approval signed with a passkey."""
        statement = self.statement(request)["statement"]
        return self.vote(request, signed=(passkey or self.passkey).sign(statement, **lies))
