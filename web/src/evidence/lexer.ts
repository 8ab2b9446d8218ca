// Reads canonical JSON (RFC 8785) without ever turning it into JavaScript values: every node is a
// span of the very bytes that were hashed, numbers stay as they were sent, and what JSON.parse would
// silently mend (duplicate names, lone surrogates, white space) is a refusal.

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface StringNode extends Span {
  readonly kind: "string";
  /** What the string says, escapes resolved. */
  readonly text: string;
}

export interface AtomNode extends Span {
  readonly kind: "number" | "word";
  /** The lexeme as it stands in the bytes. */
  readonly text: string;
}

export interface Member {
  readonly name: StringNode;
  readonly value: Node;
}

export interface ObjectNode extends Span {
  readonly kind: "object";
  readonly members: readonly Member[];
}

export interface ArrayNode extends Span {
  readonly kind: "array";
  readonly items: readonly Node[];
}

export type Node = StringNode | AtomNode | ObjectNode | ArrayNode;

export class LexError extends Error {
  constructor(
    message: string,
    /** The byte it was noticed at. */
    readonly at: number,
  ) {
    super(message);
  }
}

export const DEPTH_MAX = 66; // the gateway takes 64; its answer wraps them twice
export const NODES_MAX = 20_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t",
};
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
const WORDS = new Set(["true", "false", "null"]);

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a span. Throws LexError when the bytes are not UTF-8. */
export function textOf(bytes: Uint8Array, span: Span): string {
  try {
    return strictUtf8.decode(bytes.subarray(span.start, span.end));
  } catch {
    throw new LexError("these bytes are not UTF-8 text", span.start);
  }
}

/** Reads one value that fills the span exactly. Throws LexError with the reason otherwise. */
export function lex(bytes: Uint8Array, span: Span = { start: 0, end: bytes.length }): Node {
  const reader = new Reader(bytes, span.start, span.end);
  const node = reader.value(1);
  if (reader.at !== span.end) {
    throw new LexError("something follows the value", reader.at);
  }
  return node;
}

/**
 * The members of the object that fills `bytes`, as spans, looking inside none of them: what an
 * agent sent cannot keep the rest from being read. The first of two members of one name counts as
 * a refusal too. Throws LexError.
 */
export function splitObject(bytes: Uint8Array): Map<string, Span> {
  const reader = new Reader(bytes, 0, bytes.length);
  const members = new Map<string, Span>();
  reader.expect(OPEN_OBJECT, "an object");
  if (!reader.skips(CLOSE_OBJECT)) {
    do {
      const name = reader.string();
      reader.expect(COLON, "`:`");
      const start = reader.at;
      reader.skipValue();
      if (members.has(name.text)) {
        throw new LexError(`the member \`${name.text}\` comes twice`, name.start);
      }
      members.set(name.text, { start, end: reader.at });
    } while (reader.skips(COMMA));
    reader.expect(CLOSE_OBJECT, "`}`");
  }
  if (reader.at !== bytes.length) {
    throw new LexError("something follows the object", reader.at);
  }
  return members;
}

