// What approvers changed since the agent asked, field by field.

import type { Detail } from "../state/detail.ts";
import { timeOf, type Change, type PastEdit } from "../wire/types.ts";
import { Moment } from "./basics.tsx";
import { Safe } from "./safe.tsx";

export function Edits({ detail }: { detail: Detail }) {
  if (detail.edits.length === 0) return null;
  return (
    <section class="edits" aria-labelledby="edits-heading">
      <h3 id="edits-heading">Changed since the agent asked</h3>
      <ol>
        {detail.edits.map((edit) => (
          <OneEdit key={edit.revision} edit={edit} />
        ))}
      </ol>
    </section>
  );
}

function OneEdit({ edit }: { edit: PastEdit }) {
  return (
    <li>
      <p class="quiet">
        Revision {edit.revision} by {edit.person}, <Moment at={timeOf(edit.at)} />
        {edit.reason !== undefined && (
          <>
            : <q><Safe text={edit.reason} plain /></q>
          </>
        )}
      </p>
      {edit.changes === undefined ? (
        <p class="quiet">erased</p>
      ) : (
        <ul class="changes">
          {edit.changes.map((change) => (
            <OneChange key={change.path} change={change} />
          ))}
        </ul>
      )}
    </li>
  );
}

function OneChange({ change }: { change: Change }) {
  return (
    <li>
      <code><Safe text={change.path === "" ? "all arguments" : change.path} /></code>{" "}
      {change.from === undefined ? <span class="quiet">new</span> : <del><Value of={change.from} /></del>}{" "}
      <span aria-hidden="true">→</span>{" "}
      {change.to === undefined ? <span class="quiet">gone</span> : <ins><Value of={change.to} /></ins>}
    </li>
  );
}

function Value({ of }: { of: unknown }) {
  return <Safe text={JSON.stringify(of)} />;
}
