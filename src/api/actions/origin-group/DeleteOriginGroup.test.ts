import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { putBalancer, putGroup, putRule } from '../../../../test/world/groups.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

const GROUP = { ZoneId: ZONE, GroupId: 'og-1' };
const BELONGINGS = ['origin-group/', 'origin-group-name/', 'origin-group-secret/', 'uses/', 'last-use/'];

test('a group that was used goes with all that belongs to it, once its last user has gone', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const wish = { ZoneId: ZONE, Name: 'web', Type: 'GENERAL' as const, Records: [{ Record: '10.0.0.1' }] };
  const { OriginGroupId: GroupId } = await world.call('CreateOriginGroup', wish);
  await putRule(world, ProxyId, 'ORIGIN_GROUP', GroupId);
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
  const used = 'OperationDenied.OriginGroupL4Used';
  assert.equal(await world.refusedWith('DeleteOriginGroup', { ZoneId: ZONE, GroupId }), used);
  await world.call('DeleteL4Proxy', { ZoneId: ZONE, ProxyId });
  await world.call('DeleteOriginGroup', { ZoneId: ZONE, GroupId });
  for (const prefix of BELONGINGS) assert.deepEqual(await world.keysUnder(prefix), [], prefix);
});

test('of a rule that takes a group and a call that deletes it, one goes through', async () => {
  for (let round = 0; round < 8; round++) {
    await using world = await actionWorld();
    const { ProxyId } = await prepare(world);
    await putGroup(world, 'og-1', ['10.0.0.1']);
    const calls = [() => putRule(world, ProxyId, 'ORIGIN_GROUP', 'og-1'), () => world.call('DeleteOriginGroup', GROUP)];
    const outcomes = await Promise.allSettled((round % 2 ? calls : calls.toReversed()).map((call) => call()));
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  }
});

refusals(
  'DeleteOriginGroup',
  () => GROUP,
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: "another account's zone", caller: STRANGER },
    { code: 'ResourceNotFound', because: 'an unknown group' },
    {
      code: 'OperationDenied.OriginGroupL4Used',
      because: 'a rule is on it',
      async given(world, { ProxyId }) {
        await putGroup(world, 'og-1', ['10.0.0.1']);
        await putRule(world, ProxyId, 'ORIGIN_GROUP', 'og-1');
      },
    },
    {
      code: 'OperationDenied.OriginGroupLBUsed',
      because: 'a balancer is on it',
      async given(world) {
        await putGroup(world, 'og-1', ['10.0.0.1']);
        await putBalancer(world, 'lb-1', 'og-1');
      },
    },
  ],
  [
    'FailedOperation',
    'OperationDenied',
    'OperationDenied.OriginGroupAccelerationDomainUsed',
    'OperationDenied.OriginGroupRuleEngineUsed',
    'UnauthorizedOperation.CamUnauthorized',
  ],
);
