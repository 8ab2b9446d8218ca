import assert from "node:assert/strict";
import { test } from "node:test";
import { BACKOFF_MOST_MS, backoffMs, meaningOfClose, readMessage } from "../src/wire/live_rules.ts";
import { readProblem } from "../src/wire/problem.ts";
import { parseRoute } from "../src/state/router.ts";
import { rightsOf } from "../src/state/rights.ts";
import { challengeHint } from "../src/view/decide.tsx";
import { leftText, leftWords } from "../src/view/time.ts";
import type { Detail } from "../src/state/detail.ts";

test("waiting doubles, is bounded, and is drawn from all of it", () => {
  assert.equal(backoffMs(0, 1), 250);
  assert.equal(backoffMs(3, 1), 2_000);
  assert.equal(backoffMs(99, 1), BACKOFF_MOST_MS);
  assert.equal(backoffMs(99, 0), 50);
  assert.equal(backoffMs(5, 0.5), 4_000);
});

test("closes mean what the gateway says they mean", () => {
  assert.deepEqual([4401, 4403, 4408, 1001, 1006].map(meaningOfClose), ["session-ended", "refused", "retry", "retry", "retry"]);
});

test("messages are read, unknown ones are passed over", () => {
  const message = readMessage('{"k":"request","seq":7,"r":{"id":"req_1","action":"pay","agent":"bot","subject":"user/a","resource":"order/1","risk":"high","state":"pending","revision":1,"created_at":"2026-11-24T06:24:23.123Z","missing":1,"asked":["oncall"],"frozen":false}}');
  assert.equal(message?.k, "request");
  assert.equal(message?.k === "request" && message.summary.resource, "order/1");
  assert.equal(message?.k === "request" && message.summary.mayApprove, undefined);
  for (const text of ["", "[]", "{}", '{"k":"weather"}', '{"k":"request","seq":1}', "null", "not json"]) assert.equal(readMessage(text), undefined, text);
});

test("problems are read, also when a proxy sends something else", () => {
  const ours = readProblem(409, '{"code":"digest_mismatch","detail":"read it again","errors":[{"pointer":"/digest","detail":"x"}]}', null);
  assert.deepEqual([ours.code, ours.detail, ours.pointer], ["digest_mismatch", "read it again", "/digest"]);
  assert.equal(readProblem(502, "<html>", "7").code, "http_502");
  assert.equal(readProblem(502, "<html>", "7").retryAfter, 7);
});

test("routes", () => {
  assert.equal(parseRoute("/", "").page, "inbox");
  assert.equal(parseRoute("/requests/req_01abc", "").request, "req_01abc");
  assert.equal(parseRoute("/requests/../x", "").page, "lost");
  assert.equal(parseRoute("/history/", "?state=denied").query.get("state"), "denied");
  assert.equal(parseRoute("/nowhere", "").page, "lost");
});

test("what is left is told coarser the longer it is", () => {
  assert.deepEqual([59_001, 61_000, 3_600_000, 200_000_000, -5].map(leftText), ["1m 00s", "1m 01s", "1h 00m", "2d 7h", "0s"]);
  assert.equal(leftWords(61_000), "1 minute");
});

test("a typed challenge says where it parts, and names a lookalike", () => {
  assert.equal(challengeHint("acct-4471", "acct-44"), "");
  assert.match(challengeHint("acct-4471", "acct-447x"), /differs at character 9: “1”/);
  assert.match(challengeHint("p\u0430ypal", "paypal"), /differs at character 2: “\u0430” U\+0430/);
  assert.match(challengeHint("ab", "abc"), /longer/);
});

const me = { id: "per_1", name: "ana", admin: false, auditor: false, groups: ["oncall"] };
const detail = (over: Partial<Detail> = {}) =>
  ({
    state: "pending", match: "matches", evidence: { problem: "" }, frozen: false, mayApprove: true, mayDeny: true, asked: ["oncall"], revision: 1, votes: [], edits: [], needsPasskey: false,
    requirements: [{ approved: 0, assurance: "session", groups: ["oncall"], quorum: 1, rule: "r" }], ...over,
  }) as unknown as Detail;

test("who may is let, who may not is told why", () => {
  assert.deepEqual(rightsOf(detail(), me), { approve: true, deny: true, whyNotApprove: "", whyNotDeny: "" });
  assert.match(rightsOf(detail({ mayApprove: false }), me).whyNotApprove, /deny it, not approve it/);
  assert.match(rightsOf(detail({ mayApprove: false, mayDeny: false, asked: ["finance"] }), me).whyNotDeny, /not among those asked \(finance\)/);
  assert.match(rightsOf(detail({ frozen: true, mayApprove: false }), me).whyNotApprove, /Frozen/);
  assert.equal(rightsOf(detail({ mayApprove: false, needsPasskey: true }), me).approve, true);
  const own = { at: "", person: "ana", revision: 2 };
  assert.match(rightsOf(detail({ mayApprove: false, edits: [own] }), me).whyNotApprove, /You made this revision/);
  assert.equal(rightsOf(detail({ state: "denied" }), me).deny, false);
});

test("what is not what would run can not be approved; a differing digest stops both", () => {
  const odd = rightsOf(detail({ match: "differs" }), me);
  assert.deepEqual([odd.approve, odd.deny], [false, false]);
  const large = rightsOf(detail({ evidence: { problem: "Too long." } as Detail["evidence"] }), me);
  assert.deepEqual([large.approve, large.deny], [false, true]);
  const unchecked = rightsOf(detail({ match: "unchecked" }), me);
  assert.deepEqual([unchecked.approve, unchecked.deny], [false, true]);
});

test("one's own vote is known, and may be changed to the other", () => {
  const vote = { assurance: "session", at: "", id: "vot_1", late: false, person: "ana", revision: 1, vote: "approve" as const };
  const mine = rightsOf(detail({ votes: [vote] }), me);
  assert.deepEqual([mine.approve, mine.deny], [false, true]);
  assert.equal(rightsOf(detail({ votes: [{ ...vote, revision: 0 }] }), me).approve, true);
  assert.equal(rightsOf(detail({ votes: [{ ...vote, person: "ben" }] }), me).approve, true);
});
