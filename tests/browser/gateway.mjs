// Drives a real gateway from Node, as tests/support/gateway.py does from Python: the built binary, a
// folder of its own, a free port that stays the same over a restart.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PASSWORD = "an obviously fake password";

const POLICY = `
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
tools:
  payments.wire:
    args: { to: string, amount: number, memo: string? }
    show: [to, amount]
    challenge: to
rules:
  - name: reading
    match: { action: ["*.get", "*.list"] }
    verdict: allow
    risk: low
  - name: refunds
    match: { action: payments.refund }
    verdict: require_approval
    message: Compare the amount with the order.
    approval: { groups: [oncall], timeout: 15m }
  - name: merges
    match: { action: github.merge }
    verdict: require_approval
    risk: low
    approval: { groups: [oncall], timeout: 45m }
  - name: statements
    match: { action: mail.send }
    verdict: require_approval
    message: Read it to the end.
    approval: { groups: [oncall], timeout: 20m }
  - name: databases
    match: { action: db.execute }
    verdict: require_approval
    risk: high
    message: Two people who know the table.
    approval: { quorum: 2, groups: [oncall], timeout: 1h }
  - name: wires
    match: { action: payments.wire }
    verdict: require_approval
    risk: critical
    message: Two people, each with a passkey.
    approval: { quorum: 2, groups: [oncall], timeout: 10m, assurance: passkey }
  - name: external-money
    match: { action: payments.transfer }
    verdict: require_approval
    risk: critical
    message: Call the payee back on the number we know.
    approval: { quorum: 1, groups: [oncall, finance], timeout: 10m, assurance: session }
`;

export async function eventually(check, what, seconds = 20) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`did not happen within ${seconds} s: ${what}`);
    await new Promise((done) => setTimeout(done, 15));
  }
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export class Gateway {
  /** `config`: more lines of its configuration file. */
  constructor(build, config = "") {
    this.build = build;
    this.config = config;
    this.folder = mkdtempSync(join(tmpdir(), "countersign-browser-"));
    this.serial = 0;
  }

  async start() {
    this.port ??= await freePort();
    this.url = `http://localhost:${this.port}`;
    mkdirSync(join(this.folder, "policy"), { recursive: true });
    writeFileSync(join(this.folder, "policy/policy.yaml"), POLICY);
    writeFileSync(
      join(this.folder, "countersign.yaml"),
      `version: 1\nlisteners:\n  - { address: 127.0.0.1, port: ${this.port}, host_names: [localhost, 127.0.0.1] }\ndata: ${this.folder}/data\n` +
        `policy: ${this.folder}/policy\nadmin_socket: ${this.folder}/admin.sock\nmark: ${this.folder}/mark\nissuer: ${this.url}\n` +
        "store: { ballast_mib: 1 }\nlimits: { requests_per_second: 0 }\n" + this.config,
    );
    this.log = "";
    this.process = spawn(join(this.build, "countersignd"), ["--config", join(this.folder, "countersign.yaml")], { stdio: ["ignore", "ignore", "pipe"] });
    this.ended = new Promise((done) => this.process.on("exit", (code, signal) => done(code ?? signal)));
    this.process.stderr.on("data", (chunk) => (this.log += chunk));
    let isOver = false;
    void this.ended.then(() => (isOver = true));
    await eventually(() => this.log.includes('"event":"started"') || isOver, "the gateway starts", 30);
    if (isOver) throw new Error(`the gateway did not start:\n${this.log}`);
    return this;
  }

  async stop(signal = "SIGTERM") {
    this.process.kill(signal);
    return this.ended;
  }

  async restart() {
    await this.stop();
    return this.start();
  }

  async remove() {
    const status = await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
    if (status !== 0) throw new Error(`the gateway ended with ${status}:\n${this.log.slice(-4000)}`);
  }

  /** One exchange: over the host's socket without a secret, over TCP with one. */
  call(method, path, body, { secret, headers = {} } = {}) {
    const to = secret === undefined ? { socketPath: join(this.folder, "admin.sock") } : { host: "127.0.0.1", port: this.port };
    const sent = { "Content-Type": "application/json", Host: `localhost:${this.port}`, ...(secret && { Authorization: `Bearer ${secret}` }), ...headers };
    return new Promise((done, fail) => {
      const request = httpRequest({ ...to, method, path, headers: sent }, (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          done({ status: response.statusCode, headers: response.headers, text, json: text.startsWith("{") ? JSON.parse(text) : undefined });
        });
      });
      request.on("error", fail);
      request.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
    });
  }

  async admin(method, path, body) {
    const answer = await this.call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  /** A person with a password, and the cookie of a session. */
  async person(name, groups = [], more = {}) {
    await this.admin("POST", "/v1/people", { name, groups, ...more });
    const { link_path: link } = await this.admin("POST", `/v1/people/${name}/enrolment`);
    const answer = await this.call("POST", "/v1/enrol", { secret: link.split("#")[1], password: PASSWORD }, { secret: "" });
    if (answer.status !== 201) throw new Error(`enrol: ${answer.status} ${answer.text}`);
    const [cookieName, cookieValue] = answer.headers["set-cookie"][0].split(";")[0].split("=");
    return { name, cookie: { name: cookieName, value: cookieValue, url: this.url, httpOnly: true, sameSite: "Strict" }, csrf: answer.json.csrf };
  }

  async caller(name = "shop-runner", agents = ["shop-bot", "ops-agent", "billing-agent", "release-agent", "support-agent"]) {
    for (const agent of agents) await this.admin("POST", "/v1/agents", { name: agent });
    await this.admin("POST", "/v1/callers", { name, agents, subjects: ["user/*"], audiences: [] });
    this.key = (await this.admin("POST", "/v1/keys", { caller: name })).secret;
    return this.key;
  }

  /** Submits and returns the request. `args` may be JSON text, to send what JSON.stringify cannot. */
  async ask({ action = "payments.refund", resource = "order/4711", args, agent = "shop-bot", subject = "alice", ...more } = {}) {
    const [type, id] = resource.split(/\/(.*)/s);
    const argsText = typeof args === "string" ? args : JSON.stringify(args ?? { amount: 125, currency: "EUR", note: `number ${++this.serial}` });
    const rest = JSON.stringify({ agent, subject: { type: "user", id: subject }, resource: { type, id }, ...more }).slice(1);
    const body = `{"action":{"name":${JSON.stringify(action)},"properties":{"args":${argsText}}},${rest}`;
    const answer = await this.call("POST", "/v1/requests", body, { secret: this.key });
    if (answer.status >= 300) throw new Error(`submit: ${answer.status} ${answer.text.slice(0, 600)}`);
    return answer.json;
  }

  async show(id) {
    return (await this.call("GET", `/v1/requests/${id}`, undefined, { secret: this.key })).json;
  }

  /** `countersign request …`, which blocks until somebody decides. */
  blockedRequest(args) {
    const words = ["request", "payments.refund", "--resource", "order/4711", "--subject", "user/alice", "--agent", "shop-bot", "--args", JSON.stringify(args)];
    const child = spawn(join(this.build, "countersign"), words, { env: { ...process.env, COUNTERSIGN_URL: this.url, COUNTERSIGN_KEY: this.key }, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", (chunk) => (said += chunk));
    child.stderr.on("data", (chunk) => (said += chunk));
    const ended = new Promise((done) => child.on("exit", (code) => done({ code, at: performance.now(), said })));
    return { child, ended };
  }
}
