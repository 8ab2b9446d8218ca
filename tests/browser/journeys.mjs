// What people do in the dashboard, in a real browser against a real gateway.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { approvalJourneys } from "./approvals.mjs";
import { Gateway, PASSWORD, eventually } from "./gateway.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const web = createRequire(join(root, "web/package.json"));
const { chromium } = web("playwright-core");
const axeSource = readFileSync(web.resolve("axe-core/axe.min.js"), "utf8");

const option = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const build = join(root, option("--build", "build"));
const only = option("--only", "");
const wantsImages = process.argv.includes("--images");
const WAIT_MS = 15_000;
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const gateway = await new Gateway(build).start();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS, handleSIGTERM: false });
const complaints = []; // of every page: errors on the console, exceptions, dialogs

async function page(person, path = "/", options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  if (person) await context.addCookies([person.cookie]);
  context.setDefaultTimeout(WAIT_MS);
  const tab = await context.newPage();
  watch(tab);
  await tab.goto(gateway.url + path);
  return tab;
}

function watch(tab) {
  tab.on("console", (message) => {
    const isExpected = /Failed to load resource|WebSocket connection|net::ERR/.test(message.text());
    if (message.type() === "error" && !isExpected) complaints.push(`${tab.url()} console: ${message.text()}`);
  });
  tab.on("pageerror", (error) => complaints.push(`${tab.url()} exception: ${error.stack}`));
  tab.on("dialog", (dialog) => (complaints.push(`${tab.url()} dialog: ${dialog.message()}`), dialog.dismiss()));
}

const isLive = (tab) => tab.locator(".link.live").waitFor();
const approve = (tab) => tab.locator(".decide.approve");
const deny = (tab) => tab.locator(".decide.deny");
const isReady = (button) => button.and(button.page().locator('[aria-disabled="false"]')).waitFor();
const row = (tab, request) => tab.locator(`#row-${request.id}`);
/** Its row, whatever else waits. */
async function find(tab, request) {
  await tab.locator("#filter").fill(request.id);
  await row(tab, request).or(tab.locator(".held")).first().waitFor();
  if (await tab.locator(".held").isVisible()) await tab.locator(".held").click();
  await row(tab, request).waitFor();
  return row(tab, request);
}
const stateOf = async (request) => (await gateway.show(request.id)).state;

async function open(person, request, options) {
  const tab = await page(person, `/requests/${request.id}`, options);
  await tab.locator("#request-heading").waitFor();
  await isLive(tab);
  return tab;
}

// ---- people ----

await gateway.caller();
const admin = {};
const tests = [];
const test = (name, run) => tests.push({ name, run });

test("the first admin is made by the link, whose secret leaves the address at once", async () => {
  const { link_path: link } = await gateway.admin("POST", "/v1/setup/link");
  const tab = await page(undefined, link);
  await tab.getByLabel("Name", { exact: true }).fill("ana");
  assert.equal(new URL(tab.url()).hash, "");
  assert.equal(await tab.evaluate(() => history.length <= 2 && !location.href.includes("#")), true);
  await tab.getByLabel("Full name").fill("Ana Kos");
  await tab.getByLabel("Password").fill("short");
  await tab.getByRole("button", { name: "Set up" }).click();
  assert.match(tab.url(), /\/setup$/);
  await tab.getByLabel("Password").fill(PASSWORD);
  await tab.getByRole("button", { name: "Set up" }).click();
  await isLive(tab);
  assert.equal(new URL(tab.url()).pathname, "/");
  assert.match(await tab.locator(".strip").textContent(), /not for production/);
  admin.cookie = { ...(await tab.context().cookies())[0] };
  await tab.context().close();
});

test("a used set-up link says what to do", async () => {
  const tab = await page(undefined, "/setup#css_this-is-not-a-secret");
  await tab.getByLabel("Name", { exact: true }).fill("eve");
  await tab.getByLabel("Password").fill(PASSWORD);
  await tab.getByRole("button", { name: "Set up" }).click();
  assert.match(await tab.getByRole("alert").textContent(), /countersign admin setup-link/);
  await tab.context().close();
});

