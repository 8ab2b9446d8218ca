"""The dashboard's files as the binary serves them: deep links, types, caching, compression, the page's headers."""
import gzip
import pathlib
import re
import subprocess
import tempfile
import unittest

from support.gateway import ROOT, Gateway

DIST = ROOT / "web" / "dist"
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
          "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
PAGES = ("/", "/requests/req_x", "/history", "/people", "/agents", "/freezes", "/ledger", "/setup", "/enrol", "/sign-in", "/?state=pending")


class Web(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (DIST / "index.html").exists():
            raise unittest.SkipTest("web/dist is not built")
        cls.gateway = Gateway().start()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None, None, None)

    def get(self, path, method="GET", **headers):
        return self.gateway.call(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def assets(self):
        return ["/" + str(path.relative_to(DIST)) for path in sorted(DIST.rglob("*")) if path.is_file() and path.suffix != ".gz"]

    def test_every_route_of_the_page_is_the_page_without_a_session(self):
        page = (DIST / "index.html").read_bytes()
        for path in PAGES:
            answer = self.get(path)
            self.assertEqual((200, page), (answer.status, answer.body), path)
            self.assertEqual("text/html; charset=utf-8", answer.headers["Content-Type"])
            self.assertEqual("no-cache", answer.headers["Cache-Control"])
            self.assertNotIn("Set-Cookie", answer.headers)

    def test_the_page_lets_nothing_foreign_in(self):
        headers = self.get("/").headers
        self.assertEqual(POLICY, headers["Content-Security-Policy"])
        self.assertEqual("same-origin", headers["Cross-Origin-Opener-Policy"])
        self.assertEqual("nosniff", headers["X-Content-Type-Options"])
        self.assertEqual("no-referrer", headers["Referrer-Policy"])
        page = (DIST / "index.html").read_text()
        self.assertEqual([], re.findall(r"""(?:src|href)=["'](?!/)[^"']+""", page))
        self.assertEqual([], re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page))

    def test_what_is_the_apis_stays_the_apis(self):
        for path in ("/v1", "/v1/nothing", "/access/v1/nothing", "/oauth/nothing", "/mcp/nothing", "/.well-known/nothing"):
            answer = self.get(path)
            self.assertEqual((404, "application/problem+json"), (answer.status, answer.headers["Content-Type"]), path)
        self.assertEqual(200, self.get("/healthz").status)
        self.assertEqual(404, self.get("/", "POST").status)
        self.assertEqual(200, self.get("/v1people").status)  # not under /v1

    def test_every_file_is_served_as_it_was_built(self):
        for path in self.assets():
            plain = self.get(path)
            built = (DIST / path[1:]).read_bytes()
            self.assertEqual((200, built), (plain.status, plain.body), path)
            self.assertNotIn("Content-Encoding", plain.headers)
            if path.startswith("/assets/"):
                self.assertEqual("public, max-age=31536000, immutable", plain.headers["Cache-Control"])
            packed = self.get(path, Accept_Encoding="br, gzip, deflate")
            self.assertEqual("Accept-Encoding", packed.headers["Vary"])
            if packed.headers["Content-Encoding"] == "gzip":
                self.assertEqual(built, gzip.decompress(packed.body), path)
                self.assertNotEqual(plain.headers["ETag"], packed.headers["ETag"])
        types = {self.get(path).headers["Content-Type"] for path in self.assets()}
        self.assertNotIn("application/octet-stream", types)

    def test_compression_is_only_for_who_takes_it(self):
        script = next(path for path in self.assets() if path.endswith(".js"))
        for accepted in ("gzip", "GZIP", "br,gzip", "gzip;q=0.5", "deflate, gzip ; q=1.0"):
            self.assertEqual("gzip", self.get(script, Accept_Encoding=accepted).headers["Content-Encoding"], accepted)
        for refused in ("", "br", "gzip;q=0", "gzip; q=0.000", "xgzip", "gzipped"):
            self.assertIsNone(self.get(script, Accept_Encoding=refused).headers["Content-Encoding"], refused)

    def test_what_did_not_change_is_not_sent_again(self):
        for path in ("/", self.assets()[0]):
            tag = self.get(path).headers["ETag"]
            for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
                again = self.get(path, If_None_Match=sent)
                self.assertEqual((304, b"", tag), (again.status, again.body, again.headers["ETag"]), sent)
            self.assertEqual(200, self.get(path, If_None_Match='"other"').status)
            packed = self.get(path, Accept_Encoding="gzip").headers["ETag"]
            self.assertEqual(200, self.get(path, If_None_Match=packed).status)

    def test_a_head_has_the_length_and_no_body(self):
        script = next(path for path in self.assets() if path.endswith(".js"))
        head = self.get(script, "HEAD")
        self.assertEqual((200, b"", str((DIST / script[1:]).stat().st_size)), (head.status, head.body, head.headers["Content-Length"]))

    def test_a_file_that_is_not_there_is_not_the_page(self):
        for path in ("/assets/app-OLD.js", "/favicon.ico", "/index.html.gz", "/assets/../index.html", "/robots.txt"):
            self.assertIn(self.get(path).status, (400, 404), path)


class NotBuiltIn(unittest.TestCase):
    def test_without_a_dashboard_the_list_is_empty_and_compiles(self):
        with tempfile.TemporaryDirectory() as folder:
            made = subprocess.run([str(ROOT / "script" / "embed-web"), folder + "/nothing"], capture_output=True, text=True, check=True)
            self.assertIn("{NULL, NULL, NULL, 0, NULL, 0}", made.stdout)
            again = pathlib.Path(folder) / "dist"
            again.mkdir()
            (again / "index.html").write_bytes(bytes(range(256)))
            made = subprocess.run([str(ROOT / "script" / "embed-web"), str(again)], capture_output=True, text=True, check=True)
            numbers = made.stdout.split("plain_0[] = {")[1].split("}")[0]
            self.assertEqual(list(range(256)), [int(number) for number in numbers.replace("\n", "").strip(",").split(",")])


if __name__ == "__main__":
    unittest.main()
