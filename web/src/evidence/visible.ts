// Splits text that an agent supplied into what may be shown as it is and what must be named. Never
// returns markup. The ranges are those of the gateway's text_append_visible, so that page, command
// line and mail name the same characters; a test compares them.

export type Segment =
  | { readonly kind: "text"; readonly text: string }
  /** A line break: shown as a sign and broken. */
  | { readonly kind: "line" }
  | { readonly kind: "tab" }
  /** One character, or a run of the same one, that is not shown but named. */
  | { readonly kind: "mark"; readonly text: string; readonly label: string; readonly note: string }
  /** A word of mixed scripts: shown, with the odd letters named. */
  | { readonly kind: "mixed"; readonly text: string; readonly label: string };

type Range = readonly [first: number, last: number];

export const MISLEADING: readonly Range[] = [
  [0x0000, 0x001f], [0x007f, 0x009f], [0x00ad, 0x00ad], [0x034f, 0x034f], [0x0600, 0x0605],
  [0x061c, 0x061c], [0x06dd, 0x06dd], [0x070f, 0x070f], [0x0890, 0x0891], [0x08e2, 0x08e2],
  [0x115f, 0x1160], [0x17b4, 0x17b5], [0x180b, 0x180f], [0x200b, 0x200f], [0x2028, 0x202e],
  [0x2060, 0x206f], [0x2800, 0x2800], [0x3164, 0x3164], [0xe000, 0xf8ff], [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff], [0xffa0, 0xffa0], [0xfff0, 0xfffb], [0x110bd, 0x110bd], [0x110cd, 0x110cd],
  [0x13430, 0x1343f], [0x1bca0, 0x1bca3], [0x1d173, 0x1d17a], [0xe0000, 0xe0fff],
  [0xf0000, 0x10ffff],
];

/** Spaces that are wider, narrower or less breakable than they look. Cards show them as escapes too. */
const ODD_SPACES: readonly Range[] = [
  [0x00a0, 0x00a0], [0x1680, 0x1680], [0x2000, 0x200a], [0x202f, 0x202f], [0x205f, 0x205f],
  [0x3000, 0x3000],
];

const NAMES: Readonly<Record<number, string>> = {
  0x00: "NUL", 0x07: "BEL", 0x08: "BS", 0x0b: "VT", 0x0c: "FF", 0x0d: "CR", 0x1b: "ESC", 0x7f: "DEL",
  0x85: "NEL", 0xa0: "NBSP", 0xad: "SHY", 0x34f: "CGJ", 0x61c: "ALM", 0x115f: "FILLER",
  0x1160: "FILLER", 0x180e: "MVS", 0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM",
  0x200f: "RLM", 0x2028: "LINE SEP", 0x2029: "PARA SEP", 0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF",
  0x202d: "LRO", 0x202e: "RLO", 0x202f: "NNBSP", 0x2060: "WJ", 0x2066: "LRI", 0x2067: "RLI",
  0x2068: "FSI", 0x2069: "PDI", 0x2800: "BLANK", 0x3000: "WIDE SPACE", 0x3164: "FILLER",
  0xfeff: "BOM", 0xffa0: "FILLER",
};

const NOTES: Readonly<Record<number, string>> = {
  0x200b: "zero-width space", 0x200c: "zero-width non-joiner", 0x200d: "zero-width joiner",
  0x200e: "left-to-right mark", 0x200f: "right-to-left mark", 0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding", 0x202c: "end of direction change",
  0x202d: "left-to-right override", 0x202e: "right-to-left override: reverses what follows",
  0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate", 0x2068: "first strong isolate",
  0x2069: "end of isolate", 0xad: "soft hyphen: invisible", 0xa0: "space that does not break",
  0x2060: "word joiner: invisible", 0xfeff: "byte order mark: invisible", 0x1b: "escape: drives terminals",
  0x2800: "blank that is not a space", 0x0d: "carriage return: may overwrite the line",
};

