import { get } from "../../wire/api.ts";
import { timeOf, type Checkpoint } from "../../wire/types.ts";
import { Moment, PageHeading } from "../basics.tsx";
import { Secret } from "../forms.tsx";
import { LoadProblem, useLoaded } from "./parts.tsx";

export function Ledger() {
  const head = useLoaded(async () => [await get<Checkpoint>("/v1/ledger/checkpoint")]);
  const checkpoint = head.rows.value[0];
  return (
    <div class="page narrow">
      <PageHeading>Ledger</PageHeading>
      <p class="quiet lead-in">
        Every step of every request is one entry in an append-only log. Whoever keeps a checkpoint outside this machine can prove
        later that nothing before it was changed, dropped or reordered.
      </p>
      <LoadProblem of={head} what="The checkpoint" />
      {checkpoint !== undefined && (
        <>
          <section class="card">
            <p class="big num">{checkpoint.size.toLocaleString("en")}</p>
            <p class="quiet">
              entries under the latest checkpoint, signed <Moment at={timeOf(checkpoint.at)} whole />, epoch {checkpoint.epoch}, log{" "}
              <code>{checkpoint.origin}</code>
            </p>
          </section>
          <h2>Keep these outside</h2>
          <Secret title="Checkpoint" text={checkpoint.checkpoint}>The signed head of the log. It is no secret; keep it where the operator of this gateway cannot change it.</Secret>
          <Secret title="Verifier key" text={checkpoint.vkey}>Says whose signature counts. Take it once, over a way you trust.</Secret>
          <h2>Verify it yourself</h2>
          <ol class="steps">
            <li>
              <a href="/v1/ledger/export" download="ledger.jsonl">Download the ledger</a> <span class="quiet">(JSON lines, as long as its history)</span>
            </li>
            <li>
              On any machine, without this gateway: <code class="command">countersign ledger verify ledger.jsonl --key 'VERIFIER KEY' --checkpoint checkpoint.txt</code>
            </li>
            <li>It says how many entries it covered, and the first that does not hold.</li>
          </ol>
        </>
      )}
    </div>
  );
}
