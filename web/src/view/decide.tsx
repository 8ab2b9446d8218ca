// The bar under a request: what happens next, and the only place where a decision is made.

import { useEffect, useRef } from "preact/hooks";
import { useSignal, type Signal } from "@preact/signals";
import { memberOf, stringOf, textOf } from "../evidence/lexer.ts";
import { codePointName } from "../evidence/visible.ts";
import { announcement, link, list, mayDecideNow } from "../state/inbox.ts";
import { now } from "../state/clock.ts";
import { actionName, subjectOf, type Detail } from "../state/detail.ts";
import { attend, disarm, openGuard, press, release, strike, waitMs, type Guard, type Word } from "../state/guard.ts";
import { changedSince, decide, draft, drafts, outcome, type Outcome } from "../state/open.ts";
import { nextAfter } from "../state/queue.ts";
import { ownVote, rightsOf, type Rights } from "../state/rights.ts";
import { keysEnabled } from "../state/settings.ts";
import { me } from "../state/session.ts";
import { Moment, reasonText } from "./basics.tsx";
import { Safe, type Clips } from "./safe.tsx";
import { countText, leftText, leftWords } from "./time.ts";

const CHALLENGE_MAX = 64;

export interface Retype {
  readonly what: string;
  readonly text: string;
  /** The argument it is, for the gateway to check; undefined where only this page asks. */
  readonly argument: string | undefined;
}

/** What has to be typed for a critical request: what its policy names, else its resource or a part of its digest. */
export function challengeOf(detail: Detail): readonly Retype[] {
  if (detail.risk !== "critical") return [];
  const named = detail.challenge.flatMap((name) => retypeOf(detail, name));
  return named.length > 0 ? named : [ownChallenge(detail)];
}

function retypeOf(detail: Detail, name: string): Retype[] {
  const value = memberOf(detail.evidence.args, name);
  if (value === undefined) return [];
  return [{ what: name, text: stringOf(value) ?? textOf(detail.bytes, value), argument: name }];
}

function ownChallenge(detail: Detail): Retype {
  const id = stringOf(memberOf(detail.evidence.resource, "id")) ?? "";
  return id !== "" && id.length <= CHALLENGE_MAX
    ? { what: "resource", text: id, argument: undefined }
    : { what: "first eight digits of the digest", text: detail.digest.slice(0, 8), argument: undefined };
}

/** Where two texts part, in words; empty when the typed one is right or right so far. */
export function challengeHint(wanted: string, typed: string): string {
  const expected = [...wanted];
  const given = [...typed];
  const at = given.findIndex((letter, i) => letter !== expected[i]);
  if (at < 0) return "";
  const odd = expected[at];
  if (odd === undefined) return "longer than it should be";
  const name = /[^\x20-\x7e]/.test(odd) ? ` ${codePointName(odd.codePointAt(0)!)}` : "";
  return `differs at character ${at + 1}: “${odd}”${name} is there`;
}

export interface Reading {
  readonly clips: Clips;
  /** The end of the evidence has been in view. */
  readonly endSeen: Signal<boolean>;
}

