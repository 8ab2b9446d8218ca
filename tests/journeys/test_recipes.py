"""docs/recipes: each against the real gateway. The rules are read out of the pages, so that what is printed is what is tested. The
clouds are stood in for by verifiers that check what theirs document (and do not check jti, as theirs do not); nginx is nginx."""
import http.server
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest
import urllib.parse

import support.gateway as rig
from support import jwt
from support.gateway import Answer, ROOT, eventually
from support.standard import Described

RECIPES = ROOT / "docs" / "recipes"
GCP_AUDIENCE = re.search(r'audience: "(//iam[^"]+)"', (RECIPES / "gcp.md").read_text())[1]
POLICY = f"""
version: 1
defaults: {{ verdict: deny, risk: low }}
rules:
  - name: buckets
    match: {{ action: ["bucket.*", "orders.*"] }}
    verdict: allow
    grant: {{ audience: [sts.amazonaws.com, "api://AzureADTokenExchange", "https://vault.example", "{GCP_AUDIENCE}", orders] }}
"""
AUDIENCES = ["sts.amazonaws.com", "api://AzureADTokenExchange", "https://vault.example", GCP_AUDIENCE, "orders"]
CONFIG = f"""
issuer: https://id.example.com
exchange:
  - {{ audience: sts.amazonaws.com, for: aws, lifetime: 2m }}
  - {{ audience: "{GCP_AUDIENCE}", for: gcp, lifetime: 2m }}
  - {{ audience: "api://AzureADTokenExchange", for: azure, lifetime: 2m }}
  - {{ audience: "https://vault.example", for: vault, lifetime: 1m }}
  - {{ audience: orders }}
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Refused(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Refused(what)


def page(name, kind, number=0):
    """The n-th block of this kind in a recipe."""
    return re.findall(rf"```{kind}\n(.*?)```", (RECIPES / name).read_text(), re.S)[number]


class Now:
    """The clock of whoever verifies, read when it does; a second ahead, since a token's times are whole seconds."""

    def __init__(self, later=0):
        self.later = later

    def __add__(self, seconds):
        return Now(self.later + seconds)

    def read(self):
        return time.time() + 1 + self.later


def well_formed(token, keys, algorithms, now, leeway=0):
    """What every cloud checks first; the claims."""
    now = now.read()
    need(len(token) <= 20000 and token.count(".") == 2, "not a JWT")
    try:
        claims = jwt.verify(token, keys, algorithms)
    except AssertionError as problem:
        raise Refused(f"signature: {problem}") from None
    need(all(name in claims for name in ("iss", "sub", "aud", "exp", "iat")) and isinstance(claims["aud"], str), "claims")
    need(claims["exp"] + leeway > now and claims["iat"] <= now and claims.get("nbf", 0) <= now + leeway, "time")
    return claims


class Sts:
    """AssumeRoleWithWebIdentity, with the trust policy of the page."""

    def __init__(self, keys):
        self.keys, self.statement = keys, json.loads(page("aws.md", "json"))["Statement"][0]
        self.host = self.statement["Principal"]["Federated"].split("oidc-provider/")[1]

    def assume(self, token, now):
        claims = well_formed(token, self.keys, ["RS256", "ES256"], now)
        need(claims["iss"] == f"https://{self.host}", "issuer")
        tags = claims.get("https://aws.amazon.com/tags", {}).get("principal_tags", {})
        source = claims.get("https://aws.amazon.com/source_identity")
        for name, values in tags.items():
            need(len(values) == 1 and re.fullmatch(r"[\w .:/=+\-@]{1,256}", values[0]) and len(name) <= 128, "InvalidIdentityToken: tag")
        need(source is None or re.fullmatch(r"[\w+=,.@-]{2,64}", source), "source identity")
        context = {f"{self.host}:aud": claims["aud"], f"{self.host}:sub": claims["sub"], "sts:SourceIdentity": source,
                   **{f"aws:RequestTag/{name}": values[0] for name, values in tags.items()}}
        need(not tags or "sts:TagSession" in self.statement["Action"], "TagSession")
        need(not source or "sts:SetSourceIdentity" in self.statement["Action"], "SetSourceIdentity")
        for operator, conditions in self.statement["Condition"].items():
            for name, wanted in conditions.items():
                need(self.holds(operator, context.get(name), wanted), f"AccessDenied: {name}")
        return {"PrincipalTag": {name: values[0] for name, values in tags.items()}, "seconds": 900}

    def holds(self, operator, value, wanted):
        """A key that is not there matches nothing."""
        if value is None:
            return False
        if operator == "StringEquals":
            return value == wanted
        assert operator == "StringLike", operator
        return re.fullmatch(re.escape(wanted).replace(r"\*", ".*"), value) is not None


