// Changing the arguments before approving. It makes a new revision; it never approves.

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Detail } from "../state/detail.ts";
import { pretty, readEdited } from "../state/editing.ts";
import { read } from "../state/open.ts";
import { RawJson, post } from "../wire/api.ts";
import { Notice } from "./basics.tsx";
import { Field, FormProblem, Submit, useForm } from "./forms.tsx";
import { Safe } from "./safe.tsx";

export function EditForm({ detail, close }: { detail: Detail; close: () => void }) {
  const args = detail.evidence.args!;
  const text = useSignal(useMemo(() => pretty(args), [detail.digest]));
  const reason = useSignal("");
  const edited = readEdited(args, text.value);
  const { problem, isBusy, submit } = useForm(async () => {
    if (edited.problem !== "") return;
    const why = reason.peek().trim();
    const body = `{"args":${edited.text},"digest":"${detail.digest}",${why === "" ? "" : `"reason":${JSON.stringify(why)},`}"revision":${detail.revision}}`;
    await post(`/v1/requests/${detail.id}/edits`, new RawJson(body));
    close();
    await read(detail.id);
  });
  const isRisky = detail.risk === "high" || detail.risk === "critical";
  return (
    <form class="card edit" onSubmit={submit} aria-label="Change the arguments">
      <h3>Change the arguments</h3>
      <p class="quiet">
        This makes revision {detail.revision + 1}. Policy judges it again, votes start again, the agent is told.
        {isRisky && " At this risk somebody else has to approve what you changed."}
      </p>
      <FormProblem problem={problem} title="Not changed." />
      <textarea
        class="mono"
        aria-label="Arguments as JSON"
        aria-describedby="edit-state"
        rows={Math.min(18, text.value.split("\n").length + 1)}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <p id="edit-state" class="hint" role="status">
        {edited.problem !== "" ? (
          edited.problem
        ) : (
          <>
            Changed:{" "}
            {edited.changed.map((name, i) => (
              <span key={name}>
                {i > 0 && ", "}
                <Safe text={name} />
              </span>
            ))}
          </>
        )}
      </p>
      <Field label="Reason" hint="Kept with the revision; the agent reads it." value={reason} maxLength={240} autocomplete="off" />
      {detail.evidence.problem !== "" && <Notice kind="warn">{detail.evidence.problem}</Notice>}
      <div class="form-buttons">
        <Submit isBusy={isBusy}>Make the revision</Submit>
        <button type="button" onClick={close}>Leave it as it is</button>
      </div>
    </form>
  );
}
