"""Callers without an API key: tokens of issuers, X.509-SVIDs over mTLS, and the many ways to get them wrong."""
import hashlib
import http.client
import json
import shutil
import signal
import ssl
import subprocess
import threading
import time
import unittest

import support.gateway as support
from support.gateway import Gateway, eventually
from support.workload import Key, KeyServer, TrustDomain, b64, openssl

ISSUER = "https://issuer.example"
AUDIENCE = "https://gate.example"
SUB = "system:serviceaccount:agents:billing"


def issuer_config(source, algorithms="[RS256, PS256, ES256, EdDSA]", more=""):
    return f"""
identity:
  audiences: ["{AUDIENCE}"]
  leeway: 30s
  issuers:
    - name: cluster
      issuer: "{ISSUER}"
      {source}
      algorithms: {algorithms}
      {more}
      callers:
        - {{ match: {{ sub: "{SUB}", /kubernetes.io/namespace: agents }}, caller: runner, agent: bot }}
        - {{ match: {{ sub: "system:serviceaccount:ghosts:*" }}, caller: ghost }}
"""


def claims(**more):
    now = int(time.time())
    made = {"iss": ISSUER, "sub": SUB, "aud": [AUDIENCE], "iat": now, "exp": now + 600,
            "kubernetes.io": {"namespace": "agents"}, **more}
    return {name: value for name, value in made.items() if value is not None}


def body(action="payments.refund"):
    return {"subject": {"type": "user", "id": "alice"}, "resource": {"type": "order", "id": "4711"},
            "action": {"name": action, "properties": {"args": {"amount": 1}}}}


class Case(unittest.TestCase):
    def start(self, config, **more):
        gateway = Gateway(config=config, **more)
        self.addCleanup(gateway.__exit__, None, None, None)
        gateway.start()
        gateway.add_caller("runner")
        return gateway

    def entries(self, gateway, kind):
        def read():
            export = gateway.call("GET", "/v1/ledger/export", host=True).body.decode()
            lines = [json.loads(line) for line in export.splitlines()]
            return [line["entry"] for line in lines if line.get("entry", {}).get("type") == kind]
        return eventually(read, f"there is a {kind}")

    def reason(self, gateway):
        return (gateway.logged("caller_refused") or {}).get("reason")

    def refused(self, gateway, token, reason):
        gateway.log.clear()
        answer = gateway.call("POST", "/v1/requests", body(), token)
        self.assertEqual(401, answer.status, answer)
        problem = answer.json
        problem.pop("instance")
        eventually(lambda: self.reason(gateway), f"the log says why ({reason})")
        self.assertEqual(reason, self.reason(gateway))
        if len(token) > 100:  # nothing of it is logged
            self.assertNotIn(token.split(".")[1][:40], "\n".join(gateway.log))
        return problem


