/**
 * What a change of its rule means for TCP connections that are open: each keeps its place, is to end by a deadline, or ends
 * now. flow/verdict.ts decides; this carries it out. Called by commands.ts, between two batches.
 */
import { deadlineAfter, drainMs } from '../../flow/verdict.ts';
import { portAt } from '../ring/sockaddr.ts';
import { arm, finish } from '../tcp/relay.ts';
import type { Relay } from '../tcp/relay.ts';
import { DIALLING, FREE } from '../tcp/slots.ts';
import { CAUSE } from './counters.ts';
import { keepsTarget } from './rule.ts';
import type { Entry, Rule } from './rule.ts';

export function reviewConnections(r: Relay, rule: Rule): void {
  const { slots: s } = r;
  const allowedMs = drainMs(rule.spec.options.drain);
  for (let slot = 0; slot < s.capacity; slot++) {
    if (s.state[slot] === FREE || s.rule[slot] !== rule.index) continue;
    const entry = followEntry(r, slot);
    const port = s.state[slot] === DIALLING ? 0 : portAt(s.names, s.nameOffset(slot, 1));
    s.cutAt[slot] = deadlineAfter(keepsTarget(entry, s.target[slot]!, port), allowedMs, r.now, s.cutAt[slot]!);
    if (r.now >= s.cutAt[slot]!) finish(r, slot, CAUSE.drained, true);
    // Its times may be others now, too.
    else arm(r, slot);
  }
}

/** The entry of a connection; its successor where it is closing and has one. */
function followEntry(r: Relay, slot: number): Entry {
  const { slots: s, rules } = r;
  const entry = rules.entry(s.entry[slot]!);
  const next = entry.closing ? rules.successor(entry) : undefined;
  if (!next) return entry;
  // order: first the new one, so that the rule never looks as if nothing used it.
  rules.opened(next);
  s.entry[slot] = next.index;
  rules.ended(entry);
  return next;
}
