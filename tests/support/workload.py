"""Other people's identities: keys and tokens of an issuer, certificates of a trust domain, all made with openssl."""
import base64
import hashlib
import http.server
import json
import pathlib
import secrets
import subprocess
import threading
import time


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, cwd=None, data=None):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=cwd, input=data).stdout


class Key:
    """A signing key of one algorithm: RS256, PS256, ES256 or EdDSA."""

    def __init__(self, folder, algorithm="ES256", kid=None):
        self.algorithm, self.kid = algorithm, kid
        self.path = pathlib.Path(folder) / f"{algorithm}-{secrets.token_hex(4)}.pem"
        if algorithm in ("RS256", "PS256"):
            openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(self.path))
        elif algorithm == "ES256":
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(self.path))
        else:
            openssl("genpkey", "-algorithm", "ED25519", "-out", str(self.path))

    def jwk(self, **more):
        der = openssl("pkey", "-in", str(self.path), "-pubout", "-outform", "DER")
        named = {"kid": self.kid} if self.kid else {}
        if self.algorithm == "ES256":
            return {"kty": "EC", "crv": "P-256", "x": b64(der[-64:-32]), "y": b64(der[-32:]), **named, **more}
        if self.algorithm == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(der[-32:]), **named, **more}
        modulus = openssl("rsa", "-in", str(self.path), "-modulus", "-noout").decode().strip().split("=")[1]
        return {"kty": "RSA", "n": b64(bytes.fromhex(modulus)), "e": "AQAB", **named, **more}

    def thumbprint(self):
        members = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
        jwk = self.jwk()
        text = json.dumps({name: jwk[name] for name in members[jwk["kty"]]}, sort_keys=True, separators=(",", ":"))
        return b64(hashlib.sha256(text.encode()).digest())

    def signature(self, data):
        if self.algorithm == "EdDSA":
            file = self.path.with_suffix(".data")
            file.write_bytes(data)
            return openssl("pkeyutl", "-sign", "-inkey", str(self.path), "-rawin", "-in", str(file))
        words = ["dgst", "-sha256", "-sign", str(self.path)]
        if self.algorithm == "PS256":
            words += ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
        made = openssl(*words, data=data)
        if self.algorithm != "ES256":
            return made
        pair, at = b"", 2  # SEQUENCE { INTEGER r, INTEGER s }
        for _ in range(2):
            length = made[at + 1]
            pair += made[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
            at += 2 + length
        return pair

    def token(self, claims, header=None):
        head = {"alg": self.algorithm, **({"kid": self.kid} if self.kid else {}), **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        signed = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
        return signed + "." + b64(self.signature(signed.encode()))

    def proof(self, method, url, token=None, at=None, **more):
        """A DPoP proof (RFC 9449)."""
        claims = {"jti": secrets.token_hex(8), "htm": method, "htu": url, "iat": int(at or time.time()), **more}
        if token:
            claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
        jwk = {name: value for name, value in self.jwk().items() if name != "kid"}
        return self.token(claims, {"typ": "dpop+jwt", "kid": None, "jwk": jwk})


class TrustDomain:
    """A SPIFFE trust domain's authority and the leaves it signs."""

    def __init__(self, folder, name="prod.example"):
        self.folder, self.name = pathlib.Path(folder), name
        self.id = secrets.token_hex(4)
        self.ca, self.ca_key = (self.folder / f"ca-{self.id}.{end}" for end in ("pem", "key"))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(self.ca_key),
                "-out", str(self.ca), "-days", "2", "-subj", f"/CN=authority of {name}", "-addext",
                "basicConstraints=critical,CA:true", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def leaf(self, path="/ns/agents/sa/billing", names=None, usage="critical,digitalSignature", basic="critical,CA:FALSE",
             begins=None, ends=None):
        """Certificate and key file of a workload; with one thing wrong where told."""
        base = self.folder / f"leaf-{secrets.token_hex(4)}"
        certificate, key, request, extensions = (base.with_suffix(end) for end in (".pem", ".key", ".csr", ".ext"))
        names = names or f"URI:spiffe://{self.name}{path}"
        lines = [f"subjectAltName={names}", f"basicConstraints={basic}", "extendedKeyUsage=clientAuth,serverAuth",
                 "authorityKeyIdentifier=keyid"]
        if usage:
            lines.append(f"keyUsage={usage}")
        extensions.write_text("[leaf]\n" + "\n".join(lines) + "\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key), "-out",
                str(request), "-subj", "/CN=workload")
        if begins is None and ends is None:
            openssl("x509", "-req", "-in", str(request), "-CA", str(self.ca), "-CAkey", str(self.ca_key), "-set_serial",
                    str(secrets.randbits(60)), "-days", "1", "-out", str(certificate), "-extfile", str(extensions),
                    "-extensions", "leaf")
        else:
            self._sign_with_times(request, certificate, extensions, begins, ends)
        return certificate, key

    def _sign_with_times(self, request, certificate, extensions, begins, ends):
        """`openssl x509` of OpenSSL 3.0 takes days only; `openssl ca` takes times."""
        stamp = lambda at: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + at))
        folder = certificate.with_suffix(".ca")
        folder.mkdir()
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text(f"{secrets.randbits(60):016x}")
        (folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=it\n[it]\ndatabase={folder}/index.txt\nserial={folder}/serial\nnew_certs_dir={folder}\n"
            f"default_md=sha256\npolicy=any\ncertificate={self.ca}\nprivate_key={self.ca_key}\n[any]\ncommonName=supplied\n")
        openssl("ca", "-batch", "-notext", "-config", str(folder / "ca.cnf"), "-in", str(request), "-out", str(certificate),
                "-startdate", stamp(begins or -60), "-enddate", stamp(ends or 3600), "-extfile", str(extensions),
                "-extensions", "leaf")


class KeyServer:
    """Serves a key set on 127.0.0.1 as told, and counts who asks."""

    def __init__(self, keys=()):
        self.keys, self.asked = list(keys), 0
        self.answer = None  # a callable taking the handler, instead of the keys
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.asked += 1
                if owner.answer:
                    owner.answer(self)
                    return
                self.reply(200, json.dumps({"keys": owner.keys}).encode())

            def reply(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # broken connections are the point

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
