// History-API routes. The address is the state: every view can be linked to.

import { computed, signal } from "@preact/signals";

export interface Route {
  readonly page: "inbox" | "history" | "people" | "agents" | "freezes" | "ledger" | "setup" | "enrol" | "sign-in" | "password" | "account" | "insights" | "channels" | "lost";
  /** The request that is open, when one is. */
  readonly request: string;
  readonly query: URLSearchParams;
}

const PAGES: Readonly<Record<string, Route["page"]>> = {
  "/": "inbox", "/history": "history", "/people": "people", "/agents": "agents", "/freezes": "freezes",
  "/ledger": "ledger", "/password": "password", "/account": "account", "/insights": "insights", "/channels": "channels", "/setup": "setup", "/enrol": "enrol", "/sign-in": "sign-in",
};

export function parseRoute(path: string, search: string): Route {
  const query = new URLSearchParams(search);
  const request = /^\/requests\/([A-Za-z0-9_]{1,64})\/?$/.exec(path)?.[1];
  if (request !== undefined) return { page: "inbox", request, query };
  const page = PAGES[path.length > 1 ? path.replace(/\/$/, "") : path];
  return { page: page ?? "lost", request: "", query };
}

const address = signal(typeof location === "undefined" ? "/" : location.pathname + location.search);

export const route = computed(() => {
  const [path = "/", search = ""] = address.value.split("?");
  return parseRoute(path, search);
});

export function here(): string {
  return address.peek();
}

export function go(to: string, how: "push" | "replace" = "push"): void {
  if (to === address.peek()) return;
  history[how === "push" ? "pushState" : "replaceState"](null, "", to);
  address.value = to;
}

/** Links are ordinary anchors; only a plain click on one of ours stays inside the page. */
export function startRouter(): void {
  addEventListener("popstate", () => (address.value = location.pathname + location.search));
  document.addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a[href^='/']");
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!(link instanceof HTMLAnchorElement) || !isPlain || event.defaultPrevented || link.target !== "" || link.hasAttribute("download")) return;
    if (/^\/(v1|access|oauth|\.well-known|jwks|metrics)/.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
    if (link.dataset["keepFocus"] === undefined) focusMain();
  });
}

/** After a change of page a screen reader and the keyboard start at its heading. */
export function focusMain(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-page-heading]")?.focus({ preventScroll: true }));
}
