// The shell: who and what is where, the state of the connection, and the page that is asked for.

import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { announcement, freezes, link, retryNow, stopInbox, waitingForMe } from "../state/inbox.ts";
import { isId, nameOf } from "../state/names.ts";
import { go, route } from "../state/router.ts";
import { isAdmin, me, readsAll, session, sessionLeft, signOut, standing } from "../state/session.ts";
import { theme, type Theme } from "../state/settings.ts";
import { Mark, Notice, PageHeading } from "./basics.tsx";
import { Help, helpIsOpen } from "./help.tsx";
import { History } from "./history.tsx";
import { InboxPane, Overview } from "./list.tsx";
import { RequestPane } from "./request.tsx";
import { Safe } from "./safe.tsx";
import { Entrance } from "./signin.tsx";
import { StepUp } from "./stepup.tsx";
import { leftText } from "./time.ts";

export function App() {
  if (standing.value === "unknown") return <Starting />;
  const isEntrance = standing.value !== "signed-in" || route.value.page === "setup" || route.value.page === "enrol";
  return (
    <>
      <p class="sr" role="status" aria-live="polite">{announcement.value}</p>
      {isEntrance ? (
        <>
          <section aria-label="Notices">
            <NotForProduction />
          </section>
          <Entrance />
        </>
      ) : (
        <Shell />
      )}
    </>
  );
}

export const startProblem = signal("");

function Starting() {
  return (
    <main class="entrance" id="main">
      <p class="brand quiet">
        <Mark /> Countersign
      </p>
      {startProblem.value !== "" && <Notice kind="warn" title="The gateway cannot be reached." role="status">{startProblem.value}</Notice>}
    </main>
  );
}

function NotForProduction() {
  if (session.value?.production !== false) return null;
  return <p class="strip">Plain HTTP on this machine: not for production.</p>;
}

function Shell() {
  return (
    <div class="app">
      <StepUp />
      <a class="skip" href="#main">Skip to the content</a>
      <section aria-label="Notices">
        <NotForProduction />
        <FreezeStrip />
        <SessionStrip />
      </section>
      <Top />
      <main id="main" class={route.value.page === "inbox" ? (route.value.request ? "split open" : "split") : "single"}>
        <Page />
      </main>
      <Help />
    </div>
  );
}

function FreezeStrip() {
  const first = freezes.value[0];
  if (first === undefined) return null;
  const what = first.scope === "agent" ? (isId(first.target ?? "") ? "one agent" : `agent ${nameOf(first.target ?? "")}`) : first.scope === "action" ? `actions ${first.target}` : first.scope === "tenant" ? "everything here" : "everything";
  return (
    <p class="strip frozen" role="status">
      <b>Frozen: {what}.</b> <Safe plain text={first.reason} /> {freezes.value.length > 1 && `And ${freezes.value.length - 1} more. `}
      <a href="/freezes">Freezes</a>
    </p>
  );
}

function SessionStrip() {
  const left = sessionLeft.value;
  if (left > 120_000) return null;
  return <p class="strip" role="status">Your session ends in {leftText(left)}. What you have typed stays.</p>;
}

interface Place {
  readonly href: string;
  readonly label: string;
  readonly page: string;
}

function places(): readonly Place[] {
  const all: Place[] = [
    { href: "/", label: "Inbox", page: "inbox" },
    { href: "/history", label: "History", page: "history" },
  ];
  if (readsAll.value) {
    all.push({ href: "/people", label: "People", page: "people" }, { href: "/agents", label: "Agents", page: "agents" });
  }
  all.push({ href: "/freezes", label: "Freezes", page: "freezes" });
  all.push({ href: "/insights", label: "Insights", page: "insights" });
  if (readsAll.value) all.push({ href: "/channels", label: "Channels", page: "channels" });
  if (readsAll.value) all.push({ href: "/ledger", label: "Ledger", page: "ledger" });
  return all;
}

function Top() {
  const isOpen = useSignal(false);
  useEffect(() => {
    isOpen.value = false;
  }, [route.value]);
  return (
    <header class={isOpen.value ? "top unfolded" : "top"}>
      <a class="brand" href="/" aria-label="Countersign, inbox">
        <Mark /> <span>Countersign</span>
      </a>
      <nav aria-label="Main" id="nav">
        {places().map((place) => (
          <a key={place.href} href={place.href} aria-current={route.value.page === place.page ? "page" : undefined}>
            {place.label}
            {place.page === "inbox" && waitingForMe.value.length > 0 && <span class="count num">{waitingForMe.value.length.toLocaleString("en")}</span>}
          </a>
        ))}
      </nav>
      <LinkState />
      <UserMenu />
      <button type="button" class="plain unfold" aria-expanded={isOpen.value} aria-controls="nav" onClick={() => (isOpen.value = !isOpen.value)}>
        Menu
      </button>
    </header>
  );
}

