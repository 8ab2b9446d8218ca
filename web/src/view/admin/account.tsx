// One's own account: passkeys.

import { useSignal } from "@preact/signals";
import { me } from "../../state/session.ts";
import { call, get, post, segmentOf } from "../../wire/api.ts";
import { hasPasskeys, makePasskey } from "../../wire/passkey.ts";
import { timeOf, type Passkey, type PasskeyQuestion } from "../../wire/types.ts";
import { Moment, Notice, PageHeading } from "../basics.tsx";
import { Field, FormProblem, Submit, useForm } from "../forms.tsx";
import { Safe } from "../safe.tsx";
import { Adder, LoadProblem, Sure, Table, useLoaded, type Loaded } from "./parts.tsx";

export function Account() {
  return (
    <div class="page narrow">
      <PageHeading>Your account</PageHeading>
      <p class="quiet lead-in">
        Signed in as <b>{me.value?.name}</b>. <a href="/password">Change password</a>
      </p>
      <Passkeys />
    </div>
  );
}

function Passkeys() {
  const loaded = useLoaded(async () => (await get<{ passkeys: Passkey[] }>("/v1/passkeys")).passkeys);
  return (
    <section aria-labelledby="passkeys-heading">
      <div class="page-top">
        <h2 id="passkeys-heading">Passkeys</h2>
        {hasPasskeys && <Adder label="Add a passkey">{(close) => <AddPasskey done={() => (void loaded.reload(), close())} />}</Adder>}
      </div>
      <p class="quiet lead-in">A passkey signs in without a password, and signs what is critical: who reads the ledger can check each of those votes.</p>
      {!hasPasskeys && <Notice kind="warn" title="Passkeys do not work at this address.">Open the dashboard by its host name, over https or as localhost.</Notice>}
      <LoadProblem of={loaded} what="Your passkeys" />
      {!loaded.isLoading.value && loaded.rows.value.length === 0 && loaded.problem.value === "" && (
        <Notice title="You have none yet.">The first one needs an enrolment link from an admin, so that nobody who finds your session open can add theirs.</Notice>
      )}
      {loaded.rows.value.length > 0 && <PasskeyTable loaded={loaded} />}
    </section>
  );
}

function PasskeyTable({ loaded }: { loaded: Loaded<Passkey> }) {
  return (
    <Table label="Passkeys" head={["Name", "Made", "Used", "Critical votes", ""]}>
      {loaded.rows.value.map((one) => (
        <tr key={one.id}>
          <td>
            <b><Safe plain text={one.name} /></b>
            {one.synced && <div class="quiet">synced between devices</div>}
          </td>
          <td><Moment at={timeOf(one.created_at)} /></td>
          <td>{one.used_at === undefined ? <span class="quiet">never</span> : <Moment at={timeOf(one.used_at)} />}</td>
          <td>
            {!one.enabled ? (
              <span class="state denied">disabled</span>
            ) : one.trusted ? (
              <span class="state approved">yes</span>
            ) : (
              <span class="quiet">
                from <Moment at={timeOf(one.trusted_at)} />, or when another admin confirms it
              </span>
            )}
          </td>
          <td class="acts">
            <Sure label="Remove" ask="It signs nothing any more." run={() => call("DELETE", `/v1/passkeys/${segmentOf(one.id)}`)} then={() => void loaded.reload()} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function AddPasskey({ done }: { done: () => void }) {
  const name = useSignal("");
  const { problem, isBusy, submit } = useForm(async () => {
    const question = await post<PasskeyQuestion>("/v1/me/passkeys/begin");
    const made = await makePasskey(question);
    await post("/v1/passkeys", { ...made, challenge: question.challenge, name: name.value.trim() });
    done();
  });
  return (
    <form onSubmit={submit}>
      <FormProblem problem={problem} title="Not added." />
      <Field label="Name" value={name} required maxLength={100} hint="So that you know it again: “phone”, “blue key”." autofocus />
      <Submit isBusy={isBusy}>Make it</Submit>
    </form>
  );
}
