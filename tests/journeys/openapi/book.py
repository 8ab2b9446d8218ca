"""A gateway whose every answer is held against docs/openapi.yaml, and one of each who can ask it."""
from support.gateway import Gateway

LIMITS = "limits: { requests_per_second: 0, failures_per_minute: 1000000 }\n"


class Book:
    """What was answered so far, and what of it was not as described."""

    def __init__(self, description):
        self.description = description
        self.seen = set()
        self.faults = []

    def take(self, method, path, answer):
        key = self.description.find(method, path)
        if key is None:
            self.take_other(method, path, answer)
            return
        self.seen.add((*key, answer.status))
        found = self.description.answer_faults(key, answer, method == "HEAD")
        if answer.headers.get("X-Content-Type-Options") != "nosniff" and answer.status != 204 and b"about:blank" not in answer.body:
            found.append("nosniff is missing")
        self.faults += [f"{method} {path} {answer.status}: {fault}" for fault in found]

    def take_other(self, method, path, answer):
        """Paths and methods that are not here."""
        if path.startswith("/v1") and (answer.status not in (404, 405)
                                       or answer.json["code"] not in ("no_such_path", "method_not_allowed")):
            self.faults.append(f"{method} {path}: is not described, and answers {answer.status}")


class Recorded(Gateway):
    def __init__(self, book, config=LIMITS, **more):
        super().__init__(config=config, **more)
        self.book = book

    def call(self, method, path, *rest, **more):
        answer = super().call(method, path, *rest, **more)
        self.book.take(method, path, answer)
        return answer


    def ok_text(self, path, secret):
        """A GET whose answer need not be JSON."""
        answer = self.call("GET", path, secret=secret)
        assert answer.status == 200, answer


def session_headers(answer):
    """What a page sends after signing in."""
    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": answer.json["csrf"]}


PASSWORD = "EXAMPLE not a password"


class Cast:
    """One of each that can ask: host, admin, caller, a browser session."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.key = gateway.add_caller("runner", agents=["billing-bot"], audiences=["payments"])
        gateway.add_person("root", admin=True)
        self.dana = gateway.add_person("dana", ["oncall"])
        gateway.admin("POST", "/v1/people", {"name": "omar"})
        secret = gateway.admin("POST", "/v1/people/root/enrolment")["link_path"].split("#")[1]
        signed_in = gateway.call("POST", "/v1/enrol", {"secret": secret, "password": PASSWORD})
        # Opened by a link a moment ago: it has stepped up.
        self.admin = self.session = session_headers(signed_in)

    def credentials(self, operation):
        """How to call an operation with authority."""
        names = [name for choice in operation.get("security", []) for name in choice]
        if "apiKey" in names and "personalToken" not in names:
            return {"secret": self.key}
        if "personalToken" in names:
            return {"secret": self.admin}
        if "hostSocket" in names:
            return {"host": True}
        return {"headers": self.session} if "session" in names else {}

    def stranger(self, operation):
        """A credential that is good, but not for this."""
        names = [name for choice in operation.get("security", []) for name in choice]
        if "personalToken" not in names and "hostSocket" in names:
            return {"secret": self.dana}  # people, but not by a token
        return {"secret": self.dana if "hostSocket" not in names and "apiKey" in names else self.key}
