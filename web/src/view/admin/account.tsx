// One's own account: passkeys, one-time codes, what one is told, sessions, tokens.

import { useSignal } from "@preact/signals";
import { me } from "../../state/session.ts";
import { call, get, post, segmentOf } from "../../wire/api.ts";
import { hasPasskeys, makePasskey } from "../../wire/passkey.ts";
import { timeOf, type Passkey, type PasskeyQuestion } from "../../wire/types.ts";
import { Moment, Notice, PageHeading } from "../basics.tsx";
import { Field, FormProblem, Secret, Submit, useForm } from "../forms.tsx";
import { Safe } from "../safe.tsx";
import { Credentials } from "./credentials.tsx";
import { Adder, LoadProblem, Sure, Table, useLoaded, type Loaded } from "./parts.tsx";
import { Told } from "./told.tsx";

export function Account() {
  return (
    <div class="page narrow">
      <PageHeading>Your account</PageHeading>
      <p class="quiet lead-in">
        Signed in as <b>{me.value?.name}</b>. <a href="/password">Change password</a>
      </p>
      <Passkeys />
      <OneTimeCodes />
      <ChatAccounts />
      <Told />
      <Sessions />
      {me.value !== undefined && <Credentials kind="token" owners={[me.value.name]} own />}
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

interface Totp {
  readonly enabled: boolean;
  readonly recovery_codes?: readonly string[];
  readonly recovery_codes_left: number;
}

function OneTimeCodes() {
  const fresh = useSignal<readonly string[]>([]);
  const loaded = useLoaded(async () => [await get<Totp>("/v1/totp")]);
  const now = loaded.rows.value[0];
  return (
    <section aria-labelledby="totp-heading">
      <div class="page-top">
        <h2 id="totp-heading">One-time codes</h2>
        {now?.enabled === false && <Adder label="Set up an authenticator app">{(close) => <AddTotp done={(codes) => ((fresh.value = codes), void loaded.reload(), close())} />}</Adder>}
      </div>
      <p class="quiet lead-in">For people without passkeys: the password alone then no longer signs in.</p>
      <LoadProblem of={loaded} what="One-time codes" />
      {fresh.value.length > 0 && (
        <Secret title="Recovery codes" text={fresh.value.join(" ")}>
          Each works once, when the app is lost. They are shown now and never again.
        </Secret>
      )}
      {now?.enabled === true && (
        <p>
          <span class="state approved">on</span> {now.recovery_codes_left} recovery codes left.{" "}
          <Sure label="Turn off" ask="The password alone signs in then." run={() => call("DELETE", "/v1/totp")} then={() => ((fresh.value = []), void loaded.reload())} />
        </p>
      )}
    </section>
  );
}

function AddTotp({ done }: { done: (codes: readonly string[]) => void }) {
  const code = useSignal("");
  const begun = useLoaded(async () => [await post<{ secret: string; uri: string }>("/v1/totp/begin")]);
  const { problem, isBusy, submit } = useForm(async () => {
    done((await post<Totp>("/v1/totp", { code: code.value.trim() })).recovery_codes ?? []);
  });
  const secret = begun.rows.value[0];
  return (
    <form onSubmit={submit}>
      <LoadProblem of={begun} what="A secret" />
      {secret !== undefined && (
        <>
          <Secret title="Type this into your authenticator app" text={secret.secret}>
            Or <a href={secret.uri}>open the app on this device</a>.
          </Secret>
          <FormProblem problem={problem} title="Not set up." />
          <Field label="Code that the app shows" value={code} autocomplete="one-time-code" required maxLength={10} mono />
          <Submit isBusy={isBusy}>Turn on</Submit>
        </>
      )}
    </form>
  );
}

interface ListedSession {
  readonly id: string;
  readonly created_at: string;
  readonly seen_at: string;
  readonly expires_at: string;
  readonly current: boolean;
}

function Sessions() {
  const loaded = useLoaded(async () => (await get<{ sessions: ListedSession[] }>("/v1/sessions")).sessions);
  return (
    <section aria-labelledby="sessions-heading">
      <h2 id="sessions-heading">Where you are signed in</h2>
      <LoadProblem of={loaded} what="Your sessions" />
      {loaded.rows.value.length > 0 && (
        <Table label="Sessions" head={["Began", "Last used", "Ends", ""]}>
          {loaded.rows.value.map((one) => (
            <tr key={one.id}>
              <td>
                <Moment at={timeOf(one.created_at)} /> {one.current && <span class="tag">this one</span>}
              </td>
              <td><Moment at={timeOf(one.seen_at)} /></td>
              <td><Moment at={timeOf(one.expires_at)} /></td>
              <td class="acts">
                {!one.current && <Sure label="End" ask="It is signed out at once." run={() => call("DELETE", `/v1/sessions/${segmentOf(one.id)}`)} then={() => void loaded.reload()} />}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

interface ChatLink {
  readonly id: string;
  readonly account: string;
  readonly service: string;
  readonly created_at: string;
}

function ChatAccounts() {
  const code = useSignal<{ code: string; expires_at: string } | undefined>(undefined);
  const loaded = useLoaded(async () => (await get<{ links: ChatLink[] }>("/v1/me/chat-links")).links);
  const { problem, isBusy, submit } = useForm(async () => {
    code.value = await post<{ code: string; expires_at: string }>("/v1/me/chat-links");
  });
  return (
    <section aria-labelledby="chat-heading">
      <div class="page-top">
        <h2 id="chat-heading">Chat accounts</h2>
        <button type="button" aria-disabled={isBusy.value} onClick={submit}>Link an account</button>
      </div>
      <p class="quiet lead-in">What a linked account presses counts as your vote, where a rule lets chat decide.</p>
      <FormProblem problem={problem} title="No code was made." />
      {code.value !== undefined && (
        <Secret title="Type this to the app in your chat" text={code.value.code}>
          It links the account that types it, once, until <Moment at={timeOf(code.value.expires_at)} whole />.
        </Secret>
      )}
      <LoadProblem of={loaded} what="Your chat accounts" />
      {loaded.rows.value.length > 0 && (
        <Table label="Chat accounts" head={["Service", "Account", "Linked", ""]}>
          {loaded.rows.value.map((one) => (
            <tr key={one.id}>
              <td>{one.service}</td>
              <td><Safe text={one.account} /></td>
              <td><Moment at={timeOf(one.created_at)} /></td>
              <td class="acts">
                <Sure label="Unlink" ask="It decides for you no more." run={() => call("DELETE", `/v1/me/chat-links/${segmentOf(one.id)}`)} then={() => void loaded.reload()} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}
