/** Origin groups and balancers written straight into a world of actions, and rules on them made by the action. */
import type { LoadBalancer } from '../../src/domain/load-balancer/load-balancer.ts';
import type { OriginGroup } from '../../src/domain/origin-group/origin-group.ts';
import { keys } from '../../src/store/records.ts';
import { type ActionWorld, ZONE } from './actions.ts';
import { copy, WEB } from './refusals.ts';

export function newGroup(id: string, hosts: readonly string[], more: Partial<OriginGroup> = {}): OriginGroup {
  const records = hosts.map((host) => ({ id: `record-${host}`, host, type: 'IP_DOMAIN' as const }));
  const times = { changed: 1, createdAt: 0, updatedAt: 0 };
  return { id, zone: ZONE, name: '', type: 'GENERAL', hostHeader: '', records, ...times, ...more };
}

export function putGroup(world: ActionWorld, ...group: Parameters<typeof newGroup>): Promise<void> {
  return world.write(keys.originGroup(ZONE, group[0]), newGroup(...group));
}

/** On one group, with its place in the index. */
export async function putBalancer(world: ActionWorld, id: string, group: string, more: Partial<LoadBalancer> = {}) {
  const groups = [{ priority: 1, group }];
  const settings = { name: id, type: 'GENERAL', failover: 'OtherOriginGroup', changed: 1 } as const;
  await world.write(keys.loadBalancer(ZONE, id), { id, zone: ZONE, groups, ...settings, ...more });
  await world.write(keys.use(group, id), { kind: 'load-balancer', id });
}

/** A rule of the instance, TCP, on a group or balancer. */
export async function putRule(
  world: ActionWorld,
  ProxyId: string,
  OriginType: 'ORIGIN_GROUP' | 'LB',
  id: string,
  port = '81',
) {
  const rule = { ...copy(WEB), PortRange: [port], OriginType, OriginValue: [id] };
  const { L4ProxyRuleIds } = await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [rule] });
  return L4ProxyRuleIds[0] ?? '';
}