@unittest.skipUnless(shutil.which("openssl"), "the openssl command is not installed")
class Tokens(Case):
    def with_file(self, *keys, **more):
        folder = Gateway().folder
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.folder = folder
        made = [Key(folder, algorithm, kid) for algorithm, kid in keys]
        (folder / "jwks.json").write_text(json.dumps({"keys": [key.jwk() for key in made]}))
        gateway = self.start(issuer_config(f"keys_file: {folder}/jwks.json", **more))
        return gateway, made

    def test_tokens_of_every_algorithm_are_taken_for_the_registered_caller(self):
        gateway, keys = self.with_file(("RS256", "r"), ("PS256", "p"), ("ES256", "e"), ("EdDSA", "d"))
        for key in keys:
            token = key.token(claims(jti=key.kid))
            for _ in range(2):  # checked, then remembered
                answer = gateway.call("POST", "/v1/requests", body(), token)
                self.assertIn(answer.status, (201, 202), f"{key.algorithm}: {answer}")
        self.assertEqual({"jwt"}, {entry["actor"]["via"] for entry in self.entries(gateway, "request.submitted")})

    def test_every_refusal_looks_the_same_from_outside_and_has_its_reason_inside(self):
        gateway, (key, other) = self.with_file(("ES256", "a"), ("RS256", "b"))
        stranger = Key(self.folder, "ES256", "a")
        unknown = Key(self.folder, "ES256", "zzz")
        now = int(time.time())
        signed = key.token(claims())
        head, middle, tail = signed.split(".")
        none = b64(b'{"alg":"none"}') + "." + middle + "."
        mac = b64(b'{"alg":"HS256","kid":"a"}') + "." + middle + "." + tail
        swapped = b64(b'{"alg":"ES256","kid":"b"}') + "." + middle + "." + tail
        cases = [
            (none, "algorithm_refused"), (mac, "algorithm_refused"), (swapped, "unknown_key"),
            (stranger.token(claims()), "bad_signature"), (unknown.token(claims()), "unknown_key"),
            (head + "." + b64(json.dumps(claims(sub=SUB + "2")).encode()) + "." + tail, "no_registration"),
            (head + "." + b64(json.dumps(claims(jti="x")).encode()) + "." + tail, "bad_signature"),
            (key.token(claims(exp=now - 31, iat=now - 600)), "expired"), (key.token(claims(exp=None)), "no_expiry"),
            (key.token(claims(nbf=now + 90)), "not_yet_valid"), (key.token(claims(iat=now + 90)), "issued_in_future"),
            (key.token(claims(aud="https://other.example")), "wrong_audience"), (key.token(claims(aud=None)), "wrong_audience"),
            (key.token(claims(iss="https://evil.example")), "unknown_issuer"), (key.token(claims(iss=None)), "unknown_issuer"),
            (key.token(claims(iss=ISSUER + "/")), "unknown_issuer"),
            (key.token(claims(exp=now + 86400)), "lives_too_long"),
            (key.token(claims(), {"typ": "countersign-grant+jwt"}), "wrong_type"),
            (key.token(claims(), {"typ": "dpop+jwt"}), "wrong_type"),
            (key.token(claims(), {"crit": ["exp"]}), "critical_header"),
            (key.token(claims(), {"jku": "https://evil.example/keys"}), "embedded_key"),
            (key.token(claims(), {"x5u": "https://evil.example/cert"}), "embedded_key"),
            (stranger.token(claims(), {"jwk": stranger.jwk()}), "embedded_key"),
            (key.token(claims(pad="x" * 8000)), "token_too_long"), ("a.b.c", "malformed_token"),
            (key.token(claims(cnf={"jkt": key.thumbprint()})), "key_not_shown"),
            (key.token(claims(cnf={"x5t#S256": key.thumbprint()})), "key_not_shown"),
            (key.token(claims(cnf={"kid": "x"})), "unknown_confirmation"),
            (key.token(claims(sub="system:serviceaccount:ghosts:g")), "caller_not_registered"),
        ]
        told = {json.dumps(self.refused(gateway, token, reason), sort_keys=True) for token, reason in cases}
        self.assertEqual(1, len(told), told)
        unknown_key = gateway.call("POST", "/v1/requests", body(), "csk_" + "A" * 43).json
        unknown_key.pop("instance")
        self.assertEqual(told, {json.dumps(unknown_key, sort_keys=True)})

    def test_a_disabled_caller_is_refused_though_its_token_is_good(self):
        gateway, (key,) = self.with_file(("ES256", "a"))
        token = key.token(claims())
        self.assertIn(gateway.call("POST", "/v1/requests", body(), token).status, (201, 202))
        gateway.admin("POST", "/v1/callers/runner/disable")
        self.refused(gateway, token, "caller_disabled")

    def test_refusals_become_one_entry_of_their_source(self):
        gateway, (key,) = self.with_file(("ES256", "a"))
        for _ in range(3):
            self.assertEqual(401, gateway.call("POST", "/v1/requests", body(), key.token(claims(aud="x"))).status)
        gateway.advance(seconds=70)
        noted = self.entries(gateway, "refusals.noted")
        self.assertEqual([("wrong_audience", 3)], [(entry["data"]["kind"], entry["data"]["count"]) for entry in noted])

    def test_an_algorithm_that_the_issuer_is_not_allowed_is_refused(self):
        gateway, (key,) = self.with_file(("EdDSA", "d"), algorithms="[RS256]")
        self.refused(gateway, key.token(claims()), "wrong_algorithm")

    def test_a_key_file_that_changes_is_read_without_restart_or_signal(self):
        gateway, (old,) = self.with_file(("ES256", "old"))
        old_token = old.token(claims())
        self.assertIn(gateway.call("POST", "/v1/requests", body(), old_token).status, (201, 202))
        new = Key(self.folder, "ES256", "new")
        fresh = self.folder / "fresh.json"
        fresh.write_text(json.dumps({"keys": [new.jwk()]}))
        fresh.replace(self.folder / "jwks.json")
        token = new.token(claims())
        eventually(lambda: (gateway.advance(seconds=3), gateway.call("POST", "/v1/requests", body(), token).status in (201, 202))[1],
                   "the new key is good")
        self.refused(gateway, old_token, "unknown_key")
        (self.folder / "jwks.json").write_text("<html>")
        eventually(lambda: (gateway.advance(seconds=3), gateway.logged("trust_not_read"))[1], "a broken file is told")
        self.assertIn(gateway.call("POST", "/v1/requests", body(), new.token(claims())).status, (201, 202))

    def test_a_token_bound_to_a_key_needs_its_proof(self):
        gateway, (key,) = self.with_file(("ES256", "a"))
        holder, thief = Key(self.folder), Key(self.folder)
        token = key.token(claims(cnf={"jkt": holder.thumbprint()}))
        url = "http://localhost:8080/v1/requests"
        ask = lambda proof, scheme="DPoP": gateway.call("POST", "/v1/requests", body(), headers={"Authorization": f"{scheme} {token}", "DPoP": proof})
        proof = holder.proof("POST", url, token)
        self.assertIn(ask(proof).status, (201, 202))
        again = ask(proof)
        self.assertEqual((401, "invalid_dpop_proof"), (again.status, again.json["code"]))
        self.assertIn("used before", again.json["detail"])
        for bad in (holder.proof("GET", url, token), holder.proof("POST", url + "/x", token), holder.proof("POST", url, token, at=time.time() - 200),
                    holder.proof("POST", url, "another token"), "a.b.c"):
            answer = ask(bad)
            self.assertEqual((401, "invalid_dpop_proof"), (answer.status, answer.json["code"]))
        self.assertEqual(401, ask(thief.proof("POST", url, token)).status)
        eventually(lambda: self.reason(gateway) == "key_not_shown", "the log says why")


    def explain(self, gateway, text, want):
        run = subprocess.run([str(support.BUILD / "countersign"), "agents", "explain", "-", "--socket", gateway.socket_path],
                             input=text, capture_output=True, text=True, timeout=30)
        self.assertEqual(want, run.returncode, run.stdout + run.stderr)
        return run.stdout

    def test_the_operator_is_told_which_agent_a_token_is_and_why_not(self):
        gateway, (key,) = self.with_file(("ES256", "a"))
        said = self.explain(gateway, key.token(claims()) + "\n", 0)
        for line in ("accepted", "caller    runner", "agent     bot", f"identity  {ISSUER} {SUB}"):
            self.assertIn(line, said)
        for token, reason in ((key.token(claims(aud="x")), "wrong_audience"), ("a.b.c", "malformed_token"),
                              (key.token(claims(sub="system:serviceaccount:ghosts:g")), "caller_not_registered")):
            said = self.explain(gateway, token, 7)
            self.assertIn("refused", said)
            self.assertIn(reason, said)
        gateway.admin("POST", "/v1/agents/bot/disable")
        self.assertIn("agent_disabled", self.explain(gateway, key.token(claims()), 7))
        answer = gateway.call("POST", "/v1/agents/explain", {"credential": key.token(claims())}, key.token(claims()))
        self.assertEqual(403, answer.status)

    def test_tokens_that_jose_makes_are_taken(self):
        folder = support.ROOT / "web" / "node_modules" / "jose"
        if not shutil.which("node") or not folder.exists():
            self.skipTest("jose is not installed: cd web && npm ci --ignore-scripts")
        script = """
            import { SignJWT, generateKeyPair, exportJWK, calculateJwkThumbprint } from "jose";
            const made = [];
            for (const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]) {
                const { publicKey, privateKey } = await generateKeyPair(alg, { crv: alg === "EdDSA" ? "Ed25519" : undefined });
                const jwk = { ...(await exportJWK(publicKey)), alg, use: "sig" };
                jwk.kid = await calculateJwkThumbprint(jwk);
                const token = await new SignJWT(JSON.parse(process.argv[2])).setProtectedHeader({ alg, kid: jwk.kid, typ: "JWT" }).sign(privateKey);
                made.push({ alg, jwk, token });
            }
            console.log(JSON.stringify(made));
        """
        file = support.ROOT / "web" / "node_modules" / ".mint-for-test.mjs"
        file.write_text(script)
        self.addCleanup(file.unlink)
        run = subprocess.run(["node", str(file), json.dumps(claims())], capture_output=True, text=True, timeout=120)
        self.assertEqual(0, run.returncode, run.stderr)
        made = json.loads(run.stdout)
        self.assertEqual(10, len(made))
        gateway, _ = self.with_file(("ES256", "a"), algorithms="[" + ", ".join(one["alg"] for one in made) + "]")
        (self.folder / "jwks.json").write_text(json.dumps({"keys": [one["jwk"] for one in made]}))
        gateway.process.send_signal(signal.SIGHUP)
        eventually(lambda: gateway.logged("trust_read"), "the keys are read")
        for one in made:
            answer = gateway.call("POST", "/v1/requests", body(), one["token"])
            self.assertIn(answer.status, (201, 202), f"{one['alg']}: {answer}")
            spoilt = one["token"][:-10] + ("A" if one["token"][-10] != "A" else "B") + one["token"][-9:]
            self.assertEqual(401, gateway.call("POST", "/v1/requests", body(), spoilt).status, one["alg"])