const LINK_WORDS = {
  live: "Live", "catching-up": "Catching up", connecting: "Connecting", polling: "Live updates off, asking every 5 s", offline: "Offline. Decisions are paused",
} as const;

function LinkState() {
  const state = link.value;
  return (
    <div class={`link ${state}`} role="status">
      <i aria-hidden="true" />
      <span>{LINK_WORDS[state]}</span>
      {state === "offline" && <button type="button" class="plain" onClick={retryNow}>Try now</button>}
    </div>
  );
}

function UserMenu() {
  const isOpen = useSignal(false);
  const close = () => {
    isOpen.value = false;
  };
  useEffect(close, [route.value]);
  useEffect(() => {
    if (!isOpen.value) return undefined;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") close();
    };
    const onDown = (event: PointerEvent) => {
      if (!(event.target as Element).closest(".user")) close();
    };
    addEventListener("keydown", onKey);
    addEventListener("pointerdown", onDown);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("pointerdown", onDown);
    };
  }, [isOpen.value]);
  const person = me.value;
  return (
    <div class="user">
      <button type="button" class="plain" aria-expanded={isOpen.value} aria-controls="user-menu" onClick={() => (isOpen.value = !isOpen.value)}>
        {person?.name}
      </button>
      {isOpen.value && (
        <div class="menu" id="user-menu">
          <p>
            <b>{person?.display ?? person?.name}</b>
            <span class="quiet">{roleText()}</span>
          </p>
          <ThemeChoice />
          <button type="button" class="plain" onClick={() => ((helpIsOpen.value = true), close())}>Keys and settings</button>
          <a href="/account">Your account</a>
          <button type="button" class="plain" onClick={leave}>Sign out</button>
          <p class="quiet">Gateway {session.value?.gateway?.version}</p>
        </div>
      )}
    </div>
  );
}

function roleText(): string {
  const groups = me.value?.groups ?? [];
  const roles = [isAdmin.value ? "admin" : "", me.value?.auditor ? "auditor" : ""].filter(Boolean);
  return [...roles, groups.length > 0 ? `approves for ${groups.join(", ")}` : "in no group"].join(" · ");
}

function leave(): void {
  void signOut().then(() => {
    stopInbox();
    go("/", "replace");
  });
}

export function ThemeChoice() {
  const choices: readonly Theme[] = ["system", "light", "dark"];
  return (
    <div class="scope" role="group" aria-label="Colours">
      {choices.map((choice) => (
        <button key={choice} type="button" aria-pressed={theme.value === choice} onClick={() => (theme.value = choice)}>
          {choice.charAt(0).toUpperCase() + choice.slice(1)}
        </button>
      ))}
    </div>
  );
}

function Page() {
  switch (route.value.page) {
    case "inbox":
      return (
        <>
          <h1 class="sr" data-page-heading tabIndex={-1}>Inbox</h1>
          <InboxPane />
          {route.value.request === "" ? <Overview /> : <RequestPane />}
        </>
      );
    case "history":
      return <History />;
    case "people":
    case "agents":
    case "freezes":
    case "ledger":
    case "password":
    case "account":
    case "insights":
    case "channels":
      return <Later page={route.value.page} />;
    case "sign-in":
    case "setup":
    case "enrol":
      return null;
    case "lost":
      return (
        <div class="page">
          <PageHeading>There is no such page</PageHeading>
          <p>
            <a href="/">To the inbox</a>
          </p>
        </div>
      );
  }
}

type Screens = typeof import("./admin/index.tsx");
const screens = signal<Screens | undefined>(undefined);
const screensProblem = signal("");

/** The screens of admins come when they are asked for. */
function Later({ page }: { page: "people" | "agents" | "freezes" | "ledger" | "password" | "account" | "insights" | "channels" }) {
  useEffect(() => {
    import("./admin/index.tsx").then(
      (loaded) => (screens.value = loaded),
      () => (screensProblem.value = "This part of the page could not be loaded. Reload to try again."),
    );
  }, []);
  const loaded = screens.value;
  if (loaded === undefined) return <div class="page">{screensProblem.value !== "" && <Notice kind="warn">{screensProblem.value}</Notice>}</div>;
  const Screen: ComponentType = { people: loaded.People, agents: loaded.Agents, freezes: loaded.Freezes, ledger: loaded.Ledger, password: loaded.Password, account: loaded.Account, insights: loaded.Insights, channels: loaded.Channels }[page];
  return <Screen />;
}
