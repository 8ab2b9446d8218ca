// Keys of callers and tokens of people: two kinds of the same thing.

import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, post, segmentOf } from "../../wire/api.ts";
import { isAdmin } from "../../state/session.ts";
import { explain } from "../../wire/problem.ts";
import { timeOf, type Credential } from "../../wire/types.ts";
import { Moment, Notice } from "../basics.tsx";
import { Choice, Field, FormProblem, Secret, Submit, useForm } from "../forms.tsx";
import { Safe } from "../safe.tsx";
import { Adder, Enabled, Sure, Table, optional } from "./parts.tsx";

const WORDS = {
  key: { title: "API keys", add: "New API key", owner: "Caller", hint: "A caller proves who it is with its key.", path: "/v1/keys", member: "caller" },
  token: { title: "Tokens for the command line", add: "New token", owner: "Person", hint: "A token is its person, on the command line. It votes as they do.", path: "/v1/tokens", member: "person" },
} as const;

/** `own`: of the person who looks, who may make and disable them without being an admin. */
export function Credentials({ kind, owners, own = false }: { kind: "key" | "token"; owners: readonly string[]; own?: boolean }) {
  const word = WORDS[kind];
  const owner = useSignal(own ? owners[0]! : "");
  const mayChange = own || isAdmin.value;
  const rows = useSignal<readonly Credential[]>([]);
  const problem = useSignal("");
  const made = useSignal<Credential | undefined>(undefined);
  const load = async () => {
    try {
      const path = owner.value === "" ? "/v1/credentials" : `/v1/credentials?owner=${encodeURIComponent(owner.value)}`;
      rows.value = (await get<{ credentials: Credential[] }>(path)).credentials.filter((one) => one.kind === kind);
      problem.value = "";
    } catch (error) {
      problem.value = explain(error);
    }
  };
  useEffect(() => {
    void load();
  }, [owner.value]);
  return (
    <section aria-label={word.title}>
      <div class="page-top">
        <h2>{word.title}</h2>
        {mayChange && (
          <Adder label={word.add}>
            {(close) => <AddCredential kind={kind} owners={owners} done={(fresh) => ((made.value = fresh), void load(), close())} />}
          </Adder>
        )}
      </div>
      <p class="quiet lead-in">{word.hint} Only its hash is kept.</p>
      {made.value?.secret !== undefined && (
        <Secret title={`${word.add} of ${made.value.owner}`} text={made.value.secret}>
          It is shown now and never again.
        </Secret>
      )}
      {problem.value !== "" && <Notice kind="stop" title={`${word.title} could not be read.`}>{problem.value}</Notice>}
      {rows.value.length > 0 && (
        <Table label={word.title} head={[word.owner, "Label", "Made", "Expires", "State", ""]}>
          {rows.value.map((one) => (
            <tr key={one.id}>
              <td><b>{one.owner}</b></td>
              <td>{one.label === undefined ? <span class="quiet">–</span> : <Safe plain text={one.label} />}</td>
              <td><Moment at={timeOf(one.created_at)} /></td>
              <td>{one.expires_at === undefined ? <span class="quiet">never</span> : <Moment at={timeOf(one.expires_at)} />}</td>
              <td>
                <Enabled is={one.enabled} /> {one.disabled_reason !== undefined && <div class="quiet">{one.disabled_reason}</div>}
              </td>
              <td class="acts">
                {mayChange && one.enabled && (
                  <Sure label="Disable" ask="It stops working at once." run={() => post(`/v1/credentials/${segmentOf(one.id)}/disable`)} then={() => void load()} />
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function AddCredential({ kind, owners, done }: { kind: "key" | "token"; owners: readonly string[]; done: (made: Credential) => void }) {
  const word = WORDS[kind];
  const owner = useSignal(owners.length === 1 ? owners[0]! : "");
  const label = useSignal("");
  const expires = useSignal("");
  const { problem, isBusy, submit } = useForm(async () => {
    done(await post<Credential>(word.path, { [word.member]: owner.value, ...optional("label", label.value), ...optional("expires_in", expires.value) }));
  });
  return (
    <form onSubmit={submit}>
      <FormProblem problem={problem} />
      <Choice label={word.owner} value={owner} required options={[["", "Choose…"], ...owners.map((name) => [name, name] as const)]} />
      <Field label="Label (optional)" value={label} maxLength={100} hint="Where it is used, so that it can be found when it leaks." />
      <Field label="Expires in (optional)" value={expires} placeholder="90d" hint="12h, 30d; empty: it does not expire." />
      <Submit isBusy={isBusy}>Make and show it once</Submit>
    </form>
  );
}
