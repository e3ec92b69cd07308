/**
 * Looks at the open TCP connections of a rule that has changed: each keeps its place, is to end by a deadline, or ends now.
 * flow/verdict.ts decides; this carries it out. Called by commands.ts, between two batches.
 */
import { deadlineAfter, drainMs } from '../../flow/verdict.ts';
import { portAt } from '../../../linux/sockaddr.ts';
import { arm, finish } from '../tcp/connection.ts';
import type { Tcp } from '../tcp/connection.ts';
import { DIALLING, FREE } from '../tcp/slots.ts';
import { CAUSE } from './counters.ts';
import { currentTarget, keepsTarget } from './rule.ts';
import type { Entry, Rule } from './rule.ts';

export function reviewConnections(t: Tcp, rule: Rule): void {
  const { slots: s, clock } = t;
  const { lives, names } = s;
  const allowed = drainMs(rule.spec.options.drain);
  for (let slot = 0; slot < s.capacity; slot++) {
    if (s.state[slot] === FREE || t.rules.entry(s.entry[slot]!).rule !== rule) continue;
    const entry = followEntry(t, slot);
    const port = s.state[slot] === DIALLING ? 0 : portAt(names.bytes, names.offset(2 * slot + 1));
    s.dials.target[slot] = currentTarget(rule, s.dials.target[slot]!);
    const hasPlace = keepsTarget(entry, s.dials.target[slot]!, port);
    const deadline = deadlineAfter(hasPlace, allowed, clock.now, lives.deadline[slot]!);
    lives.deadline[slot] = deadline;
    if (deadline <= clock.now) finish(t, slot, CAUSE.drained, true);
    // Also where nothing of it has changed: its rule's times may be others now.
    else arm(t, slot);
  }
}

/** The entry of a connection; its successor where it is closing and has one. */
function followEntry({ slots: s, rules }: Tcp, slot: number): Entry {
  const entry = rules.entry(s.entry[slot]!);
  const next = entry.closing ? rules.successor(entry) : undefined;
  if (!next) return entry;
  // order: first the new one, so that the rule never looks as if nothing used it.
  rules.opened(next);
  s.entry[slot] = next.index;
  rules.ended(entry);
  return next;
}
