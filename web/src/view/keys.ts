// Keys that move about. The keys that decide are with the decision bar.

import { openAllParts } from "./safe.tsx";
import { go, route } from "../state/router.ts";
import { keysEnabled } from "../state/settings.ts";
import { standing } from "../state/session.ts";
import { helpIsOpen } from "./help.tsx";
import { moveSelection, revealNew } from "./list.tsx";

const CHORD_MS = 1_200;

function takesText(element: Element | null): boolean {
  return element?.closest("input:not([type=checkbox]),textarea,select,[contenteditable]") != null;
}

const ACTIONS: Readonly<Record<string, () => void>> = {
  j: () => moveSelection(1),
  k: () => moveSelection(-1),
  ".": revealNew,
  "/": () => document.getElementById("filter")?.focus(),
  r: () => document.getElementById("reason")?.focus(),
  e: openAllParts,
  "?": () => (helpIsOpen.value = true),
};

const PLACES: Readonly<Record<string, string>> = { i: "/", h: "/history", p: "/people", l: "/ledger" };

export function startKeys(): void {
  let chordAt = -Infinity;
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (standing.peek() !== "signed-in" || document.querySelector("dialog[open]")) return;
    const target = event.target as HTMLElement | null;
    if (event.key === "Escape") {
      leave(target);
      return;
    }
    if (takesText(target) || !keysEnabled.peek()) return;
    const place = PLACES[event.key];
    const isChord = event.timeStamp - chordAt < CHORD_MS;
    chordAt = event.key === "g" && !event.repeat ? event.timeStamp : -Infinity;
    if (isChord && place !== undefined) {
      event.preventDefault();
      go(place);
      return;
    }
    const action = ACTIONS[event.key];
    if (action === undefined || (route.peek().page !== "inbox" && event.key !== "?")) return;
    event.preventDefault();
    action();
  });
}

function leave(target: HTMLElement | null): void {
  if (takesText(target)) target?.blur();
  else if (route.peek().request !== "") go("/");
}
