import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../faults/fault.ts';
import type { OriginGroup } from '../origin-group/origin-group.ts';
import { changeBalancer, createBalancer } from './change.ts';
import type { LoadBalancer } from './load-balancer.ts';

function group(id: string, type: OriginGroup['type'], ...hosts: string[]): OriginGroup {
  const records = hosts.map((host) => ({ id: host, host, type: 'IP_DOMAIN' as const }));
  return { id, zone: 'z', name: '', type, hostHeader: '', records, changed: 1, createdAt: 0, updatedAt: 0 };
}
const GROUPS = [
  group('og-a', 'GENERAL', '10.0.0.1'),
  group('og-b', 'GENERAL', 'b.test'),
  group('og-mixed', 'GENERAL', '10.0.0.1', 'a.test'),
  group('og-http', 'HTTP', '10.0.0.1'),
];
const AROUND = { group: (id: string) => GROUPS.find((one) => one.id === id), features: [] };
const at = (...pairs: [number, string][]) => pairs.map(([priority, group]) => ({ priority, group }));

function made(type: LoadBalancer['type'], groups: LoadBalancer['groups']) {
  return createBalancer({ id: 'lb-1', zone: 'z', name: 'n', type, groups }, AROUND);
}
const codeOf = (outcome: unknown) => (outcome instanceof Fault ? outcome.code : 'fine');

test('groups: as written, each priority once, one group at several, of a type that fits', () => {
  const several = at([3, 'og-a'], [1, 'og-b'], [2, 'og-a']);
  const balancer = made('GENERAL', several);
  assert.deepEqual(!(balancer instanceof Fault) && balancer.groups, several);
  const invalid = 'InvalidParameter.LoadBalancerBindOriginGroupInvalid';
  assert.equal(codeOf(made('GENERAL', at([1, 'og-a'], [2, 'og-a'], [1, 'og-b']))), invalid);
  assert.equal(codeOf(made('GENERAL', [])), invalid);
  assert.equal(codeOf(made('GENERAL', at([1, 'og-c']))), 'InvalidParameter.SomeOriginGroupNotExist');
  assert.equal(codeOf(made('GENERAL', at([1, 'og-http']))), 'InvalidParameter.OriginGroupTypeCanNotMatchLBType');
  assert.equal(codeOf(made('HTTP', at([1, 'og-http'], [2, 'og-a']))), 'fine');
});

test('under an L4 rule each group has to be one that rules can use', () => {
  const balancer = made('GENERAL', at([1, 'og-a']));
  assert.ok(!(balancer instanceof Fault));
  const change = (user?: string) => codeOf(changeBalancer(balancer, { groups: at([1, 'og-mixed']) }, AROUND, user));
  assert.deepEqual([change(), change('sid-1')], ['fine', 'InvalidParameter.LoadBalancerBindOriginGroupInvalid']);
});

test('a change of nothing returns the same record; edges have nothing to apply when the name changes', () => {
  const fresh = made('GENERAL', at([1, 'og-a']));
  assert.ok(!(fresh instanceof Fault));
  const balancer = { ...fresh, changed: 7 };
  assert.equal(changeBalancer(balancer, { name: 'n', groups: at([1, 'og-a']) }, AROUND, undefined), balancer);
  const changed = (change: Parameters<typeof changeBalancer>[1]) => {
    const next = changeBalancer(balancer, change, AROUND, undefined);
    return next instanceof Fault ? assert.fail(next.message) : next.changed;
  };
  assert.equal(changed({ name: 'm' }), 7);
  assert.equal(changed({ failover: 'OtherOriginGroup' }), 0);
  assert.equal(changed({ checker: { type: 'ICMP Ping' } }), 0);
});