def gcp_exchange(token, keys, now):
    """The pool's provider: keys uploaded, audience, lifetime, mapping, condition of the page."""
    claims = well_formed(token, keys, ["RS256", "ES256"], now)
    need(claims["iss"] == "https://id.example.com" and claims["aud"] == GCP_AUDIENCE, "issuer or audience")
    need(claims["exp"] - claims["iat"] <= 24 * 3600 and len(claims["sub"].encode()) <= 127, "lifetime or subject")
    for term in page("gcp.md", "cel").strip().split(" && "):
        name, value = re.fullmatch(r'assertion\.(\w+) == "([^"]*)"', term).groups()
        need(claims.get(name) == value, f"condition: {term}")
    return claims["sub"]


def azure_login(token, keys, now):
    """A federated credential: issuer, subject and audience exactly, RS256 alone."""
    credential = json.loads(page("azure.md", "json"))
    claims = well_formed(token, keys, ["RS256"], now)
    need(len(credential["audiences"]) == 1 and 3 <= len(credential["name"]) <= 120, "credential")
    need((claims["iss"], claims["sub"], claims["aud"]) == (credential["issuer"], credential["subject"], credential["audiences"][0]),
         f"AADSTS70021: {claims['sub']}")
    return claims["sub"]


class Vault:
    """A login of a JWT role; the lease ends with its uses."""

    def __init__(self, keys):
        self.keys, self.role, self.uses = keys, json.loads(page("vault.md", "json")), {}

    def leeway(self, name, default):
        return 0 if self.role[name] < 0 else self.role[name] or default

    def login(self, token, now):
        leeway = self.leeway("expiration_leeway", 150) + self.leeway("clock_skew_leeway", 60)
        claims = well_formed(token, self.keys, ["ES256"], now, leeway)
        need(claims["iss"] == "https://id.example.com" and claims["aud"] in self.role["bound_audiences"], "audience")
        need(claims["sub"] == self.role["bound_subject"], "subject")
        for path, wanted in self.role["bound_claims"].items():
            value = claims
            for step in path.strip("/").split("/"):
                value = value.get(step, {})
            need(value == wanted, f"claim {path}")
        lease = claims[self.role["user_claim"]]
        self.uses[lease] = self.role["token_num_uses"]
        return lease

    def read(self, lease):
        need(self.uses.get(lease, 0) > 0, "permission denied")
        self.uses[lease] -= 1
        return "secret"


class Recipe(unittest.TestCase):
    scripted = True

    def setUp(self):
        self.gateway = Described(policy=POLICY, config=CONFIG, scripted=self.scripted).start()
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.key = self.gateway.add_caller("runner", audiences=AUDIENCES)
        self.count = 0

    def grant(self, audience, action="bucket.read", resource="bucket/reports", args=None):
        self.count += 1
        return self.gateway.submit(self.key, action=action, resource=resource, args={"n": self.count} if args is None else args,
                                   audience=audience, want=(201,))

    def exchange(self, audience, **more):
        shown = self.grant(audience, **more)
        body = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": audience,
                "subject_token": shown["grant"]["token"], "subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}
        answer = self.gateway.call("POST", "/oauth/token", urllib.parse.urlencode(body), self.key, FORM)
        self.assertEqual(200, answer.status, answer)
        return answer.json["access_token"]

    def keys(self):
        """As `countersign keys export` writes them for a static host."""
        folder = self.gateway.folder / "public"
        subprocess.run([str(rig.BUILD / "countersign"), "keys", "export", str(folder)], check=True, capture_output=True, timeout=60,
                       env={"COUNTERSIGN_SOCKET": self.gateway.socket_path})
        discovery = json.loads((folder / ".well-known" / "openid-configuration").read_text())
        self.assertEqual(("https://id.example.com", "https://id.example.com/jwks.json"), (discovery["issuer"], discovery["jwks_uri"]))
        return json.loads((folder / "jwks.json").read_text())

    def assert_refused(self, what, verify, *arguments):
        with self.assertRaisesRegex(Refused, what):
            verify(*arguments)


