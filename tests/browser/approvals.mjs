// Changing, asking, watching, passkeys and the second look: what a person does in the dashboard beyond yes and no.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { Gateway, PASSWORD, eventually } from "./gateway.mjs";

/** An authenticator of its own for this page, as a phone or a laptop has one. */
async function authenticator(tab) {
  const session = await tab.context().newCDPSession(tab);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
}

export function approvalJourneys({ test, gateway, build, page, open, approve, isReady, isLive, stateOf, violations, people }) {
  test("an approver changes the arguments, and what runs is the new revision", async () => {
    const { dana } = people();
    const request = await gateway.ask({ args: '{"amount":125,"currency":"EUR","rate":1.5}' });
    const tab = await open(dana, request);
    await tab.getByRole("button", { name: "Change…" }).click();
    const text = tab.getByLabel("Arguments as JSON");
    assert.match(await text.inputValue(), /"rate": 1.5/);
    await text.fill("{ not json");
    await tab.locator("#edit-state", { hasText: "This is no JSON" }).waitFor();
    await text.fill('{"amount": 100, "currency": "EUR", "rate": 1.5}');
    await tab.locator("#edit-state", { hasText: "Changed: amount" }).waitFor();
    await tab.getByLabel("Reason", { exact: true }).fill("the invoice says 100");
    await tab.getByRole("button", { name: "Make the revision" }).click();
    await tab.locator(".edits", { hasText: "125" }).waitFor();
    assert.match(await tab.locator(".edits").innerText(), /amount 125 → 100/);
    await isReady(approve(tab));
    await approve(tab).click();
    await tab.locator(".bar.ended").waitFor();
    const shown = await gateway.show(request.id);
    assert.equal(shown.state, "approved");
    assert.deepEqual(shown.action.properties.args, { amount: 100, currency: "EUR", rate: 1.5 });
    assert.equal(shown.revision, 2);
    await tab.context().close();
  });

  test("an approver asks, the agent answers, and the answer appears by itself", async () => {
    const { dana } = people();
    const request = await gateway.ask();
    const tab = await open(dana, request);
    await tab.getByLabel("Ask the agent").fill("Which ticket is this about?");
    await tab.getByRole("button", { name: "Ask", exact: true }).click();
    await tab.locator(".talk", { hasText: "Waiting for the agent" }).waitFor();
    const asked = await gateway.show(request.id);
    assert.equal(asked.question.text, "Which ticket is this about?");
    const answer = await gateway.call("POST", `/v1/requests/${request.id}/comments`, { text: "Ticket 812 <b>approved</b>" }, { secret: gateway.key });
    assert.equal(answer.status, 201);
    await tab.locator(".said .agent", { hasText: "Ticket 812 <b>approved</b>" }).waitFor();
    assert.equal(await tab.locator(".said b").count(), 0);
    await tab.context().close();
  });

  test("who is on it is seen by the others", async () => {
    const { dana, erik } = people();
    const request = await gateway.ask();
    const [mine, theirs] = [await open(dana, request), await open(erik, request)];
    await mine.getByRole("button", { name: "I’m on it" }).click();
    await theirs.locator(".watching", { hasText: "dana is on it" }).waitFor();
    await mine.getByRole("button", { name: "No longer on it" }).click();
    await theirs.locator(".watching", { hasText: "dana is on it" }).waitFor({ state: "detached" });
    await mine.context().close();
    await theirs.context().close();
  });

  test("what a stolen session must not do asks again who one is", async () => {
    const { admin } = people();
    const tab = await page(undefined, "/sign-in");
    await tab.getByLabel("Name").fill("ana");
    await tab.getByLabel("Password").fill(PASSWORD);
    await tab.getByRole("button", { name: "Sign in", exact: true }).click();
    await isLive(tab);
    await tab.goto(`${gateway.url}/people`);
    await tab.getByRole("button", { name: "Add a person" }).click();
    await tab.getByLabel("Name", { exact: true }).fill("frida");
    await tab.getByRole("button", { name: "Add, and make" }).click();
    const dialog = tab.getByRole("dialog", { name: "Prove again who you are" });
    await dialog.getByLabel("Password").fill("not the right password");
    await dialog.getByRole("button", { name: "Go on" }).click();
    await dialog.getByRole("alert").waitFor();
    await dialog.getByLabel("Password").fill(PASSWORD);
    await dialog.getByRole("button", { name: "Go on" }).click();
    await tab.locator(".secret code").waitFor();
    assert.ok(admin.cookie);
    await tab.context().close();
  });

  /** Enrols with a passkey: the person's tab, signed in. */
  async function enrolled(name) {
    const tab = await page(undefined, "/sign-in");
    await authenticator(tab);
    await gateway.admin("POST", "/v1/people", { name, groups: ["oncall"] });
    const { link_path: link } = await gateway.admin("POST", `/v1/people/${name}/enrolment`);
    await tab.goto(gateway.url + link);
    await tab.getByLabel("Password").fill(PASSWORD);
    await tab.getByRole("button", { name: "Save" }).click();
    await isLive(tab);
    await tab.goto(`${gateway.url}/account`);
    await tab.getByRole("button", { name: "Add a passkey" }).click();
    await tab.getByLabel("Name", { exact: true }).fill("laptop");
    await tab.getByRole("button", { name: "Make it" }).click();
    await tab.getByRole("cell", { name: "laptop" }).waitFor();
    return tab;
  }

  async function approveSigned(tab, request, others) {
    await tab.goto(`${gateway.url}/requests/${request.id}`);
    await tab.locator("#request-heading").waitFor();
    assert.deepEqual(await tab.locator(".votes").count(), others);
    await tab.getByLabel("Type the to to approve").fill("DE89 3704 0044");
    await tab.locator(".decide.approve", { hasText: "Approve with passkey" }).waitFor();
    await isReady(approve(tab));
    await approve(tab).click();
  }

  test("two people approve a critical request with their passkeys, and a stranger can check it", async () => {
    const [first, second] = [await enrolled("petra"), await enrolled("quentin")];
    const request = await gateway.ask({ action: "payments.wire", resource: "account/77", agent: "billing-agent", args: { to: "DE89 3704 0044", amount: 12500, memo: "rent" } });
    await approveSigned(first, request, 0);
    await first.locator(".bar .good", { hasText: "1 more approval needed" }).waitFor();
    await first.locator(".votes", { hasText: "signed" }).waitFor();
    assert.equal(await stateOf(request), "pending");
    await approveSigned(second, request, 0); // the first vote is not shown before one's own
    await second.locator(".bar.ended", { hasText: "Approved" }).waitFor();
    assert.equal(await stateOf(request), "approved");
    await eventually(() => verified(request), "the export holds the two signed votes and is verified", 30);
    await first.context().close();
    await second.context().close();
  });

  function verified(request) {
    const file = join(gateway.folder, "export.jsonl");
    const run = (...words) => execFileSync(join(build, "countersign"), words, { env: { ...process.env, COUNTERSIGN_SOCKET: join(gateway.folder, "admin.sock") }, encoding: "utf8" });
    run("ledger", "export", "--output", file);
    assert.match(run("ledger", "verify", file, "--key", JSON.parse(run("ledger", "checkpoint", "--json")).vkey), /complete to entry/);
    const votes = readFileSync(file, "utf8").split("\n").filter((line) => line.includes(request.id) && line.includes('"statement"'));
    return votes.length === 2;
  }

  test("a passkey signs in without a password", async () => {
    const tab = await enrolled("ruth");
    await tab.locator(".user button").first().click();
    await tab.getByRole("button", { name: "Sign out" }).click();
    await tab.getByRole("button", { name: "Sign in with a passkey" }).click();
    await isLive(tab);
    assert.match(await tab.locator(".user button").first().textContent(), /ruth/);
    await tab.context().close();
  });

  test("where two admins have passkeys, one proposes and the other makes it happen", async () => {
    const [first, second] = [await enrolled("sara"), await enrolled("tomas")];
    for (const name of ["sara", "tomas"]) await gateway.admin("POST", `/v1/people/${name}/roles`, { admin: true, auditor: false });
    await first.goto(`${gateway.url}/people`);
    await first.getByRole("button", { name: "Add a person" }).click();
    await first.getByLabel("Name", { exact: true }).fill("ulla");
    await first.getByRole("button", { name: "Add, and make" }).click();
    await first.getByRole("alert").filter({ hasText: "another admin makes the same change" }).waitFor();
    await second.goto(`${gateway.url}/people`);
    const row = second.getByRole("row").filter({ hasText: '"name":"ulla"' });
    await row.getByText("sara").waitFor(); // an id, until the people are there
    await row.getByRole("button", { name: "Confirm" }).click();
    await row.getByRole("group").getByRole("button", { name: "Confirm" }).click();
    await second.getByRole("cell", { name: "ulla", exact: true }).waitFor();
    await first.context().close();
    await second.context().close();
  });

  test("an admin tries a channel and reads what the other side answered", async () => {
    const came = [];
    const sink = createServer((request, response) => {
      came.push(request.url);
      response.end("thank you");
    });
    await new Promise((done) => sink.listen(0, "127.0.0.1", done));
    const hook = `channels:\n  - { name: hook, kind: template, template: ntfy, url: "http://127.0.0.1:${sink.address().port}/", allow_http: true, allow_networks: [127.0.0.0/8], options: { topic: approvals } }\n`;
    const other = new Gateway(build);
    const secret = `${other.folder}/slack.secret`;
    writeFileSync(secret, "xoxb-obviously-fake-token", { mode: 0o600 });
    other.config = `${hook}  - { name: dms, kind: slack, to: people, url: "http://127.0.0.1:${sink.address().port}/", allow_http: true, allow_networks: [127.0.0.0/8], token_file: ${secret}, app: A0123456789, signing_secret_file: ${secret}, teams: [T0123456789] }\n`;
    await other.start();
    try {
      await other.admin("POST", "/v1/people", { name: "rita", groups: ["oncall"] });
      const { link_path: link } = await other.admin("POST", "/v1/setup/link");
      const tab = await page(undefined, "/");
      await tab.goto(other.url + link);
      await tab.getByLabel("Name", { exact: true }).fill("ana");
      await tab.getByLabel("Password").fill(PASSWORD);
      await tab.getByRole("button", { name: "Set up" }).click();
      await isLive(tab);
      await tab.getByRole("link", { name: "Channels" }).click();
      const row = (name) => tab.getByRole("row").filter({ hasText: name });
      await row("dms").getByText("linked no account: told nothing here").waitFor();
      await row("hook").getByRole("button", { name: "Test" }).click();
      await tab.getByRole("status").filter({ hasText: "Sent. It answered" }).waitFor();
      assert.deepEqual(came, ["/"]);
      await tab.context().close();
    } finally {
      sink.close();
      await other.remove();
    }
  });

  test("a person chooses what they are told, and does not silence critical risk by one press", async () => {
    const mail = 'channels:\n  - { name: letters, kind: mail, url: "smtps://127.0.0.1:1", from: a@example.com, allow_networks: [127.0.0.0/8] }\n';
    const other = await new Gateway(build, mail).start();
    try {
      await other.admin("POST", "/v1/people", { name: "rita", groups: ["oncall"] });
      await other.admin("POST", "/v1/people/rita/addresses", { kind: "mail", address: "rita@example.com" });
      const { link_path: link } = await other.admin("POST", "/v1/people/rita/enrolment");
      const tab = await page(undefined, "/");
      await tab.goto(other.url + link);
      await tab.getByLabel("Password").fill(PASSWORD);
      await tab.getByRole("button", { name: "Save" }).click();
      await isLive(tab);
      await tab.goto(`${other.url}/account`);
      const row = tab.getByRole("row").filter({ hasText: "letters" });
      await row.getByText("tells you").waitFor();
      await tab.getByLabel("Quiet hours").fill("22:00-07:00 +01:00");
      await tab.getByRole("button", { name: "Set quiet hours" }).click();
      await tab.getByRole("button", { name: "End quiet hours" }).waitFor();
      await row.getByRole("button", { name: "Mute" }).click();
      await row.getByRole("alert").filter({ hasText: "not even of critical risk" }).waitFor();
      assert.deepEqual((await violations(tab)).bad, []);
      await row.getByRole("button", { name: "Keep it" }).click();
      assert.match(await row.innerText(), /tells you/);
      await row.getByRole("button", { name: "Mute" }).click();
      await row.getByRole("button", { name: "Mute it all the same" }).click();
      await row.getByRole("group").getByRole("button", { name: "Mute it all the same" }).click();
      await row.getByText("muted").waitFor();
      await tab.getByText("You are told of nothing, critical risk included.").waitFor();
      assert.deepEqual((await violations(tab)).bad, []);
      await row.getByRole("button", { name: "Unmute" }).click();
      await row.getByText("tells you").waitFor();
      await tab.context().close();
    } finally {
      await other.remove();
    }
  });
}