test("an admin adds a person, who enrols by the link and decides", async () => {
  const tab = await page(admin, "/people");
  await tab.getByRole("button", { name: "Add a person" }).click();
  await tab.getByLabel("Name", { exact: true }).fill("dana");
  await tab.getByLabel("Groups (optional)").fill("oncall finance");
  await tab.getByRole("button", { name: "Add, and make" }).click();
  const link = (await tab.locator(".secret code").textContent()).trim();
  assert.match(link, /\/enrol#/);
  await tab.context().close();
  const fresh = await page(undefined, new URL(link).pathname + new URL(link).hash);
  await fresh.getByLabel("Password").fill(PASSWORD);
  assert.equal(new URL(fresh.url()).hash, "");
  await fresh.getByRole("button", { name: "Save" }).click();
  await isLive(fresh);
  assert.match(await fresh.locator(".user button").first().textContent(), /dana/);
  await fresh.context().close();
});

let dana;
let erik;

test("a wrong password is refused, the right one leads where the link pointed", async () => {
  const request = await gateway.ask();
  const tab = await page(undefined, `/requests/${request.id}`);
  await tab.getByLabel("Name").fill("dana");
  await tab.getByLabel("Password").fill("not the right password");
  await tab.getByRole("button", { name: "Sign in", exact: true }).click();
  assert.match(await tab.getByRole("alert").textContent(), /name or the password is wrong/);
  await tab.getByLabel("Password").fill(PASSWORD);
  await tab.getByRole("button", { name: "Sign in", exact: true }).click();
  await tab.locator("#request-heading").waitFor();
  assert.equal(new URL(tab.url()).pathname, `/requests/${request.id}`);
  dana = { name: "dana", cookie: (await tab.context().cookies())[0] };
  erik = await gateway.person("erik", ["oncall"]);
  await tab.context().close();
});

// ---- deciding ----

test("a blocked request is released by a click", async () => {
  const tab = await page(dana);
  await isLive(tab);
  const blocked = gateway.blockedRequest({ amount: 99, currency: "EUR", why: "released by a click" });
  const asked = await eventually(async () => {
    const list = await gateway.call("GET", "/v1/requests?state=pending&limit=1", undefined, { secret: gateway.key });
    return list.json.requests[0]?.action.properties.args.amount === 99 && list.json.requests[0];
  }, "the request is there");
  await (await find(tab, asked)).click();
  await isReady(approve(tab));
  const clicked = performance.now();
  await approve(tab).click();
  const ended = await blocked.ended;
  console.log(`     from the click to the agent's exit: ${Math.round(ended.at - clicked)} ms`);
  assert.equal(ended.code, 0, ended.said);
  assert.match(await tab.locator(".bar .good").textContent(), /Approved/);
  await tab.context().close();
});

test("a denial with a reason reaches the agent", async () => {
  const request = await gateway.ask();
  const tab = await open(dana, request);
  await tab.keyboard.press("r");
  await tab.locator("#reason").fill("wrong order");
  await isReady(deny(tab));
  await deny(tab).click();
  await tab.locator(".bar.ended").waitFor();
  const shown = await gateway.show(request.id);
  assert.deepEqual([shown.state, shown.reason], ["denied", "denied_by_person"]);
  assert.match(await tab.locator(".votes").textContent(), /wrong order/);
  await tab.context().close();
});

test("a and then Enter approves, once", async () => {
  const request = await gateway.ask();
  const tab = await open(dana, request);
  await isReady(approve(tab));
  await tab.locator(".evidence button", { hasText: "Exact text" }).click(); // a button that has the focus does not take the Enter
  await tab.keyboard.press("a");
  await tab.locator(".armed").waitFor();
  await tab.waitForTimeout(400); // two keys struck as one do not count: this is the time between them
  await tab.keyboard.press("Enter");
  await tab.locator(".bar.ended").waitFor();
  assert.equal(await stateOf(request), "approved");
  await tab.context().close();
});

test("typing while a request arrives decides nothing", async () => {
  const tab = await page(dana);
  await isLive(tab);
  const typing = (async () => {
    for (const letter of "a dad added a\nda\naa\na d\n".repeat(6)) {
      await tab.keyboard.press(letter === "\n" ? "Enter" : letter === " " ? "Space" : letter);
    }
  })();
  const requests = [await gateway.ask(), await gateway.ask({ action: "github.merge", resource: "repository/shop" })];
  await tab.evaluate((id) => document.getElementById(`row-${id}`)?.click(), requests[0].id);
  await typing;
  for (const request of requests) assert.equal(await stateOf(request), "pending");
  // typed into the reason, also after the bar has become ready
  await tab.goto(`${gateway.url}/requests/${requests[0].id}`);
  await isReady(approve(tab));
  await tab.keyboard.press("r");
  await tab.keyboard.type("add a\nd\n", { delay: 30 });
  await tab.keyboard.press("Enter");
  assert.equal(await stateOf(requests[0]), "pending");
  await tab.context().close();
});

test("a click that was under way when the request came into view decides nothing", async () => {
  const [first, second] = [await gateway.ask(), await gateway.ask()];
  const tab = await open(dana, first);
  await isReady(approve(tab));
  const box = await approve(tab).boundingBox();
  await tab.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await tab.mouse.down();
  await tab.evaluate((id) => document.getElementById(`row-${id}`).click(), second.id);
  await tab.waitForFunction((id) => location.pathname.endsWith(id), second.id);
  await tab.locator(`.facts-id, code.wrap`, { hasText: second.id }).waitFor();
  await tab.mouse.up();
  await tab.mouse.down(); // and one more at once, as in a double click
  await tab.mouse.up();
  assert.deepEqual([await stateOf(first), await stateOf(second)], ["pending", "pending"]);
  await tab.context().close();
});

test("nothing that is behind another window can be decided", async () => {
  const request = await gateway.ask();
  const tab = await open(dana, request);
  await isReady(approve(tab));
  await tab.evaluate(() => {
    Object.defineProperty(document, "hasFocus", { value: () => false, configurable: true });
    dispatchEvent(new Event("blur"));
  });
  await approve(tab).and(tab.locator('[aria-disabled="true"]')).waitFor();
  await approve(tab).click({ force: true });
  assert.equal(await stateOf(request), "pending");
  await tab.context().close();
});

test("two tabs of one person deciding at once: one counts, the other is told", async () => {
  const request = await gateway.ask();
  const [one, two] = [await open(dana, request), await open(dana, request)];
  await Promise.all([isReady(approve(one)), isReady(deny(two))]);
  // Both clicks are on their way before either counts; else the slower tab is told in time not to click.
  let go, sent = 0;
  const both = new Promise((resolve) => (go = resolve));
  for (const tab of [one, two]) await tab.route("**/v1/requests/**", async (route) => {
    if (route.request().method() === "POST" && ++sent <= 2) { if (sent === 2) go(); await both; }
    await route.continue();
  });
  await Promise.all([approve(one).click(), deny(two).click()]);
  await Promise.all([one.locator(".bar.ended").waitFor(), two.locator(".bar.ended").waitFor()]);
  const state = await stateOf(request);
  assert.ok(["approved", "denied"].includes(state));
  for (const tab of [one, two]) assert.match(await tab.locator(".bar.ended .what-next").textContent(), new RegExp(state, "i"));
  const words = [await one.locator(".bar-said").textContent(), await two.locator(".bar-said").textContent()].join(" | ");
  assert.match(words, /Too late|changed while you read|Refused/, words);
  await one.context().close();
  await two.context().close();
});

test("two people of a quorum: the second sees the first, and the agent goes on", async () => {
  const request = await gateway.ask({ action: "db.execute", resource: "database/orders", agent: "ops-agent", args: { statement: "DELETE FROM orders\nWHERE id = 7" } });
  const [one, two] = [await open(dana, request), await open(erik, request)];
  await isReady(approve(one));
  await approve(one).click();
  await one.locator(".bar .good", { hasText: "1 more approval" }).waitFor();
  await two.locator(".votes", { hasText: "dana" }).waitFor();
  assert.match(await two.locator(".need").textContent(), /1 of 2/);
  assert.equal(await stateOf(request), "pending");
  await isReady(approve(two));
  await approve(two).click();
  await one.locator(".bar.ended").waitFor();
  assert.equal(await stateOf(request), "approved");
  await one.context().close();
  await two.context().close();
});

test("critical: nothing before the resource was typed, and the key alone arms nothing", async () => {
  const request = await gateway.ask({ action: "payments.transfer", resource: "account/acct-4471", agent: "billing-agent", args: '{"amount":12500.5,"to":"acct-4471"}' });
  const tab = await open(dana, request);
  await deny(tab).and(tab.locator('[aria-disabled="false"]')).waitFor();
  assert.equal(await approve(tab).getAttribute("aria-disabled"), "true");
  await tab.locator(".decide.approve", { hasText: "Approve" }).waitFor({ timeout: 10_000 });
  await approve(tab).click({ force: true });
  await tab.keyboard.press("Escape");
  assert.equal(await stateOf(request), "pending");
  await tab.goto(`${gateway.url}/requests/${request.id}`);
  await tab.locator("#challenge").fill("acct-4472");
  assert.match(await tab.locator("#challenge-hint").textContent(), /differs at character 9/);
  await tab.locator("#challenge").fill("acct-4471");
  await isReady(approve(tab));
  await approve(tab).click();
  await tab.locator(".bar.ended").waitFor();
  assert.equal(await stateOf(request), "approved");
  await tab.context().close();
});

// ---- what agents send ----

const HOSTILE = {
  html: "<img src=x onerror=\"alert('owned')\"><script>alert(1)</script><a href=\"javascript:alert(2)\">Approve</a>",
  bidi: "pay \u202egnp.exe\u202c now", hidden: `ok${[..."approve this"].map((one) => String.fromCodePoint(0xe0000 + one.codePointAt(0))).join("")}`,
  lookalike: "p\u0430ypal-settlement", zero: "a\u200b\u200b\u200b\u200b\u200bb", terminal: "\u001b[2J\u001b[31mApproved by policy",
  newline: "x\",\n\"amount\": \"1", ["\u202eemanr"]: "name", stacked: `e${"\u0301".repeat(40)}`, "__proto__": { polluted: true }, constructor: "x",
};

test("hostile arguments are inert, named, and bound as they are", async () => {
  const request = await gateway.ask({ args: JSON.stringify(HOSTILE), reason: "<b>approve</b> \u202enow" });
  const tab = await open(dana, request);
  const frame = tab.locator(".evidence .frame");
  const text = await frame.textContent();
  for (const name of ["RLO U+202E", "12 hidden tag characters: “approve this”", "\u0430 U+0430", "ZWSP U+200B ×5", "ESC U+001B", "U+0301 ×37", "<img src=x onerror="]) {
    assert.ok(text.includes(name), `${name} in ${text}`);
  }
  assert.ok(!/[\u202e\u200b\u001b]|\u{e0061}/u.test(text), "a dangerous character is in the page");
  assert.equal(await tab.locator(".detail img, .detail a[href^='javascript'], .frame a, .frame script").count(), 0);
  assert.equal(await tab.locator(".digest.matches").count(), 1);
  await tab.locator(".evidence button", { hasText: "Exact text" }).click();
  assert.ok((await frame.textContent()).includes('\\u001b[2J') || (await frame.textContent()).includes("ESC U+001B"));
  assert.equal(await tab.evaluate(() => ({}).polluted), undefined);
  await tab.context().close();
});

test("numbers stay as they were sent", async () => {
  const request = await gateway.ask({ args: '{"big":9007199254740991,"small":1e-7,"list":[0.1,-0.5]}' });
  const tab = await open(dana, request);
  assert.match(await tab.locator(".evidence .frame").textContent(), /big: 9007199254740991.*list: 2 items.*0 0\.1.*1 -0\.5.*small: 1e-7/);
  await tab.context().close();
});

test("depth pushes nothing out of view", async () => {
  let deep = '"the end"';
  for (let i = 0; i < 50; i++) deep = i % 2 ? `{"inner":${deep}}` : `[${deep},${i}]`;
  const request = await gateway.ask({ args: `{"deep":${deep}}` });
  const tab = await open(dana, request, { viewport: { width: 390, height: 844 } });
  const place = await tab.locator(".text", { hasText: "the end" }).boundingBox();
  assert.ok(place.x >= 0 && place.x + place.width <= 390, JSON.stringify(place));
  assert.equal(await tab.evaluate(() => document.querySelector(".detail-scroll").scrollWidth), 390);
  await tab.context().close();
});

test("long arguments show head, tail and count; high risk needs all of them opened", async () => {
  const request = await gateway.ask({ action: "db.execute", resource: "database/orders", agent: "ops-agent", args: { statement: `SELECT 1; ${"-- padding\n".repeat(400)}DROP TABLE orders;` } });
  const tab = await open(dana, request);
  assert.match(await tab.locator(".evidence .frame").textContent(), /SELECT 1;[\s\S]*more characters hidden[\s\S]*DROP TABLE orders;/);
  await tab.locator(".decide.approve", { hasText: "Unread parts" }).waitFor();
  await approve(tab).click({ force: true });
  assert.equal(await stateOf(request), "pending");
  await tab.keyboard.press("e");
  assert.equal(await tab.locator(".frame .cut").count(), 0);
  await tab.locator(".end-mark").scrollIntoViewIfNeeded();
  await isReady(approve(tab));
  await tab.context().close();
});

test("arguments too long to review can be denied and not approved", async () => {
  const request = await gateway.ask({ args: { body: "x".repeat(150_000) } });
  const tab = await open(dana, request);
  assert.match(await tab.locator(".bar-said").textContent(), /more than a person can review/);
  assert.equal(await approve(tab).count(), 0);
  await isReady(deny(tab));
  await deny(tab).click();
  await tab.locator(".bar.ended").waitFor();
  assert.equal(await stateOf(request), "denied");
  await tab.context().close();
});

test("an answer that is not what was signed for stops every decision", async () => {
  const request = await gateway.ask({ args: { amount: 125 } });
  const tab = await page(dana);
  await tab.route(`**/v1/requests/${request.id}`, async (route) => {
    // By address: a bare machine's resolver does not know localhost, though its browser does.
    const answer = await route.fetch({ url: route.request().url().replace("//localhost:", "//127.0.0.1:"), headers: await route.request().allHeaders() });
    await route.fulfill({ response: answer, body: (await answer.text()).replace('"amount":125', '"amount":1') });
  });
  await tab.goto(`${gateway.url}/requests/${request.id}`);
  await tab.locator(".digest.differs").waitFor();
  assert.match(await tab.locator(".notice.stop").first().textContent(), /not what would run/);
  assert.equal(await tab.locator(".decide").count(), 0);
  await tab.unrouteAll({ behavior: "ignoreErrors" }); // the page may be asking again
  await tab.context().close();
});

// ---- the connection and the session ----

test("after the gateway restarts the page catches up by itself", async () => {
  const before = await gateway.ask();
  const tab = await open(dana, before);
  await gateway.stop();
  await tab.locator(".link.offline").waitFor();
  assert.match(await tab.locator(".bar-said").textContent(), /Decisions are paused/);
  assert.equal(await approve(tab).getAttribute("aria-disabled"), "true");
  await gateway.start();
  const started = performance.now();
  const meanwhile = await gateway.ask();
  await isLive(tab);
  await find(tab, meanwhile);
  console.log(`     live again ${Math.round(performance.now() - started)} ms after the gateway was back`);
  await isReady(approve(tab));
  await approve(tab).click();
  await tab.locator(".bar.ended").waitFor();
  assert.equal(await stateOf(before), "approved");
  await tab.context().close();
});

test("without a network nothing is sent, and nothing later by itself", async () => {
  const request = await gateway.ask();
  const tab = await open(dana, request);
  await isReady(approve(tab));
  await tab.route("**/votes", (route) => route.abort());
  await approve(tab).click();
  await tab.locator(".bar .stop", { hasText: "No answer came" }).waitFor();
  await tab.unroute("**/votes");
  await tab.goto(`${gateway.url}/`);
  await isLive(tab);
  assert.equal(await stateOf(request), "pending");
  await tab.context().close();
});

test("a network that goes away is noticed, and pauses decisions until it is back", async () => {
  const request = await gateway.ask();
  const tab = await open(dana, request);
  await isReady(approve(tab));
  await tab.context().setOffline(true);
  await tab.locator(".link.offline").waitFor();
  assert.equal(await approve(tab).getAttribute("aria-disabled"), "true");
  await approve(tab).click({ force: true });
  await tab.context().setOffline(false);
  await isLive(tab);
  await isReady(approve(tab));
  assert.equal(await stateOf(request), "pending");
  await tab.context().close();
});

test("where websockets do not pass the page keeps current by asking", async () => {
  const tab = await page(undefined, "/sign-in");
  await tab.context().addCookies([dana.cookie]);
  await tab.addInitScript(() => {
    globalThis.WebSocket = class {
      readyState = 0;
      constructor() {
        setTimeout(() => this.onclose?.({ code: 1006 }), 5);
      }
      close() {}
    };
  });
  await tab.goto(gateway.url);
  await tab.locator(".link.polling").waitFor();
  const request = await gateway.ask();
  await (await find(tab, request)).click();
  await isReady(approve(tab));
  await approve(tab).click();
  await tab.locator(".bar.ended").waitFor();
  assert.equal(await stateOf(request), "approved");
  await tab.context().close();
});

test("a session that ended while deciding decides nothing and comes back to the same place", async () => {
  const fay = await gateway.person("fay", ["oncall"]);
  const request = await gateway.ask();
  const tab = await open(fay, request);
  await tab.locator("#reason").fill("looked at the order");
  await isReady(approve(tab));
  await tab.routeWebSocket("**/v1/live", () => {}); // the page does not hear of it before it tries
  const ended = await gateway.call("DELETE", "/v1/session", undefined, { secret: "", headers: { Cookie: `${fay.cookie.name}=${fay.cookie.value}`, "X-CSRF-Token": fay.csrf } });
  assert.equal(ended.status, 204, ended.text);
  await approve(tab).click({ force: true, timeout: 2_000 }).catch(() => {}); // the sign-in may already be there
  await tab.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
  assert.match(await tab.locator(".notice").first().textContent(), /session has ended/);
  assert.equal(await stateOf(request), "pending");
  await tab.getByLabel("Name").fill("fay");
  await tab.getByLabel("Password").fill(PASSWORD);
  await tab.getByRole("button", { name: "Sign in", exact: true }).click();
  await tab.locator("#request-heading").waitFor();
  assert.equal(new URL(tab.url()).pathname, `/requests/${request.id}`);
  assert.equal(await tab.locator("#reason").inputValue(), "looked at the order");
  await isReady(approve(tab));
  await approve(tab).click();
  await tab.locator(".bar.ended").waitFor();
  assert.equal(await stateOf(request), "approved");
  await tab.context().close();
});

test("signing out ends it everywhere", async () => {
  const gil = await gateway.person("gil", ["oncall"]);
  const tab = await page(gil);
  await isLive(tab);
  await tab.locator(".user > button").click();
  await tab.getByRole("button", { name: "Sign out" }).click();
  await tab.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
  await tab.goto(`${gateway.url}/history`);
  await tab.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
  await tab.context().close();
});

// ---- honesty ----

test("who may not approve reads why, who is not asked sees nothing", async () => {
  await gateway.admin("POST", "/v1/people", { name: "alice", groups: ["oncall"], subjects: ["user/alice"] });
  const { link_path: link } = await gateway.admin("POST", "/v1/people/alice/enrolment");
  const request = await gateway.ask();
  const tab = await page(undefined, link);
  await tab.getByLabel("Password").fill(PASSWORD);
  await tab.getByRole("button", { name: "Save" }).click();
  await isLive(tab);
  await tab.goto(`${gateway.url}/requests/${request.id}`);
  await isReady(deny(tab));
  assert.equal(await approve(tab).count(), 0);
  assert.match(await tab.locator(".bar-said").textContent(), /deny it, not approve it/);
  await tab.context().close();
  const hans = await gateway.person("hans");
  const other = await page(hans, `/requests/${request.id}`);
  await other.getByText("There is no such request, or it is not yours to know of.").waitFor();
  await other.context().close();
});

test("a freeze stops approvals at once and says so", async () => {
  const request = await gateway.ask();
  const tab = await open(dana, request);
  await isReady(approve(tab));
  const desk = await page(admin, "/freezes");
  await desk.getByLabel("Agent", { exact: true }).fill("shop-bot");
  await desk.getByLabel("Reason").fill("It refunds the wrong orders");
  await desk.getByRole("button", { name: "Freeze now" }).click();
  await desk.locator(".notice.stop").waitFor();
  await tab.locator(".strip.frozen", { hasText: "It refunds the wrong orders" }).waitFor();
  await tab.locator(".bar-said", { hasText: "Frozen" }).waitFor();
  assert.equal(await approve(tab).count(), 0);
  await desk.getByRole("button", { name: "Thaw" }).click();
  await desk.getByRole("button", { name: "Thaw" }).last().click();
  await desk.locator(".notice.good").waitFor();
  await isReady(approve(tab));
  await tab.context().close();
  await desk.context().close();
});

test("new requests wait behind a strip while the list is scrolled", async () => {
  const tab = await page(dana);
  await isLive(tab);
  for (let i = 0; i < 25; i++) await gateway.ask({ action: "github.merge", resource: `repository/r${i}`, agent: "release-agent" });
  await tab.waitForFunction(() => document.querySelector(".sizer")?.clientHeight > 1200);
  await tab.locator("#list").evaluate((list) => (list.scrollTop = 300));
  await tab.waitForTimeout(60);
  const first = await tab.locator(".row").first().getAttribute("id");
  const place = await tab.locator(".row").nth(8).boundingBox();
  const request = await gateway.ask({ action: "payments.transfer", resource: "account/9", agent: "billing-agent" });
  await tab.locator(".held", { hasText: "1 new request" }).waitFor();
  assert.equal(await row(tab, request).count(), 0);
  assert.equal(await tab.locator(".row").first().getAttribute("id"), first);
  assert.deepEqual(await tab.locator(".row").nth(8).boundingBox(), place);
  await tab.keyboard.press(".");
  await row(tab, request).waitFor();
  await tab.context().close();
});

test("a key is shown once and works", async () => {
  const tab = await page(admin, "/agents");
  await tab.getByRole("button", { name: "New API key" }).click();
  await tab.getByLabel("Caller", { exact: true }).selectOption("shop-runner");
  await tab.getByRole("button", { name: "Make and show it once" }).click();
  const key = (await tab.locator(".secret code").textContent()).trim();
  assert.match(key, /^csk_/);
  assert.equal((await gateway.call("GET", "/v1/me", undefined, { secret: key })).status, 200);
  await tab.reload();
  await tab.getByRole("heading", { name: "API keys" }).waitFor();
  assert.equal(await tab.locator(".secret").count(), 0);
  await tab.context().close();
});

test("the ledger page names a checkpoint and the key to check it with", async () => {
  const tab = await page(admin, "/ledger");
  await tab.locator(".secret code").first().waitFor();
  const texts = await tab.locator(".secret code").allTextContents();
  assert.match(texts[0], /\n\d+\n/);
  assert.ok(texts[1].includes("+"));
  assert.equal(await tab.evaluate(async () => (await fetch("/v1/ledger/export")).status), 200);
  await tab.context().close();
});

test("another site can neither embed the page nor reach its calls", async () => {
  const answer = await gateway.call("POST", "/v1/freezes", { scope: "tenant", reason: "x" }, { secret: "", headers: { Cookie: `${dana.cookie.name}=${dana.cookie.value}`, Origin: "http://evil.example" } });
  assert.equal(answer.status, 403);
  const html = await gateway.call("GET", "/", undefined, { secret: "" });
  assert.match(html.headers["content-security-policy"], /frame-ancestors 'none'/);
});

approvalJourneys({ test, gateway, build, page, open, approve, deny, isReady, isLive, stateOf, violations, people: () => ({ admin, dana, erik }) });

// ---- accessibility, phones, keys ----

async function violations(tab) {
  await tab.evaluate(`${axeSource};0`);
  const found = await tab.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return { passes: found.passes.length, bad: found.violations.map((one) => `${one.id} (${one.nodes.length}): ${one.nodes[0].html.slice(0, 200)} ${one.nodes[0].failureSummary}`) };
}

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing on any screen, ${colorScheme}`, async () => {
    const asked = await gateway.ask({ args: JSON.stringify(HOSTILE) });
    const critical = await gateway.ask({ action: "payments.transfer", resource: "account/1", agent: "billing-agent" });
    let passes = 0;
    for (const path of ["/", `/requests/${asked.id}`, `/requests/${critical.id}`, "/history", "/people", "/agents", "/freezes", "/insights", "/channels", "/ledger", "/password", "/account", "/nowhere", "/requests/req_none"]) {
      const tab = await page(path.startsWith("/requests") || path === "/" ? dana : admin, path, { colorScheme, bypassCSP: true });
      await isLive(tab);
      await tab.locator("[data-page-heading]").last().waitFor();
      await tab.waitForLoadState("networkidle");
      const { bad, passes: good } = await violations(tab);
      assert.deepEqual(bad, [], path);
      passes += good;
      await tab.context().close();
    }
    for (const path of ["/sign-in", "/setup#x", "/enrol#x"]) {
      const tab = await page(undefined, path, { colorScheme, bypassCSP: true });
      await tab.locator("form").waitFor();
      assert.deepEqual((await violations(tab)).bad, [], path);
      await tab.context().close();
    }
    console.log(`     ${passes} checks passed`);
  });
}

test("on a phone: one column, a bar that stays, targets of 44 px", async () => {
  const request = await gateway.ask();
  const tab = await open(dana, request, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await isReady(approve(tab));
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${wide} px wide`);
  const small = await tab.evaluate(() =>
    [...document.querySelectorAll("button, a, input, summary")].filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44 && !one.closest(".sentence, .tree, .skip") && one.tagName !== "SUMMARY").map((one) => `${one.outerHTML.slice(0, 80)} ${one.getBoundingClientRect().height}`));
  assert.deepEqual(small.filter((one) => !one.includes("skip")), []);
  const bar = await tab.locator(".bar").boundingBox();
  assert.ok(bar.y + bar.height <= 845 && bar.y > 400);
  await approve(tab).tap();
  await tab.locator(".bar.ended").waitFor();
  assert.equal(await stateOf(request), "approved");
  await tab.context().close();
});

