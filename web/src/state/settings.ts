// What this browser remembers for its reader. Nothing secret, nothing about requests.

import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

function stored(name: string): string | null {
  try {
    return localStorage.getItem(`countersign.${name}`);
  } catch {
    return null;
  }
}

function store(name: string, value: string): void {
  try {
    localStorage.setItem(`countersign.${name}`, value);
  } catch {
    // a browser that keeps nothing: the setting holds for this page
  }
}

export const theme = signal<Theme>((stored("theme") as Theme | null) ?? "system");
export const keysEnabled = signal(stored("keys") !== "off");
export const notifies = signal(stored("notify") === "on");

export function startSettings(): void {
  effect(() => {
    if (theme.value === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
    store("theme", theme.value);
  });
  effect(() => store("keys", keysEnabled.value ? "on" : "off"));
  effect(() => store("notify", notifies.value ? "on" : "off"));
}
