// Where people are told and asked, how each destination does, and a harmless card to try it.

import { useSignal } from "@preact/signals";
import { isAdmin } from "../../state/session.ts";
import { get, post, segmentOf } from "../../wire/api.ts";
import { explain } from "../../wire/problem.ts";
import { timeOf } from "../../wire/types.ts";
import { Moment, PageHeading } from "../basics.tsx";
import { Safe } from "../safe.tsx";
import { LoadProblem, Table, useLoaded } from "./parts.tsx";

interface Channel {
  readonly name: string;
  readonly kind: string;
  readonly answers: boolean;
  readonly decides: boolean;
  readonly failures: number;
  readonly held: number;
  readonly in_flight: number;
  readonly groups?: readonly string[];
  readonly muted?: number;
  readonly people?: readonly string[];
  readonly problem?: string;
  readonly tell?: readonly string[];
  readonly tried_again_at?: string;
  readonly unlinked?: number;
}

export function Channels() {
  const loaded = useLoaded(async () => (await get<{ channels: Channel[] }>("/v1/channels")).channels);
  return (
    <div class="page">
      <PageHeading>Channels</PageHeading>
      <p class="quiet lead-in">They are configured on the host. What cannot be delivered is tried again, and kept as a dead notice when nothing helps.</p>
      <LoadProblem of={loaded} what="Channels" />
      {!loaded.isLoading.value && loaded.rows.value.length === 0 && loaded.problem.value === "" && <p class="quiet">None are configured: people are asked in this dashboard only.</p>}
      {loaded.rows.value.length > 0 && (
        <Table label="Channels" head={["Name", "Kind", "For", "Waiting", "State", ""]}>
          {loaded.rows.value.map((one) => (
            <tr key={one.name}>
              <td><b>{one.name}</b></td>
              <td>
                {one.kind}
                <div class="quiet">{one.decides ? "people can decide in it" : "tells only"}</div>
              </td>
              <td>
                {[...(one.groups ?? []), ...(one.people ?? [])].join(", ") || <span class="quiet">everybody asked</span>}
                <Untold of={one} />
              </td>
              <td class="num">{one.held + one.in_flight}</td>
              <td><Standing of={one} /></td>
              <td class="acts">{isAdmin.value && <Try name={one.name} then={() => void loaded.reload()} />}</td>
            </tr>
          ))}
        </Table>
      )}
    </div>
  );
}

/** Who is asked there and hears nothing of it. */
function Untold({ of }: { of: Channel }) {
  const unlinked = of.unlinked ?? 0;
  const muted = of.muted ?? 0;
  return (
    <>
      {unlinked > 0 && <div class="quiet">{unlinked} linked no account: told nothing here</div>}
      {muted > 0 && <div class="quiet">{muted} muted it</div>}
    </>
  );
}

function Standing({ of }: { of: Channel }) {
  if (of.answers && of.failures === 0 && of.problem === undefined) return <span class="state approved">answers</span>;
  return (
    <>
      <span class="state failing">{of.problem !== undefined ? "needs mending" : of.answers ? `failed ${of.failures} times` : "left alone"}</span>
      {of.problem !== undefined && <div><Safe plain text={of.problem} /></div>}
      {of.tried_again_at !== undefined && <div class="quiet">tried again <Moment at={timeOf(of.tried_again_at)} /></div>}
    </>
  );
}

interface Trial {
  readonly id: string;
  readonly state: "waiting" | "sent" | "dead" | "stale" | "gathered";
  readonly answer?: string;
  readonly last_error?: string;
}

const LOOKS_MAX = 40;
const LOOK_EVERY_MS = 500;

/** Asks what came of it until it is settled. */
async function outcomeOf(trial: Trial): Promise<string> {
  let now = trial;
  for (let looks = 0; looks < LOOKS_MAX && now.state === "waiting"; looks++) {
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
    now = await get<Trial>(`/v1/notices/${segmentOf(trial.id)}`);
  }
  if (now.state === "sent") return `Sent. It answered: ${now.answer ?? "nothing"}`;
  return now.state === "waiting" ? "Still on its way; look again later." : `Not sent: ${now.last_error ?? now.answer ?? "no reason given"}`;
}

/** Sends a harmless card and says what the other side answered. */
function Try({ name, then }: { name: string; then: () => void }) {
  const said = useSignal("");
  const isBusy = useSignal(false);
  const send = () => {
    if (isBusy.peek()) return;
    isBusy.value = true;
    said.value = "";
    post<Trial>(`/v1/channels/${segmentOf(name)}/test`, {})
      .then(outcomeOf)
      .then((words) => (said.value = words))
      .catch((error: unknown) => (said.value = explain(error)))
      .finally(() => ((isBusy.value = false), then()));
  };
  return (
    <>
      <button type="button" class="small" aria-disabled={isBusy.value} onClick={send}>{isBusy.value ? "Sending…" : "Test"}</button>
      {said.value !== "" && <div role="status"><Safe plain text={said.value} /></div>}
    </>
  );
}
