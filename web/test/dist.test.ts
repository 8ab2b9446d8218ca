import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";

declare const WEB: string;

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((found) => (found.isDirectory() ? filesOf(join(folder, found.name)).map((name) => `${found.name}/${name}`) : [found.name])).sort();

// Not the packed ones: a distribution's zlib packs the same bytes in another way. The next test unpacks them.
test("what is committed in dist is what the sources make, byte for byte", () => {
  const fresh = mkdtempSync(join(tmpdir(), "countersign-web-dist-"));
  try {
    execFileSync(process.execPath, [join(WEB, "build.mjs"), fresh], { stdio: "pipe" });
    const names = filesOf(fresh);
    assert.deepEqual(filesOf(join(WEB, "dist")), names);
    for (const name of names.filter((each) => !each.endsWith(".gz"))) assert.ok(readFileSync(join(WEB, "dist", name)).equals(readFileSync(join(fresh, name))), `${name} differs: run \`make web\` and commit web/dist`);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
});

test("every packed file unpacks to its neighbour", () => {
  const dist = join(WEB, "dist");
  const packed = filesOf(dist).filter((name) => name.endsWith(".gz"));
  assert.ok(packed.length > 3);
  for (const name of packed) assert.ok(gunzipSync(readFileSync(join(dist, name))).equals(readFileSync(join(dist, name.slice(0, -3)))), name);
});

test("the page holds nothing that its policy would refuse", () => {
  const html = readFileSync(join(WEB, "dist/index.html"), "utf8");
  assert.ok(!/<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|style="|https?:\/\//.test(html), html);
  const scripts = filesOf(join(WEB, "dist")).filter((name) => name.endsWith(".js")).map((name) => readFileSync(join(WEB, "dist", name), "utf8"));
  for (const script of scripts) assert.ok(!/\beval\(|new Function\(|document\.write/.test(script));
});

test("the sources never make markup out of text", () => {
  const sources = filesOf(join(WEB, "src")).filter((name) => /\.tsx?$/.test(name));
  for (const name of sources) {
    const text = readFileSync(join(WEB, "src", name), "utf8");
    assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|DOMParser/.test(text), name);
  }
});