@unittest.skipUnless(shutil.which("openssl"), "the openssl command is not installed")
class KeyServers(Case):
    def with_server(self, networks="allow_networks: [127.0.0.0/8]", more="refresh: 5m"):
        self.server = KeyServer()
        self.addCleanup(self.server.stop)
        folder = Gateway().folder
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.folder = folder
        self.key = Key(folder, "ES256", "one")
        self.server.keys = [self.key.jwk()]
        lines = "\n      ".join(line for line in (f"keys_url: {self.server.url}", "allow_http: true", networks, more) if line)
        return self.start(issuer_config(lines))

    def asks(self, gateway, key):
        return gateway.call("POST", "/v1/requests", body(), key.token(claims())).status

    def is_good(self, gateway, key):
        return self.asks(gateway, key) in (201, 202)

    def test_keys_are_fetched_and_rotate(self):
        gateway = self.with_server()
        eventually(lambda: self.is_good(gateway, self.key), "the first keys are fetched")
        second = Key(self.folder, "ES256", "two")
        self.server.keys = [second.jwk()]
        self.assertTrue(self.is_good(gateway, self.key))
        self.assertEqual(401, self.asks(gateway, second))  # unknown: the keys are fetched, half a minute after the last time
        gateway.advance(seconds=31)
        eventually(lambda: self.is_good(gateway, second), "the rotated keys are fetched")
        self.assertEqual(401, self.asks(gateway, self.key))

    def test_a_flood_of_unknown_keys_is_one_fetch(self):
        gateway = self.with_server()
        eventually(lambda: self.is_good(gateway, self.key), "the first keys are fetched")
        asked = self.server.asked
        for number in range(40):
            self.assertEqual(401, gateway.call("POST", "/v1/requests", body(), self.key.token(claims(), {"kid": f"made-up-{number}"})).status)
        gateway.advance(seconds=31)
        eventually(lambda: self.server.asked > asked, "one fetch")
        for number in range(10):
            gateway.call("POST", "/v1/requests", body(), self.key.token(claims(), {"kid": f"more-{number}"}))
        self.assertTrue(self.is_good(gateway, self.key))
        self.assertEqual(asked + 1, self.server.asked)

    def test_a_server_that_fails_leaves_the_keys_good_until_they_are_stale(self):
        gateway = self.with_server(more="refresh: 1m\n      stale_max: 10m")
        eventually(lambda: self.is_good(gateway, self.key), "the first keys are fetched")
        for answer, what in ((lambda h: h.reply(302, Location=self.server.url), "answered 302"),
                             (lambda h: h.reply(200, b"<html>"), "no JWK set"),
                             (lambda h: h.reply(200, b'{"keys":[]}' + b" " * (600 * 1024)), "longer than 512 KiB"),
                             (lambda h: h.reply(503), "answered 503")):
            self.server.answer = answer
            gateway.log.clear()
            gateway.advance(seconds=61)
            said = eventually(lambda: gateway.logged("keys_not_fetched"), f"the failure is told: {what}")
            self.assertIn(what, said["reason"])
            self.assertTrue(self.is_good(gateway, self.key))
        gateway.advance(seconds=601)
        self.refused(gateway, self.key.token(claims(iat=None, exp=int(time.time()) + 4000)), "keys_stale")

    def test_a_server_that_hangs_holds_up_nobody(self):
        gateway = self.with_server(more="refresh: 1m")
        eventually(lambda: self.is_good(gateway, self.key), "the first keys are fetched")
        let_go, has_come = threading.Event(), threading.Event()
        self.addCleanup(let_go.set)
        self.server.answer = lambda h: (has_come.set(), let_go.wait(60))
        gateway.advance(seconds=61)
        self.assertTrue(has_come.wait(20))
        self.assertTrue(self.is_good(gateway, self.key))

    def test_a_private_address_is_not_reached_unless_it_is_allowed(self):
        gateway = self.with_server(networks="")
        said = eventually(lambda: gateway.logged("keys_not_fetched"), "the fetch is refused")
        self.assertIn("may reach", said["reason"])
        self.assertEqual(0, self.server.asked)
        self.refused(gateway, self.key.token(claims()), "keys_missing")


