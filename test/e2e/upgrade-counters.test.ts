/**
 * What /metrics says of an open connection and of a UDP session across upgrades: each byte once, however many processes have
 * had a part in it, and no number that goes or falls back.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { Generations } from '../world/upgrade.ts';
import { treeWorld } from '../world/world.ts';
import { dial, exchange, say } from './clients.ts';

/** One of them after the connection has ended. */
const UPGRADES = { uring: 5, node: 2 };
/** limit: longer than all of the test on a machine that twenty others use; nobody waits for it. */
const DRAIN_S = 280;
const isLinux = process.platform === 'linux';
const skip = { node: !isLinux && 'descriptors travel on Linux only', uring: (await whyUnavailable()) ?? false };

type Series = ReadonlyMap<string, number>;

for (const engine of ['uring', 'node'] as const)
  test(
    `${engine}: counters of what is open are exact across ${UPGRADES[engine]} upgrades`,
    { skip: skip[engine], timeout: DRAIN_S * 1000 },
    () => run(engine),
  );

async function run(engine: 'uring' | 'node'): Promise<void> {
  await using w = await treeWorld({ settings: ['--engine', engine, '--drain', `${DRAIN_S}`] });
  await using generations = new Generations(w);
  const { address, ports, ruleIds } = await w.proxy('counted', [{}, { Protocol: 'UDP' }]);
  const [tcp = 0, udp = 0] = ports;
  const [tcpRule = '', udpRule = ''] = ruleIds;
  const series = async (): Promise<Series> => seriesIn(await (await fetch(`${w.api}/metrics`)).text());
  let held = await dial(address, tcp);
  const socket = createSocket('udp4').bind(0);
  // order: gone before the tree is stopped, which would give it the drain time.
  using clients = new DisposableStack();
  clients.defer(() => held.destroy());
  clients.defer(() => socket.close());
  const sent = { tcp: 0, connections: 1, udp: 0 };
  const talk = async (): Promise<void> => {
    const text = 'x'.repeat(1_000);
    assert.equal((await say(held, text)).length, text.length);
    const other = await exchange(address, tcp, Buffer.from('other'));
    const answer = once(socket, 'message');
    socket.send('y'.repeat(100), udp, address);
    await answer;
    sent.tcp += text.length + other.length;
    sent.connections += 1;
    sent.udp += 100;
  };
  let before: Series = new Map();
  /** Until /metrics says so; none of its totals was ever less. */
  const exact = (active: number): Promise<void> =>
    eventually(async () => {
      const now = await series();
      for (const [name, value] of before)
        if (!name.startsWith('edgefour_rule_active'))
          assert.ok((now.get(name) ?? -1) >= value, `${name}: ${value}, then ${now.get(name)}`);
      before = now;
      const of = (metric: string, rule: string, more = ''): number | undefined =>
        [...now].find(([name]) => name.startsWith(`${metric}{`) && name.includes(rule) && name.includes(more))?.[1];
      const bytes = (rule: string) => ['"in"', '"out"'].map((way) => of('edgefour_rule_bytes_total', rule, way));
      assert.deepEqual(
        {
          tcp: bytes(tcpRule),
          udp: bytes(udpRule),
          connections: of('edgefour_rule_connections_total', tcpRule),
          sessions: engine === 'uring' ? of('edgefour_rule_connections_total', udpRule) : 1,
          active: of('edgefour_rule_active', tcpRule),
        },
        { tcp: [sent.tcp, sent.tcp], udp: [sent.udp, sent.udp], connections: sent.connections, sessions: 1, active },
      );
    });
  await talk();
  await exact(1);
  for (let i = 0; i < UPGRADES[engine] - 1; i++) {
    await generations.upgrade();
    await talk();
  }
  await exact(1);
  assert.equal(await say(held, 'bye'), 'bye');
  sent.tcp += 3;
  held.destroy();
  await exact(0);
  await eventually(() => assert.deepEqual(generations.alive(), [generations.newest]));
  // The last word of those that are gone is kept, also by a control that was not there to hear it.
  await generations.upgrade();
  held = await dial(address, tcp);
  sent.connections += 1;
  await talk();
  await exact(1);
}

/** The rules' own, by name and labels. */
function seriesIn(text: string): Series {
  const lines = text.split('\n').filter((line) => line.startsWith('edgefour_rule_'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}