test("keys move, filter and help, and can be turned off", async () => {
  await gateway.ask();
  await gateway.ask();
  const tab = await page(dana);
  await isLive(tab);
  await tab.locator(".row").nth(2).waitFor();
  await tab.keyboard.press("j");
  await tab.locator("#request-heading").waitFor();
  const first = tab.url();
  await tab.keyboard.press("j");
  assert.notEqual(tab.url(), first);
  await tab.keyboard.press("k");
  assert.equal(tab.url(), first);
  await tab.keyboard.press("/");
  await tab.keyboard.type("action:payments.refund");
  await tab.keyboard.press("Escape");
  assert.equal(await tab.locator(".row", { hasText: "github.merge" }).count(), 0);
  await tab.keyboard.press("?");
  await tab.getByRole("heading", { name: "Keys" }).waitFor();
  await tab.getByLabel("Single-key shortcuts").uncheck();
  await tab.keyboard.press("Escape");
  await tab.keyboard.press("j");
  assert.equal(tab.url(), first);
  await tab.context().close();
});

test("nothing on the page broke its own rules", async () => {
  assert.deepEqual(complaints, []);
});

// ---- pictures for the README ----

async function pictures() {
  const folder = join(root, "docs/images");
  mkdirSync(folder, { recursive: true });
  await gateway.ask({ action: "github.merge", resource: "repository/shop", agent: "release-agent", args: { pull: 812, method: "squash" } });
  await gateway.ask({ action: "mail.send", resource: "mailbox/press", agent: "support-agent", args: { to: ["press@example.com"], subject: "Statement", body: "Hello,\n\nWe regret the outage of Tuesday.\n" } });
  const refund = await gateway.ask({ resource: "order/4711", args: { amount: 125, currency: "EUR", memo: "damaged on arrival", order: "4711" }, reason: "The customer sent photos with ticket 812." });
  const sql = await gateway.ask({ action: "db.execute", resource: "database/orders", agent: "ops-agent", args: { database: "orders", dry_run: false, statement: "DELETE FROM orders\nWHERE created_at < '2020-01-01'\n  AND status = 'void';" } });
  const transfer = await gateway.ask({ action: "payments.transfer", resource: "account/acct-4471", agent: "billing-agent", args: '{"amount":12500.5,"currency":"EUR","memo":"Invoice 88 \\u202egnp.exe","payee":"p\\u0430ypal-settlement"}' });
  const first = await open(erik, sql);
  await isReady(approve(first));
  await first.locator("#reason").fill("Checked with the owner of orders.");
  await approve(first).click();
  await first.locator(".bar .good").waitFor();
  await first.context().close();
  const shoot = async (name, request, options, prepare) => {
    const tab = await open(dana, request, options);
    await prepare?.(tab);
    await tab.screenshot({ path: join(folder, name) });
    await tab.context().close();
  };
  await shoot("inbox-light.png", refund, { colorScheme: "light" }, (tab) => isReady(approve(tab)));
  await shoot("detail-dark.png", transfer, { colorScheme: "dark" }, (tab) => tab.locator(".decide.approve", { hasText: "Approve" }).waitFor());
  await shoot("phone.png", sql, { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }, (tab) => isReady(approve(tab)));
}

// ---- run ----

let passed = 0;
let failed = 0;
const chosen = tests.filter((one, i) => i < 4 || one.name.includes(only)); // the first four make the people
if (wantsImages) chosen.length = 4;
for (const { name, run } of chosen) {
  const started = performance.now();
  try {
    let timer;
    const late = new Promise((_, fail) => (timer = setTimeout(() => fail(new Error("took longer than 90 s")), 90_000)));
    await Promise.race([run(), late]).finally(() => clearTimeout(timer));
    passed++;
    console.log(`ok   ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}\n${error.stack}`);
    for (const context of browser.contexts()) {
      for (const tab of context.pages()) {
        console.log(`     at ${tab.url()}: ${(await tab.locator("main").innerText({ timeout: 2_000 }).catch(() => "")).replace(/\s+/g, " ").slice(0, 700)}`);
      }
      await context.close();
    }
    if (dana === undefined) break; // without people nothing else can be tried
  }
}
if (wantsImages) await pictures();
await browser.close();
await gateway.remove();
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed > 0 ? 1 : 0);