@unittest.skipUnless(shutil.which("openssl"), "the openssl command is not installed")
class Certificates(Case):
    def with_domain(self, demand="optional", bundle=None, **more):
        gateway = Gateway(**more)
        self.addCleanup(gateway.__exit__, None, None, None)
        folder = gateway.folder
        self.domain = TrustDomain(folder)
        self.server = TrustDomain(folder, "servers")
        server, server_key = self.server.leaf(names="DNS:localhost,IP:127.0.0.1")
        self.bundle = folder / "bundle.pem"
        self.bundle.write_text(bundle(self.domain) if bundle else self.domain.ca.read_text())
        gateway.extra_config = f"""
identity:
  audiences: ["{AUDIENCE}"]
  trust_domains:
    - name: prod.example
      bundle: {self.bundle}
      callers:
        - {{ match: {{ path: /ns/agents/sa/billing }}, caller: runner, agent: bot }}
"""
        write = gateway.write_config
        def with_tls():
            write()
            file = folder / "countersign.yaml"
            tls = f"tls: {{ certificate: {server}, key: {server_key}, client_certificate: {demand} }}"
            file.write_text(file.read_text().replace("port: 0 }", f"port: 0, host_names: [localhost, 127.0.0.1], {tls} }}"))
        gateway.write_config = with_tls
        gateway.start()
        self.key = gateway.add_caller("runner")
        return gateway

    def ask(self, gateway, leaf=None, secret=None, path="/v1/requests", sent=None):
        context = ssl.create_default_context(cafile=str(self.server.ca))
        if leaf:
            context.load_cert_chain(str(leaf[0]), str(leaf[1]))
        connection = http.client.HTTPSConnection("127.0.0.1", gateway.port, context=context, timeout=30)
        self.addCleanup(connection.close)
        return gateway.call("POST", path, sent or body(), secret, connection=connection)

    def test_a_workload_is_its_registered_caller(self):
        gateway = self.with_domain()
        leaf = self.domain.leaf()
        self.assertIn(self.ask(gateway, leaf).status, (201, 202))
        self.assertIn(self.ask(gateway, leaf).status, (201, 202))
        self.assertEqual("svid", self.entries(gateway, "request.submitted")[0]["actor"]["via"])
        self.assertIn(self.ask(gateway, secret=self.key).status, (201, 202))  # the fallback
        for path, status in ((leaf[0], 0), (self.domain.leaf(usage=None)[0], 7)):
            run = subprocess.run([str(support.BUILD / "countersign"), "agents", "explain", str(path), "--socket", gateway.socket_path],
                                 capture_output=True, text=True, timeout=30)
            self.assertEqual(status, run.returncode, run.stdout + run.stderr)
            self.assertIn("svid_key_usage" if status else "spiffe://prod.example/ns/agents/sa/billing", run.stdout)
        self.assertEqual(401, self.ask(gateway).status)

    def test_a_leaf_that_breaks_a_rule_is_refused_and_the_reason_is_the_operators(self):
        gateway = self.with_domain()
        other = TrustDomain(gateway.folder)
        good = "URI:spiffe://prod.example/ns/agents/sa/billing"
        cases = [
            (self.domain.leaf(names=good + ",URI:spiffe://prod.example/other"), "svid_uri_count"),
            (self.domain.leaf(names="DNS:billing"), "svid_uri_count"),
            (self.domain.leaf(names="URI:spiffe://prod.example"), "svid_id"),
            (self.domain.leaf(basic="critical,CA:TRUE"), "svid_is_ca"),
            (self.domain.leaf(usage=None), "svid_key_usage"),
            (self.domain.leaf(usage="critical,digitalSignature,keyCertSign"), "svid_key_usage"),
            (self.domain.leaf(usage="critical,digitalSignature,cRLSign"), "svid_key_usage"),
            (self.domain.leaf(names="URI:spiffe://other.example/ns/agents/sa/billing"), "unknown_trust_domain"),
            (self.domain.leaf(path="/ns/agents/sa/else"), "no_registration"),
            (self.domain.leaf(begins=-7200, ends=-60), "svid_expired"),
            (self.domain.leaf(begins=3600, ends=7200), "svid_not_yet_valid"),
            (other.leaf(), "untrusted_chain"),
        ]
        told = set()
        for leaf, reason in cases:
            gateway.log.clear()
            answer = self.ask(gateway, leaf)
            self.assertEqual(401, answer.status, f"{reason}: {answer}")
            problem = answer.json
            problem.pop("instance")
            told.add(json.dumps(problem, sort_keys=True))
            eventually(lambda: self.reason(gateway), f"the log says why ({reason})")
            self.assertEqual(reason, self.reason(gateway))
        self.assertEqual(1, len(told), told)

    def test_a_bundle_rotates_without_restart(self):
        gateway = self.with_domain()
        old_leaf = self.domain.leaf()
        self.assertIn(self.ask(gateway, old_leaf).status, (201, 202))
        new = TrustDomain(gateway.folder)
        new_leaf = new.leaf()
        self.assertEqual(401, self.ask(gateway, new_leaf).status)
        self.bundle.write_text(self.domain.ca.read_text() + new.ca.read_text())
        gateway.process.send_signal(signal.SIGHUP)
        eventually(lambda: self.ask(gateway, new_leaf).status in (201, 202), "the new authority is trusted")
        self.assertIn(self.ask(gateway, old_leaf).status, (201, 202))
        self.bundle.write_text(new.ca.read_text())
        eventually(lambda: (gateway.advance(seconds=3), self.ask(gateway, old_leaf).status == 401)[1], "the old one is not")
        self.assertIn(self.ask(gateway, new_leaf).status, (201, 202))

    def test_a_bundle_in_json_serves_certificates_and_tokens_and_may_not_go_back(self):
        def bundle(domain, sequence=7, jwt_keys=()):
            der = openssl("x509", "-in", str(domain.ca), "-outform", "DER")
            import base64
            return json.dumps({"spiffe_sequence": sequence, "keys": [
                {"use": "x509-svid", "kty": "EC", "x5c": [base64.b64encode(der).decode()]}, *jwt_keys]})
        gateway = self.with_domain(bundle=bundle)
        key = Key(gateway.folder, "ES256", "svid-key")
        self.assertIn(self.ask(gateway, self.domain.leaf()).status, (201, 202))
        now = int(time.time())
        token = key.token({"sub": "spiffe://prod.example/ns/agents/sa/billing", "aud": AUDIENCE, "exp": now + 300})
        self.assertEqual(401, self.ask(gateway, secret=token).status)
        self.bundle.write_text(bundle(self.domain, 8, [key.jwk(use="jwt-svid")]))
        gateway.process.send_signal(signal.SIGHUP)
        eventually(lambda: self.ask(gateway, secret=token).status in (201, 202), "the JWT-SVID is good")
        other = key.token({"sub": "spiffe://other.example/ns/agents/sa/billing", "aud": AUDIENCE, "exp": now + 300})
        self.assertEqual(401, self.ask(gateway, secret=other).status)
        self.bundle.write_text(bundle(self.domain, 6))
        gateway.process.send_signal(signal.SIGHUP)
        eventually(lambda: gateway.logged("trust_not_read"), "an older bundle is refused")
        self.assertIn(self.ask(gateway, secret=token).status, (201, 202))

    def test_a_grant_of_a_workload_is_bound_to_its_certificate(self):
        gateway = self.with_domain(policy=FourIdentities.POLICY)
        shop = gateway.add_caller("shop", agents=["shop-bot"], audiences=["shop"])
        leaf, renewed = self.domain.leaf(), self.domain.leaf()
        hash_of = lambda one: b64(hashlib.sha256(openssl("x509", "-in", str(one[0]), "-outform", "DER")).digest())
        redeem = lambda shown, **who: self.ask(gateway, path="/v1/grants/redeem", sent={
            "token": shown["grant"]["token"], "action": shown["action"], "resource": shown["resource"],
            **({"holder_proof": {"x5t#S256": who.pop("holder")}} if "holder" in who else {})}, **who)
        own = self.ask(gateway, leaf, sent=body("order.own")).json
        self.assertEqual({"x5t#S256": hash_of(leaf)}, own["grant"]["cnf"])
        for who in ({"secret": self.key}, {"leaf": renewed}):
            answer = redeem(own, **who)
            self.assertEqual((403, "wrong_holder"), (answer.status, answer.json["code"]))
        self.assertEqual(200, redeem(own, leaf=leaf).status)
        given = self.ask(gateway, leaf, sent={**body("order.get"), "audience": "shop"}).json
        for who in ({"secret": shop}, {"secret": shop, "holder": hash_of(renewed)}):
            self.assertEqual("wrong_holder", redeem(given, **who).json["code"])
        self.assertEqual(200, redeem(given, secret=shop, holder=hash_of(leaf)).status)
        self.assertEqual({"certificate"}, {entry["data"]["holder"] for entry in self.entries(gateway, "grant.redeemed")})

    def test_a_certificate_can_be_required(self):
        gateway = self.with_domain(demand="required")
        self.assertIn(self.ask(gateway, self.domain.leaf()).status, (201, 202))
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            self.ask(gateway, secret=self.key)


