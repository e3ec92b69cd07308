import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newPlan, newZone, ROOT, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { putRule } from '../../../../test/world/groups.ts';
import { prepare } from '../../../../test/world/refusals.ts';

const pair = (secretId: string, user: string) => ({
  secretId,
  secretKey: 's',
  account: ROOT.account,
  user,
  policies: [],
  createdAt: 0,
});

test('everything goes but the first zone, its plan, the root key, sites and edges, in one commit', async () => {
  await using world = await actionWorld();
  const policy = { name: 'p', account: ROOT.account, document: { version: '2.0', statement: [] } } as const;
  await world.write(keys.account(ROOT.account), { id: ROOT.account, appId: 1, features: [], rootKey: 'AKIDroot' });
  await world.write(keys.account(STRANGER.account), undefined);
  await world.write(keys.keyPair('AKIDroot'), pair('AKIDroot', 'root'));
  await world.write(keys.edge('edge-1'), { id: 'edge-1', site: 'here' });
  const first = await world.store.read((view) => view.list('').map(({ key }) => key));
  await prepare(world, { StaticIp: 'on' });
  await world.write(keys.keyPair('AKIDsub'), pair('AKIDsub', 'dashboard'));
  await world.write(keys.keyPair('AKIDsecond'), pair('AKIDsecond', 'root'));
  await world.write(keys.policy(ROOT.account, 'p'), policy);
  await world.write(keys.zone('zone-0'), {
    ...newZone('zone-0', 'edgeone-2'),
    createdAt: world.around.clock.now() + 1,
  });
  await world.write(keys.plan('edgeone-2'), newPlan('edgeone-2'));
  const Records = [{ Record: '10.0.0.1' }];
  const { OriginGroupId } = await world.call('CreateOriginGroup', {
    ZoneId: ZONE,
    Name: 'g',
    Type: 'GENERAL',
    Records,
  });
  const { ProxyId } = await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName: 'q', Area: 'overseas' });
  await putRule(world, ProxyId, 'ORIGIN_GROUP', OriginGroupId);
  await world.call('CreateZone', { ZoneName: 'example.com' });
  await world.pauseZone(true);
  const before = await world.revision();
  const { Deleted, Remaining } = await world.call('EdgeFourReset', {});
  assert.equal(await world.revision(), before + 1);
  assert.deepEqual([Deleted, Remaining], [17, 0]);
  assert.deepEqual(await world.store.read((view) => view.list('').map(({ key }) => key)), first);
  const zone = await world.read(keys.zone(ZONE));
  assert.deepEqual([zone?.paused, zone?.changed], [false, before + 1]);
  await prepare(world);
});

test('another account cannot reset the world', async () => {
  await using world = await actionWorld();
  assert.equal(await world.refusedWith('EdgeFourReset', {}, STRANGER), 'OperationDenied');
});
