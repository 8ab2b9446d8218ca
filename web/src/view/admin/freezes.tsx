import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, post, segmentOf } from "../../wire/api.ts";
import { loadFreezes } from "../../state/inbox.ts";
import { loadNames, nameOf } from "../../state/names.ts";
import { isAdmin } from "../../state/session.ts";
import { timeOf, type Freeze } from "../../wire/types.ts";
import { Moment, Notice, PageHeading } from "../basics.tsx";
import { Choice, Field, FormProblem, useForm } from "../forms.tsx";
import { Safe } from "../safe.tsx";
import { LoadProblem, Sure, Table, useLoaded } from "./parts.tsx";

export function Freezes() {
  const freezes = useLoaded(async () => (await get<{ freezes: Freeze[] }>("/v1/freezes")).freezes);
  useEffect(() => {
    void loadNames();
  }, []);
  const reload = () => {
    void freezes.reload();
    void loadFreezes();
  };
  const current = freezes.rows.value.filter((freeze) => freeze.until === undefined);
  const past = freezes.rows.value.filter((freeze) => freeze.until !== undefined);
  return (
    <div class="page narrow">
      <PageHeading>Freezes</PageHeading>
      <p class="quiet lead-in">
        The kill switch. Within a second new requests in its scope are denied, approvals refused, unused permissions revoked, and
        the clocks of what waits stand still. Denying and cancelling still work.
      </p>
      <LoadProblem of={freezes} what="Freezes" />
      {current.length === 0 && !freezes.isLoading.value && freezes.problem.value === "" && <Notice kind="good" title="Nothing is frozen.">Policy and people decide as usual.</Notice>}
      {current.map((freeze) => (
        <Notice kind="stop" key={freeze.id} title={<>Frozen: <Scope freeze={freeze} /></>}>
          <p><Safe plain text={freeze.reason} /></p>
          <p class="quiet">
            by {nameOf(freeze.by)}, since <Moment at={timeOf(freeze.since)} whole />
          </p>
          {isAdmin.value ? <Sure label="Thaw" ask="Let it go on?" run={() => post(`/v1/freezes/${segmentOf(freeze.id)}/thaw`)} then={reload} /> : <p class="quiet">An admin can thaw it.</p>}
        </Notice>
      ))}
      {isAdmin.value ? <FreezeForm done={reload} /> : <p class="quiet">Only an admin freezes.</p>}
      {past.length > 0 && (
        <>
          <h2>Earlier</h2>
          <Table label="Earlier freezes" head={["Scope", "Reason", "From", "Until", "By"]}>
            {past.map((freeze) => (
              <tr key={freeze.id}>
                <td><Scope freeze={freeze} /></td>
                <td><Safe plain text={freeze.reason} /></td>
                <td><Moment at={timeOf(freeze.since)} /></td>
                <td><Moment at={timeOf(freeze.until)} /></td>
                <td>{nameOf(freeze.by)}{freeze.thawed_by !== undefined && `, thawed by ${nameOf(freeze.thawed_by)}`}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
    </div>
  );
}

function Scope({ freeze }: { freeze: Freeze }) {
  if (freeze.scope === "everything" || freeze.scope === "tenant") return <>everything{freeze.scope === "tenant" && " of this tenant"}</>;
  return (
    <>
      {freeze.scope === "agent" ? "agent" : "actions"} <Safe text={nameOf(freeze.target ?? "")} />
    </>
  );
}

function FreezeForm({ done }: { done: () => void }) {
  const scope = useSignal("agent");
  const target = useSignal("");
  const reason = useSignal("");
  const { problem, isBusy, submit } = useForm(async () => {
    const needsTarget = scope.value === "agent" || scope.value === "action";
    await post("/v1/freezes", { scope: scope.value, reason: reason.value.trim(), ...(needsTarget && { target: target.value.trim() }) });
    target.value = "";
    reason.value = "";
    done();
  });
  return (
    <form class="card" onSubmit={submit}>
      <h2>Freeze</h2>
      <FormProblem problem={problem} />
      <Choice label="What" value={scope} options={[["agent", "one agent"], ["action", "actions that match a pattern"], ["tenant", "everything of this tenant"]]} />
      {scope.value === "agent" && <Field label="Agent" value={target} required mono />}
      {scope.value === "action" && <Field label="Pattern" value={target} required mono placeholder="payments.*" />}
      <Field label="Reason" value={reason} required maxLength={240} hint="Everyone who is stopped by it reads this." />
      <button type="submit" class="primary stop" aria-disabled={isBusy.value}>Freeze now</button>
    </form>
  );
}
