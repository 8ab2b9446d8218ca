import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EMPTY_QUEUE, LINGER_MS, applyChanges, collapse, compareUrgency, isForPerson, listed, matches, nextAfter, parseFilter, pendingOf, repeatKey, replaceAll, showHeld, sweep,
} from "../src/state/queue.ts";
import { summaryOf, type Summary } from "../src/wire/types.ts";

const row = (id: string, over: Partial<Summary> = {}): Summary => ({
  id, action: "payments.refund", agent: "shop-bot", resource: "order/4711", subject: "user/alice", risk: "medium", state: "pending",
  revision: 1, createdAt: 0, timeoutAt: 1_000, endedAt: 0, missing: 1, asked: ["oncall"], frozen: false, comments: 0, question: false, ...over,
});
const all = () => true;
const ids = (rows: readonly Summary[]) => rows.map((one) => one.id).join(" ");

test("risk comes before time, time before age", () => {
  const rows = [row("a"), row("b", { risk: "critical", timeoutAt: 9_000 }), row("c", { timeoutAt: 500 }), row("d", { risk: "low", timeoutAt: 1 }), row("e", { timeoutAt: 0 })];
  assert.equal(ids([...rows].sort(compareUrgency)), "b c a e d");
});

test("a risk that nobody knows counts as critical", () => {
  assert.equal(summaryOf({ id: "x", risk: "apocalyptic" }).risk, "critical");
});

test("new rows wait while the reader scrolls, and come when asked for", () => {
  let queue = replaceAll([row("a")]);
  queue = applyChanges(queue, [row("b"), row("c")], true, 0);
  assert.deepEqual({ rows: ids(listed(queue, all).rows), held: listed(queue, all).held }, { rows: "a", held: 2 });
  queue = showHeld(queue);
  assert.equal(ids(listed(queue, all).rows), "a b c");
});

test("a change of a shown row is shown while the reader scrolls", () => {
  const queue = applyChanges(replaceAll([row("a")]), [row("a", { missing: 0 })], true, 0);
  assert.equal(listed(queue, all).rows[0]!.missing, 0);
});

test("what ended stays a moment with its outcome and then leaves", () => {
  let queue = applyChanges(replaceAll([row("a"), row("b")]), [row("a", { state: "denied" })], false, 100);
  assert.equal(ids(listed(queue, all).rows), "a b");
  assert.equal(ids(pendingOf(queue)), "b");
  assert.equal(sweep(queue, 100 + LINGER_MS - 1, ""), queue);
  assert.equal(sweep(queue, 100 + LINGER_MS, "a"), queue);
  queue = sweep(queue, 100 + LINGER_MS, "");
  assert.equal(ids(listed(queue, all).rows), "b");
});

test("what ended before it was ever shown is not shown", () => {
  let queue = applyChanges(EMPTY_QUEUE, [row("a")], true, 0);
  queue = applyChanges(queue, [row("a", { state: "approved" })], true, 0);
  assert.deepEqual(listed(queue, all), { rows: [], held: 0 });
  assert.equal(applyChanges(EMPTY_QUEUE, [row("z", { state: "denied" })], false, 0).byId.size, 0);
});

test("events keep what the gateway said about this person's rights, for the same revision only", () => {
  const known = replaceAll([row("a", { mayApprove: false, mayDeny: true })]);
  assert.equal(applyChanges(known, [row("a", { missing: 0 })], false, 0).byId.get("a")!.mayDeny, true);
  assert.equal(applyChanges(known, [row("a", { revision: 2 })], false, 0).byId.get("a")!.mayDeny, undefined);
});

test("what is for a person: as the gateway says, else by group", () => {
  assert.equal(isForPerson(row("a"), ["oncall"]), true);
  assert.equal(isForPerson(row("a"), ["finance"]), false);
  assert.equal(isForPerson(row("a", { mayApprove: false, mayDeny: false }), ["oncall"]), false);
  assert.equal(isForPerson(row("a", { mayApprove: false, mayDeny: true }), []), true);
});

test("after a decision the next most urgent that waits comes", () => {
  const rows = [row("a"), row("b", { state: "denied" }), row("c")];
  assert.equal(nextAfter(rows, "a"), "c");
  assert.equal(nextAfter(rows, "c"), "a");
  assert.equal(nextAfter([row("a")], "a"), undefined);
});

test("filters: words, fields, wildcards, risks and their opposite", () => {
  const one = row("req_1", { risk: "high", action: "payments.transfer", agent: "shop-bot" });
  const cases: [string, boolean][] = [
    ["", true], ["pay", true], ["PAY alice", true], ["refund", false], ["action:payments.*", true], ["action:mail.*", false], ["tool:transfer", true],
    ["risk:high", true], ["risk:>=high", true], ["risk:>high", false], ["risk:<critical", true], ["-risk:high", false], ["-agent:other", true],
    ["agent:shop-* resource:order/*", true], ["action:payments.(", false], ["subject:alice risk:<=medium", false],
  ];
  for (const [text, wanted] of cases) assert.equal(matches(parseFilter(text), one), wanted, text);
  assert.deepEqual(parseFilter("risk:hihg color:red pay").unknown, ["risk:hihg", "color:red"]);
});

test("ten thousand rows with a burst of five hundred are listed at once", () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => row(`req_${i}`, { timeoutAt: (i * 7919) % 10_000 }));
  const burst = Array.from({ length: 500 }, (_, i) => row(`req_new_${i}`));
  const started = performance.now();
  const queue = applyChanges(replaceAll(rows), burst, false, 0);
  const filter = parseFilter("pay risk:medium");
  assert.equal(listed(queue, (one) => matches(filter, one)).rows.length, 10_500);
  assert.ok(performance.now() - started < 1_000);
});

test("three or more that ask the same are one row, until they are unfolded", () => {
  const alike = ["1", "2", "3"].map((id) => row(id, { resource: "order/1" }));
  const other = row("9", { resource: "order/2" });
  const folded = collapse([...alike, other], new Set());
  assert.deepEqual(folded.rows.map((one) => one.id), ["1", "9"]);
  assert.equal(folded.counts.get("1"), 3);
  assert.deepEqual(collapse([...alike, other], new Set([repeatKey(alike[0]!)])).rows.map((one) => one.id), ["1", "2", "3", "9"]);
  assert.deepEqual(collapse(alike.slice(0, 2), new Set()).rows.length, 2);
});
