"""What is the same at every address: who may not, what is not there, bounds, and each thing that can be wrong with a body."""
import json
import re

from journeys.openapi.book import Cast, Recorded
from support import raw_http
from support.description import METHODS


def mutations(description, value, schema, at=()):
    """(what, place, changed value): one thing wrong each, by what the schema says."""
    schema = description.resolve(schema)
    if isinstance(value, dict):
        if schema.get("additionalProperties") is False:
            yield "unknown_member", (*at, "surplus"), {**value, "surplus": 1}
        for name in schema.get("required", []):
            yield "missing_member", (*at, name), {k: v for k, v in value.items() if k != name}
        for name, member in value.items():
            if name in schema.get("properties", {}):
                for what, place, changed in mutations(description, member, schema["properties"][name], (*at, name)):
                    yield what, place, {**value, name: changed}
    wrong = {"string": 7, "integer": "7", "boolean": "true", "array": {}, "object": []}
    if isinstance(schema.get("type"), str) and at:
        yield "wrong_type", at, wrong[schema["type"]]
    if "enum" in schema:
        yield "not_in_enum", at, "nonsense"
    if "maxLength" in schema:
        yield "too_long", at, "a" * (schema["maxLength"] + 1)
    if "maximum" in schema:
        yield "too_great", at, schema["maximum"] + 1
    if "minimum" in schema:
        yield "too_small", at, schema["minimum"] - 1
    if "maxItems" in schema:
        yield "too_many", at, ["a"] * (schema["maxItems"] + 1)
    if "pattern" in schema and not re.search(schema["pattern"], "\u00fcber"):
        yield "pattern", at, "\u00fcber"


def variations(description, value, schema):
    """Bodies that are as good: nothing but what is required, and each word where one of several is to be said."""
    schema = description.resolve(schema)
    if not isinstance(value, dict):
        yield from schema.get("enum", [])
        return
    yield {name: value[name] for name in schema.get("required", [])}
    for name, member in value.items():
        if name in schema.get("properties", {}):
            for changed in variations(description, member, schema["properties"][name]):
                yield {**value, name: changed}


