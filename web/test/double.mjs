// A stand-in for the gateway, for working on the page without one: the same calls, the same JSON, the
// same headers, a live door, no rules. Node only.
//   node test/double.mjs [--rows 12] [--port 0] [--signed-in]
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8", ".woff2": "font/woff2" };
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    if (value.raw !== undefined) return value.raw;
    const names = Object.keys(value).filter((name) => value[name] !== undefined).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

const time = (ms) => new Date(ms).toISOString();
let counter = 0;
const id = (kind) => `${kind}_01k${String(++counter).padStart(22, "0")}`;

const SAMPLES = [
  ["payments.transfer", "critical", "billing-agent", "account/acct-4471", {
    amount: { raw: "12500.00" }, currency: "EUR", memo: "Invoice 88 \u202egnp.exe\u202c ok", payee: "p\u0430ypal-settlement",
    note: "line one\nline two\u200b\u200b with zero width\u{e0069}\u{e0067}\u{e006e}\u{e006f}\u{e0072}\u{e0065}", tags: ["urgent", "q4"], approved_by_policy: true, serial: { raw: "9007199254740991" },
  }],
  ["db.execute", "high", "ops-agent", "database/orders", { statement: "DELETE FROM orders\nWHERE created_at < '2020-01-01'\n  AND status = \"void\";", database: "orders", dry_run: false }],
  ["payments.refund", "medium", "shop-bot", "order/4711", { amount: 125, currency: "EUR", reason: "damaged on arrival" }],
  ["mail.send", "medium", "support-agent", "mailbox/press", { to: ["press@example.com", "editor@example.org"], subject: "Statement", body: "Hello,\n\n" + "We regret the outage of Tuesday. ".repeat(60) + "\n\nRegards" }],
  ["github.merge", "low", "release-agent", "repository/shop", { pull: 812, method: "squash" }],
  ["k8s.delete_namespace", "high", "release-agent", "cluster/staging", { namespace: "preview-812", wait: true }],
  ["iam.grant_role", "high", "ops-agent", "project/warehouse", { member: "user:new@example.com", role: "roles/editor" }],
];

export class Double {
  constructor({ rows = 7, signedIn = false, production = false, me } = {}) {
    this.me = me ?? { id: "per_ana", name: "ana", display: "Ana Kos", admin: true, auditor: false, groups: ["oncall", "finance"] };
    this.tenant = "main";
    this.production = production;
    this.csrf = "not-a-secret-csrf";
    this.cookie = signedIn ? "double" : "";
    this.requests = new Map();
    this.freezes = [];
    this.people = [
      { ...this.me, enabled: true, subjects: [], created_at: time(0) },
      { id: "per_ben", name: "ben", display: "Ben Ilić", admin: false, auditor: false, groups: ["finance"], enabled: true, subjects: ["user/ben"], created_at: time(0) },
    ];
    this.agents = [{ id: "agt_1", name: "shop-bot", owner: "omar", enabled: true }, { id: "agt_2", name: "billing-agent", enabled: true }];
    this.callers = [{ id: "cal_1", name: "shop-runner", agents: ["shop-bot"], subjects: ["user/*"], audiences: [], enabled: true }];
    this.credentials = [{ id: "crd_1", kind: "key", owner: "shop-runner", label: "cluster", enabled: true, created_at: time(Date.now() - 8.64e7) }];
    this.epoch = randomBytes(6).toString("hex");
    this.seq = 0;
    this.ring = [];
    this.sockets = new Set();
    this.rules = {}; // path suffix -> (request, body) => [status, body]
    for (let i = 0; i < rows; i++) this.add(i);
  }