const LETTER_RUN = /[\p{L}\p{N}\p{M}_]+/gu;
const LATIN = /\p{Script=Latin}/u;
const LOOKALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;
const NOT_ASCII = /[^\x20-\x7e]/;
const COMBINING = /\p{M}/u;
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

const RUN_MAX = 3; // of one invisible character before they are counted instead
const STACK_MAX = 3; // combining marks on one base

function isIn(ranges: readonly Range[], point: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle]!;
    if (point > range[1]) {
      low = middle + 1;
    } else if (point < range[0]) {
      high = middle;
    } else {
      return true;
    }
  }
  return false;
}

export function codePointName(point: number): string {
  return "U+" + point.toString(16).toUpperCase().padStart(4, "0");
}

function isTag(point: number): boolean {
  return point >= 0xe0000 && point <= 0xe007f;
}

/** Whether the character may not be shown as it is. */
export function isMisleading(point: number): boolean {
  return (
    (point < 0x20 || point > 0x7e) &&
    ((point & 0xfffe) === 0xfffe || (point >= 0xfdd0 && point <= 0xfdef) ||
      (point >= 0xd800 && point <= 0xdfff) || isIn(MISLEADING, point) || isIn(ODD_SPACES, point))
  );
}

/** Everything in `text`, in order: joining the parts' texts gives it back. Linear time. */
export function segment(text: string): Segment[] {
  const splitter = new Splitter();
  for (let at = 0; at < text.length; ) {
    const point = text.codePointAt(at)!;
    splitter.take(point, point > 0xffff ? text.slice(at, at + 2) : text[at]!);
    at += point > 0xffff ? 2 : 1;
  }
  return splitter.finish();
}

class Splitter {
  private readonly out: Segment[] = [];
  private plain = "";
  private tags = "";
  private marked = "";
  private markedPoint = -1;
  private stack = 0;
  private hasBase = false;

  take(point: number, character: string): void {
    if (point >= 0x20 && point < 0x7f) {
      this.endMarks();
      this.plain += character;
      this.hasBase = point !== 0x20;
      this.stack = 0;
    } else if (isTag(point)) {
      this.endRun();
      this.endPlain();
      this.tags += character;
      this.hasBase = false;
    } else if (point === 0x0a || point === 0x09) {
      this.endMarks();
      this.endPlain();
      this.out.push({ kind: point === 0x0a ? "line" : "tab" });
      this.hasBase = false;
    } else if (isMisleading(point) || this.isLoneOrStacked(character)) {
      this.mark(point, character);
    } else {
      this.endMarks();
      this.plain += character;
    }
  }

  private isLoneOrStacked(character: string): boolean {
    if (!COMBINING.test(character)) {
      this.stack = 0;
      this.hasBase = true;
      return false;
    }
    return !this.hasBase || ++this.stack > STACK_MAX;
  }

  private mark(point: number, character: string): void {
    this.endTags();
    this.endPlain();
    if (point !== this.markedPoint) {
      this.endRun();
    }
    this.markedPoint = point;
    this.marked += character;
    if (isMisleading(point)) {
      this.hasBase = false;
    }
  }

  private endMarks(): void {
    this.endTags();
    this.endRun();
  }

  private endRun(): void {
    if (this.marked === "") {
      return;
    }
    const point = this.markedPoint;
    const width = point > 0xffff ? 2 : 1;
    const count = this.marked.length / width;
    const isCounted = count > RUN_MAX;
    for (let i = 0; i < (isCounted ? 1 : count); i++) {
      const text = isCounted ? this.marked : this.marked.slice(i * width, (i + 1) * width);
      this.out.push({ kind: "mark", text, label: labelOf(point, isCounted ? count : 1), note: noteOf(point) });
    }
    this.marked = "";
    this.markedPoint = -1;
  }

