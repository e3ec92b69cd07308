/**
 * Finds what a request names, or answers that it is not there. What belongs to another account is not there either, so
 * that nobody learns of it. Called by handlers; every record read here guards the commit.
 */
import { pauseFault, planFault } from '../../domain/l4-proxy/change.ts';
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import type { L4Rule } from '../../domain/l4-rule/l4-rule.ts';
import type { OriginWorld } from '../../domain/l4-rule/origins.ts';
import type { OriginGroup } from '../../domain/origin-group/origin-group.ts';
import type { Stamp } from '../../domain/stamp.ts';
import type { Zone } from '../../domain/zone/zone.ts';
import { Fault, refuse } from '../../faults/fault.ts';
import { keys } from '../../store/records.ts';
import type { Tx } from './transaction.ts';

/** Any transaction, with any codes declared. */
export type Reads = Pick<Tx, 'get' | 'peek' | 'caller' | 'around' | 'now'>;
type NotFound = Fault<'ResourceNotFound'>;

export function zoneOf(tx: Reads, id: string): Zone | NotFound {
  const zone = tx.get(keys.zone(id));
  if (zone?.account !== tx.caller.account) return refuse('ResourceNotFound', `There is no zone ${id}.`);
  return zone;
}

/** The zone, unless it is paused. */
export function openZoneOf(tx: Reads, id: string) {
  const zone = zoneOf(tx, id);
  return zone instanceof Fault ? zone : (pauseFault(zone) ?? zone);
}

/** The zone, if L4 proxies can be set up and switched on in it. */
export function readyZoneOf(tx: Reads, id: string) {
  const zone = openZoneOf(tx, id);
  if (zone instanceof Fault) return zone;
  const plan = zone.planId === undefined ? undefined : tx.get(keys.plan(zone.planId));
  return planFault(zone, plan, tx.now) ?? zone;
}

/** `undefined` where the zone has no such instance. */
export function findProxy(tx: Reads, zone: string, id: string): L4Proxy | undefined {
  const place = tx.get(keys.proxyPlace(id));
  return place?.zone === zone ? tx.get(keys.proxy(zone, place.name)) : undefined;
}

export function proxyOf(tx: Reads, zone: string, id: string): L4Proxy | NotFound {
  return findProxy(tx, zone, id) ?? refuse('ResourceNotFound', `Zone ${zone} has no L4 proxy ${id}.`);
}

/** The betas that the caller's account may use. */
export function featuresOf(tx: Reads): readonly string[] {
  return [...tx.around.features, ...(tx.get(keys.account(tx.caller.account))?.features ?? [])];
}

/** What a rule's origins are checked against. */
export function originWorld(tx: Reads, zone: string): OriginWorld {
  return {
    egress: tx.around.egress,
    group: (id) => tx.get(keys.originGroup(zone, id)),
    loadBalancer: (id) => tx.get(keys.loadBalancer(zone, id)),
  };
}

export function groupOf(tx: Reads, zone: string, id: string): OriginGroup | NotFound {
  return tx.get(keys.originGroup(zone, id)) ?? refuse('ResourceNotFound', `Zone ${zone} has no origin group ${id}.`);
}

/** The revision that last changed what the rule names as its origin; 0 where it names hosts. For answers. */
export function originsChanged(tx: Pick<Tx, 'peek'>, zone: string, rule: L4Rule): Stamp {
  const [id = ''] = rule.originValue;
  const groupChanged = (group: string): Stamp => tx.peek(keys.originGroup(zone, group))?.changed ?? 0;
  if (rule.originType === 'IP_DOMAIN') return 0;
  if (rule.originType === 'ORIGIN_GROUP') return groupChanged(id);
  const balancer = tx.peek(keys.loadBalancer(zone, id));
  return Math.max(balancer?.changed ?? 0, ...(balancer?.groups ?? []).map(({ group }) => groupChanged(group)));
}