  add(i = counter, over = {}) {
    const [action, risk, agent, resource, args] = SAMPLES[i % SAMPLES.length];
    const [type, name] = resource.split("/");
    const created = Date.now() - 40_000 - (i % 50) * 9_000;
    const request = {
      id: id("req"), action: { name: action, properties: { args } }, agent, asked: ["oncall"], caller: "shop-runner", context: { trace: "on" },
      created_at: time(created), frozen: false, may_approve: true, may_deny: true, missing: risk === "low" ? 1 : 2, near_denials: 0,
      message: risk === "high" || risk === "critical" ? "Two people of finance." : undefined, policy: "462ff41427374bfcf740f61a29df3e19", requirements: [
        { approved: 0, assurance: "session", groups: ["oncall"], quorum: risk === "low" ? 1 : 2, rule: risk === "critical" ? "external-money" : "ask-a-person" },
      ],
      resource: { id: i < SAMPLES.length ? name : `${name}-${i}`, type }, revision: 1, risk, salt: randomBytes(16).toString("base64url"), state: "pending", subject: { id: "alice", type: "user" },
      timeout_at: time(Date.now() + 250_000 + (i % 40) * 187_000), verdict: "require_approval", votes: [], why: "The customer asked for it in ticket 812.", ...over,
    };
    this.sign(request);
    request.entries = [
      this.entry(request, "request.submitted", { id: "cal_1", kind: "caller" }, {}, created),
      this.entry(request, "policy.decided", { id: "gateway", kind: "system" }, { verdict: "require_approval", rules: [request.requirements[0]?.rule] }, created),
    ];
    this.requests.set(request.id, request);
    return request;
  }

  entry(request, type, actor, data, at = Date.now()) {
    return { actor, at: time(at), data, request: request.id, seq: ++this.seq + 4000, tenant: this.tenant, type, v: 1 };
  }

  sign(request) {
    const bound = { action: request.action, agent: request.agent, audience: request.audience ?? "", context: request.context, resource: request.resource, salt: request.salt, subject: request.subject, tenant: this.tenant, v: 1 };
    request.digest = createHash("sha256").update(canonical(bound)).digest("hex");
  }

  summary(request) {
    const { id, agent, risk, state, reason, revision, created_at, timeout_at, ended_at, missing, asked, frozen } = request;
    return { id, action: request.action.name, agent, subject: `${request.subject.type}/${request.subject.id}`, resource: `${request.resource.type}/${request.resource.id}`, risk, state, reason, revision, created_at, timeout_at, ended_at, missing, asked, frozen };
  }

  emit(message) {
    const numbered = { ...message, seq: ++this.seq };
    this.ring.push(numbered);
    for (const socket of this.sockets) if (socket.isReady) socket.say(numbered);
    return numbered.seq;
  }

  changed(request) {
    return this.emit({ k: "request", r: this.summary(request) });
  }

  arrive(i, over) {
    const request = this.add(i, over);
    this.changed(request);
    return request;
  }

  end(request, state, reason) {
    Object.assign(request, { state, reason, ended_at: time(Date.now()), timeout_at: undefined, may_approve: false, may_deny: false, missing: undefined });
    request.entries.push(this.entry(request, `request.${state}`, { id: "gateway", kind: "system" }, { reason }));
    this.changed(request);
  }

  vote(request, vote, reason, person = this.me) {
    const at = Date.now();
    request.votes.push({ assurance: "session", at: time(at), id: id("vot"), late: request.state !== "pending", person: person.name, reason, revision: request.revision, vote });
    request.entries.push(this.entry(request, request.state === "pending" ? "vote" : "vote.late", { id: person.id, kind: "person" }, { approve: vote === "approve" }, at));
    if (request.state !== "pending") return "late";
    if (vote === "deny") this.end(request, "denied", "denied_by_person");
    else if (++request.requirements[0].approved >= request.requirements[0].quorum) this.end(request, "approved", "approved_by_people");
    else {
      request.missing--;
      this.changed(request);
    }
    return "counted";
  }

  kick(code = 1001) {
    for (const socket of [...this.sockets]) socket.bye(code);
  }

