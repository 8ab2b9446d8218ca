// One way to call the gateway. Only this file knows about fetch, the CSRF token and 401.

import { Refusal, Unreachable, readProblem } from "./problem.ts";

const CALL_MS_MAX = 20_000;

let csrf = "";
let onSessionEnd: () => void = () => {};
let onStepUp: () => Promise<boolean> = () => Promise.resolve(false);
let onProposed: () => void = () => {};
let onServerDate: (serverMs: number) => void = () => {};

export function useCsrf(token: string): void {
  csrf = token;
}

export function watchCalls(ended: () => void, dated: (serverMs: number) => void): void {
  onSessionEnd = ended;
  onServerDate = dated;
}

/** Called when the gateway wants more proof; whether it was given. */
export function whenStepUpIsNeeded(ask: () => Promise<boolean>): void {
  onStepUp = ask;
}

/** Called when a change was only noted: another admin has to make it too. */
export function whenProposed(told: () => void): void {
  onProposed = told;
}

/** Nothing was changed yet, so what a change would have answered is not there. */
export class Proposed extends Error {
  constructor() {
    super("Noted. It happens when another admin makes the same change: they find it under People.");
  }
}

export interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** JSON that goes as it is written: numbers and their digits survive only so. */
export class RawJson {
  constructor(readonly text: string) {}
}

/**
 * Throws Refusal on any answer that is not 2xx, Unreachable when there is none. Where the gateway wants more proof and the
 * person gives it, the call is made again: nothing had happened.
 */
export async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  try {
    return await callOnce(method, path, body);
  } catch (error) {
    const needsMore = error instanceof Refusal && error.problem.code === "step_up_needed";
    if (!needsMore || !(await onStepUp())) throw error;
  }
  return callOnce(method, path, body);
}

async function callOnce(method: string, path: string, body: unknown): Promise<Answer> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf !== "") headers["X-CSRF-Token"] = csrf;
  let response: Response;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : body instanceof RawJson ? body.text : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(CALL_MS_MAX),
    });
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new Unreachable();
  }
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (!Number.isNaN(date)) onServerDate(date);
  if (!response.ok) {
    throw refusalOf(path, response, bytes);
  }
  if (response.status === 202 && method !== "GET" && new TextDecoder().decode(bytes).includes('"id":"prp_')) {
    onProposed();
    throw new Proposed();
  }
  return { status: response.status, bytes };
}

function refusalOf(path: string, response: Response, bytes: Uint8Array): Refusal {
  const text = new TextDecoder().decode(bytes);
  const refusal = new Refusal(readProblem(response.status, text, response.headers.get("Retry-After")));
  if (response.status === 401 && !path.startsWith("/v1/session")) onSessionEnd();
  return refusal;
}

/** For everything that is not evidence: lists, settings, answers to what one did. */
export async function callJson<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await call(method, path, body);
  return (answer.bytes.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(answer.bytes))) as T;
}

export const get = <T>(path: string) => callJson<T>("GET", path);
export const post = <T>(path: string, body?: unknown) => callJson<T>("POST", path, body);

/** All pages of a list: follows `next` until there is none or `most` were read. */
export async function getAll<T>(path: string, name: string, most: number): Promise<T[]> {
  const found: T[] = [];
  let after = "";
  while (found.length < most) {
    const join = path.includes("?") ? "&" : "?";
    const page = await get<Record<string, unknown>>(path + (after && `${join}after=${encodeURIComponent(after)}`));
    found.push(...(page[name] as T[]));
    if (typeof page["next"] !== "string") break;
    after = page["next"];
  }
  return found;
}

const PULSE_MS_MAX = 8_000;

/** Whether the gateway answers at all. */
export async function isReachable(): Promise<boolean> {
  try {
    const answer = await fetch("/healthz", { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PULSE_MS_MAX) });
    return answer.status < 500;
  } catch {
    return false;
  }
}

export const segmentOf = encodeURIComponent;
