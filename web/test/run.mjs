// Bundles every *.test.ts and runs them with node:test.
//   node test/run.mjs [word]      only files whose name has the word in it
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const word = process.argv[2] ?? "";
const files = readdirSync(here).filter((name) => name.endsWith(".test.ts") && name.includes(word));
const out = mkdtempSync(join(tmpdir(), "countersign-web-test-"));
try {
  await build({
    entryPoints: files.map((name) => join(here, name)),
    bundle: true, platform: "node", format: "esm", target: "node18", outdir: out, outExtension: { ".js": ".mjs" },
    jsx: "automatic", jsxImportSource: "preact", external: ["esbuild"], define: { WEB: JSON.stringify(join(here, "..")) }, logLevel: "warning",
  });
  const built = readdirSync(out).filter((name) => name.endsWith(".mjs")).map((name) => join(out, name));
  process.exitCode = spawnSync(process.execPath, ["--test", ...built], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
