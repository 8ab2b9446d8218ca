// The gateway's JSON, as gateway/api writes it.

export type Risk = "low" | "medium" | "high" | "critical";
export type State = "pending" | "approved" | "denied" | "expired" | "cancelled";

/** What the inbox knows of a request: no arguments. */
export interface Summary {
  readonly id: string;
  readonly action: string;
  readonly agent: string;
  /** "order/4711" */
  readonly resource: string;
  readonly subject: string;
  readonly risk: Risk;
  readonly state: State;
  readonly reason?: string | undefined;
  readonly revision: number;
  readonly createdAt: number;
  /** 0 when it has no end of its own. */
  readonly timeoutAt: number;
  readonly endedAt: number;
  readonly missing: number;
  readonly asked: readonly string[];
  readonly frozen: boolean;
  /** How many have been said; one of them waits for the agent. */
  readonly comments: number;
  readonly question: boolean;
  /** Unknown until the gateway has said so for this person. */
  readonly mayApprove?: boolean | undefined;
  readonly mayDeny?: boolean | undefined;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly display?: string;
  readonly admin: boolean;
  readonly auditor: boolean;
  readonly groups: readonly string[];
  readonly enabled?: boolean;
  readonly subjects?: readonly string[];
  readonly created_at?: string;
}

export interface Session {
  readonly csrf: string;
  readonly person: Person;
  readonly tenant: string;
  readonly expires_at: string;
  readonly production: boolean;
  /** Until then this session may do what a stolen one must not. */
  readonly stepped_up_until?: string;
  readonly gateway: { readonly version: string; readonly issuer: string };
}

export interface Requirement {
  readonly approved: number;
  readonly assurance: string;
  readonly groups: readonly string[];
  readonly quorum: number;
  readonly rule: string;
}

export interface Vote {
  readonly assurance: string;
  readonly at: string;
  readonly id: string;
  readonly late: boolean;
  readonly person: string;
  readonly quick?: true;
  readonly reason?: string;
  readonly retyped?: true;
  readonly revision: number;
  readonly vote: "approve" | "deny";
}

/** One field that an approver changed. */
export interface Change {
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

export interface PastEdit {
  readonly at: string;
  /** Nothing once erased. */
  readonly changes?: readonly Change[];
  readonly person: string;
  readonly reason?: string;
  readonly revision: number;
}

export interface Comment {
  readonly id: string;
  readonly at: string;
  readonly by: "agent" | "person";
  readonly name: string;
  readonly revision: number;
  /** Nothing once erased. */
  readonly text?: string;
}

export interface Ladder {
  readonly next_at?: string;
  readonly rungs: readonly { readonly at: string; readonly groups: readonly string[]; readonly reached: boolean; readonly rule: string }[];
  readonly then: State;
}

export interface Watch {
  readonly person: string;
  readonly since: string;
  readonly until: string;
}

export interface Budget {
  readonly limit: number;
  readonly used: number;
}

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly person: string;
  readonly created_at: string;
  readonly used_at?: string;
  readonly trusted: boolean;
  readonly trusted_at: string;
  readonly synced: boolean;
  readonly enabled: boolean;
}

/** What is to be asked of a passkey. */
export interface PasskeyQuestion {
  readonly challenge: string;
  readonly expires_at: string;
  readonly public_key: Readonly<Record<string, unknown>>;
  /** Of a vote: what is signed. */
  readonly statement?: string;
}

export interface Grant {
  readonly state: string;
  readonly id: string;
  readonly claim_until?: string;
  readonly redeemed_at?: string;
}

export interface Entry {
  readonly seq: number;
  readonly at: string;
  readonly type: string;
  readonly actor: { readonly id: string; readonly kind: string; readonly via?: string };
  readonly data: Readonly<Record<string, unknown>>;
}

export interface VoteAnswer {
  readonly outcome: "counted" | "unchanged" | "late" | "none";
  readonly state: State;
  readonly reason?: string;
  readonly missing: number;
}

export interface Freeze {
  readonly id: string;
  readonly scope: "everything" | "tenant" | "agent" | "action";
  readonly target?: string;
  readonly reason: string;
  readonly by: string;
  readonly since: string;
  readonly until?: string;
  readonly thawed_by?: string;
}

export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly owner?: string;
  readonly enabled: boolean;
}

export interface Caller {
  readonly id: string;
  readonly name: string;
  readonly agents: readonly string[];
  readonly subjects: readonly string[];
  readonly audiences: readonly string[];
  readonly enabled: boolean;
}

export interface Credential {
  readonly id: string;
  readonly kind: "key" | "token";
  readonly label?: string;
  readonly owner: string;
  readonly enabled: boolean;
  readonly created_at?: string;
  readonly expires_at?: string;
  readonly last_used_at?: string;
  readonly disabled_reason?: string;
  readonly secret?: string;
}

export interface Checkpoint {
  readonly at: string;
  readonly checkpoint: string;
  readonly epoch: number;
  readonly origin: string;
  readonly size: number;
  readonly vkey: string;
}

const RISKS: readonly Risk[] = ["low", "medium", "high", "critical"];

/** 0 for low … 3 for critical; what is not known counts as critical. */
export function riskRank(risk: Risk): number {
  const rank = RISKS.indexOf(risk);
  return rank < 0 ? 3 : rank;
}

export function timeOf(text: unknown): number {
  const at = typeof text === "string" ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? 0 : at;
}

type Loose = Record<string, unknown>;

function entityOf(value: unknown): string {
  const entity = value as { type?: unknown; id?: unknown } | null;
  if (typeof value === "string") return value;
  return entity && typeof entity === "object" ? `${String(entity.type)}/${String(entity.id)}` : "";
}

function nameOf(value: unknown): string {
  if (typeof value === "string") return value;
  const action = value as { name?: unknown } | null;
  return action && typeof action === "object" ? String(action.name) : "";
}

/** From a row of GET /v1/requests or from the `r` of a live event. */
export function summaryOf(row: unknown): Summary {
  const from = row as Loose;
  return {
    id: String(from["id"]),
    action: nameOf(from["action"]),
    agent: String(from["agent"] ?? ""),
    resource: entityOf(from["resource"]),
    subject: entityOf(from["subject"]),
    risk: RISKS.includes(from["risk"] as Risk) ? (from["risk"] as Risk) : "critical",
    state: String(from["state"]) as State,
    reason: typeof from["reason"] === "string" ? from["reason"] : undefined,
    revision: Number(from["revision"] ?? 1),
    createdAt: timeOf(from["created_at"]),
    timeoutAt: timeOf(from["timeout_at"]),
    endedAt: timeOf(from["ended_at"]),
    missing: Number(from["missing"] ?? 0),
    asked: Array.isArray(from["asked"]) ? from["asked"].map(String) : [],
    frozen: from["frozen"] === true,
    comments: Number(from["comments"] ?? 0),
    question: from["question"] !== undefined && from["question"] !== false,
    mayApprove: typeof from["may_approve"] === "boolean" ? from["may_approve"] : undefined,
    mayDeny: typeof from["may_deny"] === "boolean" ? from["may_deny"] : undefined,
  };
}
