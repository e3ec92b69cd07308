/**
 * Connections that a change of their rule leaves without a place: who they are, and when they have to go. A connection
 * stays while its entry is the rule's and its origin is one of the rule's targets; TCP drains as the rule says, UDP goes
 * at once, because a sender that hears nothing would keep its flow alive for ever; to a target that its name no longer says,
 * as soon as it is not answered. Pure but for its arguments.
 */
import { IPPROTO_UDP } from '../../../linux/abi.ts';
import type { EndCause } from '../../../domain/fact/fact.ts';
import { DEFAULT_DRAIN } from '../../../domain/l4-rule/options.ts';
import type { PlannedOptions } from '../../../plan/plan.ts';
import { UNANSWERED_MS } from '../../flow/behaviour.ts';
import { originPort } from '../../flow/endpoints.ts';
import { deadlineAfter, drainMs, keepsPlace, UDP_DRAIN_MS } from '../../flow/verdict.ts';
import { type Flow } from '../../../linux/netlink/conntrack.ts';
import { isOver } from '../account/recorder.ts';
import type { KernelRule } from '../rules.ts';

export interface DrainDeps {
  monotonic(): number;
  /** How a rule drains that went while nobody was there to hear how; default within 30 s. */
  readonly unheard?: PlannedOptions['drain'];
  /** Forgets these connections, and tells their peers where that is possible. */
  end(flows: readonly Flow[], cause: EndCause): void;
}

/** After a change: looks at every connection of the rule (`flows`), and ends those that must go now. */
export function judge(rule: KernelRule, flows: readonly Flow[], deps: DrainDeps): void {
  const known = new Map(rule.leaving);
  rule.leaving.clear();
  rule.flows = flows.length;
  const now = deps.monotonic();
  for (const flow of flows) {
    if (stays(flow, rule)) {
      if (isForsakable(flow, rule)) watch(flow, rule, Math.min(now + UNANSWERED_MS, known.get(flow.id) ?? Infinity));
      continue;
    }
    const { drain } = rule.listener?.options ?? { drain: deps.unheard ?? DEFAULT_DRAIN };
    const ms = flow.protocol === IPPROTO_UDP ? UDP_DRAIN_MS : drainMs(drain);
    const deadline = deadlineAfter(isOver(flow), ms, now, known.get(flow.id) ?? Infinity);
    if (deadline < Infinity) rule.leaving.set(flow.id, deadline);
  }
  endDue(rule, flows, deps);
}

/** Ends those whose time is up. `flows`: all of the rule's that live. */
export function endDue(rule: KernelRule, flows: readonly Flow[], deps: DrainDeps): void {
  if (rule.leaving.size === 0) return;
  const now = deps.monotonic();
  const living = new Set(flows.map(({ id }) => id));
  const due = flows.filter((flow) => {
    if ((rule.leaving.get(flow.id) ?? Infinity) > now) return false;
    if (!isForsakable(flow, rule) || !stays(flow, rule) || isUnanswered(flow, rule)) return true;
    watch(flow, rule, now + UNANSWERED_MS);
    return false;
  });
  for (const { id } of due) rule.leaving.delete(id);
  for (const id of rule.leaving.keys()) if (!living.has(id)) rule.leaving.delete(id);
  for (const id of rule.watched.keys()) if (!rule.leaving.has(id)) rule.watched.delete(id);
  if (due.length > 0) deps.end(due, 'drained');
}

export function stays({ original, reply, protocol }: Flow, { isUp, listener }: KernelRule): boolean {
  if (!isUp || !listener) return false;
  if ((protocol === IPPROTO_UDP ? 'UDP' : 'TCP') !== listener.protocol) return false;
  if (!listener.entries.includes(original.destination.address)) return false;
  const target = listener.targets.find(({ address }) => address === reply.source.address);
  const leadsTo = originPort(listener.ports, listener.originPorts, original.destination.port);
  return keepsPlace(true, target, leadsTo, reply.source.port);
}

/** A UDP flow whose origin may be gone for good: its name no longer says it. */
function isForsakable({ protocol, reply }: Flow, { listener }: KernelRule): boolean {
  if (protocol !== IPPROTO_UDP) return false;
  return listener?.targets.some(({ address, left }) => left === true && address === reply.source.address) === true;
}

/** Looked at again by then: what has it sent, what has it got? A look that is under way keeps its beginning. */
function watch({ id, packetsIn, packetsOut }: Flow, rule: KernelRule, until: number): void {
  const isUnderWay = rule.watched.has(id) && rule.leaving.get(id) === undefined;
  if (!isUnderWay) rule.watched.set(id, { packetsIn, packetsOut });
  rule.leaving.set(id, until);
}

function isUnanswered({ id, packetsIn, packetsOut }: Flow, { watched }: KernelRule): boolean {
  const before = watched.get(id);
  return before !== undefined && packetsIn > before.packetsIn && packetsOut === before.packetsOut;
}
