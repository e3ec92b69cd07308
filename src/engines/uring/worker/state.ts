/**
 * The state that the TCP and the UDP half of a worker share. Each half adds its own tables (tcp/connection.ts,
 * udp/sessions.ts); relay.ts makes all of it, and only worker.ts sets the clock.
 */
import type { Shares } from '../../flow/shares.ts';
import type { OutcomeCounter } from './outcomes.ts';
import type { Ring } from '../ring/ring.ts';
import type { Wheel } from '../ring/wheel.ts';
import type { Budget } from './budget.ts';
import type { RecordWriter } from './records.ts';
import type { Rules } from './rules.ts';

export interface WorkerState {
  readonly ring: Ring;
  /** Milliseconds since 1970, read once per batch. */
  readonly clock: { readonly now: number };
  readonly rules: Rules;
  readonly budget: Budget;
  /** Each source's share of the budget. */
  readonly shares: Shares;
  /** Clocks of slots, then of sessions. */
  readonly wheel: Wheel;
  readonly records: RecordWriter;
  readonly outcomes: OutcomeCounter;
}
