/**
 * Connections that a change of their rule leaves without a place, or whose origin is down: which they are, and when they have
 * to go. A connection keeps its place while its entry is the rule's and its origin is one of the rule's targets. TCP drains as
 * the rule says, UDP goes at once (flow/verdict.ts says why); to a target that its name no longer says, UDP goes as soon as it
 * is not answered. Pure but for its arguments. Called by changes.ts after a change and by the monitor while something drains.
 */
import { IPPROTO_TCP, IPPROTO_UDP } from '../../../linux/abi.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { EndCause } from '../../../domain/fact/fact.ts';
import { DEFAULT_DRAIN } from '../../../domain/l4-rule/options.ts';
import { type Flow, IPS } from '../../../linux/netlink/conntrack.ts';
import type { PlannedOptions } from '../../../plan/plan.ts';
import type { Listener, Target } from '../../engine.ts';
import { isBarred } from '../../flow/bars.ts';
import { UNANSWERED_MS } from '../../flow/behaviour.ts';
import { originPort } from '../../flow/endpoints.ts';
import type { TargetStates } from '../../flow/target-states.ts';
import { deadlineAfter, drainMs, keepsPlace, leavesAt, NEVER, UDP_DRAIN_MS } from '../../flow/verdict.ts';
import { isOver } from '../table/marks.ts';
import { familyOf } from '../table/sets.ts';

interface DrainDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly states: Pick<TargetStates, 'downSince' | 'isUp'>;
  /** How a rule drains that went while no engine ran; default within 30 s. */
  readonly unheard?: PlannedOptions['drain'];
  /** Forgets these connections, and tells their peers where that is possible. */
  readonly end: (flows: readonly Flow[], cause: EndCause) => void;
}

interface DrainedRule {
  readonly isUp: boolean;
  readonly listener: Listener | undefined;
}

export interface Drains {
  /**
   * After a change of the rule, or of the state of a target: looks at every connection of the rule (`flows`), and ends those that
   * must go now.
   */
  judge(rule: DrainedRule, flows: readonly Flow[]): void;
  /** Ends connections whose time is up. `flows`: all of the rule's that live. */
  endDue(rule: DrainedRule, flows: readonly Flow[]): void;
  /** Connections of the rule that have to go → when, monotonic milliseconds. By conntrack id. */
  deadlines(rule: DrainedRule): ReadonlyMap<number, number>;
  readonly end: DrainDeps['end'];
}

interface Leaving {
  readonly deadlines: Map<number, number>;
  /** UDP flows to a target that its name no longer says → what they had counted when they were last looked at. */
  readonly watched: Map<number, Pick<Flow, 'packetsIn' | 'packetsOut'>>;
}

const NONE: ReadonlyMap<number, number> = new Map();

