// One request: first what would run, then who says so.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import type { Node } from "../evidence/lexer.ts";
import { now } from "../state/clock.ts";
import { actionName, entityText, subjectOf, type Detail } from "../state/detail.ts";
import { presence } from "../state/inbox.ts";
import { entries, noteView, opened, read } from "../state/open.ts";
import type { Requirement, Vote } from "../wire/types.ts";
import { timeOf } from "../wire/types.ts";
import { Moment, Notice, Pips, RiskTag, StateTag } from "./basics.tsx";
import { DecisionBar, type Reading } from "./decide.tsx";
import { Edits } from "./edits.tsx";
import { LadderSteps, Watching } from "./ladder.tsx";
import { ClipProvider, Clips, ExactText, Safe, SafeLong, Tree, propertiesOf, showClips } from "./safe.tsx";
import { Talk } from "./talk.tsx";
import { Timeline } from "./timeline.tsx";
import { agoText, countText } from "./time.ts";

export function RequestPane() {
  const open = opened.value;
  switch (open.kind) {
    case "none":
      return null;
    case "loading":
      return <Blank title="Reading the request…" />;
    case "missing":
      return (
        <Blank title="There is no such request, or it is not yours to know of.">
          People see what they were asked about, what they are the subject or the owner of, and what they voted on.
        </Blank>
      );
    case "failed":
      return (
        <Blank title="The request could not be read.">
          {open.why}{" "}
          <button type="button" class="plain" onClick={() => void read(open.id)}>Try again</button>
        </Blank>
      );
    case "ready":
      return <Request key={open.detail.id} detail={open.detail} />;
  }
}

function Blank({ title, children }: { title: string; children?: preact.ComponentChildren }) {
  return (
    <section class="detail" aria-label="Request">
      <BackLink />
      <div class="blank">
        <h2 data-page-heading tabIndex={-1}>{title}</h2>
        {children !== undefined && <p>{children}</p>}
      </div>
    </section>
  );
}

function BackLink() {
  return (
    <a class="back" href="/">
      <span aria-hidden="true">‹</span> Inbox
    </a>
  );
}

function Request({ detail }: { detail: Detail }) {
  const revision = `${detail.revision} ${detail.digest}`;
  const reading: Reading = useMemo(() => ({ clips: new Clips(), endSeen: signal(false) }), [revision]);
  showClips(reading.clips);
  useNotedView(detail);
  return (
    <section class={`detail ${detail.risk}`} aria-labelledby="request-heading">
      <div class="detail-scroll">
        <BackLink />
        <Head detail={detail} />
        <div class="columns">
          <div class="column-main">
            <Warnings detail={detail} />
            <ClipProvider value={reading.clips}>
              <EvidenceFrame detail={detail} reading={reading} />
            </ClipProvider>
            <Edits detail={detail} />
            <Why detail={detail} />
            <Talk detail={detail} />
          </div>
          <aside class="column-side" aria-label="Who decides">
            <WhoDecides detail={detail} />
            <Facts detail={detail} />
          </aside>
          <section class="column-main history" aria-labelledby="timeline-heading">
            <h3 id="timeline-heading">What happened so far</h3>
            <Timeline entries={entries.value} detail={detail} />
          </section>
        </div>
      </div>
      <DecisionBar detail={detail} reading={reading} />
    </section>
  );
}

/** The gateway measures from here how long a person looked before approving. */
function useNotedView(detail: Detail): void {
  useEffect(() => {
    if (detail.state !== "pending") return undefined;
    const note = () => {
      if (document.visibilityState === "visible") void noteView(detail);
    };
    note();
    document.addEventListener("visibilitychange", note);
    return () => document.removeEventListener("visibilitychange", note);
  }, [subjectOf(detail), detail.state]);
}

