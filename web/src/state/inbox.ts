// What waits, kept current by the live connection, or by asking again where there is none.

import { batch, computed, signal } from "@preact/signals";
import { get, isReachable } from "../wire/api.ts";
import { Live, type Connection } from "../wire/live.ts";
import type { LiveMessage } from "../wire/live_rules.ts";
import { Refusal } from "../wire/problem.ts";
import { summaryOf, timeOf, type Freeze, type Summary } from "../wire/types.ts";
import { learnExactTime, now } from "./clock.ts";
import {
  EMPTY_QUEUE, applyChanges, collapse, isForPerson, listed, matches, parseFilter, pendingOf, repeatKey, replaceAll, showHeld, sweep, type Queue,
} from "./queue.ts";
import { route } from "./router.ts";
import { endSession, findSession, me, session, standing } from "./session.ts";

const PAGE_LIMIT = 100;
const WAITING_MAX = 10_000;
const POLL_MS = 5_000;
const PULSE_MS = 20_000;

export const queue = signal<Queue>(EMPTY_QUEUE);
export const filterText = signal("");
export const scope = signal<"mine" | "all">("mine");
export const isLoading = signal(true);
export const loadProblem = signal("");
/** The list is scrolled or a pointer is down on it: nothing may move under the reader. */
export const holds = signal(false);
export const freezes = signal<readonly Freeze[]>([]);
export const presence = signal<ReadonlyMap<string, readonly string[]>>(new Map());
/** The last words for a screen reader. */
export const announcement = signal("");
/** Requests whose detail may have changed: id and how often. */
export const touched = signal<ReadonlyMap<string, number>>(new Map());

const socketState = signal<Connection>("connecting");
/** HTTP works although the live connection does not. */
const polls = signal(false);

export type Link = "live" | "catching-up" | "connecting" | "polling" | "offline";
export const link = computed<Link>(() => {
  if (socketState.value === "live") return "live";
  if (socketState.value === "catching-up") return "catching-up";
  if (polls.value) return "polling";
  return socketState.value === "connecting" && !hasFailed.value ? "connecting" : "offline";
});
const hasFailed = signal(false);
/** No decision is sent while what is on the screen may be old. */
export const mayDecideNow = computed(() => link.value === "live" || link.value === "polling");

const filter = computed(() => parseFilter(filterText.value));
export const unknownFilters = computed(() => filter.value.unknown);
const groups = computed(() => me.value?.groups ?? []);
const isMine = (row: Summary) => isForPerson(row, groups.value);
/** Keys of repeats that the reader unfolded. */
export const unfolded = signal<ReadonlySet<string>>(new Set());

export const list = computed(() => {
  const page = listed(queue.value, (row) => (scope.value === "all" || isMine(row)) && matches(filter.value, row));
  const selected = queue.value.byId.get(route.value.request);
  const open = new Set(unfolded.value);
  if (selected !== undefined) open.add(repeatKey(selected));
  return { ...page, ...collapse(page.rows, open) };
});
export const waiting = computed(() => pendingOf(queue.value));
export const waitingForMe = computed(() => waiting.value.filter(isMine));

const live = new Live({
  csrf: () => session.peek()?.csrf ?? "",
  onBatch: takeBatch,
  onState: (state) => {
    socketState.value = state;
    if (state === "offline") {
      hasFailed.value = true;
      void probe();
    }
  },
  onSessionEnd: endSession,
  onRefused: () => void renewToken(),
});

/** Refused with 4403: comes back only with another token than the one that was refused. */
async function renewToken(): Promise<void> {
  const refused = session.peek()?.csrf;
  try {
    await findSession();
  } catch {
    return; // asking, instead of the live connection, goes on
  }
  if (standing.peek() === "signed-in" && session.peek()?.csrf !== refused) live.hurry();
}

function takeBatch(messages: readonly LiveMessage[]): void {
  batch(() => {
    const changes: Summary[] = [];
    for (const message of messages) {
      if (message.k === "request") changes.push(message.summary);
      else if (message.k === "freeze") reread();
      else if (message.k === "policy") reread();
      else if (message.k === "presence") notePresence(message.request, message.people);
      else {
        learnExactTime(timeOf(message.now));
        settle(message.k === "reset");
      }
    }
    takeChanges(changes);
  });
}

/** A freeze or a new policy: what it covers is told by no event of its own. */
function reread(): void {
  const open = route.peek().request;
  void loadFreezes();
  void load().catch(() => {});
  if (open !== "") touch([open]);
}

function touch(ids: readonly string[]): void {
  const counts = new Map(touched.peek());
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  touched.value = counts;
}

