// What the screens of admins share.

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal, type Signal } from "@preact/signals";
import { explain } from "../../wire/problem.ts";
import { Notice } from "../basics.tsx";

export interface Loaded<T> {
  readonly rows: Signal<readonly T[]>;
  readonly problem: Signal<string>;
  readonly isLoading: Signal<boolean>;
  readonly reload: () => Promise<void>;
}

export function useLoaded<T>(load: () => Promise<readonly T[]>): Loaded<T> {
  const rows = useSignal<readonly T[]>([]);
  const problem = useSignal("");
  const isLoading = useSignal(true);
  const reload = async () => {
    try {
      rows.value = await load();
      problem.value = "";
    } catch (error) {
      problem.value = explain(error);
    }
    isLoading.value = false;
  };
  useEffect(() => {
    void reload();
  }, []);
  return { rows, problem, isLoading, reload };
}

export function LoadProblem({ of, what }: { of: Loaded<unknown>; what: string }) {
  return of.problem.value === "" ? null : <Notice kind="stop" title={`${what} could not be read.`}>{of.problem.value}</Notice>;
}

/** A section that makes something new, folded until it is wanted. */
export function Adder({ label, isSmall, children }: { label: string; isSmall?: boolean; children: (close: () => void) => ComponentChildren }) {
  const isOpen = useSignal(false);
  if (!isOpen.value) return <button type="button" class={isSmall ? "small" : undefined} onClick={() => (isOpen.value = true)}>{label}</button>;
  return (
    <div class="card adder">
      <div class="adder-top">
        <h3>{label}</h3>
        <button type="button" class="plain" onClick={() => (isOpen.value = false)}>Close</button>
      </div>
      {children(() => (isOpen.value = false))}
    </div>
  );
}

/** Does something that is felt at once, after being asked a second time. */
export function Sure({ label, sign, ask, run, then }: { label: string; sign?: string; ask: string; run: () => Promise<unknown>; then: () => void }) {
  const isAsked = useSignal(false);
  const isBusy = useSignal(false);
  const problem = useSignal("");
  const act = () => {
    if (isBusy.peek()) return;
    isBusy.value = true;
    run()
      .then(() => {
        isAsked.value = false;
        then();
      })
      .catch((error: unknown) => (problem.value = explain(error)))
      .finally(() => (isBusy.value = false));
  };
  if (!isAsked.value) {
    return (
      <button type="button" class={sign === undefined ? "small" : "small sign-only"} aria-label={sign === undefined ? undefined : ask.replace(/\?$/, "")} onClick={() => (isAsked.value = true)}>
        {sign ?? label}
      </button>
    );
  }
  return (
    <span class="sure" role="group" aria-label={ask}>
      <span>{problem.value || ask}</span>
      <button type="button" class="small primary" onClick={act}>{label}</button>
      <button type="button" class="small" onClick={() => ((isAsked.value = false), (problem.value = ""))}>No</button>
    </span>
  );
}

export function Table({ head, children, label }: { head: readonly string[]; children: ComponentChildren; label: string }) {
  return (
    <div class="table-wrap">
      <table aria-label={label}>
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col">{text === "" ? <span class="sr">Actions</span> : text}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Enabled({ is }: { is: boolean | undefined }) {
  return is === false ? <span class="state denied">disabled</span> : <span class="state approved">active</span>;
}

/** "a, b  c" -> [a, b, c] */
export function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

export const optional = (name: string, text: string): Record<string, string> => (text.trim() === "" ? {} : { [name]: text.trim() });
