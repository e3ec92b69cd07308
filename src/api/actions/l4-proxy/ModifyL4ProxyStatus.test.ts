import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newPlan, newSite, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

test('off goes through stopping, on through progress; the rules follow', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const states = async () => {
    const { L4Proxies } = await world.call('DescribeL4Proxy', { ZoneId: ZONE });
    const { L4ProxyRules } = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
    return `${L4Proxies[0]?.Status} ${L4ProxyRules[0]?.Status}`;
  };
  for (const [Status, under, done] of [
    ['offline', 'stopping stopping', 'offline offline'],
    ['online', 'progress progress', 'online online'],
  ] as const) {
    world.edges.applied = await world.revision();
    await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status });
    assert.equal(await states(), under);
    world.edges.applied = await world.revision();
    assert.equal(await states(), done);
    await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status });
    assert.equal(world.edges.applied, await world.revision());
  }
});

test('what is switched on gets addresses at sites that came since, and for those that pools no longer have', async () => {
  await using world = await actionWorld({ sites: [newSite('a', ['10.0.0.1'])] });
  const { ProxyId } = await prepare(world);
  await world.write(keys.site('a'), newSite('a', ['10.0.0.2']));
  await world.write(keys.site('b'), newSite('b', ['10.1.0.1']));
  await world.write(keys.site('empty'), newSite('empty', []));
  const notes = async () => (await world.call('EdgeFourDescribeStatus', { ProxyId })).Instances[0]?.Notes;
  assert.deepEqual(await notes(), [
    '10.0.0.1 is no longer in the pool of site a; switch it off and on to give it one',
    'no entry address at site b; switch it off and on to give it one',
    'no entry address at site empty; switch it off and on to give it one',
  ]);
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'online' });
  const entries = (await world.read(keys.proxy(ZONE, 'prepared')))?.entries;
  assert.deepEqual(entries, { a: { v4: '10.0.0.2' }, b: { v4: '10.1.0.1' } });
  assert.deepEqual(await world.keysUnder('address/'), ['address/a/v4/10.0.0.2', 'address/b/v4/10.1.0.1']);
});

test('a plan that ended lets an instance go off, not on', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const plan = newPlan('edgeone-000000000001');
  await world.write(keys.plan(plan.id), { ...plan, status: 'expired' });
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
  const on = { ZoneId: ZONE, ProxyId, Status: 'online' } as const;
  assert.equal(await world.refusedWith('ModifyL4ProxyStatus', on), 'OperationDenied');
});

refusals(
  'ModifyL4ProxyStatus',
  ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId, Status: 'online' as const }),
  [
    { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
    { code: 'ResourceNotFound', because: 'the zone of another account', caller: STRANGER },
    {
      code: 'OperationDenied.ErrZoneIsAlreadyPaused',
      because: 'a paused zone, on',
      given: (world) => world.pauseZone(true),
    },
    {
      code: 'OperationDenied.ErrZoneIsAlreadyPaused',
      because: 'a paused zone, off',
      request: { Status: 'offline' },
      given: (world) => world.pauseZone(true),
    },
    {
      code: 'OperationDenied.L4ProxyInBannedStatus',
      because: 'the instance is banned',
      given: (world, { ProxyId }) => world.call('EdgeFourBanL4Proxy', { ZoneId: ZONE, ProxyId }),
    },
    {
      code: 'OperationDenied.L4LackOfResources',
      because: 'no site has an address any more',
      async given(world, { ProxyId }) {
        await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
        await world.write(keys.site('here'), newSite('here', []));
      },
    },
    {
      code: 'OperationDenied',
      because: 'the plan is gone',
      given: (world) => world.write(keys.plan('edgeone-000000000001'), undefined),
    },
  ],
  ['InternalError.ConfigLocked', 'InternalError.ProxyServer'],
);
