"""Token exchange, introspection and revocation as OAuth clients see them, and the issuer's keys."""
import base64
import json
import subprocess
import unittest
import urllib.parse

import support.gateway as gateway
from support import jwt
from support.gateway import eventually
from support.standard import Described

POLICY = """
version: 1
defaults: { verdict: deny, risk: low, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
rules:
  - name: cloud
    match: { action: "bucket.*" }
    verdict: allow
    grant: { audience: [sts.amazonaws.com, "api://AzureADTokenExchange", "https://vault.example", payments, nowhere] }
  - name: refunds
    match: { action: payments.refund }
    verdict: require_approval
    grant: { audience: [payments] }
"""
CONFIG = """
issuer: https://id.example
exchange:
  - { audience: sts.amazonaws.com, for: aws, algorithm: RS256, lifetime: 2m }
  - { audience: "api://AzureADTokenExchange", for: azure }
  - { audience: "https://vault.example", for: vault }
  - { audience: payments }
"""
AUDIENCES = ["sts.amazonaws.com", "api://AzureADTokenExchange", "https://vault.example", "payments", "nowhere"]
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Oauth(unittest.TestCase):
    def setUp(self):
        self.gateway = Described(policy=POLICY, config=CONFIG).start()
        self.addCleanup(self.gateway.__exit__, None, None, None)
        self.key = self.gateway.add_caller("runner", audiences=AUDIENCES)
        self.dana = self.gateway.add_person("dana", ["oncall"])

    def post(self, path, fields, secret=None, headers=None):
        body = fields if isinstance(fields, (str, bytes)) else urllib.parse.urlencode(fields)
        return self.gateway.call("POST", path, body, secret, {**FORM, **(headers or {})})

    def grant(self, audience="sts.amazonaws.com", action="bucket.read", resource="bucket/reports"):
        """A fresh one: what was redeemed and not reported needs a person when it comes again."""
        self.count = getattr(self, "count", 0) + 1
        return self.gateway.submit(self.key, action=action, resource=resource, args={"n": self.count}, audience=audience, want=(201,))

    def fields(self, token, audience="sts.amazonaws.com", **more):
        return {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": JWT, "audience": audience, **more}

    def exchange(self, shown, audience="sts.amazonaws.com", secret=None, **more):
        return self.post("/oauth/token", self.fields(shown["grant"]["token"], audience, **more), secret or self.key)

    def assert_error(self, answer, error, code=None, status=400):
        self.assertEqual((status, error), (answer.status, answer.json["error"]), answer)
        if code:
            self.assertEqual(code, answer.json["code"])

    def keys(self):
        return self.gateway.ok("GET", "/jwks.json")

    def introspect(self, token, secret=None):
        answer = self.post("/oauth/introspect", {"token": token}, secret or self.key)
        self.assertEqual(200, answer.status, answer)
        return answer.json

    def test_a_grant_is_exchanged_once_for_a_token_narrowed_to_what_was_approved(self):
        shown = self.grant()
        answer = self.exchange(shown)
        self.assertEqual(200, answer.status, answer)
        got = answer.json
        self.assertEqual((JWT, "N_A", 120), (got["issued_token_type"], got["token_type"], got["expires_in"]))
        claims = jwt.verify(got["access_token"], self.keys(), ["RS256"])
        header, _ = jwt.read(got["access_token"])
        self.assertEqual(("RS256", "countersign-exchange+jwt"), (header["alg"], header["typ"]))
        self.assertEqual(("https://id.example", "sts.amazonaws.com", "agent:default:bot"), (claims["iss"], claims["aud"], claims["sub"]))
        self.assertEqual(("bucket.read", "bucket/reports", shown["id"]), (claims["action"], claims["resource"], claims["txn"]))
        self.assertEqual(125, claims["exp"] - claims["iat"], "issued a moment ago, for clocks that are behind")
        self.assertEqual(shown["id"], claims["https://aws.amazon.com/source_identity"])
        tags = claims["https://aws.amazon.com/tags"]
        self.assertEqual((["bucket.read"], ["bucket/reports"]), (tags["principal_tags"]["action"], tags["principal_tags"]["resource"]))
        self.assertEqual(sorted(tags["principal_tags"]), sorted(tags["transitive_tag_keys"]))
        self.assertEqual([{"type": "urn:countersign:action", "actions": ["bucket.read"], "identifier": "bucket/reports"}],
                         got["authorization_details"])
        again = self.exchange(shown)
        self.assert_error(again, "invalid_request", "already_redeemed")
        self.assertEqual((True, got["fence"]), (again.json["yours"], again.json["fence"]))
        redeemed = self.gateway.entries("grant.redeemed", 1)[0]["data"]
        self.assertEqual("exchange", redeemed["how"])

    def test_an_exchanged_token_is_good_for_nothing_here(self):
        shown = self.grant()
        token = self.exchange(shown).json["access_token"]
        self.assertEqual("unknown_grant", self.gateway.redeem(self.key, shown, token=token, want=(404,))["code"])
        self.assert_error(self.post("/oauth/token", self.fields(token), self.key), "invalid_request", "unknown_grant")
        self.assertEqual(401, self.gateway.call("GET", "/v1/me", secret=token).status)

    def test_each_cloud_gets_what_it_reads(self):
        azure = jwt.verify(self.exchange(self.grant("api://AzureADTokenExchange"), "api://AzureADTokenExchange").json["access_token"],
                           self.keys(), ["RS256"])
        self.assertEqual("agent:default:bot:bucket.read", azure["sub"])
        vault = jwt.verify(self.exchange(self.grant("https://vault.example"), "https://vault.example").json["access_token"], self.keys(), ["ES256"])
        self.assertEqual(("bucket.read", "bucket/reports"), (vault["action"], vault["resource"]))
        service = self.exchange(self.grant("payments"), "payments").json
        self.assertEqual("Bearer", service["token_type"])
        self.assertEqual("user/alice", jwt.verify(service["access_token"], self.keys())["sub"])
        for claims in (azure, vault):
            self.assertNotIn("https://aws.amazon.com/tags", claims)

    def test_what_sts_would_refuse_is_left_out_and_never_altered(self):
        shown = self.grant(resource="bucket/caf\u00e9 (1)")
        tags = jwt.read(self.exchange(shown).json["access_token"])[1]["https://aws.amazon.com/tags"]
        self.assertNotIn("resource", tags["principal_tags"])
        self.assertNotIn("resource", tags["transitive_tag_keys"])
        self.assertIn("action", tags["principal_tags"])

    def test_the_audience_is_the_grants_and_configured(self):
        shown = self.grant("payments")
        self.assert_error(self.exchange(shown), "invalid_target", "wrong_audience")
        self.assert_error(self.exchange(self.grant("nowhere"), "nowhere"), "invalid_target")
        stranger = self.gateway.add_caller("stranger")
        self.assert_error(self.exchange(shown, "payments", stranger), "invalid_target", "wrong_audience")
        fields = self.fields(shown["grant"]["token"], "payments")
        del fields["audience"]
        self.assert_error(self.post("/oauth/token", fields, self.key), "invalid_target")
        self.assertEqual(200, self.exchange(shown, "payments").status, "no refusal used it")

    def test_what_is_about_to_run_is_compared_where_it_is_said(self):
        shown = self.grant()
        details = lambda n: json.dumps([{"type": "urn:countersign:action", "resource": shown["resource"],
                                              "action": {"name": "bucket.read", "properties": {"args": {"n": n}}}}])
        self.assert_error(self.exchange(shown, authorization_details=details(2)), "invalid_authorization_details", "args_mismatch")
        for text in ("[]", "{", '[{"type":"other"}]', "[7]", '[{"type":"urn:countersign:action"}]'):
            self.assert_error(self.exchange(shown, authorization_details=text), "invalid_authorization_details")
        self.assertEqual(200, self.exchange(shown, authorization_details=details(1)).status)

    def test_a_request_that_is_not_one_is_refused_in_oauths_words(self):
        token = self.grant()["grant"]["token"]
        good = self.fields(token)
        for change, error in (({"grant_type": "client_credentials"}, "unsupported_grant_type"), ({"subject_token_type": "x"}, "invalid_request"),
                              ({"requested_token_type": "urn:x"}, "unsupported_token_type"), ({"actor_token": "x"}, "invalid_request"),
                              ({"resource": "https://x.example"}, "invalid_target"), ({"subject_token": ""}, "invalid_request"),
                              ({"subject_token": "e30.e30.x"}, "invalid_request")):
            answer = self.post("/oauth/token", {**good, **change}, self.key)
            self.assert_error(answer, error)
            self.assertRegex(answer.json["error_description"], r"^[ !#-\[\]-~]+$")
        doubled = urllib.parse.urlencode(good) + "&audience=payments"
        for body in (doubled, "grant_type=%zz", "grant_type=%00", "=x", "grant_type=%ff", ""):
            self.assert_error(self.post("/oauth/token", body, self.key), "invalid_request" if body else "unsupported_grant_type")
        self.assert_error(self.gateway.call("POST", "/oauth/token", json.dumps(good), self.key), "invalid_request", "unsupported_media_type")
        self.assertEqual(400, self.gateway.call("POST", "/oauth/token?x=1", urllib.parse.urlencode(good), self.key, FORM).status)
        self.assertEqual(200, self.post("/oauth/token", good, self.key).status)

    def test_clients_say_who_they_are_as_oauth_has_it(self):
        basic = lambda name, secret: {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}
        token = lambda: self.grant()["grant"]["token"]
        self.assertEqual(200, self.post("/oauth/token", self.fields(token()), headers=basic("runner", self.key)).status)
        self.assertEqual(200, self.post("/oauth/token", {**self.fields(token()), "client_id": "runner", "client_secret": self.key}).status)
        other = self.gateway.add_caller("other")
        for fields, headers, secret in (({}, {}, None), ({}, basic("runner", other), None), ({}, basic("other", self.key), None),
                                        ({}, basic("runner", "wrong"), None), ({}, {"Authorization": "Basic ***"}, None),
                                        ({"client_id": "other", "client_secret": self.key}, {}, None), ({"client_id": "other"}, {}, self.key),
                                        ({"client_secret": self.dana, "client_id": "dana"}, {}, None)):
            answer = self.post("/oauth/token", {**self.fields("x"), **fields}, secret, headers)
            self.assert_error(answer, "invalid_client", status=401)
            self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Basic "))
        both = self.post("/oauth/token", {**self.fields("x"), "client_secret": self.key}, headers=basic("runner", self.key))
        self.assert_error(both, "invalid_request", "two_credentials")
        self.assert_error(self.post("/oauth/token", self.fields("x"), self.dana), "unauthorized_client")

    def test_introspection_says_what_a_token_is_worth_and_consumes_nothing(self):
        shown = self.grant("payments")
        token = shown["grant"]["token"]
        payments = self.gateway.add_caller("payments-api", audiences=["payments"])
        stranger = self.gateway.add_caller("stranger")
        for _ in range(3):
            got = self.introspect(token, payments)
            self.assertEqual((True, "N_A", "payments", shown["id"]), (got["active"], got["token_type"], got["aud"], got["txn"]))
            self.assertEqual("bucket.read", got["authorization_details"][0]["actions"][0])
        self.assertEqual({"active": False}, self.introspect(token, stranger))
        for text in ("nonsense", token[:-3] + "AAA", "a.b.c"):
            self.assertEqual({"active": False}, self.introspect(text))
        newer = self.gateway.show(self.key, shown["id"])
        self.assertEqual({"active": False}, self.introspect(token), "a newer one was minted")
        exchanged = self.exchange(newer, "payments").json
        self.assertEqual({"active": False}, self.introspect(newer["grant"]["token"]), "it was used")
        got = self.introspect(exchanged["access_token"], payments)
        self.assertEqual((True, "Bearer"), (got["active"], got["token_type"]))
        self.gateway.ok("POST", f"/v1/grants/{exchanged['grant']}/effect", {"effect": "succeeded"}, self.key)
        self.assertEqual({"active": False}, self.introspect(exchanged["access_token"], payments), "done is over")

    def test_a_token_ends_with_time_and_with_a_freeze(self):
        short = self.exchange(self.grant("payments"), "payments").json["access_token"]
        self.assertTrue(self.introspect(short)["active"])
        self.gateway.advance(seconds=6 * 60)
        eventually(lambda: not self.introspect(short)["active"], "it expires")
        tokens = [self.exchange(self.grant("payments"), "payments").json["access_token"], self.grant("payments")["grant"]["token"]]
        self.assertEqual([True, True], [self.introspect(token)["active"] for token in tokens])
        self.gateway.admin("POST", "/v1/freezes", {"scope": "tenant", "reason": "drill"})
        self.assertEqual([False, False], [self.introspect(token)["active"] for token in tokens])

    def test_revocation_is_for_the_holder_and_answers_200_for_what_is_no_good(self):
        shown = self.grant("payments")
        token = shown["grant"]["token"]
        stranger = self.gateway.add_caller("stranger")
        payments = self.gateway.add_caller("payments-api", audiences=["payments"])
        revoke = lambda text, secret: self.post("/oauth/revoke", {"token": text, "token_type_hint": "access_token"}, secret)
        self.assertEqual(200, revoke(token, stranger).status)
        self.assertTrue(self.introspect(token)["active"], "a stranger's revocation does nothing")
        answer = revoke(token, payments)
        self.assertEqual(400, answer.status)
        self.assertEqual(200, revoke(token, self.key).status)
        self.assertEqual({"active": False}, self.introspect(token))
        for text in (token, "nonsense"):
            self.assertEqual(200, revoke(text, self.key).status)
        self.assert_error(self.exchange(shown, "payments"), "invalid_request", "revoked")
        used = self.exchange(self.grant("payments"), "payments").json["access_token"]
        self.assert_error(revoke(used, self.key), "unsupported_token_type")
        self.assert_error(revoke("", self.key), "invalid_request")

    def test_the_issuer_says_where_things_are(self):
        oidc = self.gateway.ok("GET", "/.well-known/openid-configuration")
        self.assertEqual(("https://id.example", "https://id.example/jwks.json"), (oidc["issuer"], oidc["jwks_uri"]))
        self.assertEqual(["ES256", "RS256"], oidc["id_token_signing_alg_values_supported"])
        oauth = self.gateway.ok("GET", "/.well-known/oauth-authorization-server")
        self.assertEqual("https://id.example/oauth/token", oauth["token_endpoint"])
        self.assertEqual([EXCHANGE], oauth["grant_types_supported"])
        keys = self.keys()["keys"]
        self.assertEqual({"ES256", "RS256"}, {jwk["alg"] for jwk in keys})
        self.assertTrue(all(jwk["kid"] == jwt.thumbprint(jwk) and not {"d", "p", "k"} & set(jwk) for jwk in keys))

    def rotate(self, **body):
        return self.gateway.admin("POST", "/v1/signing-keys", body)

    def test_a_new_key_is_published_ahead_and_the_old_one_until_nothing_needs_it(self):
        kid = lambda: jwt.read(self.grant()["grant"]["token"])[0]["kid"]
        first = kid()
        old = self.grant("payments")
        made = self.rotate(algorithm="ES256")
        published = lambda: {jwk["kid"] for jwk in self.keys()["keys"] if jwk["alg"] == "ES256"}
        self.assertEqual({first, made["kid"]}, published())
        self.assertEqual(first, kid(), "it signs only when those who keep keys have had time to fetch it")
        self.gateway.restart()
        self.assertEqual({first, made["kid"]}, published())
        self.gateway.advance(seconds=10 * 60 + 1)
        eventually(lambda: kid() == made["kid"], "the new key signs")
        token = self.gateway.show(self.key, old["id"])["grant"]["token"]
        self.assertEqual(made["kid"], jwt.read(token)[0]["kid"])
        self.gateway.advance(seconds=23 * 3600)
        self.assertEqual({first, made["kid"]}, published())
        self.gateway.advance(seconds=2 * 3600)
        eventually(lambda: published() == {made["kid"]}, "the old key is not published for ever")
        self.assertEqual(made["kid"], kid())

    def test_a_token_of_the_former_key_still_redeems(self):
        shown = self.grant("payments")
        self.rotate(algorithm="ES256", signs_in="0s")
        self.assertNotEqual(jwt.read(shown["grant"]["token"])[0]["kid"], jwt.read(self.grant("nowhere")["grant"]["token"])[0]["kid"])
        self.gateway.redeem(self.key, shown)

    def test_a_key_that_others_may_have_is_void_at_once(self):
        shown = self.grant("payments")
        former = jwt.read(shown["grant"]["token"])[0]["kid"]
        made = self.rotate(algorithm="ES256", drop_former=True)
        self.assertEqual("unknown_grant", self.gateway.redeem(self.key, shown, want=(404,))["code"])
        self.assertNotIn(former, {jwk["kid"] for jwk in self.keys()["keys"]})
        self.gateway.restart()
        self.assertNotIn(former, {jwk["kid"] for jwk in self.keys()["keys"]})
        again = self.gateway.show(self.key, shown["id"])
        self.assertEqual(made["kid"], jwt.read(again["grant"]["token"])[0]["kid"])
        self.gateway.redeem(self.key, again)

    def run_keys(self, *words):
        return subprocess.run([str(gateway.BUILD / "countersign"), "keys", *words], capture_output=True, text=True, timeout=60,
                              env={"COUNTERSIGN_SOCKET": self.gateway.socket_path})

    def test_the_command_line_replaces_lists_and_exports_keys(self):
        run = self.run_keys("rotate", "--algorithm", "RS256", "--signs-in", "0s")
        self.assertEqual(0, run.returncode, run.stderr)
        kid = run.stdout.split()[0]
        self.assertIn(f"RS256  {kid}", self.run_keys("list").stdout)
        folder = self.gateway.folder / "public"
        for _ in range(2):
            run = self.run_keys("export", str(folder))
            self.assertEqual(0, run.returncode, run.stderr)
        self.assertEqual(self.keys(), json.loads((folder / "jwks.json").read_text()))
        discovery = json.loads((folder / ".well-known" / "openid-configuration").read_text())
        self.assertEqual(self.gateway.ok("GET", "/.well-known/openid-configuration"), discovery)
        self.assertEqual(["jwks.json"], sorted(path.name for path in folder.iterdir() if path.is_file()))
        for words in ((), ("forget",), ("export",), ("rotate", "extra")):
            self.assertEqual(2, self.run_keys(*words).returncode, words)
        self.assertEqual(1, self.run_keys("rotate", "--algorithm", "none").returncode)
        self.assertEqual(1, self.run_keys("export", "/proc/nowhere").returncode)

    def test_only_admins_and_the_host_replace_keys(self):
        for secret, status in ((self.key, 403), (self.dana, 403), (None, 401)):
            self.assertEqual(status, self.gateway.call("POST", "/v1/signing-keys", {"algorithm": "ES256"}, secret).status)
        for body in ({}, {"algorithm": "EdDSA"}, {"algorithm": "ES256", "signs_in": "2d"}, {"algorithm": "ES256", "signs_in": "soon"}):
            self.assertEqual(400, self.gateway.call("POST", "/v1/signing-keys", body, host=True).status, body)


if __name__ == "__main__":
    unittest.main()
