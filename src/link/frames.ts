/**
 * Frames as bytes: one JSON text per line. Encoding is for streams and logs of frames; decoding takes
 * bytes that nothing vouches for and answers in words instead of throwing. It knows the form of a frame, not whether it fits
 * what came before (replica.ts does). Cutting bytes into lines is lines.ts.
 */
import {
  anything,
  type Bad,
  type Check,
  count,
  fields,
  flag,
  listOf,
  oneOf,
  optional,
  parseJson,
  present,
  shortText,
  text,
  word,
} from '../lib/check.ts';
import { type OthersVerdict, PROBE_VERDICTS } from '../domain/fact/health.ts';
import type { Frame } from './contract.ts';

/** limit: a batch is one commit, and a commit holds one call's aggregates: a few MiB at the very most. */
export const MAX_LINE = 64 * 1024 * 1024;
/** limit: a quarter of a line, so that a batch with an odd record beside it still fits. */
const MAX_RECORD = MAX_LINE / 4;
/** limit: parts of a snapshot are cut here, so that neither end holds much more beside the records themselves. */
const PART = 256 * 1024;

/** A record with its value as JSON text, so that it is turned into text once for all uses; `null` means deleted. */
export interface RecordText {
  readonly key: string;
  readonly revision: number;
  readonly json: string;
}

/** A record too big for any line keeps its id and says so: the edge fails it by name instead of losing the link. */
export function recordText(key: string, value: unknown, revision: number): RecordText {
  const json = JSON.stringify(value ?? null);
  if (json.length <= MAX_RECORD) return { key, revision, json };
  const id = (value as { readonly id?: unknown }).id;
  const oversize = `${json.length} characters, over the limit of ${MAX_RECORD}`;
  return { key, revision, json: JSON.stringify({ id, oversize }) };
}

export function encodeFrame(frame: Frame): string {
  return `${JSON.stringify(frame)}\n`;
}

export function encodeBatch(revision: number, changes: readonly RecordText[]): string {
  return `{"kind":"batch","revision":${revision},"changes":[${changes.map(encodeRecord).join()}]}\n`;
}

/** At least one line; only the last one carries `done`. */
export function* encodeSnapshot(revision: number, records: Iterable<RecordText>, done: boolean): Generator<string> {
  let part: string[] = [];
  let size = 0;
  for (const record of records) {
    const encoded = encodeRecord(record);
    if (size > 0 && size + encoded.length > PART) {
      yield snapshotLine(revision, part, false);
      part = [];
      size = 0;
    }
    part.push(encoded);
    size += encoded.length;
  }
  yield snapshotLine(revision, part, done);
}

function snapshotLine(revision: number, records: readonly string[], done: boolean): string {
  return `{"kind":"snapshot","revision":${revision},"done":${done},"records":[${records.join()}]}\n`;
}

function encodeRecord({ key, revision, json }: RecordText): string {
  return `{"key":${JSON.stringify(key)},"revision":${revision},"value":${json}}`;
}

const records = listOf(present('value', fields({ key: word, revision: count, value: anything })));
/** limit: an address and the key of a check are far shorter; an edge keeps them. */
const LONGEST_NAME = 512;
const VERDICT = {
  check: shortText(LONGEST_NAME),
  verdict: oneOf(PROBE_VERDICTS),
  by: oneOf(['site', 'fleet'] satisfies OthersVerdict['by'][]),
} satisfies Record<keyof OthersVerdict, Check>;

const FORMS: Readonly<Record<string, Check>> = {
  hello: fields({ link: count, version: text, world: text }),
  snapshot: fields({ revision: count, records, done: flag }),
  batch: fields({ revision: count, changes: records }),
  beat: fields({ revision: count, digest: optional(count) }),
  verdicts: fields({
    sequence: count,
    whole: flag,
    edges: listOf(shortText(LONGEST_NAME)),
    checks: listOf(fields(VERDICT)),
  }),
} satisfies Record<Frame['kind'], Check>;

/** A line without its line feed. */
export function decodeFrame(line: Uint8Array): Frame | Bad {
  const parsed = parseJson(line);
  if ('bad' in parsed) return parsed;
  const kind = (parsed.value as { readonly kind?: unknown } | null)?.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(FORMS, kind)) return { bad: 'a frame of no known kind' };
  return FORMS[kind]?.(parsed.value) ? (parsed.value as Frame) : { bad: `a ${kind} frame of the wrong form` };
}
