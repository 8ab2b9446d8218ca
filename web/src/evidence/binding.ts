// The digest a vote is bound to, recomputed from the bytes that are on the screen. Construction: the
// gateway's requests/binding.h: SHA-256 over the canonical JSON of exactly these nine members.

import { lex, LexError, memberOf, type Node, type Span } from "./lexer.ts";

export interface Evidence {
  /** Parsed spans of the bytes; what is missing here has its reason in `problem`. */
  readonly action: Node | undefined;
  readonly resource: Node | undefined;
  readonly subject: Node | undefined;
  readonly context: Node | undefined;
  readonly args: Node | undefined;
  /** Why it cannot be shown as it is; empty when it can. Then nobody may approve it here. */
  readonly problem: string;
  /** The bytes whose SHA-256 must be the digest; undefined when a member is missing. */
  readonly bound: Uint8Array<ArrayBuffer> | undefined;
  /** How many bytes of evidence there are. */
  readonly size: number;
}

export const EVIDENCE_BYTES_MAX = 128 * 1024;

const BOUND_JSON = ["action", "resource", "subject", "context"] as const;
type BoundName = (typeof BOUND_JSON)[number];

const encoder = new TextEncoder();

/** Takes the evidence out of the raw answer of GET /v1/requests/{id}. Throws nothing. */
export function readEvidence(bytes: Uint8Array, members: Map<string, Span>, tenant: string): Evidence {
  const nodes: Partial<Record<BoundName, Node>> = {};
  let problem = "";
  let size = 0;
  for (const name of BOUND_JSON) {
    const span = members.get(name);
    if (span === undefined || isNull(bytes, span)) {
      problem ||= name === "context" && span === undefined ? "" : `The ${name} is not there any more.`;
      continue;
    }
    size += span.end - span.start;
    try {
      nodes[name] = lex(bytes, span);
    } catch (error) {
      problem ||= `The ${name} cannot be shown: ${reasonOf(error)}.`;
    }
  }
  if (size > EVIDENCE_BYTES_MAX) {
    problem ||= `This is ${size.toLocaleString("en")} bytes long, more than a person can review here.`;
  }
  return {
    action: nodes.action,
    resource: nodes.resource,
    subject: nodes.subject,
    context: nodes.context,
    args: memberOf(memberOf(nodes.action, "properties"), "args"),
    problem,
    bound: boundBytes(bytes, members, tenant),
    size,
  };
}

function reasonOf(error: unknown): string {
  return error instanceof LexError ? `${error.message} (byte ${error.at.toLocaleString("en")})` : String(error);
}

function isNull(bytes: Uint8Array, span: Span): boolean {
  return span.end - span.start === 4 && bytes[span.start] === 0x6e;
}

/**
 * {"action":…,"agent":…,"audience":…,"context":…,"resource":…,"salt":…,"subject":…,"tenant":…,"v":1}
 * with each member's bytes copied from the answer. An absent audience is "", an absent context {}.
 */
export function boundBytes(
  bytes: Uint8Array,
  members: Map<string, Span>,
  tenant: string,
): Uint8Array<ArrayBuffer> | undefined {
  const pieces: Uint8Array[] = [];
  const add = (text: string) => pieces.push(encoder.encode(text));
  const copy = (name: string, otherwise?: string): boolean => {
    const span = members.get(name);
    if (span !== undefined && !isNull(bytes, span)) {
      pieces.push(bytes.subarray(span.start, span.end));
      return true;
    }
    if (otherwise !== undefined && span === undefined) {
      add(otherwise);
      return true;
    }
    return false;
  };
  add('{"action":');
  if (!copy("action")) return undefined;
  add(',"agent":');
  if (!copy("agent")) return undefined;
  add(',"audience":');
  if (!copy("audience", '""')) return undefined;
  add(',"context":');
  if (!copy("context", "{}")) return undefined;
  add(',"resource":');
  if (!copy("resource")) return undefined;
  add(',"salt":');
  if (!copy("salt")) return undefined;
  add(',"subject":');
  if (!copy("subject")) return undefined;
  add(`,"tenant":${JSON.stringify(tenant)},"v":1}`);
  return join(pieces);
}

function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** 64 hexadecimal digits. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
