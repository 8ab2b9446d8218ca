// How fast the page itself is, with 10,000 rows, against the stand-in of web/test/double.mjs (so that no gateway's time is in
// it). Prints one figure a line.
//   CHROMIUM=/usr/bin/chromium node tests/browser/figures.mjs [--rows 10000]
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { Double } from "../../web/test/double.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { chromium } = createRequire(join(root, "web/package.json"))("playwright-core");
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const at = process.argv.indexOf("--rows");
const rows = at < 0 ? 10_000 : Number(process.argv[at + 1]);
const share = (values, part) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];
const ms = (value) => `${Math.round(value)} ms`;
const say = (name, target, ...values) => console.log(`${name.padEnd(34)} ${values.join(" / ").padEnd(26)} target ${target}`);

const double = await new Double({ rows, signedIn: true, production: true }).listen();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
const tab = await context.newPage();
const devtools = await context.newCDPSession(tab);
const allRows = () => tab.waitForFunction((count) => document.querySelector(".scope")?.textContent.includes(count.toLocaleString("en")), rows, { timeout: 60_000 });

const html = readFileSync(join(root, "web/dist/index.html"), "utf8");
const first = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.(?:js|css))"/g)].map((found) => found[1]);
const packed = (end) => first.filter((name) => name.endsWith(end)).reduce((sum, name) => sum + gzipSync(readFileSync(join(root, "web/dist/assets", name)), { level: 9 }).length, 0);
say("first load, script (gzip)", "<= 45 KB", `${(packed(".js") / 1024).toFixed(1)} KB`);
say("first load, style (gzip)", "<= 12 KB", `${(packed(".css") / 1024).toFixed(1)} KB`);
say("font", "<= 35 KB", `${readdirSync(join(root, "web/dist/assets")).filter((name) => name.endsWith(".woff2")).reduce((sum, name) => sum + readFileSync(join(root, "web/dist/assets", name)).length, 0)} B`);

await tab.goto(double.url);
await tab.locator(".row").first().waitFor();
const paint = await tab.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN);
const firstRows = await tab.evaluate(() => performance.now());
say("first paint / rows on screen", "<= 400 / 600 ms", ms(paint), ms(firstRows));
await allRows();
say("all rows known after", "-", ms(await tab.evaluate(() => performance.now())));
say("DOM nodes", "<= 1,500", await tab.evaluate(() => document.querySelectorAll("*").length));

const scroll = await tab.evaluate(async () => {
  const list = document.getElementById("list");
  const frames = [];
  let last = performance.now();
  for (let i = 0; i < 180; i++) {
    list.scrollTop += 900;
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  list.scrollTop = 0;
  return frames;
});
say("scroll frame p50 / p95 / max", "p95 <= 20, none > 50", ...[0.5, 0.95, 1].map((part) => ms(share(scroll, part))));

await tab.waitForTimeout(200);
const painted = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))";
const keys = await tab.evaluate(`(async () => { const all = []; for (let i = 0; i < 60; i++) { const t = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true })); ${painted}; all.push(performance.now() - t); } return all; })()`);
say("key to paint p50 / p95", "p95 <= 50 ms", ...[0.5, 0.95].map((part) => ms(share(keys, part))));

const filter = await tab.evaluate(`(async () => { const all = []; const input = document.getElementById("filter");
  for (const text of ["p", "pa", "pay", "pay risk:>=high", "", "agent:shop-*", ""]) { const t = performance.now(); input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true })); ${painted}; all.push(performance.now() - t); } return all; })()`);
say("filter, worst", "<= 50 ms", ms(Math.max(...filter)));

/** Milliseconds from the gateway's word to the frame that shows it. */
async function settle(count, emit) {
  const wanted = rows + count;
  const shown = tab.evaluate((text) => new Promise((done) => {
    const look = () => (document.querySelector(".scope").textContent.includes(text) ? requestAnimationFrame(() => setTimeout(() => done(Date.now()))) : requestAnimationFrame(look));
    look();
  }), wanted.toLocaleString("en"));
  await tab.waitForTimeout(30);
  const started = Date.now();
  emit();
  return (await shown) - started;
}
let extra = 0;
const singles = [];
for (let i = 0; i < 30; i++) singles.push(await settle(++extra, () => double.arrive(i)));
say("event to paint p50 / p95", "p95 <= 100 ms", ...[0.5, 0.95].map((part) => ms(share(singles, part))));
const bursts = [];
for (let round = 0; round < 5; round++) {
  extra += 500;
  bursts.push(await settle(extra, () => { for (let i = 0; i < 500; i++) double.arrive(i); }));
}
say("burst of 500, settled, worst", "<= 250 ms", ms(Math.max(...bursts)));

double.kick();
for (let i = 0; i < 40; i++) double.arrive(i);
extra += 40;
const started = Date.now();
await tab.waitForFunction((text) => document.querySelector(".scope").textContent.includes(text), (rows + extra).toLocaleString("en"), { polling: 20 });
say("reconnect and replay of 40", "<= 1 s", ms(Date.now() - started));

await devtools.send("HeapProfiler.collectGarbage");
await devtools.send("Performance.enable");
const { metrics } = await devtools.send("Performance.getMetrics");
say("JS heap", "<= 40 MB", `${(metrics.find((one) => one.name === "JSHeapUsedSize").value / 1e6).toFixed(1)} MB`);

await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
await tab.goto("about:blank");
const slow = Date.now();
await tab.goto(double.url);
await tab.locator(".row").first().waitFor();
say("rows on screen, 4x slower CPU", "<= 1.2 s", ms(Date.now() - slow));

await browser.close();
await double.close();
