/** Origin groups and load balancers, by each official client: all nine actions, and bytes that go where they say. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { type Official, officialClients } from '../conformance/official.ts';
import { eventually, freePort, loopback } from '../suites/engine/fixture.ts';
import { type World, world } from '../world/world.ts';

let w: World;
before(async () => (w = await world()));
after(async () => w[Symbol.asyncDispose]());

/** Origins on one port, each of which says its own address and hangs up. */
async function origins(count: number) {
  const port = await freePort();
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const address = loopback();
      const server = createServer((socket) => socket.on('error', () => {}).end(address)).listen(port, address);
      await once(server, 'listening');
      return { address, server };
    }),
  );
  return {
    port,
    addresses: servers.map(({ address }) => address),
    async [Symbol.asyncDispose]() {
      for (const { server } of servers) server.close();
    },
  };
}

async function answerOf(host: string, port: number): Promise<string> {
  return text(connect({ host, port, localAddress: '127.0.0.1' }));
}

for (const [index, who] of ['Node SDK', 'Node SDK, international', 'capi'].entries()) {
  describe(who, () => {
    let client: Official;
    before(() => (client = officialClients(w.api, w)[index]!));

    test('a rule on a group, then on a balancer: traffic follows; what is used stays', async () => {
      await using o = await origins(2);
      const [first, second] = o.addresses;
      const { zoneId: ZoneId } = w;
      const made = await client.call<{ OriginGroupId: string }>('CreateOriginGroup', {
        ZoneId,
        Name: `group-${index}`,
        Type: 'GENERAL',
        Records: [{ Record: first, Weight: 1 }],
      });
      const GroupId = made.OriginGroupId;
      const rule = { OriginType: 'ORIGIN_GROUP', OriginValue: [GroupId], OriginPortRange: `${o.port}` };
      const proxy = await w.proxy(`groups-${index}`, [rule]);
      const answer = () => answerOf(proxy.address, proxy.ports[0]!);
      assert.equal(await answer(), first);

      await client.call('ModifyOriginGroup', { ZoneId, GroupId, Records: [{ Record: second }] });
      await eventually(async () => assert.equal(await answer(), second));
      const { OriginGroups } = await client.call<{
        OriginGroups: { Records: { Record: string }[]; References: { InstanceId: string }[] }[];
      }>('DescribeOriginGroup', { ZoneId, Filters: [{ Name: 'origin-group-id', Values: [GroupId] }] });
      assert.deepEqual(
        OriginGroups.map(({ Records, References }) => [Records[0]?.Record, References[0]?.InstanceId]),
        [[second, proxy.proxyId]],
      );

      const other = await client.call<{ OriginGroupId: string }>('CreateOriginGroup', {
        ZoneId,
        Type: 'GENERAL',
        Records: [{ Record: first }],
      });
      const groups = [
        { Priority: 'priority_1', OriginGroupId: other.OriginGroupId },
        { Priority: 'priority_2', OriginGroupId: GroupId },
      ];
      const { InstanceId } = await client.call<{ InstanceId: string }>('CreateLoadBalancer', {
        ZoneId,
        Name: `balancer-${index}`,
        Type: 'GENERAL',
        OriginGroups: groups,
        HealthChecker: { Type: 'TCP', Port: o.port, Interval: 60 },
      });
      const balancer = async () => {
        const { LoadBalancerList } = await client.call<{
          LoadBalancerList: { Status: string; L4UsedList: string[]; HealthChecker: { Type: string } }[];
        }>('DescribeLoadBalancerList', { ZoneId, Filters: [{ Name: 'InstanceId', Values: [InstanceId] }] });
        return LoadBalancerList[0];
      };
      await eventually(async () => assert.equal((await balancer())?.Status, 'Running'));
      const ProxyId = proxy.proxyId;
      const moved = { RuleId: proxy.ruleIds[0], OriginType: 'LB', OriginValue: [InstanceId] };
      await client.call('ModifyL4ProxyRules', { ZoneId, ProxyId, L4ProxyRules: [moved] });
      await eventually(async () => assert.equal(await answer(), first));
      assert.deepEqual((await balancer())?.L4UsedList, [ProxyId]);
      assert.equal((await balancer())?.HealthChecker.Type, 'TCP');

      await client.call('ModifyLoadBalancer', {
        ZoneId,
        InstanceId,
        OriginGroups: [{ Priority: 'priority_1', OriginGroupId: GroupId }],
      });
      await eventually(async () => assert.equal(await answer(), second));
      const health = async (): Promise<unknown> => {
        const { OriginGroupHealthStatusList } = await client.call<{ OriginGroupHealthStatusList: unknown[] }>(
          'DescribeOriginGroupHealthStatus',
          { ZoneId, LBInstanceId: InstanceId },
        );
        // The international edition makes objects of its own classes of it.
        return JSON.parse(JSON.stringify(OriginGroupHealthStatusList));
      };
      const OriginHealthStatus = [{ Origin: second, Healthy: 'Healthy' }];
      const CheckRegionHealthStatus = [{ Region: 'local', Healthy: 'Healthy', OriginHealthStatus }];
      await eventually(async () =>
        assert.deepEqual(await health(), [{ OriginGroupId: GroupId, OriginHealthStatus, CheckRegionHealthStatus }]),
      );

      const refused = (code: string) => ({ code });
      await assert.rejects(
        client.call('DeleteLoadBalancer', { ZoneId, InstanceId }),
        refused('InvalidParameter.LoadBalancerUsedInL4Proxy'),
      );
      await assert.rejects(
        client.call('DeleteOriginGroup', { ZoneId, GroupId }),
        refused('OperationDenied.OriginGroupLBUsed'),
      );
      await client.call('DeleteOriginGroup', { ZoneId, GroupId: other.OriginGroupId });
      const RuleIds = proxy.ruleIds;
      await client.call('ModifyL4ProxyRulesStatus', { ZoneId, ProxyId, RuleIds, Status: 'offline' });
      await eventually(() => client.call('DeleteL4ProxyRules', { ZoneId, ProxyId, RuleIds }));
      await client.call('DeleteLoadBalancer', { ZoneId, InstanceId });
      await client.call('DeleteOriginGroup', { ZoneId, GroupId });
    });
  });
}
