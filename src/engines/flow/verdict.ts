/**
 * The verdict on one connection or session: whether it keeps its place when its rule changes, until when it may go on where
 * it does not, what is due at a moment, and whether it tries one more origin. It keeps nothing and makes nothing, numbers and
 * flags in and a number out, so that the uring engine can ask it in its loop. Called by node/, uring/ and kernel/, which carry
 * it out each in its way.
 */
import type { PlannedOptions } from '../../plan/plan.ts';
import { MOST_TIMEOUTS } from './behaviour.ts';
import { isBarred, type Barrable } from './bars.ts';

/** A deadline of what may go on, a record of what is not recorded. */
export const NEVER = Infinity;

/**
 * Whether a connection keeps its place in a rule that has changed.
 * `isServed`: its entry address and port are still the rule's, and the rule is up.
 * `target`: its origin among the rule's targets; undefined: gone. At weight 0 it takes no new connection, and keeps its own.
 * `leadsTo`: the origin port that its entry port leads to now; `port`: the one it has, 0 while it still dials: then it finds
 * its origin among the new targets.
 */
export function keepsPlace(
  isServed: boolean,
  target: Barrable | undefined,
  leadsTo: number | undefined,
  port: number,
): boolean {
  if (!isServed || port === 0) return isServed;
  return target !== undefined && leadsTo === port && !isBarred(target, port);
}

/** Milliseconds that a TCP connection without a place goes on. */
export function drainMs({ how, seconds }: PlannedOptions['drain']): number {
  if (how === 'keep') return NEVER;
  return how === 'reset' ? 0 : seconds * 1000;
}

/**
 * Milliseconds that a UDP session without a place goes on, whatever the rule says.
 * not: drain. A datagram must not go where the rule does not send it, and the client's next one opens a session anyway; a
 * client that hears nothing would keep the old one alive for ever.
 */
export const UDP_DRAIN_MS = 0;

/** The time of its end after a change; `deadline`: after the changes before. A drain that has begun gets no more time. */
export function deadlineAfter(hasPlace: boolean, drainMs: number, now: number, deadline: number): number {
  return hasPlace || drainMs === NEVER ? NEVER : Math.min(deadline, now + drainMs);
}

/**
 * The time by which a TCP connection with an origin that is down has to end, where another origin of its rule is up; NEVER: it
 * stays. `downSince`: NEVER where the origin is not down. `startedAt`: a connection that began later has its whole time.
 */
export function leavesAt(downSince: number, startedAt: number, { unhealthy, drain }: PlannedOptions): number {
  if (unhealthy === 'keep') return NEVER;
  return Math.max(downSince, startedAt) + (unhealthy === 'drain' ? drain.seconds * 1000 : 0);
}

/** The thing to do now; an end has the word of its cause. */
export const DUE = { nothing: 0, drained: 1, idle: 2, record: 3 } as const;

/** `deadline`, `idleAt`, `recordAt`: when it must end, has been silent for too long, and its next record is written. */
export function dueAt(now: number, deadline: number, idleAt: number, recordAt: number): (typeof DUE)[keyof typeof DUE] {
  if (now >= deadline) return DUE.drained;
  if (now >= idleAt) return DUE.idle;
  return now >= recordAt ? DUE.record : DUE.nothing;
}

/**
 * Whether a connection whose dial has failed tries another origin. A refusal costs nothing, so refusals end by the number of
 * origins, or by time: `spentMs` is how long it has dialled since its first dial or its last time-out.
 */
export function mayTryNext(timeouts: number, spentMs: number, connectTimeoutMs: number): boolean {
  return timeouts < MOST_TIMEOUTS && spentMs < connectTimeoutMs;
}
