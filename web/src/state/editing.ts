// Arguments as text that a person changes: every digit stays as it was written. Pure.

import { lex, LexError, type Node } from "../evidence/lexer.ts";

/** Canonical JSON with one member a line. */
export function pretty(node: Node, indent = ""): string {
  const inner = `${indent}  `;
  switch (node.kind) {
    case "string":
      return JSON.stringify(node.text);
    case "number":
    case "word":
      return node.text;
    case "array":
      return node.items.length === 0 ? "[]" : `[\n${node.items.map((item) => inner + pretty(item, inner)).join(",\n")}\n${indent}]`;
    case "object":
      return node.members.length === 0
        ? "{}"
        : `{\n${node.members.map((member) => `${inner}${JSON.stringify(member.name.text)}: ${pretty(member.value, inner)}`).join(",\n")}\n${indent}}`;
  }
}

/** White space between values goes; within strings it stays. */
export function compact(text: string): string {
  let out = "";
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (letter === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
      out += text.slice(at, end + 1);
      at = end;
    } else if (!/[ \t\r\n]/.test(letter)) {
      out += letter;
    }
  }
  return out;
}

export interface Edited {
  /** What goes to the gateway; empty when it cannot. */
  readonly text: string;
  readonly problem: string;
  /** Names of arguments that are not as they were. */
  readonly changed: readonly string[];
}

export function readEdited(before: Node, text: string): Edited {
  const packed = compact(text);
  let node: Node;
  try {
    node = lex(new TextEncoder().encode(packed));
  } catch (error) {
    return { text: "", problem: error instanceof LexError ? `This is no JSON: ${error.message}.` : String(error), changed: [] };
  }
  if (node.kind !== "object") return { text: "", problem: "Arguments are one object: begin with { and end with }.", changed: [] };
  const changed = changedNames(before, node);
  return { text: packed, problem: changed.length === 0 ? "Nothing is changed yet." : "", changed };
}

function changedNames(before: Node, after: Node): string[] {
  const was = membersOf(before);
  const is = membersOf(after);
  return [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name));
}

function membersOf(node: Node): Map<string, string> {
  return new Map(node.kind === "object" ? node.members.map((member) => [member.name.text, pretty(member.value)]) : []);
}