@unittest.skipUnless(shutil.which("openssl"), "the openssl command is not installed")
class FourIdentities(Case):
    """The caller is proven, agent and subject are believed as far as its registration goes, the redeemer is another."""

    POLICY = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
rules:
  - name: reading
    match: { action: ["*.get"] }
    verdict: allow
    risk: low
    grant: { audience: [shop], bearer: false }
  - name: bearing
    match: { action: ["*.list"] }
    verdict: allow
    risk: low
    grant: { audience: [shop], bearer: true }
  - name: own
    match: { action: "*.own" }
    verdict: allow
    risk: low
"""
    URL = "http://localhost:8080/v1/requests"
    REDEEM = "http://localhost:8080/v1/grants/redeem"

    def start_with(self, **issuer):
        folder = Gateway().folder
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.folder = folder
        self.issuer = Key(folder, "ES256", "a")
        (folder / "jwks.json").write_text(json.dumps({"keys": [self.issuer.jwk()]}))
        gateway = self.start(issuer_config(f"keys_file: {folder}/jwks.json", **issuer), policy=self.POLICY)
        self.shop = gateway.add_caller("shop", agents=["shop-bot"], audiences=["shop"])
        self.other = gateway.add_caller("other", agents=["other-bot"], audiences=["elsewhere"])
        return gateway

    def submit(self, gateway, holder=None, action="order.get", audience="shop", token=None, **more):
        token = token or self.issuer.token(claims())
        headers = {"DPoP": holder.proof("POST", self.URL)} if holder else {}
        return gateway.ok("POST", "/v1/requests", {**body(action), **({"audience": audience} if audience else {}), **more}, token, headers=headers)

    def redeem(self, gateway, key, shown, proof=None, **more):
        sent = {"token": shown["grant"]["token"], "action": shown["action"], "resource": shown["resource"],
                **({"holder_proof": proof} if proof else {})}
        return gateway.call("POST", "/v1/grants/redeem", sent, key, **more)

    def assert_refused(self, answer, status, code):
        self.assertEqual((status, code), (answer.status, answer.json["code"]), answer)

    def claims_of(self, shown):
        middle = shown["grant"]["token"].split(".")[1]
        import base64
        return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))

    def test_a_grant_bound_to_a_key_is_redeemed_by_its_audience_with_the_holders_proof_alone(self):
        gateway = self.start_with()
        holder, thief = Key(self.folder), Key(self.folder)
        shown = self.submit(gateway, holder)
        token = shown["grant"]["token"]
        self.assertEqual({"jkt": holder.thumbprint()}, self.claims_of(shown)["cnf"])
        self.assertEqual({"jkt": holder.thumbprint()}, shown["grant"]["cnf"])
        self.assertFalse(shown["grant"]["bearer"])
        proof = lambda key, **more: {"proof": key.proof("POST", self.REDEEM, more.pop("token", token), **more)}
        self.assert_refused(self.redeem(gateway, self.other, shown, proof(holder)), 403, "wrong_audience")
        for wrong in (None, proof(thief), proof(holder, token=token + "x"), proof(holder, at=time.time() - 200), {"proof": "a.b.c"},
                      {"proof": holder.proof("GET", self.REDEEM, token)}, {"proof": holder.proof("POST", self.REDEEM)},
                      {"x5t#S256": holder.thumbprint()}):
            self.assert_refused(self.redeem(gateway, self.shop, shown, wrong), 403, "wrong_holder")
        self.assert_refused(self.redeem(gateway, self.issuer.token(claims()), shown), 403, "wrong_audience")
        said = {"proof": holder.proof("PUT", "https://shop.example/orders/4711", token), "htm": "PUT", "htu": "https://shop.example/orders/4711"}
        self.assertEqual(200, self.redeem(gateway, self.shop, shown, said).status)
        self.assert_refused(self.redeem(gateway, self.shop, shown, said), 403, "wrong_holder")  # a proof is good once
        self.assert_refused(self.redeem(gateway, self.shop, shown, proof(holder)), 409, "already_redeemed")
        self.assertEqual("key", self.entries(gateway, "grant.redeemed")[0]["data"]["holder"])
        self.assertEqual("jkt:" + holder.thumbprint(), self.entries(gateway, "grant.minted")[0]["data"]["cnf"])

    def test_a_caller_that_bound_its_grant_shows_the_key_itself(self):
        gateway = self.start_with()
        holder = Key(self.folder)
        shown = self.submit(gateway, holder, action="order.own", audience=None)
        caller = self.issuer.token(claims())
        self.assert_refused(self.redeem(gateway, caller, shown), 403, "wrong_holder")
        self.assertEqual(200, self.redeem(gateway, caller, shown, headers={"DPoP": holder.proof("POST", self.REDEEM)}).status)

    def test_a_fresh_token_is_bound_to_the_key_that_read_it(self):
        gateway = self.start_with()
        first, second = Key(self.folder), Key(self.folder)
        shown = self.submit(gateway, first)
        path = f"/v1/requests/{shown['id']}"
        shown = gateway.ok("GET", path, secret=self.issuer.token(claims()),
                           headers={"DPoP": second.proof("GET", "http://localhost:8080" + path)})
        self.assertEqual({"jkt": second.thumbprint()}, self.claims_of(shown)["cnf"])
        token = shown["grant"]["token"]
        self.assert_refused(self.redeem(gateway, self.shop, shown, {"proof": first.proof("POST", self.REDEEM, token)}), 403, "wrong_holder")
        self.assertEqual(200, self.redeem(gateway, self.shop, shown, {"proof": second.proof("POST", self.REDEEM, token)}).status)

    def test_where_no_key_is_shown_the_rule_says_whether_a_bearer_may(self):
        gateway = self.start_with()
        strict = gateway.call("POST", "/v1/requests", {**body("order.get"), "audience": "shop"}, self.issuer.token(claims()))
        self.assert_refused(strict, 403, "audience_not_allowed")
        lenient = self.submit(gateway, action="order.list")
        self.assertTrue(lenient["grant"]["bearer"])
        self.assertEqual(200, self.redeem(gateway, self.shop, lenient).status)
        self.assertEqual("bearer", self.entries(gateway, "grant.redeemed")[0]["data"]["holder"])
        bound = self.submit(gateway, Key(self.folder), action="order.list", resource={"type": "order", "id": "4712"})
        self.assertFalse(bound["grant"]["bearer"])
        self.assert_refused(self.redeem(gateway, self.shop, bound), 403, "wrong_holder")

    def test_who_acts_for_whom_is_shown_and_recorded(self):
        gateway = self.start_with()
        token = self.issuer.token(claims(act={"sub": "agent:now", "act": {"sub": "agent:before"}}))
        shown = self.submit(gateway, action="order.own", audience=None, token=token)
        self.assertEqual(["agent:now", "agent:before"], shown["act"])
        self.assertEqual(f"{ISSUER} {SUB}", shown["identity"])
        entry = self.entries(gateway, "request.submitted")[0]
        self.assertEqual((["agent:now", "agent:before"], f"{ISSUER} {SUB}"), (entry["data"]["act"], entry["data"]["identity"]))
        self.assertEqual("bot", entry["data"]["agent"])

    def test_a_workload_that_is_one_agent_speaks_for_no_other(self):
        gateway = self.start_with()
        gateway.admin("POST", "/v1/agents", {"name": "second"})
        gateway.admin("PUT", "/v1/callers/runner", {"agents": ["bot", "second"], "subjects": ["user/*"], "audiences": []})
        self.assertEqual("bot", self.submit(gateway, action="order.own", audience=None)["agent"])
        answer = gateway.call("POST", "/v1/requests", {**body(), "agent": "second"}, self.issuer.token(claims()))
        self.assert_refused(answer, 403, "agent_not_registered")

    def test_what_a_registration_does_not_cover_is_refused_or_kept_and_marked(self):
        gateway = self.start_with()
        dana = gateway.add_person("dana", groups=["oncall"])
        key = gateway.add_caller("gate", agents=["gate-bot"], subjects=["user/a*"])
        strange = {**body("order.own"), "subject": {"type": "user", "id": "zoe"}}
        self.assert_refused(gateway.call("POST", "/v1/requests", strange, key), 403, "subject_not_registered")
        lists = {"agents": ["gate-bot"], "subjects": ["user/a*"], "audiences": []}
        changed = gateway.admin("PUT", "/v1/callers/gate", {**lists, "unverified": "keep"})
        self.assertEqual("keep", changed["unverified"])
        known = gateway.ok("POST", "/v1/requests", {**body("order.own")}, key)
        self.assertEqual(("approved", None), (known["state"], known.get("unverified")))
        kept = gateway.ok("POST", "/v1/requests", {**strange}, key)
        self.assertEqual(("pending", ["subject"]), (kept["state"], kept["unverified"]))  # a rule allows it, but for whom?
        both = gateway.ok("POST", "/v1/requests", {**strange, "agent": "shop-bot"}, key)
        self.assertEqual(["agent", "subject"], both["unverified"])
        self.assert_refused(gateway.call("POST", "/v1/requests", {**strange, "agent": "nobody"}, key), 403, "agent_not_registered")
        self.assertEqual(["subject"], gateway.show(dana, kept["id"])["unverified"])
        gateway.vote(dana, kept["id"])
        self.assertEqual("approved", gateway.show(key, kept["id"])["state"])
        marked = {tuple(entry["data"].get("unverified", ())) for entry in self.entries(gateway, "request.submitted")}
        self.assertEqual({(), ("subject",), ("agent", "subject")}, marked)
        gateway.admin("PUT", "/v1/callers/gate", lists)
        self.assert_refused(gateway.call("POST", "/v1/requests", strange, key), 403, "subject_not_registered")
