// What one is told, and when: the operator's channels, muted or not, and quiet hours of one's own.

import { useSignal } from "@preact/signals";
import { call, get } from "../../wire/api.ts";
import { Refusal, explain } from "../../wire/problem.ts";
import { Notice } from "../basics.tsx";
import { Field, FormProblem, Submit, useForm } from "../forms.tsx";
import { LoadProblem, Sure, Table, useLoaded } from "./parts.tsx";

interface OwnChannel {
  readonly kind: string;
  readonly muted: boolean;
  readonly name: string;
  readonly reaches: boolean;
  readonly yours: boolean;
}

interface OwnChannels {
  readonly accepts_silence: boolean;
  readonly channels: readonly OwnChannel[];
  readonly quiet_hours: string;
}

const choose = (choice: object) => call("PUT", "/v1/me/channels", choice);

export function Told() {
  const loaded = useLoaded(async () => [await get<OwnChannels>("/v1/me/channels")]);
  const own = loaded.rows.value[0];
  const reload = () => void loaded.reload();
  return (
    <section aria-labelledby="told-heading">
      <h2 id="told-heading">What you are told</h2>
      <LoadProblem of={loaded} what="Your channels" />
      {own !== undefined && own.channels.length === 0 && <p class="quiet">No channel tells your groups anything: only this dashboard shows what waits for you.</p>}
      {own !== undefined && own.channels.length > 0 && (
        <>
          {own.accepts_silence && <Notice kind="warn" title="You are told of nothing, critical risk included.">Unmute a channel to be told again.</Notice>}
          <Channels own={own} reload={reload} />
          <QuietHours key={own.quiet_hours} now={own.quiet_hours} reload={reload} />
        </>
      )}
    </section>
  );
}

function Channels({ own, reload }: { own: OwnChannels; reload: () => void }) {
  const muted = own.channels.filter((one) => one.muted).map((one) => one.name);
  return (
    <Table label="Channels" head={["Name", "Kind", "Told", ""]}>
      {own.channels.map((one) => (
        <tr key={one.name}>
          <td><b>{one.name}</b></td>
          <td>{one.kind}</td>
          <td><How of={one} /></td>
          <td class="acts">{one.yours && <Mute key={String(one.muted)} of={one} muted={muted} reload={reload} />}</td>
        </tr>
      ))}
    </Table>
  );
}

function How({ of }: { of: OwnChannel }) {
  if (!of.yours) return <span class="quiet">tells many at one place</span>;
  if (of.muted) return <span class="state denied">muted</span>;
  return of.reaches ? <span class="state approved">tells you</span> : <span class="quiet">does not know where to tell you</span>;
}

/** The last channel that reaches somebody is not muted by one press. */
function Mute({ of, muted, reload }: { of: OwnChannel; muted: readonly string[]; reload: () => void }) {
  const problem = useSignal("");
  const isLast = useSignal(false);
  const next = of.muted ? muted.filter((name) => name !== of.name) : [...muted, of.name];
  const press = () => {
    problem.value = "";
    choose({ muted: next })
      .then(reload)
      .catch((error: unknown) => {
        isLast.value = error instanceof Refusal && error.problem.code === "last_channel";
        problem.value = explain(error);
      });
  };
  return (
    <>
      {!isLast.value && <button type="button" class="small" onClick={press}>{of.muted ? "Unmute" : "Mute"}</button>}
      {problem.value !== "" && <p class="stop" role="alert">{problem.value}</p>}
      {isLast.value && (
        <>
          <button type="button" class="small" onClick={() => ((isLast.value = false), (problem.value = ""))}>Keep it</button>
          <Sure label="Mute it all the same" ask="You are told of nothing then, not even of critical risk." run={() => choose({ muted: next, accepts_silence: true })} then={reload} />
        </>
      )}
    </>
  );
}

/** `+01:00`, as it is where the browser is now. */
function offsetNow(): string {
  const minutes = -new Date().getTimezoneOffset();
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

function QuietHours({ now, reload }: { now: string; reload: () => void }) {
  const hours = useSignal(now === "" ? `22:00-07:00 ${offsetNow()}` : now);
  const { problem, isBusy, submit } = useForm(async () => {
    await choose({ quiet_hours: hours.value.trim() });
    reload();
  });
  return (
    <form onSubmit={submit}>
      <FormProblem problem={problem} title="Not changed." />
      <Field label="Quiet hours" value={hours} maxLength={40} mono hint={now === "" ? "You have none. What is of low risk would wait until they are over; everything else never waits." : "What is of low risk waits until they are over; everything else never waits. The offset does not follow summer time."} />
      <Submit isBusy={isBusy}>{now === "" ? "Set quiet hours" : "Change"}</Submit>{" "}
      {now !== "" && <Sure label="End quiet hours" ask="You are told of everything at once again." run={() => choose({ quiet_hours: "" })} then={reload} />}
    </form>
  );
}