class Clouds(Recipe):
    def test_aws_assumes_the_role_for_the_approved_action_alone(self):
        sts, now = Sts(self.keys()), Now()
        session = sts.assume(self.exchange("sts.amazonaws.com"), now)
        self.assertEqual(("bucket.read", "bucket/reports"), (session["PrincipalTag"]["action"], session["PrincipalTag"]["resource"]))
        self.assertEqual(900, session["seconds"])
        self.assert_refused("RequestTag/action", sts.assume, self.exchange("sts.amazonaws.com", action="bucket.write"), now)
        self.assert_refused("RequestTag/resource", sts.assume, self.exchange("sts.amazonaws.com", resource="queue/x"), now)
        self.assert_refused("RequestTag/resource", sts.assume, self.exchange("sts.amazonaws.com", resource="bucket/a,b"), now)
        # The side door: our other tokens, and this one later.
        self.assert_refused("aud", sts.assume, self.exchange("orders"), now)
        self.assert_refused("AccessDenied", sts.assume, self.grant("sts.amazonaws.com")["grant"]["token"], now)
        self.assert_refused("time", sts.assume, self.exchange("sts.amazonaws.com"), now + 125)

    def test_gcp_maps_and_conditions_on_the_approved_action(self):
        keys, now = self.keys(), Now()
        self.assertEqual("agent:default:bot", gcp_exchange(self.exchange(GCP_AUDIENCE), keys, now))
        self.assert_refused("assertion.action", gcp_exchange, self.exchange(GCP_AUDIENCE, action="bucket.write"), keys, now)
        self.assert_refused("assertion.resource", gcp_exchange, self.exchange(GCP_AUDIENCE, resource="bucket/other"), keys, now)
        self.assert_refused("audience", gcp_exchange, self.exchange("sts.amazonaws.com"), keys, now)
        self.assert_refused("condition", gcp_exchange, self.grant(GCP_AUDIENCE)["grant"]["token"], keys, now)

    def test_azure_compares_the_action_as_part_of_the_subject(self):
        keys, now = self.keys(), Now()
        self.assertEqual("agent:default:bot:bucket.read", azure_login(self.exchange("api://AzureADTokenExchange"), keys, now))
        self.assert_refused("AADSTS70021", azure_login, self.exchange("api://AzureADTokenExchange", action="bucket.write"), keys, now)
        self.assert_refused("signature", azure_login, self.exchange("sts.amazonaws.com"), keys, now)
        self.assert_refused("signature", azure_login, self.grant("api://AzureADTokenExchange")["grant"]["token"], keys, now)

    def test_vault_gives_a_lease_of_one_use_and_no_leeway(self):
        vault, now = Vault(self.keys()), Now()
        lease = vault.login(self.exchange("https://vault.example"), now)
        self.assertEqual("secret", vault.read(lease))
        self.assert_refused("permission denied", vault.read, lease)
        self.assert_refused("claim action", vault.login, self.exchange("https://vault.example", action="bucket.write"), now)
        self.assert_refused("audience", vault.login, self.exchange("orders"), now)
        self.assert_refused("time", vault.login, self.exchange("https://vault.example"), now + 61)
        self.assert_refused("subject|claim", vault.login, self.grant("https://vault.example")["grant"]["token"], now)


