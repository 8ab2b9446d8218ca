import test from "node:test";
import assert from "node:assert/strict";
import { lex } from "../src/evidence/lexer.ts";
import { compact, pretty, readEdited } from "../src/state/editing.ts";

const nodeOf = (text: string) => lex(new TextEncoder().encode(text));

test("arguments are written one member a line, digits as they came", () => {
  assert.equal(pretty(nodeOf('{"amount":12.5,"big":9007199254740991,"to":["a",{}],"x":{}}')), '{\n  "amount": 12.5,\n  "big": 9007199254740991,\n  "to": [\n    "a",\n    {}\n  ],\n  "x": {}\n}');
});

test("white space between values goes, within strings it stays", () => {
  assert.equal(compact('{ "a b" : "c\\" d" ,\n "e":\t1 }'), '{"a b":"c\\" d","e":1}');
});

test("what was changed is named", () => {
  const before = nodeOf('{"amount":125,"to":"dana"}');
  assert.deepEqual(readEdited(before, '{"amount":100,"to":"dana","memo":"x"}').changed, ["amount", "memo"]);
  assert.deepEqual(readEdited(before, '{"to":"dana","amount":125}').changed, []);
  assert.equal(readEdited(before, '{"to":"dana","amount":125}').problem, "Nothing is changed yet.");
});

test("a text that cannot be sent says why", () => {
  const before = nodeOf("{}");
  assert.match(readEdited(before, "{").problem, /no JSON/);
  assert.match(readEdited(before, '{"a":1,"a":2}').problem, /no JSON/);
  assert.match(readEdited(before, "[1]").problem, /one object/);
  assert.equal(readEdited(before, "{").text, "");
});
