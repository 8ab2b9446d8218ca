// The dialog that asks who one is, again.

import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { asked, beginStepUp, stepUpByPasskey, stepUpByPassword, type StepUpQuestion } from "../state/stepup.ts";
import { explain } from "../wire/problem.ts";
import { Field, FormProblem, Submit, useForm } from "./forms.tsx";

export function StepUp() {
  return asked.value === undefined ? null : <Dialog done={asked.value.done} />;
}

function Dialog({ done }: { done: (isDone: boolean) => void }) {
  const element = useRef<HTMLDialogElement>(null);
  const question = useSignal<StepUpQuestion | undefined>(undefined);
  const problem = useSignal("");
  const ask = () =>
    beginStepUp().then(
      (found) => (question.value = found),
      (error: unknown) => (problem.value = explain(error)),
    );
  useEffect(() => {
    element.current?.showModal();
    void ask();
  }, []);
  return (
    <dialog class="step-up" ref={element} aria-labelledby="step-up-heading" onCancel={() => done(false)}>
      <h2 id="step-up-heading">Prove again who you are</h2>
      <p class="quiet">What you are about to do must not be possible for somebody who only has your session. It counts for a few minutes.</p>
      {problem.value !== "" && <p class="stop" role="alert">{problem.value}</p>}
      {question.value?.method === "passkey" && <ByPasskey question={question.value} again={ask} done={done} />}
      {question.value?.method === "password" && <ByPassword needsCode={question.value.code === true} done={done} />}
      <button type="button" onClick={() => done(false)}>Not now</button>
    </dialog>
  );
}

/** A passkey wants a click of its own: browsers ask for one. */
function ByPasskey({ question, again, done }: { question: StepUpQuestion; again: () => Promise<unknown>; done: (isDone: boolean) => void }) {
  const { problem, isBusy, submit } = useForm(async () => {
    try {
      await stepUpByPasskey(question);
    } catch (error) {
      await again(); // a question is good once
      throw error;
    }
    done(true);
  });
  return (
    <form onSubmit={submit}>
      <FormProblem problem={problem} title="Not done." />
      <Submit isBusy={isBusy}>Use your passkey</Submit>
    </form>
  );
}

function ByPassword({ needsCode, done }: { needsCode: boolean; done: (isDone: boolean) => void }) {
  const password = useSignal("");
  const code = useSignal("");
  const { problem, isBusy, submit } = useForm(async () => {
    await stepUpByPassword(password.value, code.value.trim());
    done(true);
  });
  return (
    <form onSubmit={submit}>
      <FormProblem problem={problem} title="Not done." />
      <Field label="Password" type="password" value={password} autocomplete="current-password" required autofocus />
      {needsCode && <Field label="Code of your authenticator app, or a recovery code" value={code} autocomplete="one-time-code" required maxLength={32} mono />}
      <Submit isBusy={isBusy}>Go on</Submit>
    </form>
  );
}
