// Forms that say what went wrong where it went wrong, and are busy only once.

import type { ComponentChildren } from "preact";
import { useSignal, type Signal } from "@preact/signals";
import { useId } from "preact/hooks";
import { Refusal, explain } from "../wire/problem.ts";
import { Notice } from "./basics.tsx";

export function useForm(send: () => Promise<void>): {
  problem: Signal<string>;
  pointer: Signal<string>;
  isBusy: Signal<boolean>;
  submit: (event: Event) => void;
} {
  const problem = useSignal("");
  const pointer = useSignal("");
  const isBusy = useSignal(false);
  const submit = (event: Event) => {
    event.preventDefault();
    if (isBusy.peek()) return;
    isBusy.value = true;
    problem.value = "";
    pointer.value = "";
    send()
      .catch((error: unknown) => {
        problem.value = explain(error);
        pointer.value = error instanceof Refusal ? error.problem.pointer : "";
      })
      .finally(() => (isBusy.value = false));
  };
  return { problem, pointer, isBusy, submit };
}

export function Field({ label, hint, value, wrong, type = "text", mono, ...rest }: {
  label: string;
  hint?: ComponentChildren;
  value: Signal<string>;
  wrong?: boolean;
  type?: "text" | "password";
  autocomplete?: string;
  required?: boolean;
  minLength?: number;
  maxLength?: number;
  mono?: boolean;
  placeholder?: string;
  autofocus?: boolean;
}) {
  const id = useId();
  const shared = {
    id,
    class: mono ? "mono" : undefined,
    spellcheck: false,
    autocapitalize: "off" as const,
    ...rest,
    value: value.value,
    "aria-invalid": wrong || undefined,
    "aria-describedby": hint === undefined ? undefined : `${id}-hint`,
    onInput: (event: { currentTarget: HTMLInputElement }) => {
      value.value = event.currentTarget.value;
    },
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === "password" ? <input type="password" {...shared} /> : <input type="text" {...shared} />}
      {hint !== undefined && <p class="hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

export function Choice({ label, value, options, required }: {
  label: string;
  value: Signal<string>;
  options: readonly (readonly [value: string, text: string])[];
  required?: boolean;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} required={required === true} value={value.value} onChange={(event) => (value.value = event.currentTarget.value)}>
        {options.map(([one, text]) => (
          <option key={one} value={one}>{text}</option>
        ))}
      </select>
    </div>
  );
}

/** A password that is being chosen: it can be looked at, and says what is missing. */
export function NewPassword({ value, label = "Password" }: { value: Signal<string>; label?: string }) {
  const shows = useSignal(false);
  const bytes = new TextEncoder().encode(value.value).length;
  const hint = bytes === 0 ? "At least 12 characters; a few unrelated words are good." : bytes < 12 ? `${12 - bytes} more to go.` : bytes > 256 ? "At most 256 bytes." : "Long enough.";
  return (
    <div class="with-toggle">
      <Field label={label} type={shows.value ? "text" : "password"} autocomplete="new-password" required minLength={12} maxLength={256} value={value} hint={hint} />
      <button type="button" class="plain" aria-pressed={shows.value} onClick={() => (shows.value = !shows.value)}>
        {shows.value ? "Hide" : "Show"}
      </button>
    </div>
  );
}

export function FormProblem({ problem, title = "That did not work." }: { problem: Signal<string>; title?: string }) {
  return problem.value === "" ? null : (
    <Notice kind="stop" title={title} role="alert">
      {problem.value}
    </Notice>
  );
}

export function Submit({ isBusy, children }: { isBusy: Signal<boolean>; children: ComponentChildren }) {
  return (
    <button type="submit" class="primary" aria-disabled={isBusy.value}>
      {isBusy.value ? "One moment…" : children}
    </button>
  );
}

/** A secret that is shown once: copied by a button, gone with the page. */
export function Secret({ title, text, children }: { title: string; text: string; children?: ComponentChildren }) {
  const copied = useSignal("");
  const copy = () => {
    navigator.clipboard
      .writeText(text)
      .then(() => (copied.value = "Copied"))
      .catch(() => (copied.value = "Select it and copy by hand"));
  };
  return (
    <div class="secret" role="status">
      <strong>{title}</strong>
      <div class="secret-line">
        <code tabIndex={0}>{text}</code>
        <button type="button" onClick={copy}>
          {copied.value || "Copy"}
        </button>
      </div>
      {children !== undefined && <p class="hint">{children}</p>}
    </div>
  );
}
