import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowWorld, type FlowWorld } from '../../../test/sim/flow-world.ts';
import { udpSimulation } from '../../../test/sim/udp-simulation.ts';
import { listener, options, target } from '../../../test/suites/engine/listener.ts';
import type { Listener } from '../engine.ts';
import { createUdpTable, type UdpPort, type UdpSession, type UdpTable } from './udp-table.ts';

const entry = { address: '127.44.0.1', port: 53 };
const client = { address: '192.0.2.1', port: 4000 };
const other = { address: '192.0.2.1', port: 4001 };
const rule = listener({
  protocol: 'UDP',
  ports: [{ from: 53, to: 53 }],
  originPorts: { from: 5353, to: 5353 },
  targets: [target('10.0.0.1'), target('10.0.0.2')],
  options: options({ idleSeconds: 120 }),
});

function table(
  change: Partial<Listener> = {},
  most = 10,
): FlowWorld & { table: UdpTable<string>; port: UdpPort<string> } {
  const world = flowWorld({ ...rule, ...change });
  const table = tableOf(world, most);
  return { ...world, table, port: table.bind(entry) };
}

function tableOf({ flow, monotonic }: FlowWorld, most: number, takeSlot = () => true): UdpTable<string> {
  const evict = (session: UdpSession<string>): void => table.close(session, 'evicted');
  const table = createUdpTable<string>(flow, { most, monotonic, takeSlot, evict });
  return table;
}

test('a client keeps its session; another port is another client', () => {
  const { table: udp, port, counters } = table();
  const first = udp.admit(port, client, 10);
  assert.equal(udp.admit(port, client, 10), first);
  assert.notEqual(udp.admit(port, other, 10), first);
  assert.deepEqual(first?.origin, { address: '10.0.0.1', port: 5353 });
  assert.deepEqual([udp.size, counters.connections, counters.packetsIn, counters.bytesIn], [2, 2, 3, 30]);
});

test('empty datagrams are datagrams', () => {
  const { table: udp, port, counters } = table();
  const session = udp.admit(port, client, 0);
  assert.ok(session);
  assert.equal(udp.reply(session, 0), 0);
  assert.deepEqual([counters.packetsIn, counters.packetsOut, counters.bytesIn, counters.bytesOut], [1, 1, 0, 0]);
});

test('PPV2 heads the first datagram of a session, SPP heads each and takes replies shorter', () => {
  const lengths = (mode: Listener['mode']): number[] => {
    const { table: udp, port } = table({ mode });
    return [1, 2, 3].map(() => udp.admit(port, client, 5)?.header.length ?? -1);
  };
  assert.deepEqual(
    [lengths('OFF'), lengths('PPV2'), lengths('SPP')],
    [
      [0, 0, 0],
      [28, 0, 0],
      [38, 38, 38],
    ],
  );
  const { table: udp, port, counters } = table({ mode: 'SPP' });
  const session = udp.admit(port, client, 5);
  assert.ok(session);
  assert.deepEqual([udp.reply(session, 38), udp.reply(session, 100), udp.reply(session, 37)], [38, 38, -1]);
  assert.deepEqual([counters.bytesOut, counters.packetsOut, counters.dropped], [62, 2, { short: 1 }]);
});

test('what would not fit a datagram with its header is dropped, and opens no session', () => {
  const { table: udp, port, counters } = table({ mode: 'SPP' });
  assert.equal(udp.admit(port, client, 65_507 - 37), undefined);
  assert.equal(udp.size, 0);
  assert.ok(udp.admit(port, client, 65_507 - 38));
  assert.equal(udp.admit(port, client, 65_507), undefined);
  assert.deepEqual(counters.dropped, { oversize: 2 });
  const v6 = table({ mode: 'SPP', targets: [target('2001:db8::1')] });
  assert.ok(v6.table.admit(v6.port, client, 65_527 - 38));
});

test('the number of sessions is bounded, and a free place is a place', () => {
  const { table: udp, port, counters } = table({}, 1);
  const first = udp.admit(port, client, 1);
  assert.ok(first);
  assert.equal(udp.admit(port, other, 1), undefined);
  assert.equal(udp.admit(port, client, 1), first);
  udp.close(first, 'idle');
  udp.close(first, 'idle');
  assert.ok(udp.admit(port, other, 1));
  assert.deepEqual([counters.dropped, counters.active, counters.ends], [{ limit: 1 }, 1, { idle: 1 }]);
});

