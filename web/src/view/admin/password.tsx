import { useSignal } from "@preact/signals";
import { call } from "../../wire/api.ts";
import { Notice, PageHeading } from "../basics.tsx";
import { Field, FormProblem, NewPassword, Submit, useForm } from "../forms.tsx";

export function Password() {
  const old = useSignal("");
  const fresh = useSignal("");
  const isDone = useSignal(false);
  const { problem, isBusy, submit } = useForm(async () => {
    await call("POST", "/v1/session/password", { old: old.value, new: fresh.value });
    old.value = "";
    fresh.value = "";
    isDone.value = true;
  });
  return (
    <div class="page narrow">
      <PageHeading>Change password</PageHeading>
      {isDone.value && <Notice kind="good" title="Changed." role="status">Your other sessions have ended.</Notice>}
      <form class="card" onSubmit={submit}>
        <FormProblem problem={problem} title="Not changed." />
        <Field label="Password until now" type="password" value={old} autocomplete="current-password" required />
        <NewPassword value={fresh} label="New password" />
        <Submit isBusy={isBusy}>Change it</Submit>
      </form>
    </div>
  );
}
