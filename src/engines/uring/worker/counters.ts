/**
 * Counters of a worker, in memory that the agent's thread reads without asking: one row of numbers per rule and worker, one
 * column per counter of domain/fact and per word of those that have words. Only the worker writes its row; a reader may see a
 * sum that is one event behind, never a torn number.
 */
import {
  COUNTERS,
  type Counter,
  type CounterName,
  type DropReason,
  END_CAUSES,
  type EndCause,
  type RuleCounters,
} from '../../../domain/fact/fact.ts';

const ALL = Object.entries<Counter>(COUNTERS);
/** Counter → its column; of one with words the column of the first, the others follow in their order. */
const FIRST = new Map<string, number>();
let columns = 0;
for (const [name, { words }] of ALL) {
  FIRST.set(name, columns);
  columns += words?.length ?? 1;
}
const column = (name: CounterName): number => FIRST.get(name)!;

export const CONNECTIONS = column('connections');
export const ACTIVE = column('active');
export const BYTES_IN = column('bytesIn');
export const BYTES_OUT = column('bytesOut');
export const PACKETS_IN = column('packetsIn');
export const PACKETS_OUT = column('packetsOut');
export const UNANSWERED = column('unanswered');
export const { sampled: SAMPLED, lost: LOST } = columnsOf('unrecorded', COUNTERS.unrecorded.words);
export const DROP = columnsOf('dropped', COUNTERS.dropped.words) satisfies Record<DropReason, number>;
const ENDS = column('ends');
/** END_CAUSES by number, as columns keep them. */
export const CAUSE = Object.fromEntries(END_CAUSES.map((cause, i) => [cause, i])) as Readonly<Record<EndCause, number>>;

function columnsOf<W extends string>(name: CounterName, words: readonly W[]): Readonly<Record<W, number>> {
  return Object.fromEntries(words.map((word, i) => [word, column(name) + i])) as Record<W, number>;
}

export type Row = Float64Array;

export function newRow(): Row {
  return new Float64Array(new SharedArrayBuffer(columns * Float64Array.BYTES_PER_ELEMENT));
}

export function countEnd(row: Row, cause: number): void {
  row[ENDS + cause]! += 1;
}

/** The rows of all workers as the engine door wants them. */
export function sumRows(rows: readonly Row[]): RuleCounters {
  const sum = (at: number): number => rows.reduce((total, row) => total + (row[at] ?? 0), 0);
  function told([name, { words, rare }]: [string, Counter]): [string, number | Record<string, number>][] {
    const first = FIRST.get(name)!;
    if (!words) return rare && sum(first) === 0 ? [] : [[name, sum(first)]];
    const whole = words.map((word, i): [string, number] => [word, sum(first + i)]);
    const counted = whole.filter(([, n]) => n !== 0);
    if (rare) return counted.length === 0 ? [] : [[name, Object.fromEntries(whole)]];
    return [[name, Object.fromEntries(counted)]];
  }
  return Object.fromEntries(ALL.flatMap(told)) as unknown as RuleCounters;
}

/** A worker died: its connections are over. The row stays, and goes on counting under the next worker. */
export function closeRow(row: Row): void {
  row[ENDS + CAUSE.error]! += row[ACTIVE] ?? 0;
  row[LOST]! += row[ACTIVE] ?? 0;
  row[ACTIVE] = 0;
}
