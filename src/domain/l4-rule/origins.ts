/**
 * Whether what a rule names as its origin can be one: addresses or a domain name, an origin group, a load balancer.
 * Pure; the world's records come as an argument. How origins become targets is plan/origins.ts.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import { type EgressRule, type Host, readHost } from '../../lib/net/egress.ts';
import type { LoadBalancer } from '../load-balancer/load-balancer.ts';
import { hostProblem, sameHostText } from '../origin-group/host.ts';
import type { OriginGroup } from '../origin-group/origin-group.ts';
import type { L4Rule } from './l4-rule.ts';

export interface OriginWorld {
  /** The rule for addresses that may be dialled. */
  readonly egress: EgressRule;
  /** In the rule's zone. */
  group(id: string): OriginGroup | undefined;
  loadBalancer(id: string): LoadBalancer | undefined;
}

type OriginFault = Fault<'InvalidParameter.InvalidOriginIp' | 'InvalidParameter.InvalidOriginValue'>;
type Named = Pick<L4Rule, 'originType' | 'originValue'>;

/** `where` names the rule in the request. */
export function originFault(rule: Named, world: OriginWorld, where: string): OriginFault | undefined {
  const at = `${where}.OriginValue`;
  const [id] = rule.originValue;
  switch (rule.originType) {
    case 'IP_DOMAIN':
      return hostsFault(rule.originValue, world, at);
    case 'ORIGIN_GROUP':
      return rule.originValue.length === 1 && id !== undefined
        ? groupFault(id, world, at)
        : invalid(at, 'give the id of exactly one origin group');
    case 'LB':
      return rule.originValue.length === 1 && id !== undefined
        ? balancerFault(id, world, at)
        : invalid(at, 'give the id of exactly one load balancer');
  }
}

/** Checks the origins of an L4 rule: any number of addresses, or one domain name. Source: spec sections 3.6 and 7.3. */
function hostsFault(hosts: readonly string[], world: OriginWorld, at: string): OriginFault | undefined {
  if (hosts.length === 0) return invalid(at, 'there is no origin');
  const read = hosts.map(readHost);
  const named = read.filter(({ kind }) => kind === 'name').length;
  for (const [i, host] of hosts.entries()) {
    const fault = hostFault(host, read[i] ?? readHost(host), world, at);
    if (fault) return fault;
  }
  if (named > 0 && named < hosts.length) return invalid(at, 'IP addresses and domain names cannot be mixed');
  if (named > 1) return invalid(at, 'there can be one domain name only');
  if (new Set(hosts.map(sameHostText)).size < hosts.length) return invalid(at, 'an origin is listed twice');
  return undefined;
}

function hostFault(text: string, host: Host, { egress }: OriginWorld, at: string): OriginFault | undefined {
  const problem = hostProblem(text, egress, host);
  if (!problem) return undefined;
  if (problem.about === 'form') return invalid(at, problem.why);
  return refuse('InvalidParameter.InvalidOriginIp', `${at}: ${problem.why}.`);
}

function groupFault(id: string, world: OriginWorld, at: string): OriginFault | undefined {
  const group = world.group(id);
  if (!group) return invalid(at, `origin group ${id} does not exist in this zone`);
  if (group.type !== 'GENERAL')
    return invalid(at, `origin group ${id} is of type ${group.type}; an L4 rule needs GENERAL`);
  const stored = group.records.find((record) => record.type !== 'IP_DOMAIN');
  if (stored) return invalid(at, `origin group ${id} holds the object storage ${stored.host}`);
  const hosts = group.records.map((record) => record.host);
  return hostsFault(hosts, world, `${at}: origin group ${id}`);
}

function balancerFault(id: string, world: OriginWorld, at: string): OriginFault | undefined {
  const balancer = world.loadBalancer(id);
  if (!balancer) return invalid(at, `load balancer ${id} does not exist in this zone`);
  if (balancer.type !== 'GENERAL')
    return invalid(at, `load balancer ${id} is of type ${balancer.type}; an L4 rule needs GENERAL`);
  for (const { group } of balancer.groups) {
    const fault = groupFault(group, world, `${at}: load balancer ${id}`);
    if (fault) return fault;
  }
  return undefined;
}

function invalid(at: string, why: string): OriginFault {
  return refuse('InvalidParameter.InvalidOriginValue', `${at}: ${why}.`);
}

/** Ids of the origin groups and load balancers that the rules name, each once; those of rules that are off, too. */
export function namedOrigins(rules: readonly Named[]): ReadonlySet<string> {
  return new Set(rules.flatMap(({ originType, originValue }) => (originType === 'IP_DOMAIN' ? [] : originValue)));
}