class Everywhere:
    def test_1_who_does_not_say_who_they_are_is_refused_everywhere(self):
        with Recorded(self.book) as gateway:
            for key, operation in self.operations():
                path = self.description.example_path(key)
                answer = gateway.call(key[0].upper(), path, self.example(key))
                if operation["security"]:
                    self.assertEqual(401, answer.status, key)
                    self.assertEqual("no_credential", answer.json["code"])
                    answer = gateway.call(key[0].upper(), path, self.example(key), secret="csk_" + "A" * 43)
                    self.assertIn((answer.status, answer.json["code"]), {(401, "bad_credential"), (403, "not_a_session")}, key)
                else:
                    self.assertNotEqual("no_credential", answer.json.get("code") if "json" in answer.headers["Content-Type"] else None)

    def test_1_methods_and_paths_that_are_not_there(self):
        with Recorded(self.book) as gateway:
            for template in self.description.document["paths"]:
                here = {method for method, path in self.description.operations if path == template}
                path = self.description.example_path((next(iter(here)), template))
                for method in {*METHODS, "options"} - here:
                    answer = gateway.call(method.upper(), path, host=True)
                    self.assertEqual((405, "method_not_allowed"), (answer.status, answer.json["code"]), (method, path))
                    allowed = {m.upper() for m in here} | ({"HEAD"} if "get" in here else set())
                    self.assertEqual(allowed, set(answer.headers["Allow"].split(", ")))
                self.assertIn(gateway.call("POST", path + "/x", host=True).status, (404, 405))
            self.assertEqual(404, gateway.call("GET", "/v1", host=True).status)

    def test_1_head_is_get_without_a_body(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            asked = gateway.submit(cast.key, action="orders.get")
            for key, operation in self.operations():
                if key[0] == "get":
                    path = self.description.example_path(key).replace("req_01m869avenebvzk10qrr3kwns8", asked["id"])
                    got, head = (gateway.call(m, path, **cast.credentials(operation)) for m in ("GET", "HEAD"))
                    self.assertEqual((got.status, got.headers["Content-Type"], b""), (head.status, head.headers["Content-Type"], head.body), key)
            # A token that nobody saw would make the newest one void.
            shown = gateway.show(cast.key, asked["id"])
            self.assertEqual(200, gateway.call("HEAD", f"/v1/requests/{asked['id']}", secret=cast.key, headers={"Prefer": "wait=60"}).status)
            gateway.redeem(cast.key, shown)

    def test_1_bodies_are_json_and_bounded(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            for key, operation in self.operations(415):
                method, path = key[0].upper(), self.description.example_path(key)
                given = cast.credentials(operation)
                given["headers"] = {**given.get("headers", {}), "Content-Type": "text/plain"}
                self.assertEqual(415, gateway.call(method, path, "{}", **given).status, key)
                with raw_http.Connection(("127.0.0.1", gateway.port)) as connection:
                    answer = connection.ask(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n".encode())
                self.assertEqual((413, "body_too_large"), (answer.status, json.loads(answer.body)["code"]), key)
                self.book.seen.add((*key, 413))
            for key, operation in self.operations():
                if key[0] in ("get", "delete"):
                    answer = gateway.call(key[0].upper(), self.description.example_path(key), "{}", **cast.credentials(operation))
                    self.assertEqual((400, "unexpected_body"), (answer.status, answer.json["code"]), key)

    def test_1_who_sends_too_much_is_told_when_to_come_back(self):
        with Recorded(self.book, config="limits: { requests_per_second: 1, failures_per_minute: 1000000 }\n") as gateway:
            key_of_caller = gateway.add_caller()
            for key, operation in self.operations(429):
                if operation["security"]:
                    for _ in range(2):
                        answer = gateway.call(key[0].upper(), self.description.example_path(key), self.example(key), secret=key_of_caller)
                    self.assertEqual((429, "rate_limited", "1"), (answer.status, answer.json["code"], answer.headers["Retry-After"]), key)
        with Recorded(self.book, config="limits: { requests_per_second: 0, failures_per_minute: 3 }\n") as gateway:
            answers = [gateway.call("GET", "/v1/me", secret="csk_" + "B" * 43) for _ in range(6)]
            self.assertEqual((429, "too_many_failures", "60"), (answers[-1].status, answers[-1].json["code"], answers[-1].headers["Retry-After"]))

    def test_1_parameters_are_known_given_once_and_in_bounds(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            for key, operation in self.operations(400):
                method, path, given = key[0].upper(), self.description.example_path(key), cast.credentials(operation)
                answer = gateway.call(method, path + "?surplus=1", self.example(key), **given)
                self.assertEqual((400, "unknown_parameter"), (answer.status, answer.json["code"]), key)
                for parameter in self.description.parameters(key):
                    if parameter["in"] == "query":
                        self.try_parameter(gateway, given, path, parameter)

    def try_parameter(self, gateway, given, path, parameter):
        name, schema = parameter["name"], self.description.resolve(parameter["schema"])
        bad = ["a&" + name + "=b", "%ff", "a%00"]
        bad += [schema["maximum"] + 1] if "maximum" in schema else []
        bad += [schema["minimum"] - 1] if "minimum" in schema else []
        bad += ["nonsense"] if "enum" in schema or "pattern" in schema or schema.get("type") == "integer" else []
        for value in bad:
            answer = gateway.call("GET", f"{path}?{name}={value}", **given)
            self.assertEqual(400, answer.status, f"{path}?{name}={value}: {answer}")
        good = schema.get("enum", [schema.get("default")])
        for value in good if good != [None] else []:
            self.assertNotEqual(400, gateway.call("GET", f"{path}?{name}={value}", **given).status, f"{path}?{name}={value}")

    def test_1_every_request_example_is_taken_and_every_thing_wrong_with_it_refused(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            tried = 0
            for key, operation in self.operations():
                schema = self.description.body_schema(key)
                examples = self.description.request_examples(key) or {"nothing": {}}
                for name, body in examples.items() if schema else ():
                    self.assertEqual([], self.description.faults(body, schema))
                    tried += self.try_body(gateway, cast.credentials(operation), key, schema, body)
            self.assertGreater(tried, 200)

    def try_body(self, gateway, given, key, schema, body):
        method, path, tried = key[0].upper(), self.description.example_path(key), 0
        for what, place, changed in mutations(self.description, body, schema):
            if what == "pattern" and path in ("/v1/setup", "/v1/enrol"):
                continue  # the link comes first
            answer = gateway.call(method, path, changed, **given)
            self.assertEqual(400, answer.status, (key, what, place, answer))
            if what in ("unknown_member", "missing_member"):
                self.assertEqual((what, "/" + "/".join(place)), (answer.json["code"], answer.json["errors"][0]["pointer"]), (key, place))
            tried += 1
        # After them, because it may well do what it asks for.
        for changed in variations(self.description, body, schema):
            answer = gateway.call(method, path, changed, **given)
            self.assertTrue(answer.status not in (400, 415) or answer.json["code"] in ("wrong_target", "target_missing", "policy_invalid", "proof_missing"), (key, changed, answer))
        answer = gateway.call(method, path, body, **given)
        self.assertNotIn(answer.status, (400, 415), (key, answer))
        return tried

    def test_1_what_is_for_others_is_forbidden(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            for key, operation in self.operations(403):
                if operation["security"] and not re.search("/v1/(requests|grants)/.*[{]", key[1]):
                    answer = gateway.call(key[0].upper(), self.description.example_path(key), self.example(key), **cast.stranger(operation))
                    self.assertEqual(403, answer.status, (key, answer))
                if {"session": [], "csrf": []} in operation["security"]:
                    for headers in ({"Cookie": cast.session["Cookie"]}, {**cast.session, "X-CSRF-Token": "A" * 43},
                                    {**cast.session, "Origin": "http://elsewhere.example"}, {**cast.session, "Sec-Fetch-Site": "cross-site"}):
                        answer = gateway.call(key[0].upper(), self.description.example_path(key), self.example(key), headers=headers)
                        self.assertEqual(403, answer.status, (key, headers))
                        self.assertIn(answer.json["code"], ("csrf_mismatch", "wrong_origin"))

    def test_1_names_that_are_nobodys(self):
        with Recorded(self.book) as gateway:
            cast = Cast(gateway)
            for key, operation in self.operations(404):
                path = re.sub(r"\{(person|agent|caller)\}", "nobody", key[1])
                path = path.replace("{group}", "oncall")
                for parameter in self.description.parameters(key):
                    path = path.replace("{" + parameter["name"] + "}", str(parameter.get("example")))
                if "{" in key[1]:
                    body = {"person": "nobody"} if key[1].endswith("/members") else self.example(key)
                    answer = gateway.call(key[0].upper(), path, body, **cast.credentials(operation))
                    self.assertEqual(404, answer.status, (key, answer))
                    # Bytes that are no text come back as text.
                    answer = gateway.call(key[0].upper(), re.sub("nobody|[a-z]{3}_[0-9a-z]{26}", "%ff%c3", path), body, **cast.credentials(operation))
                    self.assertIn(answer.status, (400, 404), (key, answer))
            for method, path, body in (("POST", "/v1/agents", {"name": "new", "owner": "nobody"}), ("POST", "/v1/keys", {"caller": "nobody"}),
                                       ("POST", "/v1/tokens", {"person": "nobody"}), ("GET", "/v1/credentials?owner=a" + "%C3%A9" * 60, None),
                                       ("POST", "/v1/freezes", {"scope": "agent", "target": "nobody", "reason": "drill"}),
                                       ("GET", "/v1/ledger/consistency?to=99999", None)):
                self.assertEqual(404, gateway.call(method, path, body, secret=cast.admin).status, path)
