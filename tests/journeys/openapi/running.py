"""People, agents, callers, channels and the host's own: every answer to who runs a gateway."""
import base64
import http.server
import shutil
import threading

from journeys.openapi.book import Cast, Recorded
from support.gateway import eventually
from support.people import Person


class Running:
    def test_2_people_agents_and_callers(self):
        with Recorded(self.book) as gateway:
            admin = Person(gateway, "root", admin=True).headers
            ok = lambda method, path, body=None, want=(200, 201): gateway.ok(method, path, body, admin, want=want)
            ok("POST", "/v1/people", {"name": "dana", "display": "Dana Lee", "subjects": ["user/dana@example.com"], "groups": ["oncall"]})
            ok("POST", "/v1/people", {"name": "dana"}, want=(409,))
            for method, path, body in (("POST", "/v1/groups/finance/members", {"person": "dana"}), ("DELETE", "/v1/groups/finance/members/dana", None)):
                self.assertEqual(204, gateway.call(method, path, body, admin).status)
            ok("POST", "/v1/people/dana/addresses", {"kind": "mail", "address": "dana@example.com"})
            ok("POST", "/v1/people/root/addresses", {"kind": "mail", "address": "dana@example.com"}, want=(409,))
            ok("GET", "/v1/people/dana/addresses")
            ok("POST", "/v1/people/dana/roles", {"admin": False, "auditor": True})
            ok("POST", "/v1/people/root/roles", {"admin": False, "auditor": True}, want=(409,))
            ok("POST", "/v1/people/root/disable", want=(409,))
            ok("POST", "/v1/people/dana/enrolment")
            token = ok("POST", "/v1/tokens", {"person": "dana", "label": "laptop", "expires_in": "30d"})
            ok("POST", "/v1/people/dana/disable")
            ok("POST", "/v1/tokens", {"person": "dana"}, want=(409,))
            ok("POST", "/v1/people/dana/enrolment", want=(409,))
            ok("POST", "/v1/people/dana/enable", {})
            ok("POST", "/v1/agents", {"name": "bot", "owner": "dana"})
            ok("POST", "/v1/agents", {"name": "bot"}, want=(409,))
            ok("POST", "/v1/callers", {"name": "runner", "agents": ["bot"], "subjects": ["user/*"]})
            ok("POST", "/v1/callers", {"name": "runner"}, want=(409,))
            ok("PUT", "/v1/callers/runner", {"agents": ["bot"], "subjects": ["user/*"], "audiences": ["payments"]})
            ok("POST", "/v1/keys", {"caller": "runner", "expires_in": "1h"})
            for kind, name in (("agents", "bot"), ("callers", "runner")):
                ok("POST", f"/v1/{kind}/{name}/disable")
                if kind == "callers":
                    ok("POST", "/v1/keys", {"caller": "runner"}, want=(409,))
                ok("POST", f"/v1/{kind}/{name}/enable")
            for path in ("people", "agents", "callers"):
                page = ok("GET", f"/v1/{path}?limit=1")
                ok("GET", f"/v1/{path}?limit=1&after={page['next']}")
            ok("GET", "/v1/groups")
            ok("GET", "/v1/credentials?owner=runner")
            ok("POST", f"/v1/credentials/{token['id']}/disable")

    def test_2_notices(self):
        class Gone(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                if b"channel.test" in self.rfile.read(int(self.headers["Content-Length"])):
                    self.send_response(204)
                    self.end_headers()
                    return
                self.send_error(410)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gone)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        gateway = Recorded(self.book)
        secret = gateway.folder / "hook.secret"
        secret.write_text("whsec_" + base64.b64encode(b"an obviously fake secret, 32 byt").decode())
        secret.chmod(0o600)
        gateway.extra_config += (f"channels:\n  - name: ops\n    kind: webhook\n    url: http://127.0.0.1:{server.server_port}/\n"
                                 f"    allow_http: true\n    secret_file: {secret}\n    allow_networks: [127.0.0.0/8]\n"
                                 "  - { name: mail, kind: mail, url: \"smtps://127.0.0.1:1\", from: a@example.com }\n")
        with gateway:
            cast = Cast(gateway)
            gateway.submit(cast.key, want=(202,))
            dead = eventually(lambda: gateway.ok("GET", "/v1/notices?state=dead&limit=1", secret=cast.admin)["notices"], "it is dead")
            gateway.ok("POST", f"/v1/notices/{dead[0]['id']}/resend", secret=cast.admin)
            eventually(lambda: gateway.call("POST", f"/v1/notices/{dead[0]['id']}/resend", secret=cast.admin).status == 409, "it is on its way")
            gateway.ok("GET", f"/v1/notices/{dead[0]['id']}", secret=cast.admin)
            gateway.ok("GET", "/v1/channels", secret=cast.admin)
            gateway.admin("POST", "/v1/people/dana/addresses", {"kind": "mail", "address": "dana@example.com"})
            gateway.ok("GET", "/v1/me/channels", secret=cast.dana)
            gateway.ok("PUT", "/v1/me/channels", {"quiet_hours": "22:00-07:00 +01:00"}, cast.dana)
            gateway.ok("PUT", "/v1/me/channels", {"muted": ["mail"]}, cast.dana, want=(409,))
            gateway.ok("PUT", "/v1/me/channels", {"muted": ["ops"]}, cast.dana, want=(400,))
            test = gateway.ok("POST", "/v1/channels/ops/test", {}, cast.admin)
            eventually(lambda: gateway.ok("GET", f"/v1/notices/{test['id']}", secret=cast.admin)["state"] == "sent", "the test is answered")
            gateway.ok("POST", f"/v1/notices/{test['id']}/replay", secret=cast.admin)
            gateway.ok("POST", f"/v1/notices/{dead[0]['id']}/replay", secret=cast.admin, want=(409,))
            gateway.ok("POST", "/v1/channels/nothing/test", {}, cast.admin, want=(404,))

    def test_2_signing_keys_are_bounded(self):
        with Recorded(self.book) as gateway:
            statuses = [gateway.call("POST", "/v1/signing-keys", {"algorithm": "ES256"}, host=True).status for _ in range(16)]
            self.assertEqual([201] * 15 + [409], statuses)

    def test_2_operators_and_recovery(self):
        gateway = Recorded(self.book)
        with gateway:
            for path in ("/healthz", "/readyz", "/metrics", "/jwks.json"):
                self.assertEqual(200, gateway.call("GET", path).status)
            gateway.ok("POST", "/v1/recover", {"reason": "drill"}, host=True, want=(409,))
            key = gateway.add_caller()
            gateway.stop()
            shutil.copytree(gateway.folder / "data", gateway.folder / "copy", ignore=lambda *_: ["admin.sock"])
            gateway.start()
            gateway.submit(key, action="orders.get")
            gateway.stop()
            shutil.rmtree(gateway.folder / "data")
            shutil.copytree(gateway.folder / "copy", gateway.folder / "data")
            gateway.start()
            self.assertEqual(503, gateway.call("GET", "/readyz").status)
            freezes = gateway.admin("GET", "/v1/freezes")["freezes"]
            gateway.ok("POST", f"/v1/freezes/{freezes[0]['id']}/thaw", host=True, want=(403,))
            gateway.ok("POST", "/v1/recover", {"reason": "drill", "trust_credentials": True}, host=True)
