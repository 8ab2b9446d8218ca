// The rules of the live connection that need no socket, so that they can be tested.

import { summaryOf, type Summary } from "./types.ts";

export const SUBPROTOCOL = "countersign.live.v1";
export const BACKOFF_FIRST_MS = 250;
export const BACKOFF_MOST_MS = 15_000;

/** Full jitter: anything from 0 to the doubled bound, never under 50 ms. */
export function backoffMs(tries: number, chance: number): number {
  const most = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(tries, 16));
  return Math.max(50, Math.round(most * chance));
}

export type CloseMeaning = "retry" | "session-ended" | "refused";

export function meaningOfClose(code: number): CloseMeaning {
  return code === 4401 ? "session-ended" : code === 4403 ? "refused" : "retry";
}

export type LiveMessage =
  | { readonly k: "ready"; readonly epoch: string; readonly seq: number; readonly now: string; readonly replayed: number }
  | { readonly k: "reset"; readonly epoch: string; readonly seq: number; readonly now: string }
  | { readonly k: "request"; readonly seq: number; readonly summary: Summary }
  | { readonly k: "freeze"; readonly seq: number }
  | { readonly k: "policy"; readonly seq: number; readonly version: string }
  | { readonly k: "presence"; readonly request: string; readonly people: readonly string[] };

/** Undefined for what this page does not know: newer gateways may say more. */
export function readMessage(text: string): LiveMessage | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const message = parsed as Record<string, unknown>;
  const seq = typeof message["seq"] === "number" ? message["seq"] : -1;
  switch (message["k"]) {
    case "ready":
      return { k: "ready", epoch: String(message["epoch"]), seq, now: String(message["now"]), replayed: Number(message["replayed"] ?? 0) };
    case "reset":
      return { k: "reset", epoch: String(message["epoch"]), seq, now: String(message["now"]) };
    case "request":
      return typeof message["r"] === "object" && message["r"] !== null
        ? { k: "request", seq, summary: summaryOf(message["r"]) }
        : undefined;
    case "freeze":
      return { k: "freeze", seq };
    case "policy":
      return { k: "policy", seq, version: String(message["version"]) };
    case "presence":
      return Array.isArray(message["people"])
        ? { k: "presence", request: String(message["request"]), people: message["people"].map(String) }
        : undefined;
    default:
      return undefined;
  }
}
