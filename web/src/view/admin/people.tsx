import { useSignal, type Signal } from "@preact/signals";
import { call, get, getAll, post, segmentOf } from "../../wire/api.ts";
import { isAdmin, me } from "../../state/session.ts";
import type { Person } from "../../wire/types.ts";
import { timeOf } from "../../wire/types.ts";
import { Moment, PageHeading } from "../basics.tsx";
import { Choice, Field, FormProblem, Secret, Submit, useForm } from "../forms.tsx";
import { Safe } from "../safe.tsx";
import { countText } from "../time.ts";
import { Credentials } from "./credentials.tsx";
import { Proposals } from "./proposals.tsx";
import { Adder, Enabled, LoadProblem, Sure, Table, optional, useLoaded, words, type Loaded } from "./parts.tsx";

interface Group {
  readonly name: string;
  readonly members: number;
}

interface Link {
  readonly name: string;
  readonly url: string;
  readonly until: number;
}

export function People() {
  const people = useLoaded(() => getAll<Person>("/v1/people?limit=200", "people", 5_000));
  const groups = useLoaded(async () => (await get<{ groups: Group[] }>("/v1/groups")).groups);
  const link = useSignal<Link | undefined>(undefined);
  const reload = () => void Promise.all([people.reload(), groups.reload()]);
  return (
    <div class="page">
      <div class="page-top">
        <PageHeading>People</PageHeading>
        {isAdmin.value && <Adder label="Add a person">{(close) => <AddPerson done={() => (reload(), close())} link={link} />}</Adder>}
      </div>
      <p class="quiet lead-in">Approvers are people in a group that a rule names. An admin manages; being one approves nothing.</p>
      {link.value !== undefined && (
        <Secret title={`Link for ${link.value.name}`} text={link.value.url}>
          Send it to this person only. It sets their password, works once, until <Moment at={link.value.until} whole />, and is not shown again.
        </Secret>
      )}
      {isAdmin.value && <Proposals done={reload} nameOf={(id) => people.rows.value.find((one) => one.id === id)?.name ?? id} />}
      <LoadProblem of={people} what="People" />
      <PeopleTable people={people} reload={reload} link={link} />
      <h2>Groups</h2>
      <LoadProblem of={groups} what="Groups" />
      <Groups groups={groups} people={people} reload={reload} />
      {isAdmin.value && <Credentials kind="token" owners={people.rows.value.filter((one) => one.enabled !== false).map((one) => one.name)} />}
    </div>
  );
}

async function enrolmentLink(name: string, link: Signal<Link | undefined>): Promise<void> {
  const made = await post<{ link_path: string; expires_at: string }>(`/v1/people/${segmentOf(name)}/enrolment`);
  link.value = { name, url: location.origin + made.link_path, until: timeOf(made.expires_at) };
}

function PeopleTable({ people, reload, link }: { people: Loaded<Person>; reload: () => void; link: Signal<Link | undefined> }) {
  return (
    <Table label="People" head={["Name", "Groups", "Roles", "Acts as", "State", ""]}>
      {people.rows.value.map((person) => (
        <tr key={person.id}>
          <td>
            <b>{person.name}</b> {person.display !== undefined && <div class="quiet"><Safe plain text={person.display} /></div>}
          </td>
          <td>{person.groups.join(", ") || <span class="quiet">none</span>}</td>
          <td>{roles(person) || <span class="quiet">none</span>}</td>
          <td>{(person.subjects ?? []).join(", ") || <span class="quiet">–</span>}</td>
          <td><Enabled is={person.enabled} /></td>
          <td class="acts">{isAdmin.value && <PersonActs person={person} reload={reload} link={link} />}</td>
        </tr>
      ))}
    </Table>
  );
}

function roles(person: Person): string {
  return [person.admin ? "admin" : "", person.auditor ? "auditor" : ""].filter(Boolean).join(", ");
}

