/**
 * What handlers of load balancers share: the claim on a name and the uses of groups, written together with the balancer, and
 * all of it deleted. What is allowed is decided in domain/load-balancer; here it meets the records.
 */
import type { LoadBalancer } from '../../domain/load-balancer/load-balancer.ts';
import { type Fault, refuse } from '../../faults/fault.ts';
import { keys } from '../../store/records.ts';
import { featuresOf, originWorld, type Reads } from './lookups.ts';
import type { Tx } from './transaction.ts';
import { keepUses } from './uses.ts';

type Writes = Pick<Tx, 'get' | 'put' | 'delete'>;

export function balancerOf(tx: Reads, zone: string, id: string): LoadBalancer | Fault<'ResourceNotFound'> {
  return tx.get(keys.loadBalancer(zone, id)) ?? refuse('ResourceNotFound', `Zone ${zone} has no load balancer ${id}.`);
}

/** What a balancer is checked against. */
export function balancerWorld(tx: Reads, zone: string) {
  return { ...originWorld(tx, zone), features: featuresOf(tx) };
}

/** Writes the balancer with what belongs to it; `before` is undefined for a new one. */
export function putBalancer(
  tx: Writes,
  balancer: LoadBalancer,
  before?: LoadBalancer,
): Fault<'InvalidParameter.LoadBalancerNameRepeated'> | undefined {
  const { id, zone, name } = balancer;
  if (name !== before?.name) {
    const holder = tx.get(keys.loadBalancerName(zone, name));
    if (holder)
      return refuse('InvalidParameter.LoadBalancerNameRepeated', `Load balancer ${holder.id} is called ${name}.`);
    tx.put(keys.loadBalancerName(zone, name), { id });
    if (before) tx.delete(keys.loadBalancerName(zone, before.name));
  }
  keepUses(tx, { kind: 'load-balancer', id }, groupsOf(before), groupsOf(balancer));
  tx.put(keys.loadBalancer(zone, id), balancer);
  return undefined;
}

/** A balancer that nothing uses. */
export function deleteBalancer(tx: Writes, balancer: LoadBalancer): void {
  const { id, zone, name } = balancer;
  keepUses(tx, { kind: 'load-balancer', id }, groupsOf(balancer), groupsOf(undefined));
  tx.delete(keys.loadBalancerName(zone, name));
  tx.delete(keys.lastUse(id));
  tx.delete(keys.loadBalancer(zone, id));
}

function groupsOf(balancer: LoadBalancer | undefined): ReadonlySet<string> {
  return new Set(balancer?.groups.map(({ group }) => group));
}
