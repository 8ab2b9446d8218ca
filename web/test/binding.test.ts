import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { EVIDENCE_BYTES_MAX, boundBytes, digestOf, readEvidence } from "../src/evidence/binding.ts";
import { splitObject } from "../src/evidence/lexer.ts";
import { readDetail } from "../src/state/detail.ts";

// The worked example of tests/unit/requests/test_binding.c, as an answer of GET /v1/requests/{id}.
const answer =
  '{"action":{"name":"payments.refund","properties":{"args":{"amount":1500,"currency":"EUR","to":"Renée \\"R\\" K."}}},' +
  '"agent":"billing-batch","asked":["oncall"],"audience":"payments-api","caller":"runner","context":{"ticket":"T-17"},' +
  '"created_at":"2026-11-24T06:24:23.123Z","digest":"90775479ccda50bfe860e79dccac8218f3c150f2d2ad0b4ba49733f5aacff872",' +
  '"frozen":false,"id":"req_1","may_approve":true,"may_deny":true,"missing":1,"near_denials":0,"requirements":[],' +
  '"resource":{"id":"4711","type":"order"},"revision":1,"risk":"medium","salt":"AAECAwQFBgcICQoLDA0ODw","state":"pending",' +
  '"subject":{"id":"dana@example.com","type":"user"},"verdict":"require_approval","votes":[]}';
const DIGEST = "90775479ccda50bfe860e79dccac8218f3c150f2d2ad0b4ba49733f5aacff872";

// Node 18 has it only here
Object.defineProperty(globalThis, "crypto", { value: globalThis.crypto ?? webcrypto, configurable: true });

const encode = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const evidenceOf = (text: string) => readEvidence(encode(text), splitObject(encode(text)), "main");

test("the digest is computed from the bytes that came", async () => {
  const bytes = encode(answer);
  const bound = boundBytes(bytes, splitObject(bytes), "main")!;
  assert.equal(bound.length, 337);
  assert.equal(await digestOf(bound), DIGEST);
});

test("an absent audience is empty, an absent context an empty object", async () => {
  const text = answer.replace('"audience":"payments-api",', "").replace('"context":{"ticket":"T-17"},', "");
  const bytes = encode(text);
  assert.equal(await digestOf(boundBytes(bytes, splitObject(bytes), "main")!), "1ca5e1cc02474f02e8a3e4db0f115fccce5304d8d0c215bce4cf9c681e4ab7eb");
});

test("any change of what is shown is noticed", async () => {
  const changes: [string, string][] = [
    ['"amount":1500', '"amount":1501'], ['"amount":1500', '"amount":1500.0'], ["Renée", "Rene\u0301e"], ['"agent":"billing-batch"', '"agent":"other"'],
    ['"audience":"payments-api"', '"audience":"payroll"'], ['"ticket":"T-17"', '"ticket":"T-18"'], ['"id":"4711"', '"id":"4712"'],
    ['"id":"dana@example.com"', '"id":"eve@example.com"'], ["AAECAwQFBgcICQoLDA0ODw", "BAECAwQFBgcICQoLDA0ODw"],
  ];
  for (const [from, to] of changes) {
    const detail = await readDetail(encode(answer.replace(from, to)), "main");
    assert.equal(detail.match, "differs", to);
  }
  assert.equal((await readDetail(encode(answer), "main")).match, "matches");
  assert.equal((await readDetail(encode(answer), "other tenant")).match, "differs");
});

test("evidence that cannot be shown whole says why, and the rest is still read", async () => {
  const twice = answer.replace('"currency":"EUR"', '"amount":1,"currency":"EUR"');
  assert.match(evidenceOf(twice).problem, /action cannot be shown: the member `amount` comes twice/);
  const detail = await readDetail(encode(twice), "main");
  assert.equal(detail.digest, DIGEST);
  assert.equal(detail.revision, 1);
  assert.equal(detail.mayDeny, true);
  assert.match(evidenceOf(answer.replace('"EUR"', '"\\ud800"')).problem, /surrogate/);
  assert.match(evidenceOf(answer.replace('"EUR"', `"${"x".repeat(EVIDENCE_BYTES_MAX)}"`)).problem, /more than a person can review/);
});

test("what was erased is said to be gone", () => {
  const erased = answer.replace(/"action":\{.*?\}\}\}/, '"action":null');
  const evidence = evidenceOf(erased);
  assert.match(evidence.problem, /action is not there any more/);
  assert.equal(evidence.bound, undefined);
});

test("the rest of the answer is read without JSON.parse", async () => {
  const detail = await readDetail(encode(answer.replace('"requirements":[]', '"requirements":[{"approved":1,"assurance":"session","groups":["a","b"],"quorum":2,"rule":"r"}]')), "main");
  assert.deepEqual(detail.requirements, [{ approved: 1, assurance: "session", groups: ["a", "b"], quorum: 2, rule: "r" }]);
  assert.equal(detail.createdAt, Date.parse("2026-11-24T06:24:23.123Z"));
  assert.equal(detail.evidence.args?.kind, "object");
});
