// The request that is open: read, kept current, decided.

import { batch, effect, signal } from "@preact/signals";
import { LexError } from "../evidence/lexer.ts";
import { call, get, post } from "../wire/api.ts";
import { askPasskey } from "../wire/passkey.ts";
import { Refusal, Unreachable, explain } from "../wire/problem.ts";
import type { Comment, Entry, PasskeyQuestion, Summary, VoteAnswer } from "../wire/types.ts";
import { actionName, entityText, readDetail, subjectOf, type Detail } from "./detail.ts";
import { link, queue, takeChanges, touched, viewing } from "./inbox.ts";
import { route } from "./router.ts";
import { session, standing } from "./session.ts";

export type Opened =
  | { readonly kind: "none" }
  | { readonly kind: "loading"; readonly id: string }
  | { readonly kind: "ready"; readonly detail: Detail }
  | { readonly kind: "missing"; readonly id: string }
  | { readonly kind: "failed"; readonly id: string; readonly why: string };

export const opened = signal<Opened>({ kind: "none" });
export const entries = signal<readonly Entry[]>([]);
export const comments = signal<readonly Comment[]>([]);
/** It changed under the reader: reading starts again. */
export const changedSince = signal(false);
/** What was typed as a reason, by request; kept over a lost session. */
export const drafts = signal<ReadonlyMap<string, string>>(new Map());

export type Outcome =
  | { readonly kind: "idle" }
  | { readonly kind: "sending"; readonly vote: "approve" | "deny"; readonly signs?: boolean }
  | { readonly kind: "done"; readonly vote: "approve" | "deny"; readonly answer: VoteAnswer }
  | { readonly kind: "refused"; readonly vote: "approve" | "deny"; readonly title: string; readonly why: string }
  | { readonly kind: "unknown"; readonly vote: "approve" | "deny" };

export const outcome = signal<Outcome>({ kind: "idle" });

let reading = 0;

export async function read(id: string): Promise<void> {
  const mine = ++reading;
  const tenant = session.peek()?.tenant ?? "";
  try {
    const answer = await call("GET", `/v1/requests/${id}`);
    const detail = await readDetail(answer.bytes, tenant);
    if (mine === reading) show(detail);
  } catch (error) {
    if (mine === reading) fail(id, error);
    return;
  }
  await Promise.all([readEntries(id, mine), readComments(id, mine)]);
}

function show(detail: Detail): void {
  const before = opened.peek();
  const isSame = before.kind === "ready" && before.detail.id === detail.id;
  batch(() => {
    if (!isSame) {
      entries.value = [];
      comments.value = [];
    }
    if (isSame && subjectOf(before.detail) !== subjectOf(detail)) changedSince.value = true;
    opened.value = { kind: "ready", detail };
    if (queue.peek().byId.has(detail.id) || detail.state === "pending") takeOwnChange(detail);
  });
}

/** What the detail says is newer than what the list knows, and says what this person may do. */
function takeOwnChange(detail: Detail): void {
  const known = queue.peek().byId.get(detail.id);
  if (known !== undefined && known.state !== "pending" && detail.state === "pending") return;
  const changes = new Map(touched.peek());
  takeChanges([summaryOfDetail(detail)]);
  touched.value = changes; // this is not news to the one who asked
}

function summaryOfDetail(detail: Detail): Summary {
  return {
    id: detail.id,
    action: actionName(detail),
    agent: detail.agent,
    resource: entityText(detail.evidence.resource),
    subject: entityText(detail.evidence.subject),
    risk: detail.risk,
    state: detail.state,
    reason: detail.reason || undefined,
    revision: detail.revision,
    createdAt: detail.createdAt,
    timeoutAt: detail.timeoutAt,
    endedAt: detail.endedAt,
    missing: detail.missing,
    asked: detail.asked,
    frozen: detail.frozen,
    comments: detail.comments,
    question: detail.question !== undefined,
    mayApprove: detail.mayApprove,
    mayDeny: detail.mayDeny,
  };
}

function fail(id: string, error: unknown): void {
  const before = opened.peek();
  if (error instanceof Refusal && error.problem.status === 404) {
    opened.value = { kind: "missing", id };
  } else if (before.kind === "ready" && before.detail.id === id) {
    return; // what was read stays readable; the status line says that the gateway is away
  } else {
    const why = error instanceof LexError ? `The answer of the gateway cannot be read: ${error.message}.` : explain(error);
    opened.value = { kind: "failed", id, why };
  }
}

async function readEntries(id: string, mine: number): Promise<void> {
  try {
    const found = await get<{ entries: Entry[] }>(`/v1/requests/${id}/entries`);
    if (mine === reading) entries.value = found.entries;
  } catch {
    // the timeline stays as it was
  }
}