function settle(isReset: boolean): void {
  polls.value = false;
  hasFailed.value = false;
  if (isReset) void load().then(() => (socketState.value = "live"));
  else socketState.value = "live";
}

export function takeChanges(changes: readonly Summary[]): void {
  if (changes.length === 0) return;
  const before = queue.peek();
  queue.value = applyChanges(before, changes, holds.peek(), Date.now());
  touch(changes.map((row) => row.id));
  announce(changes.filter((row) => row.state === "pending" && !before.byId.has(row.id)));
}

function announce(fresh: readonly Summary[]): void {
  if (fresh.length === 0) return;
  const critical = fresh.filter((row) => row.risk === "critical").length;
  const what = fresh.length === 1 ? `1 new request, ${fresh[0]!.risk} risk` : `${fresh.length} new requests`;
  announcement.value = critical > 0 && fresh.length > 1 ? `${what}, ${critical} critical` : what;
}

function notePresence(request: string, people: readonly string[]): void {
  const next = new Map(presence.peek());
  const others = people.filter((name) => name !== me.peek()?.name);
  if (others.length > 0) next.set(request, others);
  else next.delete(request);
  presence.value = next;
}

/** Reads all that waits, a page at a time; the first page is shown as soon as it is there. */
export async function load(): Promise<void> {
  const rows: Summary[] = [];
  let after = "";
  try {
    do {
      const page = await get<{ requests: unknown[]; next?: string }>(
        `/v1/requests?state=pending&limit=${PAGE_LIMIT}${after && `&after=${encodeURIComponent(after)}`}`,
      );
      rows.push(...page.requests.map(summaryOf));
      after = page.next ?? "";
      if (isLoading.peek()) batch(() => ((queue.value = replaceAll(rows)), (isLoading.value = false)));
    } while (after !== "" && rows.length < WAITING_MAX);
    batch(() => {
      queue.value = reconcile(rows);
      loadProblem.value = "";
      isLoading.value = false;
    });
  } catch (error) {
    loadProblem.value = error instanceof Error ? error.message : String(error);
    isLoading.value = false;
    if (!(error instanceof Refusal)) polls.value = false;
    throw error;
  }
}

/** A new snapshot while someone scrolls: what is new is held back, what is gone is gone. */
function reconcile(rows: readonly Summary[]): Queue {
  const old = queue.peek();
  const fresh = replaceAll(rows);
  if (!holds.peek()) return fresh;
  return { ...fresh, shown: new Set([...fresh.byId.keys()].filter((id) => old.shown.has(id))) };
}

export async function loadFreezes(): Promise<void> {
  try {
    const all = await get<{ freezes: Freeze[] }>("/v1/freezes");
    freezes.value = all.freezes.filter((freeze) => freeze.until === undefined);
  } catch {
    // the banner stays as it was; the page itself says what is wrong
  }
}

/** Whether plain HTTP works: then the page keeps itself current by asking. */
async function probe(): Promise<void> {
  try {
    await load();
    polls.value = true;
  } catch {
    polls.value = false;
  }
}

/** A connection that only seems open must not let old things look current. */
async function feelPulse(): Promise<void> {
  if (document.hidden || standing.peek() !== "signed-in" || socketState.peek() !== "live") return;
  if (!(await isReachable())) live.drop();
}

export function showNew(): void {
  queue.value = showHeld(queue.peek());
}

export function viewing(request: string | null): void {
  live.view(request);
}

export function retryNow(): void {
  live.hurry();
}

let started = false;

/** Called whenever someone has signed in. */
export function startInbox(): void {
  live.start();
  void load().catch(() => {});
  void loadFreezes();
  if (started) return;
  started = true;
  addEventListener("online", retryNow);
  addEventListener("offline", () => void feelPulse());
  document.addEventListener("visibilitychange", () => void feelPulse());
  setInterval(() => void feelPulse(), PULSE_MS);
  setInterval(() => {
    queue.value = sweep(queue.peek(), Date.now(), route.peek().request);
  }, 1_000);
  setInterval(() => {
    if (standing.peek() === "signed-in" && link.peek() === "polling" && !document.hidden) void probe();
  }, POLL_MS);
}

export function stopInbox(): void {
  live.stop();
  batch(() => {
    queue.value = EMPTY_QUEUE;
    isLoading.value = true;
    freezes.value = [];
    presence.value = new Map();
  });
}

/** What runs out next, of what this person may decide. */
export const nextEnd = computed(() =>
  waitingForMe.value.reduce((soonest, row) => (row.timeoutAt > now.value && row.timeoutAt < soonest ? row.timeoutAt : soonest), Infinity),
);