function Head({ detail }: { detail: Detail }) {
  const others = presence.value.get(detail.id);
  return (
    <header class={`head ${detail.risk}`}>
      <div class="head-tags">
        <RiskTag risk={detail.risk} />
        {detail.state !== "pending" && <StateTag state={detail.state} />}
        {detail.revision > 1 && <span class="tag">revision {detail.revision}</span>}
        {others !== undefined && <span class="who">{others.join(", ")} {others.length > 1 ? "are" : "is"} reading this</span>}
      </div>
      <h2 id="request-heading" data-page-heading tabIndex={-1}>
        <Safe text={actionName(detail)} />
      </h2>
      <p class="sentence">
        <Safe text={detail.agent} /> asks to do this on <Safe text={entityText(detail.evidence.resource)} /> for{" "}
        <Safe text={entityText(detail.evidence.subject)} />, {agoText(now.value - detail.createdAt)}.
      </p>
      {detail.message !== "" && (
        <p class="policy-says">
          <span class="label">Policy</span> {detail.message}
        </p>
      )}
    </header>
  );
}

function Warnings({ detail }: { detail: Detail }) {
  return (
    <>
      {detail.match === "differs" && (
        <Notice kind="stop" title="What is shown is not what would run." role="alert">
          The digest computed in this browser differs from the gateway's. Nothing can be decided here. Tell whoever runs this
          gateway: expected <code>{detail.digest}</code>, computed <code>{detail.computed}</code>.
        </Notice>
      )}
      {detail.evidence.problem !== "" && (
        <Notice kind="stop" title="This cannot be shown as it is.">
          {detail.evidence.problem} It can be denied here, not approved.
        </Notice>
      )}
      {detail.state === "pending" && detail.openEffectOf !== "" && (
        <Notice kind="warn" title="The same may already have run.">
          An earlier permission for exactly this was used and nobody has said what came of it (<code>{detail.openEffectOf}</code>).
        </Notice>
      )}
      {detail.unverified.length > 0 && (
        <Notice kind="warn" title={`The ${detail.unverified.join(" and the ")} is only claimed.`}>
          The caller <Safe text={detail.caller} /> may not speak for it by its registration; nobody has proved it.
        </Notice>
      )}
      {detail.nobodyCanApprove && (
        <Notice kind="stop" title="Nobody can approve this any more.">
          No enabled person is left who could meet what is asked for. It can be denied, or it expires; an admin can add people to the groups.
        </Notice>
      )}
      {detail.repeats > 1 && (
        <Notice kind="warn" title={`${countText(detail.repeats, "request")} ask the same just now.`}>
          The same agent, action and resource, with this one. Each is decided by itself.
        </Notice>
      )}
      {detail.nearDenials > 0 && (
        <Notice kind="warn" title={`Denied ${countText(detail.nearDenials, "time")} lately.`}>
          This agent asked for nearly the same and people said no.
        </Notice>
      )}
    </>
  );
}

/** One frame around everything the agent sent; nothing of it is shown outside, nothing else inside. */
function EvidenceFrame({ detail, reading }: { detail: Detail; reading: Reading }) {
  const exact = useSignal(false);
  const edits = useSignal(false);
  const { evidence } = detail;
  const closed = reading.clips.closed.value;
  return (
    <section class={`evidence ${detail.match}`} aria-labelledby="evidence-heading">
      <header>
        <h3 id="evidence-heading">Arguments</h3>
        <span class="quiet says">Exactly what will run, as {detail.edits.length > 0 ? "an approver changed it" : "the agent sent it"}</span>
        <span class="spacer" />
        {closed > 0 && (
          <button type="button" class="plain" onClick={() => (reading.clips.openAll.value = true)}>
            Open all ({closed})
          </button>
        )}
        <button type="button" class="plain" aria-pressed={exact.value} onClick={() => (exact.value = !exact.value)}>
          Exact text
        </button>
        {detail.mayEdit && evidence.args !== undefined && (
          <button type="button" class="plain" aria-expanded={edits.value} onClick={() => (edits.value = !edits.value)}>Change…</button>
        )}
      </header>
      <div class="frame" tabIndex={0} role="group" aria-label="Supplied by the agent">
        {evidence.action === undefined ? (
          <RawBytes detail={detail} />
        ) : exact.value ? (
          <ExactParts detail={detail} />
        ) : (
          <Parts detail={detail} />
        )}
        <EndMark reading={reading} watch={`${exact.value} ${closed}`} />
      </div>
      <DigestLine detail={detail} />
      {edits.value && detail.mayEdit && <Editing key={detail.digest} detail={detail} close={() => (edits.value = false)} />}
    </section>
  );
}

const editForm = signal<typeof import("./edit.tsx") | undefined>(undefined);