export function createDrains({ clock, states, unheard = DEFAULT_DRAIN, end }: DrainDeps): Drains {
  const leavingOf = new WeakMap<DrainedRule, Leaving>();

  /** When a connection that has its place has to go, because its target is down and another one is up. */
  function goesAt(flow: Flow, { listener }: DrainedRule): number {
    // Handshakes without an answer are forgotten by origins.ts, whatever the rule says.
    const isAnswered = (flow.status & IPS.SEEN_REPLY) !== 0;
    if (!listener || flow.protocol !== IPPROTO_TCP || !isAnswered || isOver(flow)) return NEVER;
    const target = listener.targets.find(({ address }) => address === flow.reply.source.address);
    const age = flow.startedAt === undefined ? Infinity : clock.now() - flow.startedAt;
    const since = target ? states.downSince(target.number) : NEVER;
    const at = leavesAt(since, clock.monotonic() - age, listener.options);
    return at < NEVER && listener.targets.some((other) => canTake(other, flow)) ? at : NEVER;
  }

  function canTake(other: Target, { family, reply }: Flow): boolean {
    const { address, weight, number } = other;
    return familyOf(address) === family && weight > 0 && !isBarred(other, reply.source.port) && states.isUp(number);
  }

  /** Of one whose time is up; undefined: it stays after all. */
  function causeOf(flow: Flow, rule: DrainedRule, leaving: Leaving, now: number): EndCause | undefined {
    if (!stays(flow, rule)) return 'drained';
    // What it was judged by may have changed.
    if (flow.protocol === IPPROTO_TCP) return goesAt(flow, rule) <= now ? 'unhealthy' : undefined;
    if (!isForsakable(flow, rule) || isUnanswered(flow, leaving)) return 'drained';
    watch(flow, leaving, now + UNANSWERED_MS);
    return undefined;
  }

  function endDue(rule: DrainedRule, flows: readonly Flow[]): void {
    const leaving = leavingOf.get(rule);
    if (!leaving) return;
    const { deadlines, watched } = leaving;
    const now = clock.monotonic();
    const living = new Set(flows.map(({ id }) => id));
    const due = flows.filter(({ id }) => (deadlines.get(id) ?? NEVER) <= now);
    const ending = Map.groupBy(due, (flow) => causeOf(flow, rule, leaving, now));
    for (const [cause, gone] of ending) if (cause) for (const { id } of gone) deadlines.delete(id);
    for (const id of deadlines.keys()) if (!living.has(id)) deadlines.delete(id);
    for (const id of watched.keys()) if (!deadlines.has(id)) watched.delete(id);
    if (deadlines.size === 0) leavingOf.delete(rule);
    for (const [cause, gone] of ending) if (cause) end(gone, cause);
  }

  return {
    judge(rule, flows) {
      const { deadlines: known, watched } = leavingOf.get(rule) ?? { deadlines: NONE, watched: new Map() };
      const leaving: Leaving = { deadlines: new Map(), watched };
      const now = clock.monotonic();
      const { drain } = rule.listener?.options ?? { drain: unheard };
      for (const flow of flows) {
        const before = known.get(flow.id) ?? NEVER;
        if (stays(flow, rule)) {
          const at = goesAt(flow, rule);
          if (at < NEVER) leaving.deadlines.set(flow.id, at);
          if (isForsakable(flow, rule)) watch(flow, leaving, Math.min(now + UNANSWERED_MS, before));
          continue;
        }
        const ms = flow.protocol === IPPROTO_UDP ? UDP_DRAIN_MS : drainMs(drain);
        const deadline = deadlineAfter(isOver(flow), ms, now, before);
        if (deadline < NEVER) leaving.deadlines.set(flow.id, deadline);
      }
      if (leaving.deadlines.size > 0) leavingOf.set(rule, leaving);
      else leavingOf.delete(rule);
      endDue(rule, flows);
    },
    endDue,
    deadlines: (rule) => leavingOf.get(rule)?.deadlines ?? NONE,
    end,
  };
}

export function stays({ original, reply, protocol }: Flow, { isUp, listener }: DrainedRule): boolean {
  if (!isUp || !listener) return false;
  if ((protocol === IPPROTO_UDP ? 'UDP' : 'TCP') !== listener.protocol) return false;
  if (!listener.entries.includes(original.destination.address)) return false;
  const target = listener.targets.find(({ address }) => address === reply.source.address);
  const leadsTo = originPort(listener.ports, listener.originPorts, original.destination.port);
  return keepsPlace(true, target, leadsTo, reply.source.port);
}

/** A UDP flow whose origin may be gone for good: its name no longer says it. */
function isForsakable({ protocol, reply }: Flow, { listener }: DrainedRule): boolean {
  if (protocol !== IPPROTO_UDP) return false;
  return listener?.targets.some(({ address, left }) => left === true && address === reply.source.address) === true;
}

/** Looked at again by then: what has it sent, what has it got? A look that is under way keeps its beginning. */
function watch({ id, packetsIn, packetsOut }: Flow, { deadlines, watched }: Leaving, until: number): void {
  const isUnderWay = watched.has(id) && deadlines.get(id) === undefined;
  if (!isUnderWay) watched.set(id, { packetsIn, packetsOut });
  deadlines.set(id, until);
}

function isUnanswered({ id, packetsIn, packetsOut }: Flow, { watched }: Leaving): boolean {
  const before = watched.get(id);
  return before !== undefined && packetsIn > before.packetsIn && packetsOut === before.packetsOut;
}
