// Who is signed in. A session that ends keeps the page: the address, what was typed, what was read.

import { computed, signal } from "@preact/signals";
import { call, callJson, useCsrf, watchCalls } from "../wire/api.ts";
import { Refusal } from "../wire/problem.ts";
import { askPasskey } from "../wire/passkey.ts";
import type { PasskeyQuestion, Session } from "../wire/types.ts";
import { learnRoughTime, now } from "./clock.ts";
import { timeOf } from "../wire/types.ts";

export type Standing = "unknown" | "signed-out" | "signed-in" | "ended";

export const session = signal<Session | undefined>(undefined);
export const standing = signal<Standing>("unknown");
/** True while no admin exists. */
export const needsSetup = signal(false);
/** Milliseconds of the session left, on the gateway's clock. */
export const sessionLeft = computed(() => {
  const until = timeOf(session.value?.expires_at);
  return until === 0 ? Infinity : until - now.value;
});

/** The secret of a set-up or enrolment link. It leaves the address before anything else happens. */
export const fragmentSecret = signal("");

export function takeFragment(): void {
  const isLink = /^\/(setup|enrol)\/?$/.test(location.pathname);
  if (location.hash.length <= 1) return;
  if (isLink) fragmentSecret.value = location.hash.slice(1); // base64url: nothing in it is escaped
  history.replaceState(null, "", location.pathname + location.search);
}

export const me = computed(() => session.value?.person);
export const isAdmin = computed(() => session.value?.person.admin === true);
export const readsAll = computed(() => isAdmin.value || session.value?.person.auditor === true);

export function takeSession(found: Session): void {
  useCsrf(found.csrf);
  session.value = found;
  standing.value = "signed-in";
}

export function endSession(): void {
  if (standing.peek() === "signed-in") {
    useCsrf("");
    standing.value = "ended";
  }
}

/** Asks who is signed in. Throws when the gateway cannot be reached. */
export async function findSession(): Promise<void> {
  try {
    takeSession(await callJson<Session>("GET", "/v1/session"));
  } catch (error) {
    if (!(error instanceof Refusal) || error.problem.status !== 401) throw error;
    standing.value = standing.peek() === "signed-in" || standing.peek() === "ended" ? "ended" : "signed-out";
    await findNeed();
  }
}

async function findNeed(): Promise<void> {
  try {
    needsSetup.value = (await callJson<{ needed: boolean }>("GET", "/v1/setup")).needed;
  } catch {
    needsSetup.value = false;
  }
}

/** `code`: of an authenticator app, where the gateway asked for one. `tenant`: empty for the default one. */
export async function signIn(name: string, password: string, code: string, tenant: string): Promise<void> {
  const more = { ...(code === "" ? {} : { code }), ...(tenant === "" ? {} : { tenant }) };
  takeSession(await callJson<Session>("POST", "/v1/session", { name, password, ...more }));
}

export async function signInByPasskey(): Promise<void> {
  const question = await callJson<PasskeyQuestion>("POST", "/v1/session/passkey/begin");
  const proof = await askPasskey(question);
  takeSession(await callJson<Session>("POST", "/v1/session/passkey", { ...proof, challenge: question.challenge }));
}

export async function signOut(): Promise<void> {
  await call("DELETE", "/v1/session").catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.problem.status !== 401) throw error;
  });
  useCsrf("");
  session.value = undefined;
  standing.value = "signed-out";
}

export function startSession(): void {
  watchCalls(endSession, learnRoughTime);
}
