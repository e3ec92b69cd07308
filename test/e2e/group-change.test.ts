/** A group of twenty origins that is changed through the API under load, on the node and the uring engine. */
import { describe, test, type TestContext } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { loopback } from '../suites/engine/fixture.ts';
import { changesUnderLoad } from '../suites/group-change.ts';
import { online } from '../world/online.ts';
import { treeWorld } from '../world/world.ts';

const noUring = await whyUnavailable(2);

for (const [engine, absent] of [
  ['node', undefined],
  ['uring', noUring],
] as const)
  describe(`a group of origins on the ${engine} engine`, { skip: absent ?? false }, () => {
    test('changed under load: traffic follows, and no connection is lost', (t) => changed(t, engine));
  });

async function changed(t: TestContext, engine: string): Promise<void> {
  await using w = await treeWorld({ settings: ['--engine', engine] });
  const { client, zoneId: ZoneId } = w;
  const recordsOf = (addresses: readonly string[]) => addresses.map((Record) => ({ Record, Weight: 1 }));
  let [GroupId, ProxyId] = ['', ''];
  await changesUnderLoad(t, {
    address: loopback,
    async begin(addresses, port) {
      const group = { ZoneId, Name: 'twenty', Type: 'GENERAL', Records: recordsOf(addresses) };
      ({ OriginGroupId: GroupId } = await client.call<{ OriginGroupId: string }>('CreateOriginGroup', group));
      const rule = { OriginType: 'ORIGIN_GROUP', OriginValue: [GroupId], OriginPortRange: `${port}` };
      const { address, ports, proxyId } = await w.proxy('twenty', [rule]);
      ProxyId = proxyId;
      return [address, ports[0] ?? 0];
    },
    async change(addresses) {
      await client.call('ModifyOriginGroup', { ZoneId, GroupId, Records: recordsOf(addresses) });
    },
    settled: async () => void (await online(client, ZoneId, ProxyId)),
  });
}
