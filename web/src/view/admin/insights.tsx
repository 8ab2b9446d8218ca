// How people decide: signs of fatigue, never a ranking.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../../wire/api.ts";
import { PageHeading } from "../basics.tsx";
import { Choice } from "../forms.tsx";
import { LoadProblem, Table, useLoaded } from "./parts.tsx";

interface PersonInsight {
  readonly person: string;
  readonly approvals: number;
  readonly denials: number;
  readonly quick: number;
  readonly unseen: number;
  readonly retyped: number;
  readonly over_budget: number;
  readonly dwell_p10_ms?: number;
  readonly dwell_p50_ms?: number;
}

interface Insight {
  readonly capped: boolean;
  readonly people: readonly PersonInsight[];
  readonly requests?: Readonly<Record<string, number>>;
}

const REQUEST_WORDS = ["asked", "pending", "approved", "denied", "expired", "cancelled", "edited", "stranded"] as const;

export function Insights() {
  const days = useSignal("7");
  const loaded = useLoaded(async () => [await get<Insight>(`/v1/insights?days=${days.value}`)]);
  useEffect(() => void loaded.reload(), [days.value]);
  const found = loaded.rows.value[0];
  return (
    <div class="page">
      <PageHeading>Insights</PageHeading>
      <p class="quiet lead-in">Where people decide fast, or much, they decide worse. This is no ranking: a quick approval may be right.</p>
      <Choice label="How far back" value={days} options={[["1", "1 day"], ["7", "7 days"], ["30", "30 days"], ["90", "90 days"]]} />
      <LoadProblem of={loaded} what="Insights" />
      {found?.capped === true && <p class="warn">There is more than can be counted here: some is missing.</p>}
      {found?.requests !== undefined && <Requests counts={found.requests} />}
      {found !== undefined && <PeopleTable people={found.people} />}
    </div>
  );
}

function Requests({ counts }: { counts: Readonly<Record<string, number>> }) {
  return (
    <Table label="Requests that people were asked about" head={REQUEST_WORDS.map((word) => word)}>
      <tr>
        {REQUEST_WORDS.map((word) => (
          <td key={word} class="num">{(counts[word] ?? 0).toLocaleString("en")}</td>
        ))}
      </tr>
    </Table>
  );
}

const seconds = (ms: number | undefined) => (ms === undefined ? "–" : `${(ms / 1000).toFixed(1)} s`);

function PeopleTable({ people }: { people: readonly PersonInsight[] }) {
  if (people.length === 0) return <p class="quiet">Nobody has decided anything in that time.</p>;
  return (
    <Table label="People" head={["Person", "Approved", "Denied", "Quick", "Unseen", "Retyped", "Over budget", "Looked, median", "Looked, fastest tenth"]}>
      {people.map((one) => (
        <tr key={one.person}>
          <td><b>{one.person}</b></td>
          <td class="num">{one.approvals}</td>
          <td class="num">{one.denials}</td>
          <td class="num">{one.quick}</td>
          <td class="num">{one.unseen}</td>
          <td class="num">{one.retyped}</td>
          <td class="num">{one.over_budget}</td>
          <td class="num">{seconds(one.dwell_p50_ms)}</td>
          <td class="num">{seconds(one.dwell_p10_ms)}</td>
        </tr>
      ))}
    </Table>
  );
}
