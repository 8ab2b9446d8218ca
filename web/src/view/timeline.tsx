// What happened to a request, from the ledger's own entries.

import type { Detail } from "../state/detail.ts";
import { me } from "../state/session.ts";
import { timeOf, type Entry } from "../wire/types.ts";
import { Moment, reasonText } from "./basics.tsx";
import { Safe } from "./safe.tsx";

interface Line {
  readonly text: string;
  readonly by?: string;
  readonly note?: string;
  readonly tone?: "good" | "stop" | "plain";
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(", ") : "");

const LINES: Readonly<Record<string, (data: Entry["data"], detail: Detail) => Omit<Line, "by">>> = {
  "request.submitted": () => ({ text: "Asked" }),
  "policy.decided": (data) => ({
    text: data["verdict"] === "require_approval" ? "Policy asks for people" : data["verdict"] === "allow" ? "Policy allows it" : "Policy denies it",
    note: texts(data["rules"]),
  }),
  "requirements.grown": () => ({ text: "A new policy asks for more" }),
  "rung.reached": (data) => ({ text: "More people asked", note: texts(data["groups"]) }),
  "request.viewed": () => ({ text: "Opened" }),
  "request.commented": () => ({ text: "Commented" }),
  "request.edited": (data) => ({ text: "Arguments edited: votes start again", note: texts(data["changed"]) }),
  vote: (data) => (data["approve"] === true ? { text: "Approved", tone: "good" } : { text: "Denied", tone: "stop" }),
  "vote.late": (data) => ({ text: data["approve"] === true ? "Approved too late, changes nothing" : "Denied too late, changes nothing" }),
  "vote.uncounted": (data) => ({ text: "A vote no longer counts", note: reasonText(text(data["reason"])) }),
  "request.approved": (data) => ({ text: "Request approved", note: reasonText(text(data["reason"])), tone: "good" }),
  "request.denied": (data) => ({ text: "Request denied", note: reasonText(text(data["reason"])), tone: "stop" }),
  "request.expired": () => ({ text: "Request expired", note: "nobody answered in time" }),
  "request.cancelled": (data) => ({ text: "Request cancelled", note: reasonText(text(data["reason"])) }),
  "grant.issued": (data) => ({ text: "One-time permission issued", note: data["bearer"] === true ? "whoever holds it" : "" }),
  "grant.minted": () => ({ text: "Permission handed to the caller" }),
  "grant.redeemed": () => ({ text: "Permission used: it runs", tone: "good" }),
  "grant.refused": (data) => ({ text: "Use of the permission refused", note: reasonText(text(data["reason"])), tone: "stop" }),
  "grant.revoked": (data) => ({ text: "Permission revoked", note: reasonText(text(data["reason"])), tone: "stop" }),
  "grant.lapsed": () => ({ text: "Permission lapsed unused" }),
  "effect.reported": (data) => ({ text: `It ran: ${text(data["outcome"])}`, tone: data["outcome"] === "succeeded" ? "good" : "stop" }),
  "effect.unknown": () => ({ text: "Nobody reported what happened", tone: "stop" }),
  "effect.resolved": (data) => ({ text: `A person settled what happened: ${text(data["outcome"])}` }),
  "notice.sent": (data) => ({ text: "Notice sent", note: text(data["channel"]) }),
  "notice.failed": (data) => ({ text: "Notice failed, tried again", note: text(data["channel"]) }),
  "notice.gathered": (data) => ({ text: "Told with others in one message", note: text(data["channel"]) }),
  "notice.dead": (data) => ({ text: "Notice given up", note: text(data["channel"]), tone: "stop" }),
};

/** Entries name people by id; the votes, which the same person may read, say the names. */
export function actorName(entry: Entry, detail: Detail, own: { id: string; name: string } | undefined): string {
  const { id, kind } = entry.actor;
  if (kind === "system") return "gateway";
  if (kind === "host") return "host";
  if (kind === "caller") return detail.caller;
  if (own !== undefined && id === own.id) return "you";
  const vote = detail.votes.find((one) => entry.type.startsWith("vote") && timeOf(one.at) === timeOf(entry.at));
  return vote?.person ?? id;
}

export function describe(entry: Entry, detail: Detail, own: { id: string; name: string } | undefined): Line {
  const line = LINES[entry.type]?.(entry.data, detail) ?? { text: entry.type.replace(/[._]/g, " ") };
  return { ...line, by: actorName(entry, detail, own) };
}

export function Timeline({ entries, detail }: { entries: readonly Entry[]; detail: Detail }) {
  return (
    <ol class="timeline">
      {entries.map((entry) => {
        const line = describe(entry, detail, me.value);
        return (
          <li key={entry.seq} class={line.tone ?? "plain"}>
            <Moment at={timeOf(entry.at)} />
            <span>
              {line.text}
              {line.note && <span class="quiet"> · {line.note}</span>}
              {line.by && line.by !== "gateway" && (
                <span class="quiet">
                  {" "}
                  · <Safe text={line.by} plain={entry.actor.kind === "person"} />
                </span>
              )}
            </span>
            <span class="seq num" title="number in the ledger">#{entry.seq}</span>
          </li>
        );
      })}
    </ol>
  );
}
