"""TLS: certificate files, TLS 1.2 and 1.3 only, http/1.1 only, client certificates per listener, reload."""
import http.client
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import unittest

from support.gateway import Gateway, eventually


def make_certificates(folder):
    """A throw-away authority, a server certificate for localhost and a client certificate."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out",
            "ca.pem", "-days", "2", "-subj", "/CN=test authority", "-addext", "basicConstraints=critical,CA:true",
            "-addext", "keyUsage=critical,keyCertSign")
    for name, extension in (("server", "subjectAltName=DNS:localhost,IP:127.0.0.1"), ("client", "subjectAltName=URI:spiffe://test/runner")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(extension + "\nauthorityKeyIdentifier=keyid\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out",
                f"{name}.pem", "-extfile", f"{name}.ext")


@unittest.skipUnless(shutil.which("openssl"), "the openssl command is not installed")
class Tls(unittest.TestCase):
    def start(self, client=""):
        gateway = Gateway()
        self.addCleanup(gateway.__exit__, None, None, None)
        make_certificates(gateway.folder)
        write = gateway.write_config
        def with_tls():
            write()
            file = gateway.folder / "countersign.yaml"
            tls = f"tls: {{ certificate: {gateway.folder}/server.pem, key: {gateway.folder}/server.key{client.format(gateway.folder)} }}"
            file.write_text(file.read_text().replace("port: 0 }", f"port: 0, host_names: [localhost, 127.0.0.1], {tls} }}"))
        gateway.write_config = with_tls
        return gateway.start()

    def context(self, gateway, certificate=None):
        context = ssl.create_default_context(cafile=str(gateway.folder / "ca.pem"))
        if certificate:
            context.load_cert_chain(str(gateway.folder / f"{certificate}.pem"), str(gateway.folder / f"{certificate}.key"))
        return context

    def get(self, gateway, context, path="/healthz"):
        connection = http.client.HTTPSConnection("127.0.0.1", gateway.port, context=context, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def test_requests_are_served_and_a_wait_is_answered_over_tls(self):
        gateway = self.start()
        self.assertEqual(200, self.get(gateway, self.context(gateway)))
        dana = gateway.admin("POST", "/v1/people", {"name": "dana", "groups": ["oncall"]})
        self.assertTrue(dana["id"])
        token = gateway.admin("POST", "/v1/tokens", {"person": "dana"})["secret"]
        key = gateway.add_caller()
        gateway.connection = lambda timeout=60: http.client.HTTPSConnection("127.0.0.1", gateway.port, context=self.context(gateway), timeout=timeout)
        asked = gateway.submit(key)
        gateway.vote(token, asked["id"])
        shown = gateway.ok("GET", f"/v1/requests/{asked['id']}", secret=key, headers={"Prefer": "wait=20"})
        self.assertEqual("approved", shown["state"])

    def test_old_versions_and_other_protocols_are_not_spoken(self):
        gateway = self.start()
        old = self.context(gateway)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.get(gateway, old)
        both = self.context(gateway)
        both.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("127.0.0.1", gateway.port)) as plain, both.wrap_socket(plain, server_hostname="localhost") as tls:
            self.assertEqual("http/1.1", tls.selected_alpn_protocol())

    def test_plain_http_on_a_tls_port_hurts_nobody(self):
        gateway = self.start()
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try:
                while plain.recv(4096):
                    pass
            except ConnectionResetError:
                pass  # how it is told does not matter
        self.assertEqual(200, self.get(gateway, self.context(gateway)))

    def test_a_listener_may_require_client_certificates(self):
        gateway = self.start(", client_ca: {0}/ca.pem, client_certificate: required")
        self.assertEqual(200, self.get(gateway, self.context(gateway, "client")))
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            self.get(gateway, self.context(gateway))

    def test_a_new_certificate_is_taken_on_hangup_and_a_broken_one_is_not(self):
        gateway = self.start()
        def served():
            with socket.create_connection(("127.0.0.1", gateway.port)) as plain, \
                    self.context(gateway).wrap_socket(plain, server_hostname="localhost") as tls:
                return tls.getpeercert()["serialNumber"]
        first = served()
        keep = [(name, (gateway.folder / name).read_bytes()) for name in ("server.pem", "server.key")]
        subprocess.run(["openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                        "-out", "server.pem", "-extfile", "server.ext"], check=True, capture_output=True, cwd=gateway.folder)
        gateway.process.send_signal(signal.SIGHUP)
        eventually(lambda: served() != first, "the new certificate is served")
        second = served()
        pathlib.Path(gateway.folder / "server.pem").write_text("not a certificate")
        gateway.process.send_signal(signal.SIGHUP)
        eventually(lambda: gateway.logged("certificate_reload_failed"), "it says so")
        self.assertEqual(second, served())
        for name, content in keep:
            (gateway.folder / name).write_bytes(content)
