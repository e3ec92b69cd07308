/**
 * What a worker counts, in memory that the agent's thread reads without asking: one row of numbers per rule and worker.
 * Only the worker writes its row; a reader may see a sum that is one event behind, never a torn number.
 */
import { END_CAUSES } from '../../../domain/fact/fact.ts';
import type { EndCause, RuleCounters } from '../../../domain/fact/fact.ts';
import { DROP_REASONS as FLOW_REASONS } from '../../flow/counters.ts';

/** Why something was put off or given up: labels of `dropped`. The first ones as in engines/flow. */
const DROP_REASONS = [
  ...FLOW_REASONS,
  /** A connection waited because all slots were taken. */
  'wait-slots',
  /** A direction waited because all buffers were taken. */
  'wait-buffers',
  /** A big stream was copied because no pipe could be had. */
  'wait-pipes',
] as const;
type DropReason = (typeof DROP_REASONS)[number];

export const CONNECTIONS = 0;
export const ACTIVE = 1;
export const BYTES_IN = 2;
export const BYTES_OUT = 3;
export const PACKETS_IN = 4;
export const PACKETS_OUT = 5;
/** Ended without a record: not in the sample; or the reader of records was too slow, or the worker died. */
export const SAMPLED = 6;
export const LOST = 7;
/** UDP sessions that ended without a datagram from their origin. */
export const UNANSWERED = 8;
const ENDS = 9;
const DROPS = ENDS + END_CAUSES.length;
const ROW = DROPS + DROP_REASONS.length;

export const DROP = Object.fromEntries(DROP_REASONS.map((reason, i) => [reason, DROPS + i])) as Readonly<
  Record<DropReason, number>
>;
/** END_CAUSES by number, as columns keep them. */
export const CAUSE = Object.fromEntries(END_CAUSES.map((cause, i) => [cause, i])) as Readonly<Record<EndCause, number>>;

export type Row = Float64Array;

export function newRow(): Row {
  return new Float64Array(new SharedArrayBuffer(ROW * 8));
}

export function countEnd(row: Row, cause: number): void {
  row[ENDS + cause]! += 1;
}

/** The rows of all workers as the engine door wants them. */
export function sumRows(rows: readonly Row[]): RuleCounters {
  const sum = (at: number): number => rows.reduce((total, row) => total + (row[at] ?? 0), 0);
  const named = <Name extends string>(names: readonly Name[], from: number): Record<Name, number> =>
    Object.fromEntries(names.map((name, i) => [name, sum(from + i)]).filter(([, n]) => n !== 0)) as Record<
      Name,
      number
    >;
  const unrecorded = { sampled: sum(SAMPLED), lost: sum(LOST) };
  return {
    connections: sum(CONNECTIONS),
    active: sum(ACTIVE),
    bytesIn: sum(BYTES_IN),
    bytesOut: sum(BYTES_OUT),
    packetsIn: sum(PACKETS_IN),
    packetsOut: sum(PACKETS_OUT),
    ...(sum(UNANSWERED) > 0 && { unanswered: sum(UNANSWERED) }),
    dropped: named(DROP_REASONS, DROPS),
    ends: named(END_CAUSES, ENDS),
    ...(unrecorded.sampled + unrecorded.lost > 0 && { unrecorded }),
  };
}

/** A worker died: what it had open is over. The row stays, and goes on counting under the next worker. */
export function closeRow(row: Row): void {
  row[ENDS + CAUSE.error]! += row[ACTIVE] ?? 0;
  row[LOST]! += row[ACTIVE] ?? 0;
  row[ACTIVE] = 0;
}
