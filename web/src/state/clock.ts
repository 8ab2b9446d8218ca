// The time as the gateway has it. Countdowns use this and never the machine's own clock.

import { signal } from "@preact/signals";

/** Gateway minus this machine, in milliseconds. */
export const offset = signal(0);
/** Gateway time, once a second. */
export const now = signal(Date.now());

let isExact = false;

/** From a live message: to the millisecond, less the way here. */
export function learnExactTime(serverMs: number): void {
  isExact = true;
  offset.value = serverMs - Date.now();
  tick();
}

/** From a Date header: whole seconds, so only a rough offset is taken, and only until a better one. */
export function learnRoughTime(serverMs: number): void {
  const difference = serverMs + 500 - Date.now();
  if (!isExact && Math.abs(difference - offset.peek()) > 1_500) {
    offset.value = difference;
    tick();
  }
}

export function serverNow(): number {
  return Date.now() + offset.peek();
}

function tick(): void {
  now.value = serverNow();
}

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) tick();
  }, 1_000);
  document.addEventListener("visibilitychange", tick);
}
