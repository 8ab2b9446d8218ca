import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { callJson, getAll, post, segmentOf } from "../../wire/api.ts";
import { loadNames, nameOf } from "../../state/names.ts";
import { isAdmin } from "../../state/session.ts";
import type { Agent, Caller } from "../../wire/types.ts";
import { PageHeading } from "../basics.tsx";
import { Field, FormProblem, Submit, useForm } from "../forms.tsx";
import { Safe } from "../safe.tsx";
import { Credentials } from "./credentials.tsx";
import { Adder, Enabled, LoadProblem, Sure, Table, optional, useLoaded, words } from "./parts.tsx";

export function Agents() {
  const agents = useLoaded(() => getAll<Agent>("/v1/agents?limit=200", "agents", 5_000));
  const callers = useLoaded(() => getAll<Caller>("/v1/callers?limit=200", "callers", 5_000));
  useEffect(() => {
    void loadNames();
  }, []);
  const reload = () => void Promise.all([agents.reload(), callers.reload(), loadNames()]);
  return (
    <div class="page">
      <div class="page-top">
        <PageHeading>Agents</PageHeading>
        {isAdmin.value && <Adder label="Add an agent">{(close) => <AddAgent done={() => (reload(), close())} />}</Adder>}
      </div>
      <p class="quiet lead-in">An agent is the model-driven program that wants things. Its owner may not approve what it asks.</p>
      <LoadProblem of={agents} what="Agents" />
      <Table label="Agents" head={["Agent", "Owner", "State", ""]}>
        {agents.rows.value.map((agent) => (
          <tr key={agent.id}>
            <td><Safe text={agent.name} /></td>
            <td>{agent.owner !== undefined ? nameOf(agent.owner) : <span class="quiet">nobody</span>}</td>
            <td><Enabled is={agent.enabled} /></td>
            <td class="acts">{isAdmin.value && <Switch path={`/v1/agents/${segmentOf(agent.name)}`} isEnabled={agent.enabled} ask="Its requests are refused at once." reload={reload} />}</td>
          </tr>
        ))}
      </Table>
      <Callers callers={callers.rows.value} reload={reload} />
      <LoadProblem of={callers} what="Callers" />
      <Credentials kind="key" owners={callers.rows.value.filter((one) => one.enabled).map((one) => one.name)} />
    </div>
  );
}

function Switch({ path, isEnabled, ask, reload }: { path: string; isEnabled: boolean; ask: string; reload: () => void }) {
  return isEnabled ? (
    <Sure label="Disable" ask={ask} run={() => post(`${path}/disable`)} then={reload} />
  ) : (
    <Sure label="Enable" ask="Let it work again?" run={() => post(`${path}/enable`)} then={reload} />
  );
}

function AddAgent({ done }: { done: () => void }) {
  const name = useSignal("");
  const owner = useSignal("");
  const { problem, isBusy, submit } = useForm(async () => {
    await post("/v1/agents", { name: name.value.trim(), ...optional("owner", owner.value) });
    done();
  });
  return (
    <form onSubmit={submit}>
      <FormProblem problem={problem} />
      <Field label="Name" value={name} required maxLength={63} mono />
      <Field label="Owner (optional)" value={owner} maxLength={63} hint="The person who answers for it: they may deny its requests, not approve them." />
      <Submit isBusy={isBusy}>Add the agent</Submit>
    </form>
  );
}

function Callers({ callers, reload }: { callers: readonly Caller[]; reload: () => void }) {
  const list = (texts: readonly string[]) => (texts.length === 0 ? <span class="quiet">none</span> : <Safe text={texts.join(" ")} />);
  return (
    <>
      <div class="page-top">
        <h2>Callers</h2>
        {isAdmin.value && <Adder label="Add a caller">{(close) => <CallerForm done={() => (reload(), close())} />}</Adder>}
      </div>
      <p class="quiet lead-in">A caller is the program that talks to this gateway. It may speak only for the agents and subjects named here.</p>
      <Table label="Callers" head={["Caller", "Speaks for agents", "For subjects", "Redeems for", "State", ""]}>
        {callers.map((caller) => (
          <tr key={caller.id}>
            <td><Safe text={caller.name} /></td>
            <td>{list(caller.agents.map(nameOf))}</td>
            <td>{list(caller.subjects)}</td>
            <td>{list(caller.audiences)}</td>
            <td><Enabled is={caller.enabled} /></td>
            <td class="acts">
              {isAdmin.value && (
                <>
                  <Adder label="Change" isSmall>{(close) => <CallerForm caller={caller} done={() => (reload(), close())} />}</Adder>
                  <Switch path={`/v1/callers/${segmentOf(caller.name)}`} isEnabled={caller.enabled} ask="It is turned away at once." reload={reload} />
                </>
              )}
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}

function CallerForm({ caller, done }: { caller?: Caller; done: () => void }) {
  const name = useSignal(caller?.name ?? "");
  const agents = useSignal(caller?.agents.map(nameOf).join(" ") ?? "");
  const subjects = useSignal(caller?.subjects.join(" ") ?? "");
  const audiences = useSignal(caller?.audiences.join(" ") ?? "");
  const { problem, isBusy, submit } = useForm(async () => {
    const body = { agents: words(agents.value), subjects: words(subjects.value), audiences: words(audiences.value) };
    if (caller === undefined) await post("/v1/callers", { name: name.value.trim(), ...body });
    else await callJson("PUT", `/v1/callers/${segmentOf(caller.name)}`, body);
    done();
  });
  return (
    <form onSubmit={submit}>
      <FormProblem problem={problem} />
      {caller === undefined && <Field label="Name" value={name} required maxLength={63} mono />}
      <Field label="Agents" value={agents} mono hint="Names apart by spaces." />
      <Field label="Subjects" value={subjects} mono hint="Patterns such as user/*" />
      <Field label="Audiences (optional)" value={audiences} mono hint="Whose grants it redeems, when it is the service itself." />
      <Submit isBusy={isBusy}>{caller === undefined ? "Add the caller" : "Save"}</Submit>
    </form>
  );
}
