// How the page calls for attention from the background: its title, its icon, one notification.
// None of it says what an agent sent.

import { effect } from "@preact/signals";
import { waitingForMe } from "./inbox.ts";
import { notifies } from "./settings.ts";
import { standing } from "./session.ts";

let notification: Notification | undefined;

function setIcon(waits: boolean): void {
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  const wanted = icon?.dataset[waits ? "waiting" : "idle"];
  if (icon && wanted !== undefined && icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}

export function startAttention(): void {
  let before = 0;
  effect(() => {
    const count = standing.value === "signed-in" ? waitingForMe.value.length : 0;
    document.title = count > 0 ? `(${count}) Countersign` : "Countersign";
    setIcon(count > 0);
    if (count > before && document.hidden && notifies.value) tell(count);
    if (count === 0) notification?.close();
    before = count;
  });
}

function tell(count: number): void {
  try {
    notification = new Notification("Countersign", { body: count === 1 ? "1 request waits for you" : `${count} requests wait for you`, tag: "countersign" });
    notification.onclick = () => window.focus();
  } catch {
    // phones allow this only to service workers
  }
}
