/**
 * The headline promise, through the API: 1,000 creates, changes and deletes of other rules disturb none of 200 TCP
 * connections and 100 UDP sessions on one instance. The engine suite holds each engine to it; this holds all of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chorus, CONNECTIONS, SESSIONS } from '../suites/engine/chorus.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { udpEcho } from '../suites/engine/udp-peers.ts';
import { treeWorld, type World } from '../world/world.ts';

const CHANGES = 1_000;
const LANES = 2;
const TCP_PORT = 9_000;
const UDP_PORT = 9_001;
const BATCH = 10;
/** The instance's address is its own, so these are free and never meet the two rules that talk. */
let nextPort = 10_000;
const CHANGED = [{ Protocol: 'UDP' }, { OriginValue: ['127.0.0.1'] }, { RuleTag: 'changed' }];

test('1,000 changes of other rules disturb no connection and no session', { timeout: 300_000 }, async (t) => {
  await using w = await treeWorld();
  const [tcp, udp] = [await tcpOrigin(t), await udpEcho(t)];
  const { proxyId, address } = await w.proxy('quiet', [
    { PortRange: [`${TCP_PORT}`], OriginValue: [tcp.address], OriginPortRange: `${tcp.port}` },
    { Protocol: 'UDP', PortRange: [`${UDP_PORT}`], OriginValue: [udp.address], OriginPortRange: `${udp.port}` },
  ]);
  const talking = await chorus(t, [address, TCP_PORT], [address, UDP_PORT]);

  await talking.allSpeakAgain();
  let changes = 0;
  const lane = async (): Promise<void> => {
    while (changes < CHANGES) changes += await life(w, proxyId, tcp);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await talking.allSpeakAgain();

  t.diagnostic(`${await talking.end()} questions were answered during ${changes} changes, none was lost`);
  assert.equal(tcp.connections.length, CONNECTIONS);
  assert.equal(new Set(udp.got.map(({ from }) => from.port)).size, SESSIONS);
});

/** Rules of the same instance come, change, go dark and go. Gives how many changes that was. */
async function life(w: World, ProxyId: string, origin: { address: string; port: number }): Promise<number> {
  const at = { ZoneId: w.zoneId, ProxyId };
  const [OriginValue, OriginPortRange] = [[origin.address], `${origin.port}`];
  const made = Array.from({ length: BATCH }, () => ({
    Protocol: 'TCP',
    PortRange: [`${nextPort++}`],
    OriginType: 'IP_DOMAIN',
    OriginValue,
    OriginPortRange,
  }));
  const { L4ProxyRuleIds: RuleIds } = await w.client.call<{ L4ProxyRuleIds: string[] }>('CreateL4ProxyRules', {
    ...at,
    L4ProxyRules: made,
  });
  for (const change of CHANGED)
    await w.client.call('ModifyL4ProxyRules', {
      ...at,
      L4ProxyRules: RuleIds.map((RuleId) => ({ RuleId, ...change })),
    });
  await w.client.call('ModifyL4ProxyRulesStatus', { ...at, RuleIds, Status: 'offline' });
  await eventually(async () => {
    const Filters = [{ Name: 'rule-id', Values: RuleIds }];
    const shown = await w.client.call<{ L4ProxyRules: { Status: string }[] }>('DescribeL4ProxyRules', {
      ...at,
      Filters,
    });
    for (const { Status } of shown.L4ProxyRules) assert.equal(Status, 'offline');
  });
  await w.client.call('DeleteL4ProxyRules', { ...at, RuleIds });
  return BATCH * (3 + CHANGED.length);
}
