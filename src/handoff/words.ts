/**
 * What two generations of one program say to each other while the new one takes over: one JSON line per word, bounded, and
 * descriptors beside it. Pure. door.ts speaks for the running process, predecessor.ts for the
 * next one.
 *
 *   new → old   rest       what do you have? From here on the old one changes nothing that lasts.
 *               handOver   and what is in the middle of something?
 *               pause      I serve. The old one lets go, drains and ends.
 *   old → new   part …     with descriptors; then done, or refused with the reason.
 *
 * A connection that ends before `pause` means that the new one is gone: the old one goes on as before. The words are those
 * of docs/explanation/upgrade.md.
 */
import * as is from '../lib/check.ts';

/** Raised when a word changes its meaning. Both ends refuse another. */
export const PROTOCOL = 1;
/** limit: a part names at most MOST_DESCRIPTORS things, each in well under 400 bytes. */
export const LONGEST_LINE = 65_536;

/** wire: by which names they go over the socket; other versions know them by these. */
const WIRE = { rest: 'take', handOver: 'sessions', pause: 'serving' } as const;
export type Word = keyof typeof WIRE;
const WORDS = Object.keys(WIRE) as readonly Word[];

export interface Ask {
  readonly word: Word;
  readonly protocol: number;
  readonly version: string;
}

export type Reply =
  /** `count` descriptors come with it. */
  | { readonly kind: 'part'; readonly count: number; readonly facts?: unknown }
  | { readonly kind: 'done'; readonly facts?: unknown }
  | { readonly kind: 'refused'; readonly reason: string };

const isAsk = is.fields({ ask: (value) => wordOf(value) !== undefined, protocol: is.count, version: is.text });
const isReply: Readonly<Record<Reply['kind'], is.Check>> = {
  part: is.fields({ count: is.count }),
  done: is.anything,
  refused: is.fields({ reason: is.word }),
};

/** Why it does not work, for a person. */
export class HandoffRefused extends Error {}

/** Each once, and in this order; an edge without sessions may leave them out. */
const AFTER: Readonly<Record<Word, readonly (Word | undefined)[]>> = {
  rest: [undefined],
  handOver: ['rest'],
  pause: ['rest', 'handOver'],
};

/** Whether it may be asked, `before` being what was asked last. */
export function mayFollow(before: Word | undefined, word: Word): boolean {
  return AFTER[word].includes(before);
}

export function encodeAsk({ word, ...rest }: Ask): Buffer {
  return encodeLine({ ask: WIRE[word], ...rest });
}

export function encodeReply(reply: Reply): Buffer {
  return encodeLine(reply);
}

function encodeLine(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function wordOf(wire: unknown): Word | undefined {
  return WORDS.find((word) => WIRE[word] === wire);
}

/** undefined: not a word of this protocol. */
export function readAsk(line: string): Ask | undefined {
  const value = readObject(line);
  if (!isAsk(value)) return undefined;
  const { ask, ...rest } = value as Omit<Ask, 'word'> & { readonly ask: unknown };
  const word = wordOf(ask);
  return word && { word, ...rest };
}

export function readReply(line: string): Reply | undefined {
  const value = readObject(line) as { readonly kind?: unknown } | undefined;
  const kind = value?.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(isReply, kind)) return undefined;
  return isReply[kind as Reply['kind']](value) ? (value as Reply) : undefined;
}

function readObject(line: string): unknown {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes in, whole lines out; `undefined` once a line is too long, and from then on. */
export function lineReader(): (bytes: Uint8Array) => string[] | undefined {
  let held = Buffer.alloc(0);
  let isOver = false;
  return (bytes) => {
    if (isOver) return undefined;
    held = Buffer.concat([held, bytes]);
    const lines: string[] = [];
    for (let end = held.indexOf(10); end >= 0 && end < LONGEST_LINE; end = held.indexOf(10)) {
      lines.push(held.toString('utf8', 0, end));
      held = held.subarray(end + 1);
    }
    isOver = held.length >= LONGEST_LINE;
    if (!isOver) return lines;
    held = Buffer.alloc(0);
    return undefined;
  };
}