  private endTags(): void {
    if (this.tags === "") {
      return;
    }
    const points = [...this.tags].map((tag) => tag.codePointAt(0)! - 0xe0000);
    const hidden = points.map((point) => (point >= 0x20 && point < 0x7f ? String.fromCharCode(point) : "·")).join("");
    const label = `${points.length} hidden tag characters: “${hidden}”`;
    this.out.push({ kind: "mark", text: this.tags, label, note: "invisible text that a model may read" });
    this.tags = "";
  }

  private endPlain(): void {
    if (this.plain !== "") {
      splitMixed(this.plain, this.out);
      this.plain = "";
    }
  }

  finish(): Segment[] {
    this.endMarks();
    this.endPlain();
    return this.out;
  }
}

function labelOf(point: number, count: number): string {
  const name = NAMES[point];
  const label = name === undefined ? codePointName(point) : `${name} ${codePointName(point)}`;
  return count > 1 ? `${label} ×${count.toLocaleString("en")}` : label;
}

function noteOf(point: number): string {
  const note = NOTES[point];
  if (note !== undefined) {
    return note;
  }
  if (point < 0x20 || (point >= 0x7f && point < 0xa0)) {
    return "control character";
  }
  if ((point >= 0xe000 && point <= 0xf8ff) || point >= 0xf0000) {
    return "private use: looks different everywhere";
  }
  if (isIn(ODD_SPACES, point)) {
    return "not an ordinary space";
  }
  return isMisleading(point) ? "invisible or not a character" : "mark that sits on nothing or piles up";
}

function splitMixed(text: string, out: Segment[]): void {
  let last = 0;
  if (NOT_ASCII.test(text)) {
    for (const match of text.matchAll(LETTER_RUN)) {
      const word = match[0];
      if (!LATIN.test(word) || !LOOKALIKE.test(word)) {
        continue;
      }
      if (match.index > last) {
        out.push({ kind: "text", text: text.slice(last, match.index) });
      }
      out.push({ kind: "mixed", text: word, label: oddLetters(word) });
      last = match.index + word.length;
    }
  }
  if (last < text.length) {
    out.push({ kind: "text", text: text.slice(last) });
  }
}

function oddLetters(word: string): string {
  const odd = new Set([...word].filter((letter) => LOOKALIKE.test(letter)));
  return [...odd].map((letter) => `${letter} ${codePointName(letter.codePointAt(0)!)}`).join(", ");
}

export interface Notes {
  /** Characters that are named instead of shown. */
  readonly named: number;
  readonly mixed: number;
  readonly rightToLeft: boolean;
}

/** What a reader should be told about a text before reading it. */
export function notesOf(text: string, segments: readonly Segment[]): Notes {
  let named = 0;
  let mixed = 0;
  for (const part of segments) {
    named += part.kind === "mark" ? [...part.text].length : 0;
    mixed += part.kind === "mixed" ? 1 : 0;
  }
  return { named, mixed, rightToLeft: RIGHT_TO_LEFT.test(text) };
}

/** Joins what segment() took apart. */
export function joinSegments(segments: readonly Segment[]): string {
  return segments.map((part) => (part.kind === "line" ? "\n" : part.kind === "tab" ? "\t" : part.text)).join("");
}

export interface Cut {
  readonly head: string;
  /** Characters (code points) left out between head and tail; 0 when nothing is. */
  readonly hidden: number;
  readonly tail: string;
}

/** The beginning and the end of a long text, cutting no character in two. */
export function cutText(text: string, head: number, tail: number): Cut {
  if (text.length <= head + tail + tail) {
    return { head: text, hidden: 0, tail: "" };
  }
  const from = isLowSurrogate(text, head) ? head + 1 : head;
  const to = isLowSurrogate(text, text.length - tail) ? text.length - tail - 1 : text.length - tail;
  return { head: text.slice(0, from), hidden: [...text.slice(from, to)].length, tail: text.slice(to) };
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
