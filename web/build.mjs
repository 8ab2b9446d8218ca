// Bundles src into dist: index.html, and under assets/ every other file with its hash in its name and
// a .gz beside it. The same sources give the same bytes on every machine, except for how its zlib packs
// them.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2] ?? join(root, "dist");
const assets = join(out, "assets");
const JS_GZ_MAX = 45 * 1024;
const CSS_GZ_MAX = 12 * 1024;

rmSync(out, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { app: "src/main.tsx", style: "src/style/index.css" },
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  target: ["es2022", "chrome123", "firefox120", "safari17.5"],
  jsx: "automatic",
  jsxImportSource: "preact",
  outdir: assets,
  entryNames: "[name]-[hash]",
  chunkNames: "part-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file" },
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

function place(source) {
  const bytes = readFileSync(join(root, source));
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
  const name = `${basename(source, extname(source))}-${hash}${extname(source)}`;
  writeFileSync(join(assets, name), bytes);
  return name;
}

const built = Object.entries(metafile.outputs).map(([path, output]) => ({ name: basename(path), entry: output.entryPoint, imports: output.imports }));
const nameOf = (entry) => built.find((file) => file.entry === entry).name;
const script = nameOf("src/main.tsx");
const style = nameOf("src/style/index.css");
const icon = place("src/assets/icon.svg");
const iconWaiting = place("src/assets/icon-waiting.svg");
const integrity = (name) => `sha384-${createHash("sha384").update(readFileSync(join(assets, name))).digest("base64")}`;

// What the first page needs at once: the entry and the parts it imports statically.
const first = new Set([script]);
for (const name of first) {
  for (const one of built.find((file) => file.name === name).imports) {
    if (one.kind === "import-statement") first.add(basename(one.path));
  }
}
const preloads = [...first].filter((name) => name !== script).map((name) => `<link rel="modulepreload" href="/assets/${name}">\n`);
const fonts = readdirSync(assets).filter((name) => /^mono-400-.*\.woff2$/.test(name)).map((name) => `<link rel="preload" href="/assets/${name}" as="font" type="font/woff2" crossorigin>\n`);

writeFileSync(
  join(out, "index.html"),
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Countersign</title>
<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" href="/assets/${icon}" data-idle="/assets/${icon}" data-waiting="/assets/${iconWaiting}">
<link rel="stylesheet" href="/assets/${style}" integrity="${integrity(style)}">
${fonts.join("")}${preloads.join("")}<script type="module" src="/assets/${script}" integrity="${integrity(script)}"></script>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript: it computes the digest of what you approve itself. The command line does without: countersign inbox.</noscript>
</body>
</html>
`,
);

const sizes = {};
for (const name of [...readdirSync(assets).sort(), "../index.html"]) {
  const bytes = readFileSync(join(assets, name));
  const packed = gzipSync(bytes, { level: 9 });
  if (!name.endsWith(".woff2")) writeFileSync(join(assets, `${name}.gz`), packed);
  sizes[basename(name)] = packed.length;
}

const sum = (names) => names.reduce((total, name) => total + sizes[name], 0);
const js = sum([...first]);
const css = sizes[style];
console.log(`first load: ${(js / 1024).toFixed(1)} KB of script, ${(css / 1024).toFixed(1)} KB of style (gzip)`);
if (js > JS_GZ_MAX || css > CSS_GZ_MAX) {
  console.error("the first load is over its budget: 45 KB of script, 12 KB of style");
  process.exit(1);
}