  async listen(port = 0) {
    this.server = createServer((request, response) => this.handle(request, response));
    this.server.on("upgrade", (request, socket) => this.upgrade(request, socket));
    await new Promise((done) => this.server.listen(port, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async close() {
    this.kick();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  // ---- HTTP ----

  async handle(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url, this.url);
    if (!url.pathname.startsWith("/v1/")) return this.file(url.pathname, response);
    const text = Buffer.concat(chunks).toString();
    const [status, body, headers] = this.answer(request, url, text === "" ? {} : JSON.parse(text));
    response.writeHead(status, { "Content-Type": status >= 400 ? "application/problem+json" : "application/json", "Cache-Control": "no-store", ...headers });
    response.end(body === undefined ? "" : typeof body === "string" ? body : canonical(body));
  }

  file(path, response) {
    const name = path.startsWith("/assets/") ? join(DIST, path) : join(DIST, "index.html");
    if (!existsSync(name)) return response.writeHead(404).end();
    const type = TYPES[extname(name)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, "X-Content-Type-Options": "nosniff", "Cache-Control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      ...(name.endsWith(".html") && { "Content-Security-Policy": CSP, "Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "no-referrer" }) });
    response.end(readFileSync(name));
  }

  problem(status, code, detail) {
    return [status, { code, detail, status, title: code, type: `urn:countersign:problem:${code}` }];
  }

  session() {
    return { csrf: this.csrf, expires_at: time(Date.now() + 8 * 3.6e6), gateway: { issuer: this.url, version: "0.2.0" }, person: this.me, production: this.production, tenant: this.tenant };
  }

  answer(request, url, body) {
    const path = url.pathname.slice(3);
    const rule = this.rules[`${request.method} ${path}`] ?? this.rules[path];
    if (rule) return rule(request, body);
    const start = { "Set-Cookie": "countersign-dev=double; HttpOnly; SameSite=Strict; Path=/" };
    if (path === "/setup" && request.method === "GET") return [200, { needed: false }];
    if (["/setup", "/enrol"].includes(path) || (path === "/session" && request.method === "POST")) {
      if (path === "/session" && body.password === "wrong") return this.problem(401, "wrong_name_or_password", "The name or the password is wrong.");
      this.cookie = "double";
      return [201, this.session(), start];
    }
    if (this.cookie === "") return this.problem(401, "unauthenticated", "Sign in first.");
    if (request.method !== "GET" && request.headers["x-csrf-token"] !== this.csrf) return this.problem(403, "csrf_mismatch", "The CSRF token is not this session's.");
    if (path === "/session") {
      if (request.method === "DELETE") this.cookie = "";
      return request.method === "DELETE" ? [204] : [200, this.session()];
    }
    return this.resource(request, path, url, body);
  }

  resource(request, path, url, body) {
    if (path === "/requests") {
      const state = url.searchParams.get("state");
      const limit = Number(url.searchParams.get("limit") ?? 50);
      const after = url.searchParams.get("after");
      let all = [...this.requests.values()].filter((one) => !state || one.state === state).reverse();
      if (after) all = all.slice(all.findIndex((one) => one.id === after) + 1);
      const page = all.slice(0, limit).map(({ entries, ...one }) => one);
      return [200, { next: all.length > limit ? page[page.length - 1].id : undefined, requests: page }];
    }
    const [, reqId, rest] = /^\/requests\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const found = this.requests.get(reqId);
    if (reqId && !found) return this.problem(404, "not_found", "there is no such thing, or it is not yours to know of");
    if (found && rest === undefined) {
      const { entries, ...shown } = found;
      return [200, found.rawBody ?? shown];
    }
    if (rest === "entries") return [200, { entries: found.entries }];
    if (rest === "votes") {
      if (body.digest !== found.digest || body.revision !== found.revision) return this.problem(409, "digest_mismatch", "the request is not what this vote was shown: read it again");
      const outcome = this.vote(found, body.vote, body.reason);
      return [200, { missing: found.missing ?? 0, outcome, reason: found.reason, request: found.id, state: found.state, vote: "vot_1" }];
    }
    return this.admin(request, path, body);
  }

