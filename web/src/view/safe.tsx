// Everything an agent supplied is shown by this file: as text nodes and named marks, in mono, never
// as markup, and never cut without a count.

import { createContext } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import { signal, type Signal } from "@preact/signals";
import { memberOf, textOf, type Member, type Node, type StringNode } from "../evidence/lexer.ts";
import { cutText, notesOf, segment, type Segment } from "../evidence/visible.ts";
import { countText } from "./time.ts";

const HEAD = 600;
const TAIL = 200;
const ITEMS_HEAD = 40;
const ITEMS_TAIL = 10;

/** Which parts of the evidence are still folded away. */
export class Clips {
  readonly closed: Signal<number> = signal(0);
  readonly openAll: Signal<boolean> = signal(false);
}

let latest: Clips | undefined;

/** Opens every folded part of what is on the screen. */
export function openAllParts(): void {
  if (latest !== undefined) latest.openAll.value = true;
}

export function showClips(clips: Clips): void {
  latest = clips;
}

const ClipContext = createContext<Clips>(new Clips());
export const ClipProvider = ClipContext.Provider;

function useClip(isLong: boolean): [open: boolean, show: () => void] {
  const clips = useContext(ClipContext);
  const [opened, setOpened] = useState(false);
  const open = !isLong || opened || clips.openAll.value;
  useEffect(() => {
    if (open) return undefined;
    clips.closed.value++;
    return () => {
      clips.closed.value--;
    };
  }, [open, clips]);
  return [open, () => setOpened(true)];
}

