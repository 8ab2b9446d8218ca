// The inbox: a virtual list, so that ten thousand rows cost what twenty do.

import { useEffect, useRef, useState } from "preact/hooks";
import { now } from "../state/clock.ts";
import {
  filterText, holds, isLoading, list, loadProblem, nextEnd, presence, scope, showNew, unfolded, unknownFilters, waiting, waitingForMe,
} from "../state/inbox.ts";
import { countByRisk, repeatKey } from "../state/queue.ts";
import { go, route } from "../state/router.ts";
import type { Summary } from "../wire/types.ts";
import { RiskTag, StateTag } from "./basics.tsx";
import { Safe } from "./safe.tsx";
import { countText, leftText, leftWords } from "./time.ts";

export const ROW_HEIGHT = 60;
const OVERSCAN = 6;

export function openRequest(id: string): void {
  go(`/requests/${id}`, route.peek().request === "" ? "push" : "replace");
}

/** Moves the selection by rows; from nowhere to the first. */
export function moveSelection(by: number): void {
  const rows = list.peek().rows;
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.id === route.peek().request);
  const to = at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by));
  openRequest(rows[to]!.id);
}

export function InboxPane() {
  return (
    <section class="pane" aria-label="Requests">
      <div class="tools">
        <Scope />
        <input
          id="filter"
          type="search"
          placeholder="Filter: refund risk:>=high"
          aria-label="Filter requests"
          aria-keyshortcuts="/"
          autocomplete="off"
          spellcheck={false}
          value={filterText.value}
          onInput={(event) => (filterText.value = event.currentTarget.value)}
        />
      </div>
      {unknownFilters.value.length > 0 && (
        <p class="hint">Not a filter: {unknownFilters.value.join(" ")}. Try action:, agent:, resource:, subject:, risk:</p>
      )}
      <div class="list-box">
        <List />
        <Held />
      </div>
    </section>
  );
}

function Scope() {
  const choice = (value: "mine" | "all", label: string, count: number) => (
    <button type="button" aria-pressed={scope.value === value} onClick={() => (scope.value = value)}>
      {label} <span class="num">{count.toLocaleString("en")}</span>
    </button>
  );
  return (
    <div class="scope" role="group" aria-label="Which requests">
      {choice("mine", "For you", waitingForMe.value.length)}
      {choice("all", "All", waiting.value.length)}
    </div>
  );
}

function Held() {
  const held = list.value.held;
  if (held === 0) return null;
  return (
    <button type="button" class="held" onClick={revealNew}>
      {countText(held, "new request")}. Show <kbd>.</kbd>
    </button>
  );
}

export function revealNew(): void {
  showNew();
  const element = document.getElementById("list");
  if (element) element.scrollTop = 0;
}

function useWindow(element: { current: HTMLDivElement | null }): { top: number; height: number } {
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(800);
  useEffect(() => {
    const list = element.current!;
    let frame = 0;
    const onScroll = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        setTop(list.scrollTop);
        holds.value = list.scrollTop > 4;
      });
    };
    const observer = new ResizeObserver(() => setHeight(list.clientHeight));
    const release = () => (holds.value = list.scrollTop > 4);
    const hold = () => (holds.value = true);
    observer.observe(list);
    list.addEventListener("scroll", onScroll, { passive: true });
    list.addEventListener("pointerdown", hold);
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
    return () => {
      observer.disconnect();
      list.removeEventListener("scroll", onScroll);
      list.removeEventListener("pointerdown", hold);
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
      holds.value = false;
    };
  }, []);
  return { top, height };
}

function List() {
  const element = useRef<HTMLDivElement>(null);
  const { top, height } = useWindow(element);
  const rows = list.value.rows;
  const selected = route.value.request;
  const at = rows.findIndex((row) => row.id === selected);
  useEffect(() => {
    const box = element.current!;
    const y = at * ROW_HEIGHT;
    if (at < 0) return;
    if (y < box.scrollTop) box.scrollTop = y;
    else if (y + ROW_HEIGHT > box.scrollTop + box.clientHeight) box.scrollTop = y + ROW_HEIGHT - box.clientHeight;
  }, [at, selected]);
  const from = Math.max(0, Math.floor(top / ROW_HEIGHT) - OVERSCAN);
  const to = Math.min(rows.length, Math.ceil((top + height) / ROW_HEIGHT) + OVERSCAN);
  return (
    <div
      id="list"
      class="list"
      ref={element}
      {...(rows.length > 0 && { role: "listbox", "aria-label": `Requests, most urgent first: ${rows.length}`, tabIndex: 0 })}
      aria-activedescendant={at >= 0 ? `row-${selected}` : undefined}
      onKeyDown={onListKey}
    >
      {rows.length === 0 ? (
        <EmptyList />
      ) : (
        <div class="sizer" role="presentation" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
          {rows.slice(from, to).map((row, i) => (
            <ListRow key={row.id} row={row} at={from + i} of={rows.length} isSelected={row.id === selected} />
          ))}
        </div>
      )}
    </div>
  );
}

