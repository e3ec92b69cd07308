import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, newSite } from '../../../../test/world/actions.ts';

test('entry addresses of the sites are ours, nothing else is', async () => {
  await using world = await actionWorld({
    sites: [newSite('a', ['10.0.0.0/30']), newSite('b', ['fd00::/64', '192.0.2.7'])],
  });
  const IPs = ['10.0.0.1', '10.0.1.1', 'fd00::1', 'fd01::1', '192.0.2.7'];
  const { IPRegionInfo } = await world.call('DescribeIPRegion', { IPs });
  assert.deepEqual(
    IPRegionInfo.map(({ IP, IsEdgeOneIP }) => [IP, IsEdgeOneIP]),
    [
      ['10.0.0.1', 'yes'],
      ['10.0.1.1', 'no'],
      ['fd00::1', 'yes'],
      ['fd01::1', 'no'],
      ['192.0.2.7', 'yes'],
    ],
  );
});

test('DescribeIPRegion refuses what is no address, and more than a hundred', async () => {
  await using world = await actionWorld();
  for (const IPs of [['10.0.0.1', 'example.com'], Array.from({ length: 101 }, () => '10.0.0.1')]) {
    assert.equal(await world.refusedWith('DescribeIPRegion', { IPs }), 'InvalidParameterValue');
  }
});