/** The form comes when it is asked for. */
function Editing({ detail, close }: { detail: Detail; close: () => void }) {
  const problem = useSignal("");
  useEffect(() => {
    import("./edit.tsx").then(
      (loaded) => (editForm.value = loaded),
      () => (problem.value = "The form could not be loaded. Reload the page to try again."),
    );
  }, []);
  const Form = editForm.value?.EditForm;
  return Form === undefined ? <p class="hint" role="status">{problem.value || "One moment…"}</p> : <Form detail={detail} close={close} />;
}

function Parts({ detail }: { detail: Detail }) {
  const { args, resource, subject, context, action } = detail.evidence;
  const properties = propertiesOf(action);
  return (
    <>
      {args !== undefined ? <Arguments args={args} show={detail.show} /> : <p class="sign">no arguments</p>}
      <Part title="Action, other properties" node={otherProperties(properties)} />
      <Part title="Resource" node={propertiesOf(resource)} />
      <Part title="Subject" node={propertiesOf(subject)} />
      <Part title="Context" node={context?.kind === "object" && context.members.length > 0 ? context : undefined} />
    </>
  );
}

/** What policy says to read first comes first; everything is there, once. */
function Arguments({ args, show }: { args: Node; show: readonly string[] }) {
  if (args.kind !== "object" || !args.members.some((member) => show.includes(member.name.text))) return <Tree node={args} />;
  const first = show.flatMap((name) => args.members.filter((member) => member.name.text === name));
  const rest = args.members.filter((member) => !show.includes(member.name.text));
  return (
    <>
      <div class="part first">
        <h4>Read first</h4>
        <Tree node={{ ...args, members: first }} />
      </div>
      {rest.length > 0 && <Part title="Other arguments" node={{ ...args, members: rest }} />}
    </>
  );
}

function otherProperties(properties: Node | undefined): Node | undefined {
  if (properties?.kind !== "object") return undefined;
  const members = properties.members.filter((member) => member.name.text !== "args");
  return members.length === 0 ? undefined : { ...properties, members };
}

function Part({ title, node }: { title: string; node: Node | undefined }) {
  if (node === undefined) return null;
  return (
    <div class="part">
      <h4>{title}</h4>
      <Tree node={node} />
    </div>
  );
}

function ExactParts({ detail }: { detail: Detail }) {
  const { action, resource, subject, context } = detail.evidence;
  const parts = [["Action", action], ["Resource", resource], ["Subject", subject], ["Context", context]] as const;
  return (
    <>
      {parts.map(([title, node]) =>
        node === undefined ? null : (
          <div class="part" key={title}>
            <h4>{title}</h4>
            <ExactText bytes={detail.bytes} node={node} />
          </div>
        ),
      )}
    </>
  );
}

/** What is no text to read is still shown, as what it is. */
function RawBytes({ detail }: { detail: Detail }) {
  const text = useMemo(() => new TextDecoder("utf-8", { ignoreBOM: true }).decode(detail.bytes), [detail]);
  return (
    <pre class="exact">
      <bdi class="safe mono" dir="ltr">
        <SafeLong text={text} />
      </bdi>
    </pre>
  );
}

