// The order and the filter of the inbox. Pure.

import { riskRank, type Risk, type State, type Summary } from "../wire/types.ts";

/** Most urgent first: risk, then what runs out soonest, then who came first. */
export function compareUrgency(a: Summary, b: Summary): number {
  const risk = riskRank(b.risk) - riskRank(a.risk);
  if (risk !== 0) return risk;
  const left = (a.timeoutAt || Infinity) - (b.timeoutAt || Infinity);
  if (left !== 0 && !Number.isNaN(left)) return left;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

export interface Filter {
  readonly words: readonly string[];
  readonly tests: readonly ((row: Summary) => boolean)[];
  /** Parts that look like `name:value` but name nothing we know. */
  readonly unknown: readonly string[];
}

const FIELDS: Readonly<Record<string, (row: Summary) => string>> = {
  action: (row) => row.action,
  tool: (row) => row.action,
  agent: (row) => row.agent,
  resource: (row) => row.resource,
  subject: (row) => row.subject,
  state: (row) => row.state,
};

/** `pay risk:>=high agent:shop-* -resource:order/9` */
export function parseFilter(text: string): Filter {
  const words: string[] = [];
  const tests: ((row: Summary) => boolean)[] = [];
  const unknown: string[] = [];
  for (const part of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    const [, no, name, value] = /^(-?)([a-z]+):(.+)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) {
      words.push(part);
      continue;
    }
    const test = name === "risk" ? riskTest(value) : fieldTest(name, value);
    if (test === undefined) unknown.push(part);
    else tests.push(no === "-" ? (row) => !test(row) : test);
  }
  return { words, tests, unknown };
}