function PersonActs({ person, reload, link }: { person: Person; reload: () => void; link: Signal<Link | undefined> }) {
  const path = `/v1/people/${segmentOf(person.name)}`;
  const isMe = person.id === me.value?.id;
  if (person.enabled === false) return <Sure label="Enable" ask="Let them in again?" run={() => post(`${path}/enable`)} then={reload} />;
  const setRoles = (admin: boolean, auditor: boolean) => post(`${path}/roles`, { admin, auditor });
  return (
    <>
      <Sure label="Sign-in link" ask="Make a link that sets their password?" run={() => enrolmentLink(person.name, link)} then={() => scrollTo(0, 0)} />
      <Sure
        label={person.auditor ? "Not auditor" : "Auditor"}
        ask={person.auditor ? "No longer read everything?" : "Let them read everything?"}
        run={() => setRoles(person.admin, !person.auditor)}
        then={reload}
      />
      {!isMe && (
        <Sure
          label={person.admin ? "Not admin" : "Admin"}
          ask={person.admin ? "No longer manage?" : "Let them manage people, agents and keys?"}
          run={() => setRoles(!person.admin, person.auditor)}
          then={reload}
        />
      )}
      {!isMe && <Sure label="Disable" ask="Sign out, uncount their votes, revoke what rests on them?" run={() => post(`${path}/disable`)} then={reload} />}
    </>
  );
}

function AddPerson({ done, link }: { done: () => void; link: Signal<Link | undefined> }) {
  const name = useSignal("");
  const display = useSignal("");
  const groups = useSignal("");
  const subjects = useSignal("");
  const admin = useSignal(false);
  const auditor = useSignal(false);
  const { problem, isBusy, submit } = useForm(async () => {
    await post("/v1/people", {
      name: name.value.trim(),
      ...optional("display", display.value),
      groups: words(groups.value),
      subjects: words(subjects.value),
      admin: admin.value,
      auditor: auditor.value,
    });
    await enrolmentLink(name.value.trim(), link);
    done();
  });
  const check = (state: Signal<boolean>, label: string) => (
    <label class="check">
      <input type="checkbox" checked={state.value} onChange={(event) => (state.value = event.currentTarget.checked)} /> {label}
    </label>
  );
  return (
    <form onSubmit={submit}>
      <FormProblem problem={problem} />
      <Field label="Name" value={name} required maxLength={63} hint="As it is written in votes: “ana”." />
      <Field label="Full name (optional)" value={display} maxLength={200} />
      <Field label="Groups (optional)" value={groups} hint="Those whose requests they decide, apart by spaces: oncall finance" />
      <Field label="Acts as (optional)" value={subjects} mono hint="Subjects that are this person, so that they cannot approve for themselves: user/ana" />
      {check(admin, "Admin: manages people, agents and keys")}
      {check(auditor, "Auditor: reads everything")}
      <Submit isBusy={isBusy}>Add, and make a sign-in link</Submit>
    </form>
  );
}

function Groups({ groups, people, reload }: { groups: Loaded<Group>; people: Loaded<Person>; reload: () => void }) {
  const members = (group: string) => people.rows.value.filter((person) => person.groups.includes(group));
  return (
    <>
      <Table label="Groups" head={["Group", "Members", ""]}>
        {groups.rows.value.map((group) => (
          <tr key={group.name}>
            <td>
              <b>{group.name}</b> <div class="quiet">{countText(group.members, "person", "people")}</div>
            </td>
            <td class="members">
              {members(group.name).map((person) => (
                <span class="member" key={person.id}>
                  {person.name}
                  {isAdmin.value && (
                    <Sure label="Remove" sign="×" ask={`Take ${person.name} out of ${group.name}?`} run={() => call("DELETE", `/v1/groups/${segmentOf(group.name)}/members/${segmentOf(person.name)}`)} then={reload} />
                  )}
                </span>
              ))}
            </td>
            <td class="acts" />
          </tr>
        ))}
      </Table>
      {groups.rows.value.length === 0 && !groups.isLoading.value && <p class="empty">No groups yet. A group comes into being with its first member.</p>}
      {isAdmin.value && <Adder label="Put someone in a group">{(close) => <Join people={people.rows.value} done={() => (reload(), close())} />}</Adder>}
    </>
  );
}

function Join({ people, done }: { people: readonly Person[]; done: () => void }) {
  const person = useSignal("");
  const group = useSignal("");
  const { problem, isBusy, submit } = useForm(async () => {
    await post(`/v1/groups/${segmentOf(group.value.trim())}/members`, { person: person.value });
    done();
  });
  return (
    <form onSubmit={submit}>
      <FormProblem problem={problem} />
      <Choice label="Person" value={person} required options={[["", "Choose…"], ...people.map((one) => [one.name, one.name] as const)]} />
      <Field label="Group" value={group} required maxLength={63} hint="A new name makes a new group." />
      <Submit isBusy={isBusy}>Put in the group</Submit>
    </form>
  );
}
