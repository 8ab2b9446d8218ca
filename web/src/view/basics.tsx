// Small parts that every screen uses.

import type { ComponentChildren } from "preact";
import { now } from "../state/clock.ts";
import type { Risk, State } from "../wire/types.ts";
import { fullText, momentText, utcText } from "./time.ts";

// Shape before hue: each risk has an outline of its own, legible in grey and in forced colours.
const SHAPES: Readonly<Record<Risk, string>> = {
  low: "M6 2.5 10.5 10h-9Z",
  medium: "M6 1.2 10.8 6 6 10.8 1.2 6Z",
  high: "M3.6 1.4h4.8L10.8 6l-2.4 4.6H3.6L1.2 6Z",
  critical: "M6 .9 11.1 6 6 11.1.9 6Zm0 2.6v3M6 8.1v.6",
};

const RISK_WORDS: Readonly<Record<Risk, string>> = { low: "Low", medium: "Medium", high: "High", critical: "Critical" };

export function RiskTag({ risk }: { risk: Risk }) {
  return (
    <span class={`risk ${risk}`}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        <path d={SHAPES[risk]} />
      </svg>
      {RISK_WORDS[risk]}
    </span>
  );
}

const STATE_WORDS: Readonly<Record<State, string>> = {
  pending: "Waiting", approved: "Approved", denied: "Denied", expired: "Expired", cancelled: "Cancelled",
};

export function StateTag({ state }: { state: State }) {
  return <span class={`state ${state}`}>{STATE_WORDS[state] ?? state}</span>;
}

const REASONS: Readonly<Record<string, string>> = {
  policy_allow: "policy allows it without a person",
  policy_deny: "policy denies it",
  approved_by_people: "people approved it",
  denied_by_person: "a person denied it",
  timed_out: "nobody answered in time",
  withdrawn: "its caller withdrew it",
  cancelled_by_admin: "an admin cancelled it",
  frozen: "a freeze covers it",
  recently_denied: "the same was denied a moment ago",
  rolled_back: "the store was restored from a backup",
};

export function reasonText(reason: string): string {
  return REASONS[reason] ?? reason.replace(/_/g, " ");
}

export function Moment({ at, whole }: { at: number; whole?: boolean }) {
  if (at === 0) return <span>–</span>;
  return (
    <time class="num" dateTime={new Date(at).toISOString()} title={utcText(at)}>
      {whole ? fullText(at) : momentText(at, now.value)}
    </time>
  );
}

export function Notice({ kind = "plain", title, children, role }: {
  kind?: "plain" | "warn" | "stop" | "good";
  title?: ComponentChildren;
  children?: ComponentChildren;
  role?: "alert" | "status";
}) {
  return (
    <div class={`notice ${kind}`} role={role}>
      {title !== undefined && <strong>{title}</strong>}
      {children !== undefined && <div>{children}</div>}
    </div>
  );
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <path d="M3.5 15.5c3-8 5-9.500 5.700-8.200.9 1.700-3.400 7.900-1.500 8.600 1.700.6 2.900-3.600 4.200-3.300 1 .3.200 2.600 1.600 2.600 1.100 0 1.500-1.500 2.700-1.500" />
      <path d="M3.500 19.500h17" />
      <path d="M15.500 8.500 17.500 10.500 21 5.500" />
    </svg>
  );
}

export function PageHeading({ children }: { children: ComponentChildren }) {
  return (
    <h1 data-page-heading tabIndex={-1}>
      {children}
    </h1>
  );
}

export function Pips({ done, of }: { done: number; of: number }) {
  return (
    <span class="pips" aria-hidden="true">
      {Array.from({ length: Math.min(of, 12) }, (_, i) => (
        <i key={i} class={i < done ? "on" : ""} />
      ))}
    </span>
  );
}
