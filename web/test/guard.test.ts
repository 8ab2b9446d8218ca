import assert from "node:assert/strict";
import { test } from "node:test";
import { ARM_MS, DWELL_MS, FOCUS_MS, TYPING_MS, attend, openGuard, press, release, strike, waitMs, type Guard, type Key } from "../src/state/guard.ts";

const MAY = { approve: true, deny: true };
const key = (now: number, name: string, over: Partial<Key> = {}): Key => ({ key: name, repeat: false, composing: false, modified: false, inControl: false, now, ...over });

/** Opened at 0 on a page that has long had the focus. */
const opened = (risk: "low" | "medium" | "high" | "critical" = "medium") => openGuard("req 1 digest", risk, -60_000, 0);

function play(guard: Guard, keys: readonly Key[]): { guard: Guard; decisions: string[] } {
  const decisions: string[] = [];
  for (const one of keys) {
    const outcome = strike(guard, one, MAY);
    guard = outcome.guard;
    if (outcome.decides !== undefined) decisions.push(outcome.decides);
  }
  return { guard, decisions };
}

test("each risk has to be in view for its own time", () => {
  for (const risk of ["low", "medium", "high", "critical"] as const) {
    assert.equal(waitMs(opened(risk), "approve", 0), DWELL_MS[risk]);
    assert.equal(waitMs(opened(risk), "approve", DWELL_MS[risk]), 0);
  }
});

test("a denial needs no study, but is no accident either", () => {
  assert.equal(waitMs(opened("critical"), "deny", 399), 1);
  assert.equal(waitMs(opened("critical"), "deny", 400), 0);
});

test("time in the background does not count", () => {
  let guard = opened("high");
  guard = attend(guard, false, 1_000);
  assert.equal(waitMs(guard, "approve", 60_000), Infinity);
  guard = attend(guard, true, 60_000);
  assert.equal(waitMs(guard, "approve", 60_000), 1_000);
  assert.equal(waitMs(guard, "approve", 61_000), 0);
});

test("after the focus comes back nothing counts for half a second", () => {
  let guard = attend(opened("low"), false, 5_000);
  guard = attend(guard, true, 6_000);
  assert.equal(waitMs(guard, "approve", 6_000), FOCUS_MS);
  assert.deepEqual(play(guard, [key(6_100, "a"), key(6_700, "Enter")]).decisions, []);
});

test("a and then Enter decides", () => {
  assert.deepEqual(play(opened(), [key(1_000, "a"), key(1_500, "Enter")]).decisions, ["approve"]);
  assert.deepEqual(play(opened(), [key(1_000, "d"), key(1_500, "Enter")]).decisions, ["deny"]);
});

test("neither key alone decides", () => {
  assert.deepEqual(play(opened(), [key(1_000, "a"), key(3_000, "a")]).decisions, []);
  assert.deepEqual(play(opened(), [key(1_000, "Enter"), key(3_000, "Enter")]).decisions, []);
});

test("two keys struck as one do not decide", () => {
  assert.deepEqual(play(opened(), [key(1_000, "a"), key(1_000 + ARM_MS - 1, "Enter")]).decisions, []);
});

test("an a in the middle of typing arms nothing", () => {
  const typed = [..."please add"].map((letter, i) => key(2_000 + i * 120, letter));
  const last = typed[typed.length - 1]!.now;
  const { guard, decisions } = play(opened(), [...typed, key(last + 500, "Enter")]);
  assert.deepEqual(decisions, []);
  assert.equal(guard.armed, undefined);
  assert.equal(strike(guard, key(last + 500 + TYPING_MS - 1, "a"), MAY).guard.armed, undefined);
});

test("any other key disarms", () => {
  assert.deepEqual(play(opened(), [key(1_000, "a"), key(1_400, "x"), key(2_500, "Enter")]).decisions, []);
  assert.deepEqual(play(opened(), [key(1_000, "a"), key(1_400, "Shift"), key(2_500, "Enter")]).decisions, []);
});

test("repeats, input methods, chords and controls do not decide", () => {
  for (const over of [{ repeat: true }, { composing: true }, { modified: true }, { inControl: true }]) {
    assert.deepEqual(play(opened(), [key(1_000, "a", over), key(2_000, "Enter")]).decisions, [], JSON.stringify(over));
    assert.deepEqual(play(opened(), [key(1_000, "a"), key(2_000, "Enter", over)]).decisions, [], JSON.stringify(over));
  }
});

test("a key that was down before its time arms nothing", () => {
  assert.deepEqual(play(opened("high"), [key(1_900, "a"), key(2_600, "Enter")]).decisions, []);
});

test("a critical request is not approved by keys alone", () => {
  assert.deepEqual(play(opened("critical"), [key(9_000, "a"), key(9_900, "Enter")]).decisions, []);
  assert.deepEqual(play(opened("critical"), [key(9_000, "d"), key(9_900, "Enter")]).decisions, ["deny"]);
});

test("what one may not do is not armed", () => {
  const { guard } = strike(opened(), key(1_000, "a"), { approve: false, deny: true });
  assert.equal(guard.armed, undefined);
  const armed = strike(opened(), key(1_000, "a"), MAY).guard;
  assert.equal(strike(armed, key(2_000, "Enter"), { approve: false, deny: true }).decides, undefined);
});

test("another request, or a changed one, disarms and starts again", () => {
  const armed = strike(opened(), key(1_000, "a"), MAY).guard;
  assert.notEqual(armed.armed, undefined);
  const next = openGuard("req 2 digest", "medium", -60_000, 1_100);
  assert.deepEqual(play(next, [key(1_600, "Enter")]).decisions, []);
});

test("a press that began too early does not decide when it ends late enough", () => {
  const pressed = press(opened("medium"), "approve", 700);
  assert.equal(release(pressed, "approve", 2_000).decides, false);
  assert.equal(release(press(opened("medium"), "approve", 800), "approve", 900).decides, true);
});

test("a press on one button does not decide on the other", () => {
  assert.equal(release(press(opened(), "deny", 1_000), "approve", 1_100).decides, false);
});

test("a press that was under way when the request changed does not decide", () => {
  press(opened(), "approve", 1_000);
  const next = openGuard("req 2 digest", "medium", -60_000, 1_050);
  assert.equal(release(next, "approve", 1_100).decides, false);
});

test("a click without a press, as screen readers make, decides when it comes late enough", () => {
  assert.equal(release(opened("medium"), "approve", 799).decides, false);
  assert.equal(release(opened("medium"), "approve", 800).decides, true);
});
