/** The counters of one rule, as engines count them: plain numbers, cheap to add to. */
import { addNumbers } from '../../lib/add.ts';
import type { EndCause, RuleCounters } from '../../domain/fact/fact.ts';
import { MOST_RETIRED } from './behaviour.ts';

/**
 * Why a datagram was given up. `loop`, `denied`: as the causes that connections end with. `no-source-port`: the system had no
 * port left to send from. `limit`: too many sessions, or no descriptor left. `oversize`: would not fit a datagram with its
 * header. `short`: a reply too short for the header that the mode asks of it. `header`: a reply with another header than its
 * session's. `queue`: the system does not take more. `overflow`: a socket's buffer was full. `source`: came from port 0, where
 * nobody can be answered.
 * Of connections: `wait-descriptors`: one had to wait because the descriptor limit was reached. `wait-source-ports`: all ports
 * of ours that were tried towards its origin were in use, and the system was asked for one.
 */
export const DROP_REASONS = [
  'no-origin',
  'loop',
  'denied',
  'no-source-port',
  'limit',
  'oversize',
  'short',
  'header',
  'queue',
  'overflow',
  'source',
  'wait-descriptors',
  'wait-source-ports',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface LiveCounters {
  connections: number;
  active: number;
  bytesIn: number;
  bytesOut: number;
  packetsIn: number;
  packetsOut: number;
  readonly dropped: Partial<Record<DropReason, number>>;
  readonly ends: Partial<Record<EndCause, number>>;
  /** Once there are some. */
  unrecorded?: { sampled: number; lost: number };
  /** See RuleCounters; absent until there is one. */
  unanswered?: number;
}

export function createCounters(): LiveCounters {
  return {
    connections: 0,
    active: 0,
    bytesIn: 0,
    bytesOut: 0,
    packetsIn: 0,
    packetsOut: 0,
    dropped: {},
    ends: {},
  };
}

export function countDrop(counters: LiveCounters, reason: DropReason): void {
  counters.dropped[reason] = (counters.dropped[reason] ?? 0) + 1;
}

/** A copy that no longer changes. */
export function snapshot(counters: LiveCounters): RuleCounters {
  const { dropped, ends, unrecorded } = counters;
  return {
    ...counters,
    dropped: { ...dropped },
    ends: { ...ends },
    ...(unrecorded && { unrecorded: { ...unrecorded } }),
  };
}

/** What one rule counted in two places, or in two lives of one place. */
export const addCounters = (a: RuleCounters, b: RuleCounters): RuleCounters => addNumbers(a, b);

/** Whether there is something to tell of it. */
export function hasCounted({ connections, active, packetsIn, dropped }: RuleCounters): boolean {
  return connections + active + packetsIn > 0 || Object.keys(dropped).length > 0;
}

/** Keeps what a rule that is gone has counted; the ones that went first are forgotten where there are too many. */
export function keepCounters<C>(retired: Map<string, C>, id: string, counters: C): void {
  retired.set(id, counters);
  for (const oldest of retired.keys()) {
    if (retired.size <= MOST_RETIRED) return;
    retired.delete(oldest);
  }
}
