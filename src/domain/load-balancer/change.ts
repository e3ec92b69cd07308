/**
 * A load balancer as it will be, or the fault. Pure; a change that changes nothing returns the very same record. Called by
 * api/actions/load-balancer, which look after names, uses and the instances that are on it. Source: spec section 8.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import { l4UseFault } from '../origin-group/check.ts';
import type { OriginGroup } from '../origin-group/origin-group.ts';
import { THIS_WRITE } from '../stamp.ts';
import { checkerFault } from './health-checker.ts';
import type { LoadBalancer } from './load-balancer.ts';

/** limit: balancers of one zone; ours, the cloud's is published nowhere. */
export const MOST_BALANCERS = 1_000;
/** limit: spec section 8.1. */
export const MOST_PRIORITY = 10;

interface Around {
  /** In the balancer's zone. */
  group(id: string): OriginGroup | undefined;
  /** The betas that the account may use. */
  readonly features: readonly string[];
}

export function createBalancer(wish: Omit<LoadBalancer, 'changed'>, around: Around) {
  const next: LoadBalancer = { ...wish, changed: THIS_WRITE };
  return settingsFault(next, around) ?? next;
}

type BalancerChange = Partial<Omit<LoadBalancer, 'id' | 'zone' | 'type' | 'changed'>>;

/** `user`: an L4 proxy with a rule on the balancer; undefined where there is none. */
export function changeBalancer(balancer: LoadBalancer, to: BalancerChange, around: Around, user: string | undefined) {
  const next = { ...balancer, ...to };
  const fault = settingsFault(next, around) ?? (user === undefined ? undefined : l4Fault(next, around, user));
  if (fault) return fault;
  if (JSON.stringify(next) === JSON.stringify(balancer)) return balancer;
  const isRenamed = JSON.stringify({ ...next, name: balancer.name }) === JSON.stringify(balancer);
  return { ...next, changed: isRenamed ? balancer.changed : THIS_WRITE };
}

function settingsFault({ type, groups, checker }: LoadBalancer, around: Around) {
  return groupsFault(type, groups, around) ?? (checker && checkerFault(checker, around.features));
}

type GroupFault = Fault<
  | 'InvalidParameter.LoadBalancerBindOriginGroupInvalid'
  | 'InvalidParameter.OriginGroupTypeCanNotMatchLBType'
  | 'InvalidParameter.SomeOriginGroupNotExist'
>;

function groupsFault(
  type: LoadBalancer['type'],
  groups: LoadBalancer['groups'],
  around: Around,
): GroupFault | undefined {
  if (groups.length === 0) return unfit('give at least one');
  const taken = new Set<number>();
  for (const { priority, group: id } of groups) {
    const group = around.group(id);
    if (!group)
      return refuse('InvalidParameter.SomeOriginGroupNotExist', `OriginGroups: the zone has no origin group ${id}.`);
    if (type === 'GENERAL' && group.type !== 'GENERAL')
      return refuse(
        'InvalidParameter.OriginGroupTypeCanNotMatchLBType',
        `OriginGroups: ${id} is of type ${group.type}; a GENERAL balancer takes GENERAL groups only.`,
      );
    if (taken.has(priority)) return unfit(`priority_${priority} is there twice`);
    taken.add(priority);
  }
  return undefined;
}

function l4Fault({ groups }: LoadBalancer, around: Around, user: string): GroupFault | undefined {
  for (const { group: id } of groups) {
    const group = around.group(id);
    const fault = group && l4UseFault(group, user);
    if (fault) return unfit(`${user} uses the balancer and cannot use group ${id}, which mixes hosts`);
  }
  return undefined;
}

function unfit(why: string): GroupFault {
  return refuse('InvalidParameter.LoadBalancerBindOriginGroupInvalid', `OriginGroups: ${why}.`);
}