class Reader {
  private nodes = 0;

  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private readonly end: number,
  ) {}

  private peek(): number {
    return this.at < this.end ? this.bytes[this.at]! : -1;
  }

  expect(byte: number, what: string): void {
    if (this.peek() !== byte) {
      throw new LexError(`${what} is expected here`, this.at);
    }
    this.at++;
  }

  skips(byte: number): boolean {
    const found = this.peek() === byte;
    this.at += found ? 1 : 0;
    return found;
  }

  value(depth: number): Node {
    if (depth > DEPTH_MAX) {
      throw new LexError(`nested deeper than ${DEPTH_MAX}`, this.at);
    }
    if (++this.nodes > NODES_MAX) {
      throw new LexError(`more than ${NODES_MAX.toLocaleString("en")} values`, this.at);
    }
    switch (this.peek()) {
      case OPEN_OBJECT:
        return this.object(depth);
      case OPEN_ARRAY:
        return this.array(depth);
      case QUOTE:
        return this.string();
      default:
        return this.atom();
    }
  }

  private object(depth: number): ObjectNode {
    const start = this.at++;
    const members: Member[] = [];
    const names = new Set<string>();
    if (!this.skips(CLOSE_OBJECT)) {
      do {
        const name = this.string();
        if (names.has(name.text)) {
          throw new LexError(`the member \`${name.text}\` comes twice`, name.start);
        }
        names.add(name.text);
        this.expect(COLON, "`:`");
        members.push({ name, value: this.value(depth + 1) });
      } while (this.skips(COMMA));
      this.expect(CLOSE_OBJECT, "`}`");
    }
    return { kind: "object", start, end: this.at, members };
  }

  private array(depth: number): ArrayNode {
    const start = this.at++;
    const items: Node[] = [];
    if (!this.skips(CLOSE_ARRAY)) {
      do {
        items.push(this.value(depth + 1));
      } while (this.skips(COMMA));
      this.expect(CLOSE_ARRAY, "`]`");
    }
    return { kind: "array", start, end: this.at, items };
  }

  private atom(): AtomNode {
    const start = this.at;
    while (isAtomByte(this.peek())) {
      this.at++;
    }
    const text = textOf(this.bytes, { start, end: this.at });
    if (WORDS.has(text)) {
      return { kind: "word", start, end: this.at, text };
    }
    if (NUMBER.test(text)) {
      return { kind: "number", start, end: this.at, text };
    }
    throw new LexError("a value is expected here", start);
  }

  string(): StringNode {
    const start = this.at;
    this.skipString();
    const raw = textOf(this.bytes, { start: start + 1, end: this.at - 1 });
    return { kind: "string", start, end: this.at, text: unescape(raw, start) };
  }

  skipString(): void {
    this.expect(QUOTE, "a string");
    for (let byte = this.peek(); byte !== QUOTE; byte = this.peek()) {
      if (byte < 0x20) {
        throw new LexError(byte < 0 ? "the string does not end" : "a bare control character", this.at);
      }
      this.at += byte === BACKSLASH ? 2 : 1;
    }
    this.at++;
  }

  /** Steps over one value by its brackets and strings only. */
  skipValue(): void {
    let depth = 0;
    do {
      const byte = this.peek();
      if (byte === QUOTE) {
        this.skipString();
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        depth++;
        this.at++;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        depth--;
        this.at++;
      } else if (isAtomByte(byte)) {
        while (isAtomByte(this.peek())) {
          this.at++;
        }
      } else if (depth > 0 && (byte === COMMA || byte === COLON)) {
        this.at++;
      } else {
        throw new LexError("a value is expected here", this.at);
      }
    } while (depth > 0);
  }
}

function isAtomByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2b || byte === 0x2d || byte === 0x2e || byte === 0x45
  );
}

function unescape(raw: string, at: number): string {
  const text = raw.includes("\\")
    ? raw.replace(/\\(u[0-9a-fA-F]{4}|[^u]|u)/g, (_, escape: string) => resolve(escape, at))
    : raw;
  if (!isWellFormed(text)) {
    throw new LexError("half of a surrogate pair", at);
  }
  return text;
}

function resolve(escape: string, at: number): string {
  const simple = ESCAPES[escape];
  if (simple !== undefined) {
    return simple;
  }
  if (escape.length !== 5) {
    throw new LexError(`\`\\${escape}\` is no escape of JSON`, at);
  }
  return String.fromCharCode(parseInt(escape.slice(1), 16));
}

function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}

/** The value of a member, undefined when there is none or the node is no object. */
export function memberOf(node: Node | undefined, name: string): Node | undefined {
  return node?.kind === "object"
    ? node.members.find((member) => member.name.text === name)?.value
    : undefined;
}

export function stringOf(node: Node | undefined): string | undefined {
  return node?.kind === "string" ? node.text : undefined;
}
