// Names of the ids that lists carry. Auditors and admins may read them; to others an id stays one.

import { signal } from "@preact/signals";
import { getAll } from "../wire/api.ts";
import type { Agent, Person } from "../wire/types.ts";
import { readsAll } from "./session.ts";

const NAMES_MAX = 5_000;

const names = signal<ReadonlyMap<string, string>>(new Map());

export async function loadNames(): Promise<void> {
  if (!readsAll.peek()) return;
  try {
    const [people, agents] = await Promise.all([
      getAll<Person>("/v1/people?limit=200", "people", NAMES_MAX),
      getAll<Agent>("/v1/agents?limit=200", "agents", NAMES_MAX),
    ]);
    names.value = new Map([...people, ...agents].map((one) => [one.id, one.name]));
  } catch {
    // ids are shown instead
  }
}

/** The name of what has this id; what is a name already stays as it is. */
export function nameOf(idOrName: string): string {
  return names.value.get(idOrName) ?? idOrName;
}

export function isId(text: string): boolean {
  return /^(agt|per|cal)_[0-9a-z]{20,}$/.test(text) && !names.value.has(text);
}
