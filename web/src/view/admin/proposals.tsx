// Changes that wait for a second admin: what exactly, by whom, and the button that makes them happen.

import { useEffect } from "preact/hooks";
import { RawJson, call, get, segmentOf, whenProposed } from "../../wire/api.ts";
import { me } from "../../state/session.ts";
import { timeOf } from "../../wire/types.ts";
import { Moment } from "../basics.tsx";
import { Safe } from "../safe.tsx";
import { LoadProblem, Sure, Table, useLoaded } from "./parts.tsx";

interface Proposal {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly proposer: string;
  readonly created_at: string;
  readonly expires_at: string;
}

export function Proposals({ done, nameOf }: { done: () => void; nameOf: (id: string) => string }) {
  const loaded = useLoaded(async () => (await get<{ proposals: Proposal[] }>("/v1/proposals")).proposals);
  useEffect(() => {
    whenProposed(() => void loaded.reload());
    return () => whenProposed(() => {});
  }, []);
  const after = () => (void loaded.reload(), done());
  if (loaded.rows.value.length === 0) return <LoadProblem of={loaded} what="What waits for a second admin" />;
  return (
    <section aria-labelledby="proposals-heading">
      <h2 id="proposals-heading">Waiting for a second admin</h2>
      <p class="quiet lead-in">Nothing of this has happened yet. Read what it is before you make it happen.</p>
      <Table label="Waiting for a second admin" head={["Change", "By", "Until", ""]}>
        {loaded.rows.value.map((one) => (
          <tr key={one.id}>
            <td>
              <Safe text={`${one.method} ${one.path}`} />
              {one.body !== undefined && <div><Safe text={one.body} /></div>}
            </td>
            <td>{nameOf(one.proposer)}</td>
            <td><Moment at={timeOf(one.expires_at)} /></td>
            <td class="acts">
              {one.proposer !== me.value?.id && (
                <Sure label="Confirm" ask="Make this change?" run={() => call(one.method, one.path, one.body === undefined ? undefined : new RawJson(one.body))} then={after} />
              )}
              <Sure label="Withdraw" ask="Forget it?" run={() => call("DELETE", `/v1/proposals/${segmentOf(one.id)}`)} then={after} />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
