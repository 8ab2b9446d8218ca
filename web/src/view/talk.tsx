// What approvers asked and the agent answered.

import { useSignal } from "@preact/signals";
import type { Detail } from "../state/detail.ts";
import { comments, say } from "../state/open.ts";
import { timeOf, type Comment } from "../wire/types.ts";
import { Moment } from "./basics.tsx";
import { FormProblem, useForm } from "./forms.tsx";
import { Safe } from "./safe.tsx";

const TEXT_MAX = 1000;

export function Talk({ detail }: { detail: Detail }) {
  const isOpen = detail.state === "pending" && (detail.mayApprove || detail.mayDeny || detail.needsPasskey);
  if (detail.comments === 0 && !isOpen) return null;
  return (
    <section class="talk" aria-labelledby="talk-heading">
      <h3 id="talk-heading">Questions and answers</h3>
      {comments.value.length > 0 && (
        <ol class="said">
          {comments.value.map((comment) => (
            <Said key={comment.id} comment={comment} />
          ))}
        </ol>
      )}
      {detail.question !== undefined && <p class="quiet" role="status">Waiting for the agent's answer. Its clock goes on.</p>}
      {isOpen && <Ask detail={detail} />}
    </section>
  );
}

function Said({ comment }: { comment: Comment }) {
  return (
    <li class={comment.by}>
      <p class="quiet">
        <Safe text={comment.name} plain={comment.by === "person"} />, <Moment at={timeOf(comment.at)} />
        {comment.by === "agent" && <span> · the agent, not checked</span>}
      </p>
      {comment.text === undefined ? (
        <p class="quiet">erased</p>
      ) : (
        <p class={comment.by === "agent" ? "frame" : undefined}>
          <Safe text={comment.text} plain={comment.by === "person"} />
        </p>
      )}
    </li>
  );
}

function Ask({ detail }: { detail: Detail }) {
  const text = useSignal("");
  const { problem, isBusy, submit } = useForm(async () => {
    if (text.peek().trim() === "") return;
    await say(detail, text.peek().trim());
    text.value = "";
  });
  return (
    <form class="ask" onSubmit={submit}>
      <FormProblem problem={problem} title="Not sent." />
      <label class="sr" for="ask">Ask the agent</label>
      <input
        id="ask"
        type="text"
        maxLength={TEXT_MAX}
        autocomplete="off"
        placeholder="Ask the agent something"
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <button type="submit" aria-disabled={isBusy.value}>{isBusy.value ? "One moment…" : "Ask"}</button>
    </form>
  );
}
