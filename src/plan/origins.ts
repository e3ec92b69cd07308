/**
 * Where a rule's traffic may go: `OriginType` and `OriginValue` turned into origins with weights and tiers, through the
 * origin groups and load balancers they name. Pure; what can't be followed is answered as one line of text.
 */
import type { L4Rule } from '../domain/l4-rule/l4-rule.ts';
import type { LoadBalancer } from '../domain/load-balancer/load-balancer.ts';
import type { OriginGroup, OriginRecord } from '../domain/origin-group/origin-group.ts';
import { keys } from '../store/records.ts';
import type { PlannedOrigin } from './plan.ts';

/** The value of a record, or undefined; the compiler notes which keys were asked for. */
export type Look = (key: string) => unknown;

/** Not empty; or why there are none. */
export function originsOf(rule: L4Rule, zone: string, look: Look): readonly PlannedOrigin[] | string {
  switch (rule.originType) {
    case 'IP_DOMAIN':
      if (rule.originValue.length === 0) return 'it names no origin';
      return rule.originValue.map((host) => ({ host, weight: 1, tier: 0 }));
    case 'ORIGIN_GROUP':
      return groupOrigins(zone, rule.originValue[0] ?? '', 0, look);
    case 'LB':
      return balancedOrigins(zone, rule.originValue[0] ?? '', look);
    default:
      return `origin type ${String(rule.originType satisfies never)} is not known to this edge`;
  }
}

function balancedOrigins(zone: string, id: string, look: Look): readonly PlannedOrigin[] | string {
  const balancer = look(keys.loadBalancer(zone, id)) as LoadBalancer | undefined;
  if (!balancer) return `load balancer ${id} does not exist`;
  if (balancer.groups.length === 0) return `load balancer ${id} has no origin groups`;
  const origins: PlannedOrigin[] = [];
  const ordered = balancer.groups.toSorted((a, b) => a.priority - b.priority);
  // A group at two priorities counts at the higher one.
  for (const [tier, group] of [...new Set(ordered.map(({ group }) => group))].entries()) {
    const members = groupOrigins(zone, group, tier, look);
    if (typeof members === 'string') return `load balancer ${id}: ${members}`;
    origins.push(...members);
  }
  return origins;
}

function groupOrigins(zone: string, id: string, tier: number, look: Look): readonly PlannedOrigin[] | string {
  const group = look(keys.originGroup(zone, id)) as OriginGroup | undefined;
  if (!group) return `origin group ${id} does not exist`;
  if (group.type === 'HTTP') return `origin group ${id} is of type HTTP, which L4 rules cannot use`;
  if (group.records.length === 0) return `origin group ${id} has no origins`;
  const odd = group.records.find((record) => record.type !== 'IP_DOMAIN');
  if (odd) return `origin group ${id}: ${odd.host} is object storage, which L4 rules cannot use`;
  const weights = weigh(group.records);
  return group.records.map((record, i) => ({ host: record.host, weight: weights[i] ?? 0, tier }));
}

/** Weights as given; one that was left out is an equal share of those given; all zero is the same as none given. */
function weigh(records: readonly OriginRecord[]): readonly number[] {
  const given = records.flatMap((record) => record.weight ?? []);
  const sum = given.reduce((total, weight) => total + weight, 0);
  if (sum === 0) return records.map(() => 1);
  const share = Math.max(1, Math.round(sum / given.length));
  return records.map((record) => record.weight ?? share);
}
