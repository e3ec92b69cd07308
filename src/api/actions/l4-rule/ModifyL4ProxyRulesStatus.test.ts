import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, ZONE } from '../../../../test/world/actions.ts';
import { copy, prepare, refusals, WEB } from '../../../../test/world/refusals.ts';

test('off goes through stopping, on through progress, and no other rule moves', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  const other = { ...copy(WEB), PortRange: ['81'] };
  await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [other] });
  const states = async () => {
    const { L4ProxyRules } = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
    return L4ProxyRules.map(({ Status }) => Status).join(' ');
  };
  for (const [Status, under, done] of [
    ['offline', 'stopping online', 'offline online'],
    ['online', 'progress online', 'online online'],
  ] as const) {
    world.edges.applied = await world.revision();
    await world.call('ModifyL4ProxyRulesStatus', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], Status });
    assert.equal(await states(), under);
    world.edges.applied = await world.revision();
    assert.equal(await states(), done);
    await world.call('ModifyL4ProxyRulesStatus', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId, RuleId], Status });
    assert.equal(await world.revision(), world.edges.applied);
  }
});

test('rules of an instance that is off can be switched off', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
  await world.call('ModifyL4ProxyRulesStatus', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], Status: 'offline' });
  assert.equal((await world.read(keys.proxy(ZONE, 'prepared')))?.rules[0]?.want, 'offline');
});

refusals(
  'ModifyL4ProxyRulesStatus',
  ({ ProxyId, RuleId }) => ({ ZoneId: ZONE, ProxyId, RuleIds: [RuleId], Status: 'online' as const }),
  [
    { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
    {
      code: 'ResourceNotFound',
      because: 'an unknown rule beside a known one',
      request: ({ RuleId }) => ({ RuleIds: [RuleId, 'rule-000000000000'], Status: 'offline' }),
    },
    {
      code: 'OperationDenied.ErrZoneIsAlreadyPaused',
      because: 'a paused zone',
      given: (world) => world.pauseZone(true),
    },
    {
      code: 'OperationDenied',
      because: 'the plan is gone',
      given: (world) => world.write(keys.plan('edgeone-000000000001'), undefined),
    },
    {
      code: 'OperationDenied.L4ProxyInBannedStatus',
      because: 'the instance is banned',
      given: (world, { ProxyId }) => world.call('EdgeFourBanL4Proxy', { ZoneId: ZONE, ProxyId }),
    },
    {
      code: 'OperationDenied.L4ProxyInOfflineStatus',
      because: 'the instance is off',
      given: (world, { ProxyId }) => world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' }),
    },
  ],
  [],
);
