"""What a person meets who configures it wrong: the place, and what to write instead."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import support.gateway as support
from support.gateway import Gateway

POLICY = "version: 1\ndefaults: { verdict: deny }\n"


class Configuration(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="countersign-test-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        (self.folder / "policy").mkdir()
        (self.folder / "policy" / "p.yaml").write_text(POLICY)
        self.good = (f"version: 1\nlisteners:\n  - {{ address: 127.0.0.1, port: 0 }}\n"
                     f"data: {self.folder}/data\npolicy: {self.folder}/policy\n")

    def check(self, text, environment=None, arguments=("--check-config",)):
        file = self.folder / "countersign.yaml"
        file.write_text(text)
        return subprocess.run([str(support.BUILD / "countersignd"), "--config", str(file), *arguments], capture_output=True,
                              text=True, timeout=30, env={"PATH": "/usr/bin:/bin", **(environment or {})})

    def assert_refused(self, text, place, *words, **more):
        run = self.check(text, **more)
        self.assertEqual(78, run.returncode, run.stderr)
        self.assertIn(place, run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)

    def test_a_good_one_is_called_good_and_makes_nothing(self):
        run = self.check(self.good)
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertIn("configuration and policy are fine: 0 rules", run.stdout)
        self.assertFalse((self.folder / "data").exists())

    def test_the_example_has_every_key_of_the_reference_and_loads(self):
        example = (support.ROOT / "docs" / "countersign.example.yaml").read_text()
        example = re.sub(r"^policy: .*$", f"policy: {self.folder}/policy", example, flags=re.M)
        secret = self.folder / "hook.secret"
        secret.write_text("whsec_" + "QUFB" * 8)
        secret.chmod(0o600)
        example = re.sub(r"\b(signing_secret_file|secret_file|token_file): .*$", rf"\1: {secret}", example, flags=re.M)
        keys = self.folder / "keys.json"
        keys.write_text('{"keys":[]}')
        example = re.sub(r"(bundle|keys_file): .*$", rf"\1: {keys}", example, flags=re.M)
        self.assertEqual(0, self.check(example).returncode, self.check(example).stderr)
        source = "".join(file.read_text() for file in (support.ROOT / "gateway" / "config").glob("*.c"))
        keys = [key for table in re.findall(r"_keys\[\] = \{(.*?)NULL\}", source, re.S) for key in re.findall(r'"(\w+)"', table)]
        reference = (support.ROOT / "docs" / "configuration.md").read_text()
        self.assertGreater(len(keys), 30)
        for key in keys:
            self.assertIn(f"{key}:", example)
            self.assertRegex(reference, rf"`(\w+(\[\])?\.)*\.?{key}\b")

    def identity(self, text):
        return self.good + 'identity:\n  audiences: [gate]\n' + text

    def test_who_may_call_is_read_strictly(self):
        keys = self.folder / "keys.json"
        keys.write_text('{"keys":[]}')
        caller = "callers: [{ match: { sub: a }, caller: runner }]"
        issuer = f"  issuers:\n    - {{ name: a, issuer: x, keys_file: {keys}, "
        domain = f"  trust_domains:\n    - {{ name: d.example, bundle: {keys}, "
        self.assertEqual(0, self.check(self.identity(issuer + caller + " }\n")).returncode)
        for text, *words in (
                (self.good + "identity: { leeway: 10s }\n", "audiences"),
                (self.identity("  leeway: 61s\n"), "61s"),
                (self.identity(issuer + "callers: [] }\n"), "callers"),
                (self.identity(issuer + "callers: [{ match: {}, caller: runner }] }\n"), "match"),
                (self.identity(issuer + "callers: [{ caller: runner }] }\n"), "match"),
                (self.identity(issuer + "callers: [{ match: { sub: a } }] }\n"), "caller"),
                (self.identity(issuer + caller + ", algorithms: [none] }\n"), "RS256"),
                (self.identity(issuer + caller + ", algorithms: [HS256] }\n"), "RS256"),
                (self.identity(issuer + caller + ", types: [AT+JWT] }\n"), "lower case"),
                (self.identity(issuer + caller + ", keys_url: 'https://x.example/k' }\n"), "one of"),
                (self.identity("  issuers:\n    - { name: a, issuer: x, " + caller + " }\n"), "keys_url"),
                (self.identity("  issuers:\n    - { name: a, issuer: x, keys_url: 'http://x.example/k', " + caller + " }\n"), "allow_http"),
                (self.identity(domain + "callers: [{ match: { aud: a }, caller: runner }] }\n"), "path"),
                (self.identity(domain.replace("d.example", "spiffe://d.example") + caller + " }\n"), "spiffe://"),
                (self.good.replace("port: 0", "port: 0, tls: { certificate: a, key: b, client_certificate: optional }"), "trust domains"),
                (self.identity(issuer + caller + " }\n").replace(str(keys), "/nowhere"), "/nowhere"),
                (self.identity(domain + caller + " }\n").replace(str(keys), str(self.folder / "policy" / "p.yaml")), "p.yaml")):
            with self.subTest(text=text):
                self.assert_refused(text, "", *words)

    def test_whom_passkeys_belong_to_is_a_host_name(self):
        for good in ("issuer: https://Gate.Example.com:443/x\n", "issuer: http://10.0.0.1:8080\n", "issuer: https://[::1]\n",
                     "passkeys: { origin: 'https://a.gate.example.com:8443', rp_id: gate.example.com }\n",
                     "passkeys: { second_admin: false, step_up: 1m, trust_after: 30d }\n"):
            with self.subTest(good=good):
                self.assertEqual(0, self.check(self.good + good).returncode)
        for text, *words in (("passkeys: { origin: 'https://gate.example.com/' }\n", "no path"),
                             ("passkeys: { origin: 'https://Gate.example.com' }\n", "browser shows"),
                             ("passkeys: { origin: 'https://gate.example.com:443' }\n", "browser shows"),
                             ("passkeys: { origin: 'https://10.0.0.1' }\n", "host name"), ("passkeys: { origin: gate.example.com }\n", "https://"),
                             ("passkeys: { origin: 'https://user@gate.example.com' }\n", "host name"),
                             ("issuer: https://gate.example.com\npasskeys: { rp_id: ate.example.com }\n", "above"),
                             ("issuer: https://gate.example.com\npasskeys: { rp_id: a.gate.example.com }\n", "above"),
                             ("issuer: https://10.0.0.1\npasskeys: { rp_id: gate.example.com }\n", "origin"),
                             ("passkeys: { step_up: 5 }\n", "5"), ("passkeys: { trust_after: 31d }\n", "31d"), ("passkeys: { rp: x }\n", "rp_id")):
            with self.subTest(text=text):
                self.assert_refused(self.good + text, "", *words)

    def test_a_teams_bot_is_read_strictly(self):
        secret = self.folder / "bot.secret"
        secret.write_text("EXAMPLE-secret\n")
        secret.chmod(0o600)
        app, tenant, place = "1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f", "5e6f7a8b-0000-4000-8000-5e6f7a8b9c0d", "19:0@thread.tacv2"
        keys = {"app_id": app, "tenant_id": tenant, "secret_file": secret, "conversation": f"'{place}'"}

        def bot(more="", **changed):
            said = ", ".join(f"{key}: {value}" for key, value in {**keys, **changed}.items() if value is not None)
            return self.good + f"channels:\n  - {{ name: t, kind: teams, {more}bot: {{ {said} }} }}\n"

        self.assertEqual(0, self.check(bot()).returncode, self.check(bot()).stderr)
        self.assertEqual(0, self.check(bot(more="allow_http: true, ", service_url="'http://127.0.0.1:1/x'")).returncode)
        for text, *words in ((bot(app_id=None), "app_id"), (bot(app_id=app.upper()), "lower case"), (bot(tenant_id="common"), "tenant_id"),
                             (bot(tenant_id="botframework.com"), "tenant_id"), (bot(secret_file=None), "secret_file"),
                             (bot(conversation=None), "conversation"), (bot(conversation="'19%3a0%40thread.tacv2'"), "percent"),
                             (bot(conversation=f"'{place};messageid=1'"), "conversation"), (bot(conversation="'a/../b:c'"), "conversation"),
                             (bot(service_url="'http://127.0.0.1:1/'"), "allow_http"), (bot(service_url="'https://u@h.example/'"), "plain path"),
                             (bot(service_url="'https://h.example/?a'"), "plain path"), (bot(login_url="'https://h.example/#a'"), "plain path"),
                             (bot(login_url="'http://127.0.0.1:1/'"), "allow_http"), (bot(openid_url="'http://127.0.0.1:1/'"), "allow_http"),
                             (bot(more="url: 'https://x.example/', "), "not both"), (bot(password="x"), "password"),
                             (self.good + "channels:\n  - { name: t, kind: teams-bot, url: 'https://x.example/' }\n", "kind")):
            with self.subTest(text=text):
                self.assert_refused(text, "", *words)

    def test_a_slack_channel_is_read_strictly(self):
        secret = self.folder / "slack.secret"
        secret.write_text("EXAMPLE-EXAMPLE-secret\n")
        secret.chmod(0o600)
        keys = {"channel": "C0123ABCD", "token_file": secret, "app": "A0123ABCD", "signing_secret_file": secret, "teams": "[T0123ABCD]"}

        def slack(**changed):
            said = ", ".join(f"{key}: {value}" for key, value in {**keys, **changed}.items() if value is not None)
            return self.good + f"channels:\n  - {{ name: s, kind: slack, {said} }}\n"

        for good in (slack(), slack(channel="G0123ABCD"), slack(channel=None, to="people"), slack(enterprises="[E0123ABCD]"),
                     slack(signing_secret_file=None, app_token_file=secret)):
            self.assertEqual(0, self.check(good).returncode, self.check(good).stderr)
        for text, *words in ((slack(channel=None), "channel"), (slack(channel="D0123ABCD"), "channel"), (slack(channel="general"), "channel"),
                             (slack(to="people"), "not both"), (slack(channel=None, to="dana"), "to: people"), (slack(channel=None, to="[people]"), ":"),
                             (slack(token_file=None), "token_file"), (slack(app=None), "app"), (slack(app="T0123ABCD"), "app"), (slack(teams=None), "teams"),
                             (slack(teams="[E0123ABCD]"), "teams"), (slack(enterprises="[T0123ABCD]"), "enterprises"),
                             (slack(signing_secret_file=None), "app_token_file"), (slack(url="http://127.0.0.1:1/"), "allow_http")):
            with self.subTest(text=text):
                self.assert_refused(text, "", *words)

    def test_an_unknown_key_names_its_place_and_the_nearest_one(self):
        self.assert_refused(self.good + "polcy: /x\n", ":6:1:", "policy")

    def test_a_duplicate_key_is_refused(self):
        self.assert_refused(self.good + f"data: {self.folder}/other\n", ":6:1:", "data")

    def test_a_wrong_type_says_what_is_wanted(self):
        self.assert_refused(self.good + "limits: { body_kib: big }\n", ":6:21:")
        self.assert_refused(self.good + "timing: { wait_max: 5 }\n", ":6:21:")

    def test_a_listener_needs_a_numeric_address(self):
        self.assert_refused(self.good.replace("127.0.0.1", "localhost"), ":3:5:", "numeric")

    def test_tls_needs_both_files(self):
        self.assert_refused(self.good.replace("port: 0", "port: 0, tls: { certificate: x.pem }"), "`certificate` and `key`")

    def test_a_broken_policy_is_refused_with_its_place(self):
        (self.folder / "policy" / "p.yaml").write_text(POLICY + "rules:\n  - name: a\n    match: all\n    verdict: alow\n")
        self.assert_refused(self.good, "p.yaml:6:14:", "allow")

    def test_a_condition_that_is_none_is_refused_with_its_place(self):
        (self.folder / "policy" / "p.yaml").write_text(
            POLICY + "rules:\n  - name: a\n    match: all\n    when: |\n      args.amount > agnet.limit\n    verdict: allow\n")
        self.assert_refused(self.good, "p.yaml:7:21:", "agnet", "agent")

    def test_an_empty_policy_folder_is_refused(self):
        (self.folder / "policy" / "p.yaml").unlink()
        self.assert_refused(self.good, "no *.yaml file", "policy/examples")

    def test_the_environment_wins_and_is_checked_too(self):
        self.assert_refused(self.good, "address:port", environment={"COUNTERSIGN_LISTEN": "here"})
        self.assert_refused(self.good, "debug, info, warn or error", environment={"COUNTERSIGN_LOG_LEVEL": "loud"})
        self.assertEqual(0, self.check(self.good.replace(f"data: {self.folder}/data\n", ""),
                                       {"COUNTERSIGN_DATA": str(self.folder / "data")}).returncode)

    def test_options_that_do_not_exist_are_a_usage_error(self):
        self.assertEqual(64, self.check(self.good, arguments=("--chekc",)).returncode)
        self.assertEqual(64, subprocess.run([str(support.BUILD / "countersignd")], capture_output=True, timeout=30).returncode)

    def test_the_version_is_told(self):
        version = (support.ROOT / "VERSION").read_text().strip()
        self.assertIn(version, self.check(self.good, arguments=("--version",)).stdout)

    def test_missing_tls_files_and_taken_ports_stop_the_start_with_a_reason(self):
        run = self.check(self.good.replace("port: 0", "port: 0, tls: { certificate: /nowhere/c.pem, key: /nowhere/k.pem }"), arguments=())
        self.assertEqual(78, run.returncode, run.stderr)
        self.assertIn("/nowhere/c.pem", run.stderr)

    def test_a_second_gateway_on_the_same_store_is_refused(self):
        with Gateway() as gateway:
            second = Gateway(folder=gateway.folder)
            with self.assertRaisesRegex(AssertionError, "another|lock|running"):
                second.start()
            second.reader.join(5)
            second.process.stderr.close()
            self.assertEqual(200, gateway.call("GET", "/healthz").status)

    def test_a_key_file_that_others_can_read_is_refused(self):
        gateway = Gateway()
        with gateway:
            gateway.stop()
            key = gateway.folder / "data" / "grant-key.pem"
            key.chmod(0o644)
            with self.assertRaisesRegex(AssertionError, "grant-key.pem"):
                gateway.start()
            gateway.reader.join(5)
            gateway.process.stderr.close()
            key.chmod(0o600)
            gateway.start()