function EndMark({ reading, watch }: { reading: Reading; watch: string }) {
  const element = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((found) => {
      if (found.some((one) => one.isIntersecting)) reading.endSeen.value = true;
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, [reading, watch]);
  return <span class="end-mark" ref={element} />;
}

function DigestLine({ detail }: { detail: Detail }) {
  const groups = (detail.computed || detail.digest).match(/.{4}/g) ?? [];
  const words = { matches: "computed here: matches", differs: "computed here: differs from the gateway's", unchecked: "the gateway's; not computed here" };
  return (
    <footer class={`digest ${detail.match}`}>
      <span class="check" aria-hidden="true">{detail.match === "matches" ? "✓" : "!"}</span>
      <code title={detail.computed || detail.digest}>{groups.slice(0, 8).join(" ")} …</code>
      <span>{words[detail.match]}</span>
    </footer>
  );
}

function Why({ detail }: { detail: Detail }) {
  if (detail.why === "") return null;
  const isFolded = detail.risk === "high" || detail.risk === "critical";
  return (
    <details class="why" open={!isFolded}>
      <summary>Reason given by the agent. Not checked.</summary>
      <p class="frame">
        <Safe text={detail.why} />
      </p>
    </details>
  );
}

function WhoDecides({ detail }: { detail: Detail }) {
  const { requirements, votes, asked, ladder } = detail;
  const isBlind = detail.risk === "critical" && detail.state === "pending" && votes.length === 0;
  return (
    <section class="card">
      <h3>Who decides</h3>
      {requirements.length === 0 && <p class="quiet">No person: policy decided.</p>}
      {requirements.map((need) => (
        <Need key={need.rule} need={need} isBlind={isBlind} />
      ))}
      {detail.state === "pending" && ladder === undefined && asked.length > 0 && <p class="quiet">Asked now: {asked.join(", ")}</p>}
      {ladder !== undefined && <LadderSteps ladder={ladder} frozen={detail.frozen} />}
      {detail.state === "pending" && <Watching detail={detail} />}
      {votes.length > 0 && (
        <ul class="votes">
          {votes.map((vote) => (
            <OneVote key={vote.id} vote={vote} revision={detail.revision} />
          ))}
        </ul>
      )}
      {isBlind && (
        <p class="quiet">Until you have voted, the votes of others are not shown.</p>
      )}
    </section>
  );
}

function Need({ need, isBlind }: { need: Requirement; isBlind: boolean }) {
  return (
    <div class="need">
      <div class="need-top">
        <span>
          <b class="num">{isBlind ? need.quorum : `${Math.min(need.approved, need.quorum)} of ${need.quorum}`}</b> from {need.groups.join(" or ")}
        </span>
        {!isBlind && <Pips done={need.approved} of={need.quorum} />}
      </div>
      <div class="quiet">
        rule {need.rule}
        {need.assurance === "passkey" ? ", signed with a passkey" : need.assurance !== "session" && `, ${need.assurance}`}
      </div>
    </div>
  );
}

function OneVote({ vote, revision }: { vote: Vote; revision: number }) {
  const isOld = vote.revision !== revision;
  return (
    <li class={vote.vote}>
      <span class={`state ${vote.vote === "approve" ? "approved" : "denied"}`}>{vote.vote === "approve" ? "Approved" : "Denied"}</span>
      <span>
        {vote.person}, <Moment at={timeOf(vote.at)} />
        {isOld && <span class="quiet"> on revision {vote.revision}</span>}
        {vote.late && <span class="quiet"> too late</span>}
        {vote.assurance === "passkey" && <span class="tag">signed</span>}
        {vote.quick === true && <span class="tag" title="Sooner than its risk allows, or never shown to them">quick</span>}
      </span>
      {vote.reason !== undefined && (
        <q>
          <Safe text={vote.reason} plain />
        </q>
      )}
    </li>
  );
}

function Facts({ detail }: { detail: Detail }) {
  return (
    <section class="card">
      <h3>Facts</h3>
      <dl>
        <dt>Asked</dt>
        <dd><Moment at={detail.createdAt} /></dd>
        {detail.timeoutAt > 0 && (
          <>
            <dt>Expires</dt>
            <dd><Moment at={detail.timeoutAt} /></dd>
          </>
        )}
        <dt>Caller</dt>
        <dd><Safe text={detail.caller} /></dd>
        {detail.identity !== "" && (
          <>
            <dt>Proved to be</dt>
            <dd><Safe text={detail.identity} /></dd>
          </>
        )}
        {detail.act.length > 0 && (
          <>
            <dt>Acting</dt>
            <dd>
              {detail.act.map((actor, i) => (
                <span key={actor}>
                  {i > 0 && " for "}
                  <Safe text={actor} />
                </span>
              ))}
            </dd>
          </>
        )}
        {detail.audience !== "" && (
          <>
            <dt>Audience</dt>
            <dd><Safe text={detail.audience} /></dd>
          </>
        )}
        {detail.grant !== undefined && (
          <>
            <dt>Permission</dt>
            <dd>{detail.grant.state}</dd>
          </>
        )}
        <dt>Policy</dt>
        <dd><code title={detail.policy}>{detail.policy.slice(0, 12)}</code></dd>
        <dt>Request</dt>
        <dd><code class="wrap">{detail.id}</code></dd>
      </dl>
    </section>
  );
}
