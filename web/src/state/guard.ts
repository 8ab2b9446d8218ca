// Keeps what was already in flight from deciding. Pure: the time and what happened are arguments.
//
// A decision counts only when the request has been in view long enough (for an approval: for its
// risk; time during which the page was hidden or another window had the focus does not count), the
// page has had the focus for half a second, and the keystroke or press began after all that.

import type { Risk } from "../wire/types.ts";

export type Word = "approve" | "deny";

export const DWELL_MS: Readonly<Record<Risk, number>> = { low: 400, medium: 800, high: 2_000, critical: 4_000 };
/** Saying no needs no study: only long enough that it is no accident. */
export const DENY_DWELL_MS = 400;
export const FOCUS_MS = 500;
/** After any other key: someone is typing. */
export const TYPING_MS = 600;
/** Between arming and Enter: two keys struck as one are not two decisions. */
export const ARM_MS = 350;

export interface Guard {
  /** What is looked at: id, revision and digest. Another one starts again. */
  readonly subject: string;
  readonly risk: Risk;
  /** Milliseconds in view so far, up to `since`. */
  readonly seen: number;
  /** Since when it has been in view without a break; undefined while it is not. */
  readonly since: number | undefined;
  /** Since when the page has had the focus; undefined while it has not. */
  readonly focusedSince: number | undefined;
  readonly lastKeyAt: number;
  readonly armed: { readonly vote: Word; readonly at: number } | undefined;
  /** The press that began on a decision button, until it ends. */
  readonly pressed: { readonly vote: Word; readonly counts: boolean } | undefined;
}

export function openGuard(subject: string, risk: Risk, focusedSince: number | undefined, now: number): Guard {
  return {
    subject,
    risk,
    seen: 0,
    since: focusedSince === undefined ? undefined : now,
    focusedSince,
    lastKeyAt: -Infinity,
    armed: undefined,
    pressed: undefined,
  };
}

/** The page got or lost the reader: focus and visibility together. Losing it disarms. */
export function attend(guard: Guard, attends: boolean, now: number): Guard {
  if (attends === (guard.focusedSince !== undefined)) return guard;
  if (attends) return { ...guard, focusedSince: now, since: now };
  return { ...guard, seen: seenMs(guard, now), since: undefined, focusedSince: undefined, armed: undefined, pressed: undefined };
}

export function seenMs(guard: Guard, now: number): number {
  return guard.seen + (guard.since === undefined ? 0 : Math.max(0, now - guard.since));
}

/** Milliseconds until this decision may begin; 0 when it may now. Infinity while nobody looks. */
export function waitMs(guard: Guard, vote: Word, now: number): number {
  if (guard.focusedSince === undefined || guard.since === undefined) return Infinity;
  const dwell = (vote === "deny" ? DENY_DWELL_MS : DWELL_MS[guard.risk]) - seenMs(guard, now);
  const focus = FOCUS_MS - (now - guard.focusedSince);
  return Math.max(0, dwell, focus);
}

export interface Key {
  readonly key: string;
  readonly repeat: boolean;
  readonly composing: boolean;
  readonly modified: boolean;
  /** The key went to something that takes text, or to a control that does its own thing with it. */
  readonly inControl: boolean;
  readonly now: number;
}

export interface KeyOutcome {
  readonly guard: Guard;
  readonly decides: Word | undefined;
}

/**
 * `a` or `d` arms, Enter decides, everything else disarms. `may` says what this person can do at
 * all right now. A critical request takes no key alone: there `a` arms nothing.
 */
export function strike(guard: Guard, key: Key, may: { approve: boolean; deny: boolean }): KeyOutcome {
  const next: Guard = { ...guard, lastKeyAt: key.now };
  const isFresh = !key.repeat && !key.composing && !key.modified && !key.inControl;
  if (!isFresh) {
    return { guard: { ...next, armed: undefined }, decides: undefined };
  }
  if (key.key === "Enter" && guard.armed !== undefined) {
    const vote = guard.armed.vote;
    const counts = key.now - guard.armed.at >= ARM_MS && may[vote] && waitMs(guard, vote, key.now) === 0;
    return { guard: { ...next, armed: counts ? undefined : guard.armed }, decides: counts ? vote : undefined };
  }
  const isTyping = key.now - guard.lastKeyAt < TYPING_MS;
  const wanted = key.key === "a" ? "approve" : key.key === "d" ? "deny" : undefined;
  const arms =
    wanted !== undefined && !isTyping && may[wanted] && waitMs(guard, wanted, key.now) === 0 &&
    !(wanted === "approve" && guard.risk === "critical");
  return { guard: { ...next, armed: arms ? { vote: wanted, at: key.now } : undefined }, decides: undefined };
}

export function disarm(guard: Guard): Guard {
  return guard.armed === undefined ? guard : { ...guard, armed: undefined };
}

/** A pointer went down on a decision button, or a key that activates it did. */
export function press(guard: Guard, vote: Word, now: number): Guard {
  return { ...guard, pressed: { vote, counts: waitMs(guard, vote, now) === 0 } };
}

/**
 * The press ended as a click on the button of `vote`: whether it decides. Screen readers click
 * without a press; their click counts when it comes late enough.
 */
export function release(guard: Guard, vote: Word, now: number): { guard: Guard; decides: boolean } {
  const began = guard.pressed === undefined || (guard.pressed.vote === vote && guard.pressed.counts);
  const decides = began && waitMs(guard, vote, now) === 0;
  return { guard: { ...guard, pressed: undefined, armed: undefined }, decides };
}
