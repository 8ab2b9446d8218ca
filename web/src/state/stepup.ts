// Proving again who one is, for what a stolen session must not do. Any call that needs it waits here.

import { signal } from "@preact/signals";
import { callJson, post, whenStepUpIsNeeded } from "../wire/api.ts";
import { askPasskey } from "../wire/passkey.ts";
import type { PasskeyQuestion, Session } from "../wire/types.ts";
import { takeSession } from "./session.ts";

export interface StepUpQuestion extends Partial<PasskeyQuestion> {
  readonly method: "passkey" | "password";
  /** With the password, a code of the authenticator app as well. */
  readonly code?: boolean;
}

/** Somebody waits: `done` says whether it came to it. */
export const asked = signal<{ readonly done: (isDone: boolean) => void } | undefined>(undefined);

export function startStepUp(): void {
  whenStepUpIsNeeded(() => new Promise((resolve) => {
    asked.peek()?.done(false);
    asked.value = {
      done: (isDone) => {
        asked.value = undefined;
        resolve(isDone);
      },
    };
  }));
}

export const beginStepUp = () => post<StepUpQuestion>("/v1/session/step-up/begin");

export async function stepUpByPasskey(question: StepUpQuestion): Promise<void> {
  const passkey = { ...(await askPasskey(question as PasskeyQuestion)), challenge: question.challenge };
  takeSession(await callJson<Session>("POST", "/v1/session/step-up", { passkey }));
}

export async function stepUpByPassword(password: string, code: string): Promise<void> {
  takeSession(await callJson<Session>("POST", "/v1/session/step-up", { password, ...(code === "" ? {} : { code }) }));
}
