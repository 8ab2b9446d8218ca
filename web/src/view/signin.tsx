// The screens before anyone is signed in.

import { useSignal } from "@preact/signals";
import { callJson } from "../wire/api.ts";
import { hasPasskeys } from "../wire/passkey.ts";
import { Refusal } from "../wire/problem.ts";
import { go, route } from "../state/router.ts";
import { fragmentSecret, needsSetup, signIn, signInByPasskey, standing, takeSession } from "../state/session.ts";
import type { Session } from "../wire/types.ts";
import { Mark, Notice } from "./basics.tsx";
import { Field, FormProblem, NewPassword, Submit, useForm } from "./forms.tsx";

export function Entrance() {
  const page = route.value.page;
  return (
    <main class="entrance" id="main">
      <div class="entrance-card">
        <p class="brand">
          <Mark /> Countersign
        </p>
        {page === "setup" ? <SetUp /> : page === "enrol" ? <Enrol /> : <SignIn />}
      </div>
    </main>
  );
}

function SignIn() {
  const name = useSignal("");
  const password = useSignal("");
  const code = useSignal("");
  const wantsCode = useSignal(false);
  const tenant = route.value.query.get("tenant") ?? ""; // of the address that the tenant's people use
  const { problem, isBusy, submit } = useForm(async () => {
    try {
      await signIn(name.value.trim(), password.value, code.value.trim(), tenant);
    } catch (error) {
      if (!(error instanceof Refusal) || error.problem.code !== "code_needed") throw error;
      wantsCode.value = true;
      return;
    }
    if (route.peek().page === "sign-in") go("/", "replace");
  });
  return (
    <form onSubmit={submit}>
      <h1 data-page-heading tabIndex={-1}>Sign in</h1>
      {standing.value === "ended" && (
        <Notice kind="warn" title="Your session has ended." role="status">
          Nothing was decided meanwhile. After signing in you are where you were.
        </Notice>
      )}
      {needsSetup.value && (
        <Notice title="Nobody has been set up yet.">
          On the host, run <code>countersign admin setup-link</code> and open the link it prints.
        </Notice>
      )}
      {tenant !== "" && <p class="quiet">To <b>{tenant}</b></p>}
      <FormProblem problem={problem} title="Not signed in." />
      <Field label="Name" value={name} autocomplete="username" required autofocus />
      <Field label="Password" type="password" value={password} autocomplete="current-password" required />
      {wantsCode.value && (
        <Field label="Code" value={code} autocomplete="one-time-code" required autofocus maxLength={32} mono hint="Of your authenticator app, or one of your recovery codes." />
      )}
      <Submit isBusy={isBusy}>Sign in</Submit>
      {hasPasskeys && <ByPasskey />}
    </form>
  );
}

function ByPasskey() {
  const { problem, isBusy, submit } = useForm(async () => {
    await signInByPasskey();
    if (route.peek().page === "sign-in") go("/", "replace");
  });
  return (
    <>
      <FormProblem problem={problem} title="Not signed in." />
      <button type="button" aria-disabled={isBusy.value} onClick={submit}>{isBusy.value ? "One moment…" : "Sign in with a passkey"}</button>
    </>
  );
}

function NoSecret({ what, how }: { what: string; how: string }) {
  return (
    <>
      <h1 data-page-heading tabIndex={-1}>{what}</h1>
      <Notice kind="warn" title="This link is not whole.">{how}</Notice>
      <p>
        <a href="/sign-in">Sign in instead</a>
      </p>
    </>
  );
}

function SetUp() {
  const name = useSignal("");
  const display = useSignal("");
  const password = useSignal("");
  const { problem, isBusy, submit } = useForm(async () => {
    const body = { secret: fragmentSecret.value, name: name.value.trim(), password: password.value, ...(display.value.trim() && { display: display.value.trim() }) };
    takeSession(await callJson<Session>("POST", "/v1/setup", body));
    fragmentSecret.value = "";
    go("/", "replace");
  });
  if (fragmentSecret.value === "") {
    return <NoSecret what="First admin" how="The secret after the # is missing. Run `countersign admin setup-link` on the host for a fresh link; it works once, for 15 minutes." />;
  }
  return (
    <form onSubmit={submit}>
      <h1 data-page-heading tabIndex={-1}>First admin</h1>
      <p class="quiet">You will manage people, agents and keys. Being an admin does not make you an approver: put yourself in a group for that.</p>
      <FormProblem problem={problem} />
      <Field label="Name" value={name} autocomplete="username" required autofocus maxLength={63} hint="Short, as in a vote: “dana”." />
      <Field label="Full name (optional)" value={display} autocomplete="name" maxLength={200} />
      <NewPassword value={password} />
      <Submit isBusy={isBusy}>Set up and sign in</Submit>
    </form>
  );
}

function Enrol() {
  const password = useSignal("");
  const { problem, isBusy, submit } = useForm(async () => {
    takeSession(await callJson<Session>("POST", "/v1/enrol", { secret: fragmentSecret.value, password: password.value }));
    fragmentSecret.value = "";
    go("/", "replace");
  });
  if (fragmentSecret.value === "") {
    return <NoSecret what="Choose a password" how="The secret after the # is missing. Ask the admin who sent it for a fresh link; it works once, for 24 hours." />;
  }
  return (
    <form onSubmit={submit}>
      <h1 data-page-heading tabIndex={-1}>Choose a password</h1>
      <p class="quiet">Your name is in the link. From now on you sign in with it and this password.</p>
      <FormProblem problem={problem} />
      <NewPassword value={password} />
      <Submit isBusy={isBusy}>Save and sign in</Submit>
    </form>
  );
}
