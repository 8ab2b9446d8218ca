// Who was asked since when, who is next, and who says they are on it.

import { useSignal } from "@preact/signals";
import { now } from "../state/clock.ts";
import type { Detail } from "../state/detail.ts";
import { watch } from "../state/open.ts";
import { me } from "../state/session.ts";
import { explain } from "../wire/problem.ts";
import { timeOf, type Ladder } from "../wire/types.ts";
import { Moment } from "./basics.tsx";
import { leftText } from "./time.ts";

export function LadderSteps({ ladder, frozen }: { ladder: Ladder; frozen: boolean }) {
  const steps = [...ladder.rungs].sort((a, b) => timeOf(a.at) - timeOf(b.at));
  if (steps.length === 0) return null;
  return (
    <ol class="ladder" aria-label="Who is asked, and when">
      {steps.map((step, i) => (
        <li key={`${step.rule} ${i}`} class={step.reached ? "reached" : "ahead"}>
          <b>{step.groups.join(", ")}</b>{" "}
          {step.reached ? (
            <span class="quiet">asked since <Moment at={timeOf(step.at)} /></span>
          ) : (
            <span class="quiet">{frozen ? "next; its clock stands still" : `asked in ${leftText(timeOf(step.at) - now.value)}`}</span>
          )}
        </li>
      ))}
      <li class="ahead end">
        <b>not approved</b> <span class="quiet">at zero: it expires</span>
      </li>
    </ol>
  );
}

/** "I'm on it": for others to see. It decides nothing. */
export function Watching({ detail }: { detail: Detail }) {
  const isBusy = useSignal(false);
  const problem = useSignal("");
  const own = me.value?.name;
  const isOn = detail.watching.some((one) => one.person === own);
  const may = detail.mayApprove || detail.mayDeny || detail.needsPasskey;
  const turn = () => {
    if (isBusy.peek()) return;
    isBusy.value = true;
    problem.value = "";
    watch(detail, !isOn)
      .catch((error: unknown) => (problem.value = explain(error)))
      .finally(() => (isBusy.value = false));
  };
  return (
    <div class="watching">
      {detail.watching.map((one) => (
        <p key={one.person}>
          <b>{one.person === own ? "You are" : `${one.person} is`} on it</b> <span class="quiet">since <Moment at={timeOf(one.since)} /></span>
        </p>
      ))}
      {may && (
        <button type="button" class="small" aria-pressed={isOn} onClick={turn}>
          {isOn ? "No longer on it" : "I’m on it"}
        </button>
      )}
      {problem.value !== "" && <p class="warn">{problem.value}</p>}
    </div>
  );
}
