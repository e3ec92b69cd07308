/** Limits as EdgeFour's own actions take and show them; what they mean is in domain/limit. */
import type { Limits } from '../../domain/limit/limit.ts';
import { type Infer, list, optional, string, unsigned } from '../../shape/shape.ts';

const MOST = 1_000_000;
const LIST = string('Name of an address list.', { pattern: /^[a-z0-9][a-z0-9-]{0,62}$/ });
const amount = (text: string) => optional(unsigned(text, { max: MOST }));

export const LIMITS = {
  NewPerSecond: amount('New connections or UDP sessions per second from one source.'),
  Concurrent: amount('Open connections from one source.'),
  PacketsPerSecond: amount('Datagrams per second from one source; UDP only.'),
  RuleNewPerSecond: amount('New connections per second of a rule, all sources together.'),
  RuleConcurrent: amount('Open connections of a rule, all sources together.'),
  SynProxy: amount('SYNs per second of a rule above which clients have to answer a cookie first; TCP only.'),
  Prefix4: optional(unsigned('Bits of an IPv4 address that make one source; default 32.', { max: 32 })),
  Prefix6: optional(unsigned('Bits of an IPv6 address that make one source; default 64.', { max: 128 })),
  Allow: optional(list(LIST, 'Address lists: nobody else may come.', { max: 8 })),
  Deny: optional(list(LIST, 'Address lists: nobody on them may come.', { max: 8 })),
} as const;

type Sent = Infer<typeof LIMITS>;
/** The cloud's way of naming and ours. */
const NAMES = {
  NewPerSecond: 'newPerSecond',
  Concurrent: 'concurrent',
  PacketsPerSecond: 'packetsPerSecond',
  RuleNewPerSecond: 'ruleNewPerSecond',
  RuleConcurrent: 'ruleConcurrent',
  SynProxy: 'synProxy',
  Prefix4: 'prefix4',
  Prefix6: 'prefix6',
  Allow: 'allow',
  Deny: 'deny',
} as const satisfies Record<keyof Sent, keyof Limits>;

export function readLimits(sent: Sent): Limits {
  const given = Object.entries(NAMES).filter(([name]) => sent[name as keyof Sent] !== undefined);
  return Object.fromEntries(given.map(([name, ours]) => [ours, sent[name as keyof Sent]]));
}

export function showLimits(limits: Limits = {}): Sent {
  const set = Object.entries(NAMES).filter(([, ours]) => limits[ours] !== undefined);
  return Object.fromEntries(set.map(([name, ours]) => [name, limits[ours]]));
}
