/** A check that only EdgeFour's own actions can set, and an operator's word over it, as a caller of the API sees them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mortalOrigin, who } from '../edge/mortal-origins.ts';
import { eventually, loopback } from '../suites/engine/fixture.ts';
import { world } from '../world/world.ts';

/** A check a second finds it within three; a machine that is busy takes longer. */
const FOUND_MS = 30_000;

test('a group is checked by what its origins answer; an operator may know better', async (t) => {
  await using w = await world({ settings: ['--features', 'fast-checks'] });
  const { zoneId: ZoneId } = w;
  const good = await mortalOrigin(t, loopback());
  const other = await mortalOrigin(t, loopback(), good.port);
  const call = <T>(action: string, fields: object) =>
    w.client.call<T>(action, { ZoneId, ...fields }, action.startsWith('EdgeFour') ? 'edgefour' : undefined);
  const Records = [{ Record: good.address }, { Record: other.address }];
  const { OriginGroupId } = await call<{ OriginGroupId: string }>('CreateOriginGroup', { Type: 'GENERAL', Records });
  const rule = { OriginType: 'ORIGIN_GROUP', OriginValue: [OriginGroupId], OriginPortRange: `${good.port}` };
  const { address, ports } = await w.proxy('checked', [rule]);
  const answers = async () => {
    const all = new Set<string>();
    for (let i = 0; i < 6; i++) all.add(await who(address, ports[0]!));
    return all;
  };
  const becomes = (...origins: string[]) =>
    eventually(async () => assert.deepEqual(await answers(), new Set(origins)), FOUND_MS);

  await becomes(good.address, other.address);
  const times = { Interval: 1, Timeout: 1, HealthThreshold: 1, CriticalThreshold: 2 };
  const Checker = { Type: 'TCP', Port: good.port, ...times, Send: 'PING\r\n', Expect: '+PONG' };
  await call('EdgeFourSetHealthCheck', { OriginGroupId, Checker });
  assert.deepEqual((await call<{ HealthChecks: object[] }>('EdgeFourDescribeHealthChecks', {})).HealthChecks, [
    { OriginGroupId, Checker },
  ]);
  await other.become('ill');
  await becomes(good.address);

  const set = (State: string) => call('EdgeFourSetOriginState', { Origin: other.address, State });
  await set('up');
  await becomes(good.address, other.address);
  await set('auto');
  await becomes(good.address);
  await other.become('well');
  await becomes(good.address, other.address);
  await set('drain');
  await becomes(good.address);
  await set('auto');
  await becomes(good.address, other.address);

  await other.become('ill');
  await becomes(good.address);
  await call('EdgeFourSetHealthCheck', { OriginGroupId });
  await becomes(good.address, other.address);
});
