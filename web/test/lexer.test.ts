import assert from "node:assert/strict";
import { test } from "node:test";
import { DEPTH_MAX, LexError, NODES_MAX, lex, memberOf, splitObject, stringOf, textOf, type Node } from "../src/evidence/lexer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const refuses = (text: string | Uint8Array, why: RegExp) =>
  assert.throws(() => lex(typeof text === "string" ? bytes(text) : text), (error: unknown) => error instanceof LexError && why.test(error.message));

/** Everything a node spans, as text. */
function lexemes(source: Uint8Array, node: Node): string {
  return textOf(source, node);
}

test("numbers stay as they were sent", () => {
  const source = bytes('{"a":9007199254740993,"b":1000.00,"c":-0,"d":1E400,"e":0.1e-7}');
  const node = lex(source);
  const texts = ["a", "b", "c", "d", "e"].map((name) => lexemes(source, memberOf(node, name)!));
  assert.deepEqual(texts, ["9007199254740993", "1000.00", "-0", "1E400", "0.1e-7"]);
});

test("a node is a span of the very bytes", () => {
  const source = bytes('{"k":"Ren\u00e9 \u{1f600}","list":[1,"two",{}]}');
  const node = lex(source);
  assert.equal(node.start, 0);
  assert.equal(node.end, source.length);
  assert.equal(lexemes(source, memberOf(node, "list")!), '[1,"two",{}]');
  assert.equal(stringOf(memberOf(node, "k")), "Ren\u00e9 \u{1f600}");
});

test("a name that comes twice is refused, also when it is written in two ways", () => {
  refuses('{"to":"a","to":"b"}', /comes twice/);
  refuses('{"to":"a","\\u0074o":"b"}', /comes twice/);
  refuses('{"a":{"x":1,"x":1}}', /comes twice/);
});

test("what is not canonical in form is refused", () => {
  refuses('{ "a":1}', /string is expected/);
  refuses('{"a": 1}', /value is expected/);
  refuses('[1,2,]', /value is expected/);
  refuses('{"a":1}x', /follows/);
  refuses("01", /value is expected/);
  refuses("1.", /value is expected/);
  refuses("+1", /value is expected/);
  refuses("NaN", /value is expected/);
  refuses("tru", /value is expected/);
  refuses("", /value is expected/);
  refuses('"a', /does not end/);
  refuses('"a\u0001b"', /bare control/);
  refuses('"\\x41"', /no escape/);
  refuses('"\\u12g4"', /no escape/);
});

test("bytes that are no UTF-8 are refused", () => {
  refuses(new Uint8Array([0x22, 0xff, 0x22]), /UTF-8/);
  refuses(new Uint8Array([0x22, 0xc0, 0xaf, 0x22]), /UTF-8/);
  refuses(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), /UTF-8/);
});

test("half of a surrogate pair is refused, a whole one is read", () => {
  refuses('"\\ud83d"', /surrogate/);
  refuses('"\\ude00\\ud83d"', /surrogate/);
  assert.equal(stringOf(lex(bytes('"\\ud83d\\ude00"'))), "\u{1f600}");
});

test("escapes are resolved once", () => {
  assert.equal(stringOf(lex(bytes('"a\\\\nb\\n\\"\\u0041"'))), 'a\\nb\n"A');
});

test("depth and size are bounded", () => {
  lex(bytes("[".repeat(DEPTH_MAX) + "]".repeat(DEPTH_MAX)));
  refuses("[".repeat(DEPTH_MAX + 1) + "]".repeat(DEPTH_MAX + 1), /nested deeper/);
  refuses("[".repeat(100_000), /nested deeper/);
  refuses(`[${"0,".repeat(NODES_MAX)}0]`, /more than/);
});

test("splitting looks inside nothing", () => {
  const inner = "[".repeat(5_000) + "]".repeat(5_000);
  const source = bytes(`{"action":{"x":1,"x":"}\\"digest\\":"},"digest":"00","n":${inner}}`);
  const members = splitObject(source);
  assert.deepEqual([...members.keys()], ["action", "digest", "n"]);
  assert.equal(textOf(source, members.get("action")!), '{"x":1,"x":"}\\"digest\\":"}');
  assert.equal(textOf(source, members.get("digest")!), '"00"');
});

test("splitting refuses what is no object or says one thing twice", () => {
  for (const text of ["[]", "", "{", '{"a":1,"a":2}', '{"a":}', '{"a":1}{', '{"a":1,}', '{"a":[}'] ) {
    assert.throws(() => splitObject(bytes(text)), LexError, text);
  }
  assert.equal(splitObject(bytes("{}")).size, 0);
});

test("what it takes, JSON.parse takes too, and reads the same strings", () => {
  let seed = 12345;
  const chance = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  const letters = ['"', "\\", "{", "}", "[", "]", ",", ":", "a", "1", "-", ".", "e", "\\n", "\\u00e9", "true", "null", "é", "\u202e", '"x"', '"x":1'];
  let taken = 0;
  for (let round = 0; round < 40_000; round++) {
    const text = Array.from({ length: 1 + chance(7) }, () => letters[chance(letters.length)]).join("");
    let node: Node;
    try {
      node = lex(bytes(text));
    } catch (error) {
      assert.ok(error instanceof LexError, `${text}: ${String(error)}`);
      continue;
    }
    taken++;
    const parsed: unknown = JSON.parse(text);
    if (node.kind === "string") assert.equal(node.text, parsed);
  }
  assert.ok(taken > 500, `only ${taken} texts were taken`);
});