function onListKey(event: KeyboardEvent): void {
  const page = Math.max(1, Math.floor((event.currentTarget as HTMLElement).clientHeight / ROW_HEIGHT) - 1);
  const moves: Record<string, number> = {
    ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9,
  };
  const by = moves[event.key];
  if (by !== undefined && !event.metaKey && !event.ctrlKey && !event.altKey) {
    event.preventDefault();
    event.stopPropagation();
    moveSelection(by);
  }
}

function ListRow({ row, at, of, isSelected }: { row: Summary; at: number; of: number; isSelected: boolean }) {
  const others = presence.value.get(row.id);
  return (
    <div
      id={`row-${row.id}`}
      role="option"
      aria-selected={isSelected}
      aria-posinset={at + 1}
      aria-setsize={of}
      class={`row ${row.risk} ${row.state}`}
      style={{ top: `${at * ROW_HEIGHT}px` }}
      onClick={() => openRequest(row.id)}
    >
      <div class="row-top">
        <b>
          <Safe text={row.action} />
        </b>
        {row.state === "pending" ? <Left row={row} /> : <StateTag state={row.state} />}
      </div>
      <div class="row-rest">
        <RiskTag risk={row.risk} />
        <span class="row-what">
          <Safe text={row.agent} />
          <span class="dot" aria-hidden="true">·</span>
          <Safe text={row.resource} />
        </span>
        {row.question && <span class="who" title="Waits for the agent's answer">asked back</span>}
        <Repeats row={row} />
        {others !== undefined && <span class="who">{others[0]} is reading</span>}
      </div>
    </div>
  );
}

/** How many ask the same; unfolds them. */
function Repeats({ row }: { row: Summary }) {
  const count = list.value.counts.get(row.id);
  if (count === undefined) return null;
  const key = repeatKey(row);
  const isOpen = unfolded.value.has(key);
  const turn = (event: Event) => {
    event.stopPropagation();
    const next = new Set(unfolded.peek());
    if (!next.delete(key)) next.add(key);
    unfolded.value = next;
  };
  return (
    <span class="repeats num" title={isOpen ? "Fold these together" : `${count} ask the same: show each`} onClick={turn}>
      ×{count}
    </span>
  );
}

function Left({ row }: { row: Summary }) {
  if (row.frozen) return <span class="left frozen">frozen</span>;
  if (row.timeoutAt === 0) return null;
  const ms = row.timeoutAt - now.value;
  return (
    <span class={ms < 60_000 ? "left num soon" : "left num"} title={`${leftWords(ms)} left`}>
      {leftText(ms)}
    </span>
  );
}

function EmptyList() {
  if (isLoading.value) return <p class="empty">Reading what waits…</p>;
  if (loadProblem.value !== "" && waiting.value.length === 0) return <p class="empty">The list could not be read. {loadProblem.value}</p>;
  if (filterText.value !== "") {
    const hidden = scope.value === "mine" ? waitingForMe.value.length : waiting.value.length;
    return (
      <div class="empty">
        <p>Nothing matches. {countText(hidden, "request")} hidden by the filter.</p>
        <button type="button" onClick={() => (filterText.value = "")}>Clear the filter</button>
      </div>
    );
  }
  const elsewhere = waiting.value.length;
  return (
    <div class="empty">
      <p>Nothing waits for you.</p>
      <p>{elsewhere > 0 && scope.value === "mine" ? `${countText(elsewhere, "request")} wait for others.` : "New requests appear here by themselves."}</p>
    </div>
  );
}

function RiskCounts() {
  const counts = countByRisk(waitingForMe.value);
  const present = (["critical", "high", "medium", "low"] as const).filter((risk) => counts[risk] > 0);
  return (
    <ul class="risk-counts">
      {present.map((risk) => (
        <li key={risk}>
          <b class="num">{counts[risk].toLocaleString("en")}</b> <RiskTag risk={risk} />
        </li>
      ))}
    </ul>
  );
}

/** Beside the list while nothing is open. */
export function Overview() {
  const count = waitingForMe.value.length;
  const soon = nextEnd.value;
  return (
    <div class="overview">
      <p class="big num">{count.toLocaleString("en")}</p>
      <p class="lead">{count === 0 ? "Nothing waits for you." : count === 1 ? "request waits for you." : "requests wait for you."}</p>
      {count > 0 && <RiskCounts />}
      {Number.isFinite(soon) && <p class="quiet">The next one runs out in {leftWords(soon - now.value)}. What nobody answers is not approved.</p>}
      {count > 0 && (
        <p class="quiet keys">
          <kbd>j</kbd> opens the most urgent, <kbd>?</kbd> shows all keys.
        </p>
      )}
    </div>
  );
}