def load(name):
    spec = importlib.util.spec_from_file_location(name, RECIPES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(server, case):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    case.addCleanup(server.server_close)
    case.addCleanup(server.shutdown)
    return server.server_address[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Enforced(Recipe):
    """The adapter, by itself as Envoy asks it, and behind nginx."""
    ROUTES = [{"method": "DELETE", "path": "^/orders/(?P<id>[0-9]+)$", "action": "orders.delete", "resource": {"type": "order", "id": "{id}"}},
              {"method": "POST", "path": "^/orders/(?P<id>[0-9]+)$", "action": "orders.change", "resource": {"type": "order", "id": "{id}"}}]

    def setUp(self):
        super().setUp()
        self.service = self.gateway.add_caller("orders-proxy", agents=[], audiences=["orders"])
        adapter = load("enforce")
        self.adapter = adapter.serve(("127.0.0.1", 0), self.ROUTES, f"http://127.0.0.1:{self.gateway.port}", self.service)
        self.adapter_port = serve(self.adapter, self)

    def ask(self, port, method, path, token=None, body=None, **headers):
        import http.client
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        if token:
            headers["Authorization"] = f"Grant {token}"
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def order(self, number, action="orders.delete", args=None):
        """Without arguments there are no properties at all, as the adapter has it."""
        properties = {"properties": {"args": args}} if args else {}
        body = {"subject": {"type": "user", "id": "alice"}, "action": {"name": action, **properties}, "audience": "orders",
                "resource": {"type": "order", "id": str(number)}}
        return self.gateway.ok("POST", "/v1/requests", body, self.key)["grant"]["token"]

    def test_envoy_lets_exactly_the_approved_request_through_once(self):
        self.assertIn("failure_mode_allow: false", page("envoy.md", "yaml"))
        self.assertIn("allow_partial_message: false", page("envoy.md", "yaml"))
        port = self.adapter_port
        token = self.order(7, "orders.change", {"price": 5, "note": "x"})
        for method, path, body in (("POST", "/orders/8", {"price": 5, "note": "x"}), ("POST", "/orders/7", {"price": 6, "note": "x"}),
                                   ("POST", "/orders/7", {"price": 5}), ("DELETE", "/orders/7", None)):
            answer = self.ask(port, method, path, token, json.dumps(body) if body else None)
            self.assertEqual((403, "args_mismatch"), (answer.status, answer.headers["x-countersign-refused"]), (method, path, body))
        answer = self.ask(port, "POST", "/orders/7?note=x", token, '{"price": 5}')
        self.assertEqual(200, answer.status, "a query is arguments too")
        self.assertTrue(answer.headers["x-countersign-grant"].startswith("grt_"))
        again = self.ask(port, "POST", "/orders/7?note=x", token, '{"price": 5}')
        self.assertEqual((403, "already_redeemed"), (again.status, again.headers["x-countersign-refused"]))
        self.gateway.ok("POST", f"/v1/grants/{answer.headers['x-countersign-grant']}/effect", {"effect": "succeeded"}, self.service)

    def test_whatever_goes_wrong_is_no(self):
        port, token = self.adapter_port, self.order(1)
        for method, path, given, body, status in (("DELETE", "/orders/1", None, None, 401), ("GET", "/orders/1", token, None, 403),
                                                  ("DELETE", "/orders/1/x", token, None, 403), ("DELETE", "/orders/1", "nonsense", None, 403),
                                                  ("DELETE", "/orders/1", token, "[]", 403), ("DELETE", "/orders/1", token, "{", 403),
                                                  ("DELETE", "/orders/1?a", token, None, 403)):
            self.assertEqual(status, self.ask(port, method, path, given, body).status, (method, path, body))
        self.gateway.stop()
        self.assertEqual(403, self.ask(port, "DELETE", "/orders/1", token).status, "a gateway that is down is a no")
        self.gateway.start()

    def start_nginx(self, backend_port):
        front = free_port()
        text = page("nginx.md", "nginx").replace("127.0.0.1:8088", f"127.0.0.1:{front}").replace("127.0.0.1:8089", f"127.0.0.1:{backend_port}")
        text = text.replace("127.0.0.1:9191", f"127.0.0.1:{self.adapter_port}")
        folder = self.gateway.folder / "nginx"
        folder.mkdir()
        temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n"
                                           f"events {{}}\nhttp {{ access_log off; {temporary}\n{text}\n}}\n")
        process = subprocess.Popen(["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.send_signal, signal.SIGTERM)

        def is_up():
            self.assertIsNone(process.poll(), "nginx ended")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", front)) == 0
        eventually(is_up, "nginx listens")
        return front

    @unittest.skipUnless(shutil.which("nginx") or os.path.exists("/usr/sbin/nginx"), "nginx is not installed (Debian: nginx-light)")
    def test_nginx_lets_exactly_the_approved_request_through_once(self):
        seen = []

        class Backend(http.server.BaseHTTPRequestHandler):
            def do_DELETE(self):
                seen.append((self.path, self.headers["X-Countersign-Grant"], self.headers["X-Countersign-Fence"], self.headers["Authorization"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        os.environ["PATH"] += os.pathsep + "/usr/sbin"
        front = self.start_nginx(serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend), self))
        token = self.order(5)
        forged = {"X-Original-URI": "/orders/5", "X-Original-Method": "DELETE", "X-Countersign-Grant": "grt_forged"}
        self.assertEqual(401, self.ask(front, "DELETE", "/orders/5").status)
        self.assertEqual(403, self.ask(front, "DELETE", "/orders/6", token, **forged).status)
        self.assertEqual(404, self.ask(front, "DELETE", "/countersign", token).status)
        self.assertEqual([], seen)
        self.assertEqual(204, self.ask(front, "DELETE", "/orders/5", token, **forged).status)
        self.assertEqual(403, self.ask(front, "DELETE", "/orders/5", token).status)
        self.assertEqual(1, len(seen))
        self.assertTrue(seen[0][1].startswith("grt_") and int(seen[0][2]) > 2**40 - 1 and seen[0][3] is None, seen)
        self.adapter.shutdown()
        self.adapter.server_close()
        self.assertEqual(403, self.ask(front, "DELETE", "/orders/9", self.order(9)).status, "an adapter that is down is a no")


NODE_PACKAGES = ROOT / "web" / "node_modules"


@unittest.skipUnless(shutil.which("node") and (NODE_PACKAGES / "jose").exists(), "the npm package jose is not installed (npm ci in web/)")
class Offline(Recipe):
    """docs/recipes/verify.mjs, with npm's jose as the peer."""
    scripted = False  # jose has a clock of its own

    def verify(self, *tokens, action="orders.delete", resource="order/5", audience="orders", issuer="https://id.example.com"):
        """What it says of each in turn: the grant, or why not."""
        script = ("import { createVerifier } from '%s'; const i = JSON.parse(process.argv[1]);"
                  "const verify = createVerifier(i); const out = [];"
                  "for (const t of i.tokens) { try { out.push((await verify(t, i)).grant) } catch (e) { out.push(String(e.message)) } }"
                  "console.log(JSON.stringify(out))" % (self.gateway.folder / "verify.mjs"))
        (self.gateway.folder / "verify.mjs").write_text((RECIPES / "verify.mjs").read_text())
        link = self.gateway.folder / "node_modules"
        if not link.exists():
            link.symlink_to(NODE_PACKAGES)
        given = {"issuer": issuer, "audience": audience, "keys": f"http://127.0.0.1:{self.gateway.port}/jwks.json", "tokens": tokens,
                 "action": action, "resource": resource}
        run = subprocess.run(["node", "--input-type=module", "-e", script, json.dumps(given)], capture_output=True, text=True, timeout=60,
                             cwd=self.gateway.folder)
        self.assertEqual(0, run.returncode, run.stderr)
        return json.loads(run.stdout)

    def test_a_service_takes_each_token_once_and_for_its_action(self):
        shown = self.grant("orders", action="orders.delete", resource="order/5")
        redeemed = self.gateway.redeem(self.key, shown)
        exchanged = self.exchange("orders", action="orders.delete", resource="order/5")
        first, second, third = self.verify(redeemed["token"], redeemed["token"], exchanged)
        self.assertEqual((redeemed["grant"], "the token was used before"), (first, second))
        self.assertTrue(third.startswith("grt_"), third)
        self.assertEqual(["the token is for another action"], self.verify(exchanged, action="orders.change"))
        self.assertEqual(["the token is for another action"], self.verify(exchanged, resource="order/6"))
        self.assertIn("aud", self.verify(exchanged, audience="payments")[0])
        self.assertIn("iss", self.verify(exchanged, issuer="https://other.example")[0])

    def test_a_grants_token_confers_nothing(self):
        shown = self.grant("orders", action="orders.delete", resource="order/5")
        refusal = self.verify(shown["grant"]["token"])[0]
        self.assertTrue("fence" in refusal or "confers nothing" in refusal, refusal)

    def test_rsa_tokens_and_changed_ones(self):
        aws = self.exchange("sts.amazonaws.com", action="orders.delete", resource="order/5")
        self.assertTrue(self.verify(aws, audience="sts.amazonaws.com")[0].startswith("grt_"))
        header, payload, signature = aws.split(".")
        changed = f"{header}.{payload[:-4]}AAAA.{signature}"
        self.assertIn("signature verification failed", self.verify(changed, audience="sts.amazonaws.com")[0])


if __name__ == "__main__":
    unittest.main()