function fieldTest(name: string, value: string): ((row: Summary) => boolean) | undefined {
  const read = FIELDS[name];
  if (read === undefined) return undefined;
  const pieces = value.split("*").map((piece) => piece.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  const pattern = new RegExp(value.includes("*") ? `^${pieces.join(".*")}$` : pieces.join(""));
  return (row) => pattern.test(read(row).toLowerCase());
}

function riskTest(value: string): ((row: Summary) => boolean) | undefined {
  const [, sign, name] = /^(>=|<=|>|<)?([a-z]+)$/.exec(value) ?? [];
  const wanted = ["low", "medium", "high", "critical"].indexOf(name ?? "");
  if (wanted < 0) return undefined;
  return (row) => {
    const rank = riskRank(row.risk);
    if (sign === ">=") return rank >= wanted;
    if (sign === "<=") return rank <= wanted;
    if (sign === ">") return rank > wanted;
    if (sign === "<") return rank < wanted;
    return rank === wanted;
  };
}

export function matches(filter: Filter, row: Summary): boolean {
  if (!filter.tests.every((test) => test(row))) return false;
  if (filter.words.length === 0) return true;
  const text = `${row.action}\n${row.agent}\n${row.resource}\n${row.subject}\n${row.risk}\n${row.id}`.toLowerCase();
  return filter.words.every((word) => text.includes(word));
}

export function countByRisk(rows: readonly Summary[]): Record<Risk, number> {
  const counts: Record<Risk, number> = { low: 0, medium: 0, high: 0, critical: 0 };
  for (const row of rows) counts[row.risk]++;
  return counts;
}

/** Whether this person is among those who may decide it, as far as is known. */
export function isForPerson(row: Summary, groups: readonly string[]): boolean {
  if (row.mayApprove !== undefined || row.mayDeny !== undefined) {
    return row.mayApprove === true || row.mayDeny === true;
  }
  return row.asked.some((group) => groups.includes(group));
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly held: number;
}

export interface Queue {
  /** Everything known that waits, or ended a moment ago. */
  readonly byId: ReadonlyMap<string, Summary>;
  /** Ids the reader has been shown; only these are listed while something is held back. */
  readonly shown: ReadonlySet<string>;
  /** When each ended, on this machine's clock, so that it can leave a little later. */
  readonly endedHere: ReadonlyMap<string, number>;
}

export const EMPTY_QUEUE: Queue = { byId: new Map(), shown: new Set(), endedHere: new Map() };
export const LINGER_MS = 6_000;

const isPending = (state: State) => state === "pending";

/** A fresh snapshot replaces what was there; what was on the screen keeps its place. */
export function replaceAll(rows: readonly Summary[]): Queue {
  const byId = new Map(rows.filter((row) => isPending(row.state)).map((row) => [row.id, row]));
  return { byId, shown: new Set(byId.keys()), endedHere: new Map() };
}

/** Applies events in order. `holds` keeps what is new out of the list until it is asked for. */
export function applyChanges(queue: Queue, changes: readonly Summary[], holds: boolean, hereMs: number): Queue {
  const byId = new Map(queue.byId);
  const shown = new Set(queue.shown);
  const endedHere = new Map(queue.endedHere);
  for (const row of changes) {
    const known = byId.get(row.id);
    if (isPending(row.state)) {
      byId.set(row.id, withKnownRights(row, known));
      if (!holds) shown.add(row.id);
    } else if (known !== undefined) {
      byId.set(row.id, row);
      if (!shown.has(row.id)) byId.delete(row.id);
      else if (!endedHere.has(row.id)) endedHere.set(row.id, hereMs);
    }
  }
  return { byId, shown, endedHere };
}

/** Events do not say what this person may do; what was said for the same revision still holds. */
function withKnownRights(row: Summary, known: Summary | undefined): Summary {
  if (row.mayApprove !== undefined || known === undefined || known.revision !== row.revision || known.frozen !== row.frozen) {
    return row;
  }
  return { ...row, mayApprove: known.mayApprove, mayDeny: known.mayDeny };
}

export function showHeld(queue: Queue): Queue {
  return { ...queue, shown: new Set(queue.byId.keys()) };
}

/** Drops what ended long enough ago; the same queue when nothing did. `keep` stays (it is open). */
export function sweep(queue: Queue, hereMs: number, keep: string): Queue {
  const gone = [...queue.endedHere].filter(([id, at]) => id !== keep && hereMs - at >= LINGER_MS).map(([id]) => id);
  if (gone.length === 0) return queue;
  const byId = new Map(queue.byId);
  const shown = new Set(queue.shown);
  const endedHere = new Map(queue.endedHere);
  for (const id of gone) {
    byId.delete(id);
    shown.delete(id);
    endedHere.delete(id);
  }
  return { byId, shown, endedHere };
}

export function pendingOf(queue: Queue): Summary[] {
  return [...queue.byId.values()].filter((row) => isPending(row.state));
}

export function listed(queue: Queue, keeps: (row: Summary) => boolean): Page<Summary> {
  const rows: Summary[] = [];
  let held = 0;
  for (const row of queue.byId.values()) {
    if (!keeps(row)) continue;
    if (queue.shown.has(row.id)) rows.push(row);
    else if (isPending(row.state)) held++;
  }
  rows.sort(compareUrgency);
  return { rows, held };
}

/** From so many on, requests that ask the same are one row. */
export const REPEATS_LEAST = 3;

export interface Collapsed {
  readonly rows: readonly Summary[];
  /** By id of a row that stands for several: how many, with itself. */
  readonly counts: ReadonlyMap<string, number>;
}

/** One agent, one action, one resource, asked of the same people: what a person takes for the same. */
export function repeatKey(row: Summary): string {
  return JSON.stringify([row.agent, row.action, row.resource, row.risk, row.asked]);
}

/** Lets the most urgent of many alike stand for all; those of `open` (a key) stay apart. Each is still decided by itself. */
export function collapse(rows: readonly Summary[], open: ReadonlySet<string>): Collapsed {
  const sizes = new Map<string, number>();
  for (const row of rows) if (isPending(row.state)) sizes.set(repeatKey(row), (sizes.get(repeatKey(row)) ?? 0) + 1);
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  const kept = rows.filter((row) => {
    const key = repeatKey(row);
    const size = sizes.get(key) ?? 0;
    if (!isPending(row.state) || size < REPEATS_LEAST) return true;
    const isFirst = !seen.has(key);
    seen.add(key);
    if (isFirst) counts.set(row.id, size);
    return isFirst || open.has(key);
  });
  return { rows: kept, counts };
}

/** Which row comes into view when `id` is decided: the next most urgent that still waits. */
export function nextAfter(rows: readonly Summary[], id: string): string | undefined {
  const at = rows.findIndex((row) => row.id === id);
  const waits = (row: Summary) => row.id !== id && isPending(row.state);
  return (rows.slice(at + 1).find(waits) ?? rows.find(waits))?.id;
}