function attends(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** The guard of what is open, fed with what the page goes through. */
function useGuard(detail: Detail): Signal<Guard> {
  const subject = subjectOf(detail);
  const guard = useSignal<Guard>(openGuard(subject, detail.risk, undefined, 0));
  useEffect(() => {
    const before = guard.peek().focusedSince;
    guard.value = openGuard(subject, detail.risk, attends() ? (before ?? pageFocusedSince) : undefined, performance.now());
    const look = () => (guard.value = attend(guard.peek(), attends(), performance.now()));
    addEventListener("focus", look);
    addEventListener("blur", look);
    document.addEventListener("visibilitychange", look);
    look();
    return () => {
      removeEventListener("focus", look);
      removeEventListener("blur", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [subject, detail.risk]);
  return guard;
}

let pageFocusedSince = typeof performance === "undefined" ? 0 : performance.now();
if (typeof window !== "undefined") {
  addEventListener("focus", () => (pageFocusedSince = performance.now()));
}

/** Draws again when the wait is over. */
function useReady(guard: Signal<Guard>, vote: Word): boolean {
  const isReady = useSignal(false);
  const current = guard.value;
  useEffect(() => {
    const wait = waitMs(current, vote, performance.now());
    isReady.value = wait === 0;
    if (wait === 0 || !Number.isFinite(wait)) return undefined;
    const timer = setTimeout(() => (isReady.value = waitMs(guard.peek(), vote, performance.now()) === 0), wait + 1);
    return () => clearTimeout(timer);
  }, [current]);
  return isReady.value;
}

export function DecisionBar({ detail, reading }: { detail: Detail; reading: Reading }) {
  const guard = useGuard(detail);
  const readyTo = { approve: useReady(guard, "approve"), deny: useReady(guard, "deny") };
  const typed = useSignal<readonly string[]>([]);
  const rights = rightsOf(detail, me.value);
  const challenge = challengeOf(detail);
  const unread = unreadReason(detail, reading);
  useEffect(() => {
    typed.value = [];
  }, [subjectOf(detail)]);
  const isBusy = outcome.value.kind === "sending";
  const isOver = detail.timeoutAt > 0 && detail.timeoutAt <= now.value && !detail.frozen;
  const open = mayDecideNow.value && !isBusy && !isOver && !isUnsettled(outcome.value, ownVote(detail, me.value));
  const may = {
    approve: open && rights.approve && unread === "" && challenge.every((one, i) => typed.value[i] === one.text),
    deny: open && rights.deny,
  };
  const send = (vote: Word) => {
    const named = challenge.filter((one) => one.argument !== undefined);
    const retyped = named.length === 0 ? undefined : Object.fromEntries(named.map((one) => [one.argument!, one.text]));
    if (may[vote]) void decide(detail, vote, { reason: drafts.peek().get(detail.id) ?? "", retyped });
  };
  useDecisionKeys(guard, may, send);
  useCountdownWords(detail);
  if (detail.state !== "pending") return <Ended detail={detail} />;
  return (
    <footer class="bar" aria-label="Decision">
      <Said detail={detail} rights={rights} />
      {rights.approve && challenge.map((one, i) => <Challenge key={one.what} challenge={one} at={i} typed={typed} />)}
      <Armed guard={guard} detail={detail} />
      <div class="bar-main">
        <WhatNext detail={detail} isOver={isOver} />
        {(rights.approve || rights.deny) && <Reason id={detail.id} isOff={isBusy} />}
        <div class="bar-buttons">
          {rights.deny && <Decide vote="deny" guard={guard} may={may.deny} isReady={readyTo.deny} send={send} label="Deny" />}
          {rights.approve && (
            <Decide vote="approve" guard={guard} may={may.approve} isReady={readyTo.approve} send={send} label={approveLabel(readyTo.approve, unread, detail)} isCritical={detail.risk === "critical"} />
          )}
          {!rights.approve && !rights.deny && <Next detail={detail} />}
        </div>
      </div>
    </footer>
  );
}

/** A vote that was taken but is not yet in what is shown: until it is, a second click is none. */
function isUnsettled(said: Outcome, own: Word | undefined): boolean {
  return said.kind === "done" && said.answer.outcome !== "late" && said.vote !== own;
}

function approveLabel(isReady: boolean, unread: string, detail: Detail): string {
  if (!isReady) return "Reading…";
  return unread !== "" ? "Unread parts" : detail.needsPasskey ? "Approve with passkey" : "Approve";
}

/** High and critical: every folded part opened, and the end of the evidence seen. */
function unreadReason(detail: Detail, reading: Reading): string {
  if (detail.risk !== "high" && detail.risk !== "critical") return "";
  const closed = reading.clips.closed.value;
  if (closed > 0) return `${countText(closed, "part")} of what the agent sent ${closed === 1 ? "is" : "are"} still folded: open it all to approve.`;
  return reading.endSeen.value ? "" : "Scroll to the end of what the agent sent to approve.";
}

function Said({ detail, rights }: { detail: Detail; rights: Rights }) {
  const own = ownVote(detail, me.value);
  return (
    <div class="bar-said" role="status">
      <Told outcome={outcome.value} detail={detail} />
      {outcome.value.kind === "sending" && outcome.value.signs === true && <p>Your passkey signs exactly this decision. Follow your browser.</p>}
      {detail.budget !== undefined && detail.budget.used >= detail.budget.limit && rights.approve && (
        <p class="warn">You have decided {countText(detail.budget.used, "time")} within the hour; more than {detail.budget.limit} are seldom decided well. Let somebody else look.</p>
      )}
      {link.value === "offline" && <p class="warn">Offline. Decisions are paused; nothing is sent later by itself.</p>}
      {link.value === "catching-up" && <p>Catching up with the gateway…</p>}
      {changedSince.value && (
        <p class="warn">
          This request changed while you were reading. What you see is the new one; read it again.{" "}
          <button type="button" class="plain" onClick={() => (changedSince.value = false)}>I see</button>
        </p>
      )}
      {rights.whyNotApprove !== "" && own === undefined && <p>{rights.whyNotApprove}</p>}
      {own !== undefined && outcome.value.kind !== "done" && (
        <p>
          You {own === "approve" ? "approved" : "denied"} this. {missingText(detail)}
        </p>
      )}
      {!rights.deny && rights.approve && own === undefined && rights.whyNotDeny !== rights.whyNotApprove && <p>{rights.whyNotDeny}</p>}
    </div>
  );
}

function missingText(detail: Detail): string {
  return detail.missing > 0 ? `${countText(detail.missing, "more approval")} needed.` : "";
}

function Told({ outcome: said, detail }: { outcome: Outcome; detail: Detail }) {
  switch (said.kind) {
    case "idle":
    case "sending":
      return null;
    case "done":
      return <p class="good">{doneText(said, detail)}</p>;
    case "refused":
      return (
        <p class="stop">
          <strong>{said.title}.</strong> {said.why}
        </p>
      );
    case "unknown":
      return (
        <p class="stop">
          <strong>No answer came.</strong> Whether your {said.vote === "approve" ? "approval" : "denial"} arrived is not known; this page asks again. It is not sent a second time by itself.
        </p>
      );
  }
}

function doneText(said: Extract<Outcome, { kind: "done" }>, detail: Detail): string {
  const { answer, vote } = said;
  if (answer.outcome === "late") return `Too late: this had already ended (${answer.state}). Your vote is recorded and changes nothing.`;
  if (answer.outcome === "unchanged") return "You had said so before. Nothing changed.";
  if (answer.state === "approved") return "Approved. The agent may go on.";
  if (answer.state === "denied") return "Denied. The agent is told that a person said no.";
  const counted = vote === "approve" ? "Your approval counts." : "Your denial counts.";
  return `${counted} ${missingText({ ...detail, missing: answer.missing })}`;
}

function WhatNext({ detail, isOver }: { detail: Detail; isOver: boolean }) {
  if (detail.frozen) return <p class="what-next">Frozen. Its clock stands still.</p>;
  if (detail.timeoutAt === 0) return <p class="what-next">It has no end of its own.</p>;
  if (isOver) return <p class="what-next">Time is up. It is not approved; waiting for the gateway's word.</p>;
  const ms = detail.timeoutAt - now.value;
  return (
    <p class="what-next">
      <span class={ms < 60_000 ? "num soon" : "num"} title={leftWords(ms)}>{leftText(ms)}</span>
      <span class="then">
        then it expires: <b>not approved</b>
      </span>
    </p>
  );
}

function Reason({ id, isOff }: { id: string; isOff: boolean }) {
  const isOpen = useSignal(false);
  const isShown = isOpen.value || (drafts.value.get(id) ?? "") !== "";
  return (
    <>
      {!isShown && (
        <button type="button" class="plain add-reason" onClick={() => (isOpen.value = true)} aria-label="Add a reason">Reason…</button>
      )}
      <input
        id="reason"
        class={isShown ? "reason shown" : "reason"}
        type="text"
        maxLength={240}
        placeholder="Reason (optional)"
        aria-label="Reason, optional; it is kept with your decision"
        autocomplete="off"
        disabled={isOff}
        value={drafts.value.get(id) ?? ""}
        onInput={(event) => draft(id, event.currentTarget.value)}
      />
    </>
  );
}

function Challenge({ challenge, at, typed }: { challenge: Retype; at: number; typed: Signal<readonly string[]> }) {
  const given = typed.value[at] ?? "";
  const hint = challengeHint(challenge.text, given);
  const isRight = given === challenge.text;
  const id = at === 0 ? "challenge" : `challenge-${at}`;
  const type = (text: string) => {
    const next = [...typed.peek()];
    next[at] = text;
    typed.value = next;
  };
  return (
    <div class="challenge">
      <label for={id}>
        Type the {challenge.what} to approve: <Safe text={challenge.text} />
      </label>
      <input
        id={id}
        class="mono"
        value={given}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={`${id}-hint`}
        onInput={(event) => type(event.currentTarget.value)}
      />
      <span id={`${id}-hint`} class={hint ? "hint wrong" : "hint"} role="status">
        {isRight ? "✓ the same" : hint}
      </span>
    </div>
  );
}

function Decide({ vote, guard, may, isReady, send, label, isCritical }: {
  vote: Word;
  guard: Signal<Guard>;
  may: boolean;
  isReady: boolean;
  send: (vote: Word) => void;
  label: string;
  isCritical?: boolean;
}) {
  const isOn = may && isReady;
  const down = () => (guard.value = press(guard.peek(), vote, performance.now()));
  return (
    <button
      type="button"
      class={`decide ${vote}`}
      aria-disabled={!isOn}
      aria-keyshortcuts={isCritical ? undefined : vote === "approve" ? "a" : "d"}
      onPointerDown={(event) => {
        if (event.button === 0) down();
      }}
      onKeyDown={(event) => {
        if ((event.key === "Enter" || event.key === " ") && !event.repeat) down();
      }}
      onClick={() => {
        const { guard: next, decides } = release(guard.peek(), vote, performance.now());
        guard.value = next;
        if (decides) send(vote);
      }}
    >
      {label}
      {!isCritical && keysEnabled.value && <kbd>{vote === "approve" ? "a" : "d"}</kbd>}
    </button>
  );
}

function Armed({ guard, detail }: { guard: Signal<Guard>; detail: Detail }) {
  const armed = guard.value.armed;
  const note = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (armed !== undefined) note.current?.focus(); // away from any button that would take Enter for itself
  }, [armed?.vote]);
  if (armed === undefined) return null;
  return (
    <p class={`armed ${armed.vote}`} role="alert" tabIndex={-1} ref={note}>
      <kbd>Enter</kbd> {armed.vote === "approve" ? "approves" : "denies"} <Safe text={actionName(detail)} />. Any other key does not.
    </p>
  );
}

function Next({ detail }: { detail: Detail }) {
  const next = nextAfter(list.value.rows, detail.id);
  if (next === undefined) return <a class="button" href="/">Back to the inbox</a>;
  return (
    <a class="button" href={`/requests/${next}`}>
      Next request
    </a>
  );
}

function Ended({ detail }: { detail: Detail }) {
  return (
    <footer class="bar ended" aria-label="Decision">
      <div class="bar-said" role="status">
        <Told outcome={outcome.value} detail={detail} />
      </div>
      <div class="bar-main">
        <p class={`what-next state ${detail.state}`}>
          <b>{detail.state.charAt(0).toUpperCase() + detail.state.slice(1)}</b>
          <span class="then">
            {reasonText(detail.reason)}, <Moment at={detail.endedAt} />
          </span>
        </p>
        <div class="bar-buttons">
          <Next detail={detail} />
        </div>
      </div>
    </footer>
  );
}

const TEXT_CONTROLS = "input,textarea,select,[contenteditable],dialog";

/** Keys that a button or a link takes for itself. */
function isActivation(event: KeyboardEvent): boolean {
  return event.key === "Enter" || event.key === " ";
}

function useDecisionKeys(guard: Signal<Guard>, may: { approve: boolean; deny: boolean }, send: (vote: Word) => void): void {
  const latest = useRef({ may, send });
  latest.current = { may, send };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!keysEnabled.peek() || event.defaultPrevented) return;
      const target = event.target as Element | null;
      const { guard: next, decides } = strike(
        guard.peek(),
        {
          key: event.key,
          repeat: event.repeat,
          composing: event.isComposing || event.keyCode === 229,
          modified: event.ctrlKey || event.metaKey || event.altKey,
          inControl: target?.closest(isActivation(event) ? `${TEXT_CONTROLS},button,a,summary` : TEXT_CONTROLS) != null,
          now: performance.now(),
        },
        latest.current.may,
      );
      guard.value = next;
      if (decides !== undefined) {
        event.preventDefault();
        latest.current.send(decides);
      }
    };
    const off = () => (guard.value = disarm(guard.peek()));
    addEventListener("keydown", onKey);
    addEventListener("pointerdown", off);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("pointerdown", off);
    };
  }, []);
}

/** Told to a screen reader at five minutes, one minute and fifteen seconds, and no oftener. */
function useCountdownWords(detail: Detail): void {
  const told = useRef(Infinity);
  useEffect(() => {
    told.current = Infinity;
  }, [detail.id]);
  const left = detail.timeoutAt - now.value;
  useEffect(() => {
    if (detail.timeoutAt === 0 || detail.frozen || detail.state !== "pending") return;
    for (const mark of [15_000, 60_000, 300_000]) {
      if (left <= mark && left > 0) {
        if (told.current > mark) announcement.value = `${leftWords(left)} left, then it expires`;
        told.current = Math.min(told.current, mark);
        return;
      }
    }
  }, [left]);
}
