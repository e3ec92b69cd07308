/**
 * The clock of a connection: flow/verdict.ts decides what is due at a moment, this carries it out. Called by the worker's
 * clock wheel. It refuses to set clocks: arm() in connection.ts does.
 */
import { STALLED_MS } from '../../flow/behaviour.ts';
import { DUE, dueAt } from '../../flow/verdict.ts';
import { CAUSE } from '../worker/counters.ts';
import { arm, brokenDirection, dialEnds, finish, idleAt, record, resetCause } from './connection.ts';
import { timedOut } from './dial.ts';
import type { DialState } from './dial.ts';
import { settle } from './settle.ts';
import { DIALLING, SETTLING } from './slots.ts';

/** The clock of a connection. */
export function tick(t: DialState, slot: number): void {
  const { slots: s, clock } = t;
  const { lives } = s;
  const due = dueAt(clock.now, lives.deadline[slot]!, idleAt(t, slot), lives.recordAt[slot]!);
  if (due === DUE.drained) return finish(t, slot, CAUSE.drained, true);
  if (due === DUE.idle) return finish(t, slot, CAUSE.idle, true);
  if (due === DUE.record) record(t, slot, -1);
  if (s.state[slot] === DIALLING && clock.now >= dialEnds(t, slot)) return timedOut(t, slot);
  const k = brokenDirection(t, slot);
  if (k >= 0 && (s.directions.flags[k]! & SETTLING) !== 0) settle(t, k);
  else if (k >= 0 && clock.now - lives.seenAt[slot]! >= STALLED_MS) finish(t, slot, resetCause(k & 1), true);
  else arm(t, slot);
}