test('without room the session that has had its answer makes room, and a conversation does not', () => {
  const { table: udp, port, counters, pass } = table({}, 2);
  const asked = udp.admit(port, client, 1)!;
  udp.reply(asked, 1);
  const talks = udp.admit(port, other, 1)!;
  udp.reply(talks, 1);
  pass(400);
  assert.equal(udp.admit(port, other, 1), talks);
  assert.equal(udp.admit(port, { ...client, port: 1 }, 1), undefined);
  pass(100);
  assert.ok(udp.admit(port, { ...client, port: 1 }, 1));
  pass(5000);
  assert.equal(udp.admit(port, { ...client, port: 2 }, 1), undefined);
  assert.equal(udp.admit(port, other, 1), talks);
  assert.deepEqual([counters.dropped, counters.active, counters.ends], [{ limit: 2 }, 2, { evicted: 1 }]);
});

test('a caller without a slot to give refuses as the limit does', () => {
  const world = flowWorld(rule);
  const udp = tableOf(world, 10, () => false);
  assert.equal(udp.admit(udp.bind(entry), client, 1), undefined);
  assert.deepEqual(world.counters.dropped, { limit: 1 });
});

test('no origin, and nobody to answer: dropped and counted', () => {
  const { table: udp, port, counters } = table({ targets: [] });
  assert.equal(udp.admit(port, client, 1), undefined);
  assert.equal(udp.admit(port, { address: '192.0.2.1', port: 0 }, 1), undefined);
  assert.deepEqual([counters.dropped, counters.connections], [{ 'no-origin': 1, source: 1 }, 0]);
});

test('a session is idle when nothing passed in either direction', () => {
  const { table: udp, port, pass } = table();
  const session = udp.admit(port, client, 1);
  assert.ok(session);
  assert.deepEqual(udp.idle(), []);
  pass(119_000);
  udp.reply(session, 1);
  assert.deepEqual(udp.idle(), []);
  pass(119_999);
  assert.deepEqual(udp.idle(), []);
  pass(1);
  assert.deepEqual(udp.idle(), [session]);
});

test('after a change only sessions whose way has changed are stale', () => {
  const { table: udp, port, flow } = table();
  const a = udp.admit(port, client, 1);
  const b = udp.admit(port, other, 1);
  flow.update({ ...rule, targets: [target('10.0.0.2', 3), target('10.0.0.3')] });
  assert.deepEqual(udp.stale(), [a]);
  flow.update({ ...rule, mode: 'SPP' });
  assert.deepEqual(udp.stale(), [a, b]);
  flow.update({ ...rule, mode: 'SPP', options: options({ drain: { how: 'keep', seconds: 0 } }), targets: [] });
  assert.deepEqual(udp.stale(), [a, b]);
});

test('a closed port hands over its sessions', () => {
  const { table: udp, port } = table();
  const session = udp.admit(port, client, 1);
  assert.deepEqual(udp.unbind(port), [session]);
  udp.close(session!, 'drained');
  assert.equal(udp.size, 0);
});

test('a refused session goes only where another origin can take the client', () => {
  const { table: udp, port } = table({ persistSeconds: 30 });
  const session = udp.admit(port, client, 1)!;
  assert.equal(udp.refused(session), true);
  udp.close(session, 'origin-refused');
  assert.equal(udp.admit(port, client, 1)?.origin.address, '10.0.0.2');
  const lonely = table({ targets: [target('10.0.0.1'), target('10.0.0.2', 0)] });
  assert.equal(lonely.table.refused(lonely.table.admit(lonely.port, client, 1)!), false);
});

test('simulation: 1,000 seeds keep every invariant', () => {
  for (let seed = 0; seed < 1000; seed++) udpSimulation(seed, 60);
});

test('simulation: the same seed is the same run', () => {
  assert.equal(udpSimulation(7, 2000), udpSimulation(7, 2000));
  assert.notEqual(udpSimulation(7, 2000), udpSimulation(8, 2000));
});
