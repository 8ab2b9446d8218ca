import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MISLEADING, cutText, isMisleading, joinSegments, notesOf, segment } from "../src/evidence/visible.ts";

declare const WEB: string;

const labels = (text: string) => segment(text).flatMap((part) => (part.kind === "mark" || part.kind === "mixed" ? [part.label] : []));

test("nothing is lost, whatever it is", () => {
  const texts = [
    "", "plain", "a\nb\tc", "x\u202ey\u202c", "\u200b".repeat(9), "p\u0430ypal", "e\u0301\u0301\u0301\u0301\u0301", "\u0301x",
    "a\u{e0069}\u{e0067}b", "\ufffe\uffff", "\ud800x", "\u{1f468}\u200d\u{1f469}", "\u0000\u001b[31m", "\u05d0\u05d1", "a\u00a0b\u3000c",
  ];
  for (const text of texts) assert.equal(joinSegments(segment(text)), text);
});

test("direction changes are named and not let through", () => {
  assert.deepEqual(labels("a\u202eb\u2066c"), ["RLO U+202E", "LRI U+2066"]);
  const shown = segment("a\u202eb").filter((part) => part.kind === "text").map((part) => ("text" in part ? part.text : ""));
  assert.ok(!shown.join("").includes("\u202e"));
});

test("no misleading character is ever part of a shown text", () => {
  let text = "";
  for (let point = 0; point < 0x30000; point++) {
    if (point < 0xd800 || point > 0xdfff) text += String.fromCodePoint(point);
  }
  text += "\u{e0001}\u{e0100}\u{f0000}\u{10fffd}";
  for (const part of segment(text)) {
    if (part.kind !== "text" && part.kind !== "mixed") continue;
    for (const character of part.text) assert.ok(!isMisleading(character.codePointAt(0)!), character.codePointAt(0)!.toString(16));
  }
});

test("long runs of the same are counted", () => {
  assert.deepEqual(labels("\u200b".repeat(12)), ["ZWSP U+200B ×12"]);
  assert.deepEqual(labels("\u200b\u200b"), ["ZWSP U+200B", "ZWSP U+200B"]);
  assert.deepEqual(labels("\u200b\u200c\u200b"), ["ZWSP U+200B", "ZWNJ U+200C", "ZWSP U+200B"]);
});

test("hidden tag characters are decoded and quoted", () => {
  const hidden = [..."ignore"].map((letter) => String.fromCodePoint(0xe0000 + letter.codePointAt(0)!)).join("");
  assert.deepEqual(labels(`ok${hidden}`), ["6 hidden tag characters: “ignore”"]);
});

test("words of mixed alphabets are marked with the odd letters", () => {
  assert.deepEqual(labels("p\u0430ypal pay \u043c\u0438\u0440"), ["\u0430 U+0430"]);
  assert.deepEqual(labels("caf\u00e9 na\u00efve \u0141\u00f3d\u017a"), []);
});

test("marks that sit on nothing or pile up are named", () => {
  assert.deepEqual(labels("\u0301a"), ["U+0301"]);
  assert.deepEqual(labels("e\u0301 o\u0308"), []);
  assert.equal(labels(`e${"\u0301".repeat(30)}`)[0], "U+0301 ×27");
});

test("notes count what a reader would miss", () => {
  const text = "a\u200b\u202e p\u0430y \u05d0";
  assert.deepEqual(notesOf(text, segment(text)), { named: 2, mixed: 1, rightToLeft: true });
});

test("a cut says how much it hides and cuts no character in two", () => {
  const text = "\u{1f600}".repeat(1_000);
  const cut = cutText(text, 101, 51);
  assert.equal(cut.head + "\u{1f600}".repeat(cut.hidden) + cut.tail, text);
  assert.deepEqual(cutText("short", 100, 50), { head: "short", hidden: 0, tail: "" });
});

test("a megabyte is split in under a second", () => {
  const text = "a\u0430 b\u202ec\n".repeat(120_000);
  const started = performance.now();
  segment(text);
  assert.ok(performance.now() - started < 3_000);
});

test("the ranges are the gateway's", { skip: existsSync(join(WEB, "../gateway/formats/text_visible.c")) ? false : "the gateway's source is not here" }, () => {
  const source = readFileSync(join(WEB, "../gateway/formats/text_visible.c"), "utf8");
  const table = /misleading\[\] = \{([\s\S]*?)\};/.exec(source)![1]!;
  const ranges = [...table.matchAll(/\{0x([0-9A-F]+), 0x([0-9A-F]+)\}/g)].map((found) => [parseInt(found[1]!, 16), parseInt(found[2]!, 16)]);
  assert.deepEqual(MISLEADING, ranges);
});