function Part({ part, quoted }: { part: Segment; quoted: boolean }) {
  switch (part.kind) {
    case "text":
      return quoted && /["\\]/.test(part.text) ? <Quoted text={part.text} /> : <>{part.text}</>;
    case "line":
      return (
        <>
          <span class="sign" role="img" aria-label="line break">⏎</span>
          {"\n"}
        </>
      );
    case "tab":
      return <span class="sign tab" role="img" aria-label="tab">⇥</span>;
    case "mark":
      return <span class="chip" title={part.note}>{part.label}</span>;
    case "mixed":
      return (
        <span class="mixed" title="letters of different scripts in one word">
          {part.text}
          <span class="chip">{part.label}</span>
        </span>
      );
  }
}

/** Inside quotes a quote and a backslash stay escaped, as in the canonical text. */
function Quoted({ text }: { text: string }) {
  return (
    <>
      {text.split(/(["\\])/).map((piece, i) =>
        piece === '"' || piece === "\\" ? (
          <span key={i}>
            <span class="sign">\</span>
            {piece}
          </span>
        ) : (
          piece
        ),
      )}
    </>
  );
}

function Segments({ text, quoted = false }: { text: string; quoted?: boolean }) {
  const parts = useMemo(() => segment(text), [text]);
  return (
    <>
      {parts.map((part, i) => (
        <Part key={i} part={part} quoted={quoted} />
      ))}
    </>
  );
}

/** A short text of an agent or a person, whole, in one line of its own direction. */
export function Safe({ text, plain }: { text: string; plain?: boolean }) {
  return (
    <bdi class={plain ? "safe" : "safe mono"} dir="ltr">
      <Segments text={text} />
    </bdi>
  );
}

/** A text that may be long: its head and its tail with what is between counted. */
export function SafeLong({ text, quoted = false }: { text: string; quoted?: boolean }) {
  const cut = useMemo(() => cutText(text, HEAD, TAIL), [text]);
  const [open, show] = useClip(cut.hidden > 0);
  if (open) return <Segments text={text} quoted={quoted} />;
  return (
    <>
      <Segments text={cut.head} quoted={quoted} />
      <button type="button" class="cut" onClick={show}>
        {countText(cut.hidden, "more character")} hidden. Show all
      </button>
      <Segments text={cut.tail} quoted={quoted} />
    </>
  );
}

function StringValue({ node }: { node: StringNode }) {
  const lines = node.text.includes("\n");
  const notes = useMemo(() => notesOf(node.text, segment(node.text)), [node]);
  return (
    <>
      <span class={lines ? "text lines" : "text"}>
        <span class="sign">"</span>
        <bdi class="safe mono" dir="ltr">
          <SafeLong text={node.text} quoted />
        </bdi>
        <span class="sign">"</span>
      </span>
      <StringNotes named={notes.named} mixed={notes.mixed} rightToLeft={notes.rightToLeft} />
    </>
  );
}

function StringNotes({ named, mixed, rightToLeft }: { named: number; mixed: number; rightToLeft: boolean }) {
  const notes = [
    named > 0 ? `${countText(named, "character")} named, not shown` : "",
    mixed > 0 ? "mixed alphabets" : "",
    rightToLeft ? "right-to-left script" : "",
  ].filter(Boolean);
  return notes.length === 0 ? null : <span class="aside-note">{notes.join(" · ")}</span>;
}

/** Deeper than this nothing is set in further: nobody can push a thing out of view to the right. */
const INDENT_MAX = 6;

function Value({ node, depth }: { node: Node; depth: number }) {
  switch (node.kind) {
    case "string":
      return <StringValue node={node} />;
    case "number":
      return <span class="number">{node.text}</span>;
    case "word":
      return <span class="word">{node.text}</span>;
    case "object":
      return node.members.length === 0 ? <span class="sign">{"{ } empty"}</span> : <MemberList members={node.members} depth={depth} />;
    case "array":
      return node.items.length === 0 ? <span class="sign">[ ] empty</span> : <ItemList items={node.items} depth={depth} />;
  }
}

function isBlock(node: Node): boolean {
  return (node.kind === "object" && node.members.length > 0) || (node.kind === "array" && node.items.length > 0);
}

function Row({ name, index, value, depth }: { name?: string; index?: number; value: Node; depth: number }) {
  return (
    <li class={isBlock(value) ? "block" : ""}>
      {name !== undefined ? (
        <span class="key">
          <Safe text={name} />
        </span>
      ) : (
        <span class="index">{index}</span>
      )}
      <span class="sign">{name !== undefined ? ": " : " "}</span>
      {isBlock(value) && <Size node={value} depth={depth} />}
      <Value node={value} depth={depth + 1} />
    </li>
  );
}

function Size({ node, depth }: { node: Node; depth: number }) {
  const text = node.kind === "object" ? countText(node.members.length, "member") : node.kind === "array" ? countText(node.items.length, "item") : "";
  return (
    <span class="sign size">
      {text}
      {depth >= INDENT_MAX && `, level ${depth + 1}`}
    </span>
  );
}

function listClass(depth: number): string | undefined {
  return depth > INDENT_MAX ? "flat" : undefined;
}

function MemberList({ members, depth }: { members: readonly Member[]; depth: number }) {
  const [open, show] = useClip(members.length > ITEMS_HEAD + 2 * ITEMS_TAIL);
  const row = (member: Member) => <Row key={member.name.start} name={member.name.text} value={member.value} depth={depth} />;
  return <ul class={listClass(depth)}>{open ? members.map(row) : <Ends all={members} row={row} what="member" show={show} />}</ul>;
}

function ItemList({ items, depth }: { items: readonly Node[]; depth: number }) {
  const [open, show] = useClip(items.length > ITEMS_HEAD + 2 * ITEMS_TAIL);
  const row = (item: Node, index: number) => <Row key={item.start} index={index} value={item} depth={depth} />;
  return <ul class={listClass(depth)}>{open ? items.map(row) : <Ends all={items} row={row} what="item" show={show} />}</ul>;
}

function Ends<T>({ all, row, what, show }: {
  all: readonly T[];
  row: (one: T, index: number) => preact.ComponentChild;
  what: string;
  show: () => void;
}) {
  const from = all.length - ITEMS_TAIL;
  return (
    <>
      {all.slice(0, ITEMS_HEAD).map(row)}
      <li>
        <button type="button" class="cut" onClick={show}>
          {countText(from - ITEMS_HEAD, `more ${what}`)} hidden. Show all
        </button>
      </li>
      {all.slice(from).map((one, i) => row(one, from + i))}
    </>
  );
}

/** The members of an object, or one value, with every lexeme as it was sent. */
export function Tree({ node }: { node: Node }) {
  return <div class="tree">{isBlock(node) ? <Value node={node} depth={0} /> : <p><Value node={node} depth={0} /></p>}</div>;
}

/** The canonical text itself, byte for byte, dangerous characters named. */
export function ExactText({ bytes, node }: { bytes: Uint8Array; node: Node }) {
  const text = useMemo(() => textOf(bytes, node), [bytes, node]);
  return (
    <pre class="exact">
      <bdi class="safe mono" dir="ltr">
        <SafeLong text={text} />
      </bdi>
    </pre>
  );
}

/** What an entity carries beside type and id. */
export function propertiesOf(node: Node | undefined): Node | undefined {
  const properties = memberOf(node, "properties");
  return properties !== undefined && isBlock(properties) ? properties : undefined;
}
