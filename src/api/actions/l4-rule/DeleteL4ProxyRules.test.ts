import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, ZONE } from '../../../../test/world/actions.ts';
import { copy, prepare, refusals, WEB } from '../../../../test/world/refusals.ts';

test('rules that are off go; the others keep their stamps', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  const other = { ...copy(WEB), PortRange: ['81'] };
  await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [other] });
  const before = await world.read(keys.proxy(ZONE, 'prepared'));
  await world.call('ModifyL4ProxyRulesStatus', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], Status: 'offline' });
  await world.call('DeleteL4ProxyRules', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId] });
  const after = await world.read(keys.proxy(ZONE, 'prepared'));
  assert.deepEqual(after?.rules, before?.rules.slice(1));
  assert.equal(after?.changed, before?.changed);
});

test('one that failed can go without being switched off, and so can all rules of an instance that is off', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  world.edges.failures.set(RuleId, ['edge-1: the address is in use']);
  await world.call('DeleteL4ProxyRules', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId] });
  const created = await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [copy(WEB)] });
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
  await world.call('DeleteL4ProxyRules', { ZoneId: ZONE, ProxyId, RuleIds: created.L4ProxyRuleIds });
});

refusals(
  'DeleteL4ProxyRules',
  ({ ProxyId, RuleId }) => ({ ZoneId: ZONE, ProxyId, RuleIds: [RuleId] }),
  [
    { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
    { code: 'ResourceNotFound', because: 'an unknown rule', request: { RuleIds: ['rule-000000000000'] } },
    { code: 'UnsupportedOperation', because: 'the rule is online' },
    {
      code: 'UnsupportedOperation',
      because: 'one of two is being stopped',
      async given(world, { ProxyId, RuleId }) {
        await world.call('ModifyL4ProxyRulesStatus', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], Status: 'offline' });
        world.edges.applied = 0;
      },
    },
  ],
  ['UnauthorizedOperation.CamUnauthorized'],
);