async function readComments(id: string, mine: number): Promise<void> {
  const shown = opened.peek();
  if (shown.kind !== "ready" || shown.detail.id !== id || shown.detail.comments === 0) return;
  try {
    const found = await get<{ comments: Comment[] }>(`/v1/requests/${id}/comments`);
    if (mine === reading) comments.value = found.comments;
  } catch {
    // what was said stays as it was
  }
}

const noted = new Set<string>();

/** Tells the gateway that this revision is on the screen of a person, once. It refuses nothing. */
export async function noteView(detail: Detail): Promise<void> {
  const subject = subjectOf(detail);
  if (noted.has(subject)) return;
  noted.add(subject);
  await post(`/v1/requests/${detail.id}/views`, { revision: detail.revision, digest: detail.digest }).catch(() => noted.delete(subject));
}

/** "I'm on it", or no longer. */
export async function watch(detail: Detail, isOn: boolean): Promise<void> {
  await call(isOn ? "POST" : "DELETE", `/v1/requests/${detail.id}/watch`);
  await read(detail.id);
}

export async function say(detail: Detail, text: string): Promise<void> {
  await post(`/v1/requests/${detail.id}/comments`, { text });
  await read(detail.id);
}

/** What a vote carries beside the word. */
export interface VoteExtras {
  readonly reason: string;
  /** What was typed where the risk is critical, by argument. */
  readonly retyped: Readonly<Record<string, string>> | undefined;
}

/** Has a passkey sign exactly this decision. */
async function signed(detail: Detail, vote: "approve" | "deny"): Promise<object> {
  const question = await post<PasskeyQuestion>(`/v1/requests/${detail.id}/statement`, {
    vote,
    revision: detail.revision,
    digest: detail.digest,
  });
  return { ...(await askPasskey(question)), statement: question.statement };
}

/** Sends one vote, bound to what was shown. Nothing is queued and nothing is sent twice. */
export async function decide(detail: Detail, vote: "approve" | "deny", { reason, retyped }: VoteExtras): Promise<void> {
  const signs = vote === "approve" && detail.needsPasskey;
  outcome.value = { kind: "sending", vote, signs };
  try {
    const passkey = signs ? await signed(detail, vote) : undefined;
    const answer = await post<VoteAnswer>(`/v1/requests/${detail.id}/votes`, {
      vote,
      revision: detail.revision,
      digest: detail.digest,
      ...(passkey === undefined ? {} : { passkey }),
      ...(vote === "deny" || retyped === undefined ? {} : { retyped }),
      ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
    });
    forgetDraft(detail.id);
    outcome.value = { kind: "done", vote, answer };
  } catch (error) {
    outcome.value = outcomeOf(vote, error);
  }
  await read(detail.id);
}

function outcomeOf(vote: "approve" | "deny", error: unknown): Outcome {
  if (error instanceof Unreachable) return { kind: "unknown", vote };
  if (!(error instanceof Refusal)) return { kind: "refused", vote, title: "Nothing was decided", why: explain(error) };
  const { status, code, detail } = error.problem;
  const titles: Record<string, string> = {
    digest_mismatch: "This request changed while you read it. Nothing was decided",
    frozen: "It was frozen meanwhile. Nothing was decided",
  };
  const title = status === 401 ? "Your session ended. Nothing was decided" : (titles[code] ?? "Refused. Nothing was decided");
  return { kind: "refused", vote, title, why: detail };
}

export function draft(id: string, text: string): void {
  const next = new Map(drafts.peek());
  next.set(id, text);
  drafts.value = next;
}

function forgetDraft(id: string): void {
  const next = new Map(drafts.peek());
  next.delete(id);
  drafts.value = next;
}

/** Follows the address, the live events and the return of the connection. */
export function startOpen(): void {
  let shownId = "";
  let shownCount = 0;
  let wasLink = link.peek();
  effect(() => {
    const id = standing.value === "signed-in" ? route.value.request : shownId;
    const count = touched.value.get(id) ?? 0;
    const isBack = wasLink !== link.value && link.value === "live";
    wasLink = link.value;
    if (id !== shownId) {
      shownId = id;
      batch(() => {
        outcome.value = { kind: "idle" };
        changedSince.value = false;
        opened.value = id === "" ? { kind: "none" } : { kind: "loading", id };
      });
      viewing(id === "" ? null : id);
      if (id !== "") void read(id);
    } else if (id !== "" && (count !== shownCount || isBack)) {
      void read(id);
    }
    shownCount = count;
  });
}
