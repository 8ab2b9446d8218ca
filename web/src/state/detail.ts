// One request as the gateway tells it, with the evidence kept as the bytes that came.

import { lex, memberOf, splitObject, stringOf, type Node, type Span } from "../evidence/lexer.ts";
import { digestOf, readEvidence, type Evidence } from "../evidence/binding.ts";
import { timeOf, type Budget, type Comment, type Grant, type Ladder, type PastEdit, type Requirement, type Risk, type State, type Vote, type Watch } from "../wire/types.ts";

export type Match = "matches" | "differs" | "unchecked";

export interface Detail {
  readonly id: string;
  readonly evidence: Evidence;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** As the gateway says it. */
  readonly digest: string;
  /** As this browser computes it; empty where it cannot. */
  readonly computed: string;
  readonly match: Match;
  readonly agent: string;
  readonly caller: string;
  readonly audience: string;
  /** What the caller proved to be without a key; empty with one. */
  readonly identity: string;
  /** Who acts for whom, the current actor first. */
  readonly act: readonly string[];
  /** Which of agent and subject the caller only claims. */
  readonly unverified: readonly string[];
  readonly risk: Risk;
  readonly state: State;
  readonly reason: string;
  readonly revision: number;
  readonly createdAt: number;
  readonly timeoutAt: number;
  readonly endedAt: number;
  readonly frozen: boolean;
  readonly mayApprove: boolean;
  readonly mayDeny: boolean;
  readonly mayEdit: boolean;
  /** May approve, but only with a passkey's signature. */
  readonly needsPasskey: boolean;
  readonly missing: number;
  readonly nearDenials: number;
  readonly openEffectOf: string;
  readonly asked: readonly string[];
  readonly requirements: readonly Requirement[];
  readonly votes: readonly Vote[];
  readonly grant: Grant | undefined;
  /** What the policy's author says to approvers. */
  readonly message: string;
  /** What the agent gives as its reason. Nobody has checked it. */
  readonly why: string;
  /** Names of arguments: what to read first, and what to retype where the risk is critical. */
  readonly show: readonly string[];
  readonly challenge: readonly string[];
  readonly ladder: Ladder | undefined;
  readonly watching: readonly Watch[];
  readonly edits: readonly PastEdit[];
  readonly comments: number;
  /** What the agent was asked and has not answered. */
  readonly question: Comment | undefined;
  /** How many that ask the same are pending, with this one. */
  readonly repeats: number;
  readonly budget: Budget | undefined;
  readonly nobodyCanApprove: boolean;
  readonly policy: string;
  readonly verdict: string;
}

/** Plain values of what is not evidence. */
function valueOf(node: Node | undefined): unknown {
  switch (node?.kind) {
    case "string":
      return node.text;
    case "number":
      return Number(node.text);
    case "word":
      return node.text === "null" ? undefined : node.text === "true";
    case "array":
      return node.items.map(valueOf);
    case "object":
      return Object.fromEntries(node.members.map((member) => [member.name.text, valueOf(member.value)]));
    case undefined:
      return undefined;
  }
}

class Members {
  constructor(
    private readonly bytes: Uint8Array,
    private readonly spans: Map<string, Span>,
  ) {}

  value(name: string): unknown {
    const span = this.spans.get(name);
    return span === undefined ? undefined : valueOf(lex(this.bytes, span));
  }

  text(name: string): string {
    const value = this.value(name);
    return typeof value === "string" ? value : "";
  }

  number(name: string): number {
    const value = this.value(name);
    return typeof value === "number" ? value : 0;
  }

  list<T>(name: string): readonly T[] {
    const value = this.value(name);
    return Array.isArray(value) ? (value as T[]) : [];
  }
}

const RISKS = new Set(["low", "medium", "high", "critical"]);

/** Reads the raw answer of GET /v1/requests/{id}. Throws LexError when it is no object at all. */
export async function readDetail(bytes: Uint8Array<ArrayBuffer>, tenant: string): Promise<Detail> {
  const spans = splitObject(bytes);
  const members = new Members(bytes, spans);
  const evidence = readEvidence(bytes, spans, tenant);
  const digest = members.text("digest");
  const computed = await digestHere(evidence);
  const risk = members.text("risk");
  return {
    id: members.text("id"),
    evidence,
    bytes,
    digest,
    computed,
    match: computed === "" ? "unchecked" : computed === digest ? "matches" : "differs",
    agent: members.text("agent"),
    caller: members.text("caller"),
    audience: members.text("audience"),
    identity: members.text("identity"),
    act: members.list<string>("act"),
    unverified: members.list<string>("unverified"),
    risk: RISKS.has(risk) ? (risk as Risk) : "critical",
    state: members.text("state") as State,
    reason: members.text("reason"),
    revision: members.number("revision"),
    createdAt: timeOf(members.value("created_at")),
    timeoutAt: timeOf(members.value("timeout_at")),
    endedAt: timeOf(members.value("ended_at")),
    frozen: members.value("frozen") === true,
    mayApprove: members.value("may_approve") === true,
    mayDeny: members.value("may_deny") === true,
    needsPasskey: members.value("needs_passkey") === true,
    mayEdit: members.value("may_edit") === true,
    missing: members.number("missing"),
    nearDenials: members.number("near_denials"),
    openEffectOf: members.text("open_effect_of"),
    asked: members.list<string>("asked"),
    requirements: members.list<Requirement>("requirements"),
    votes: members.list<Vote>("votes"),
    grant: members.value("grant") as Grant | undefined,
    message: members.text("message"),
    why: members.text("why"),
    show: members.list<string>("show"),
    challenge: members.list<string>("challenge"),
    ladder: members.value("ladder") as Ladder | undefined,
    watching: members.list<Watch>("watching"),
    edits: members.list<PastEdit>("edits"),
    comments: members.number("comments"),
    question: members.value("question") as Comment | undefined,
    repeats: (members.value("group") as { count?: number } | undefined)?.count ?? 1,
    budget: members.value("budget") as Budget | undefined,
    nobodyCanApprove: members.value("nobody_can_approve") === true,
    policy: members.text("policy"),
    verdict: members.text("verdict"),
  };
}

async function digestHere(evidence: Evidence): Promise<string> {
  if (evidence.bound === undefined || globalThis.crypto?.subtle === undefined) return "";
  return digestOf(evidence.bound);
}

/** "order/4711" of a subject or resource; what the gateway names it by. */
export function entityText(node: Node | undefined): string {
  const type = stringOf(memberOf(node, "type"));
  const id = stringOf(memberOf(node, "id"));
  return type === undefined || id === undefined ? "" : `${type}/${id}`;
}

export function actionName(detail: Detail): string {
  return stringOf(memberOf(detail.evidence.action, "name")) ?? "";
}

/** What a vote is bound to: when any of it changes, reading starts again. */
export function subjectOf(detail: Detail): string {
  return `${detail.id} ${detail.revision} ${detail.digest}`;
}