  admin(request, path, body) {
    const lists = { "/people": "people", "/agents": "agents", "/callers": "callers", "/credentials": "credentials", "/freezes": "freezes" };
    const name = lists[path];
    if (name && request.method === "GET") return [200, { [name]: this[name] }];
    if (path === "/groups") return [200, { groups: [...new Set(this.people.flatMap((one) => one.groups))].map((group) => ({ members: this.people.filter((one) => one.groups.includes(group)).length, name: group })) }];
    if (path === "/people") {
      this.people.push({ id: id("per"), enabled: true, groups: [], ...body });
      return [201, this.people.at(-1)];
    }
    if (path.endsWith("/enrolment")) return [200, { expires_at: time(Date.now() + 8.64e7), link_path: "/enrol#not-a-secret" }];
    if (path === "/keys" || path === "/tokens") return [201, { enabled: true, id: id("crd"), kind: path === "/keys" ? "key" : "token", owner: body.caller ?? body.person, secret: "csk_not-a-secret-fixture" }];
    if (path === "/freezes") {
      this.freezes.push({ by: this.me.name, id: id("frz"), since: time(Date.now()), ...body });
      this.emit({ k: "freeze" });
      return [201, this.freezes.at(-1)];
    }
    if (path.endsWith("/thaw")) {
      Object.assign(this.freezes.at(-1), { thawed_by: this.me.name, until: time(Date.now()) });
      this.emit({ k: "freeze" });
      return [200, this.freezes.at(-1)];
    }
    if (path === "/ledger/checkpoint") return [200, { at: time(Date.now()), checkpoint: "countersign.local/ledger\n48211\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— countersign.local/ledger NOT-A-SIGNATURE\n", epoch: 1, origin: "countersign.local/ledger", size: 48211, vkey: "countersign.local/ledger+00000000+not-a-key" }];
    return [204];
  }

  // ---- the live door (RFC 6455, as much as a test needs) ----

  upgrade(request, socket) {
    const key = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    if (request.url !== "/v1/live" || this.cookie === "" || request.headers.origin !== this.url || this.noLive) return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\nSec-WebSocket-Protocol: countersign.live.v1\r\n\r\n`);
    const frame = (opcode, payload) => {
      const head = payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length]) : Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 255]);
      socket.write(Buffer.concat([head, payload]));
    };
    const peer = {
      isReady: false,
      say: (message) => frame(1, Buffer.from(JSON.stringify(message))),
      bye: (code) => (frame(8, Buffer.from([code >> 8, code & 255])), socket.end(), this.sockets.delete(peer)),
    };
    this.sockets.add(peer);
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let read = readFrame(rest); read; read = readFrame(rest)) {
        rest = rest.subarray(read.size);
        if (read.opcode === 1) this.hear(peer, JSON.parse(read.payload.toString()));
        else if (read.opcode === 8) socket.end();
      }
    });
    socket.on("close", () => this.sockets.delete(peer));
    socket.on("error", () => this.sockets.delete(peer));
  }

  hear(peer, message) {
    if (message.hello === undefined) return;
    const { csrf, epoch, since } = message.hello;
    if (csrf !== this.csrf) return peer.bye(4403);
    peer.isReady = true;
    const now = time(Date.now());
    if (epoch !== this.epoch) return peer.say({ epoch: this.epoch, k: "reset", now, seq: this.seq });
    const missed = this.ring.filter((one) => one.seq > since);
    missed.forEach((one) => peer.say(one));
    peer.say({ epoch: this.epoch, k: "ready", now, replayed: missed.length, seq: this.seq });
  }
}

function readFrame(bytes) {
  if (bytes.length < 6) return undefined;
  const short = bytes[1] & 127;
  const head = short === 126 ? 8 : 6;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < head + length) return undefined;
  const mask = bytes.subarray(head - 4, head);
  const payload = Buffer.from(bytes.subarray(head, head + length)).map((byte, i) => byte ^ mask[i % 4]);
  return { opcode: bytes[0] & 15, payload, size: head + length };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : process.argv[at + 1];
  };
  const double = await new Double({ rows: Number(option("--rows", 12)), signedIn: process.argv.includes("--signed-in") }).listen(Number(option("--port", 0)));
  console.log(`${double.url}  (not a gateway: a stand-in for working on the page)`);
}
