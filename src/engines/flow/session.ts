/**
 * One TCP connection or UDP session as the data plane keeps it: who, since when, how much, and when it must go. Plain
 * numbers only, because engines touch it per chunk or datagram. rule-flow.ts opens and closes it.
 */
import type { Protocol } from '../../domain/l4-rule/modes.ts';
import type { Endpoint } from '../pass-through/pass-through.ts';

export interface Session {
  /** Absent where records are off or this one is not in the sample. */
  readonly id: string | undefined;
  readonly protocol: Protocol;
  readonly client: Endpoint;
  readonly entry: Endpoint;
  /** Absent until an origin was reached. */
  origin: Endpoint | undefined;
  /** Wall clock, milliseconds. */
  readonly startedAt: number;
  bytesIn: number;
  bytesOut: number;
  /** Grows with every chunk or datagram, empty ones too: that it stands still is what idle means. */
  activity: number;
  /** From here on, monotonic milliseconds and what was known then; rule-flow.ts only. */
  activityKnown: number;
  quietSince: number;
  /** When its next record is due; never, if it has none. */
  recordAt: number;
  recordedIn: number;
  recordedOut: number;
  /** The session must end at this time; Infinity while nothing says so. */
  deadline: number;
}
