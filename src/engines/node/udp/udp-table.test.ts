import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ruleWorld, type RuleWorld } from '../../../../test/sim/rule-world.ts';
import { udpSimulation } from '../../../../test/sim/udp-simulation.ts';
import { listener, options, target } from '../../../../test/suites/engine/listener.ts';
import type { Listener } from '../../engine.ts';
import { type UdpPort, type UdpSession, UdpTable } from './udp-table.ts';

const entry = { address: '127.44.0.1', port: 53 };
const client = { address: '192.0.2.1', port: 4000 };
const other = { address: '192.0.2.1', port: 4001 };
const bytes = (size: number): Buffer => Buffer.alloc(size);
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
): RuleWorld & { table: UdpTable<string>; port: UdpPort<string> } {
  const world = ruleWorld({ ...rule, ...change });
  const table = tableOf(world, most);
  return { ...world, table, port: table.bind(entry) };
}

function tableOf({ rule, monotonic }: RuleWorld, most: number, takeSlot = () => true): UdpTable<string> {
  const evict = (session: UdpSession<string>): void => table.close(session, 'evicted');
  const move = (session: UdpSession<string>): void => table.close(session, 'origin-unreachable');
  const table: UdpTable<string> = new UdpTable<string>(rule, { most, monotonic, takeSlot, evict, move });
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
  assert.equal(udp.reply(session, bytes(0)), 0);
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
  const headed = (size: number): Uint8Array => Buffer.concat([session.header, bytes(size)]);
  const replies = [headed(0), headed(62), headed(1).subarray(0, 37)];
  assert.deepEqual(
    replies.map((reply) => udp.reply(session, reply)),
    [38, 38, -1],
  );
  assert.deepEqual([counters.bytesOut, counters.packetsOut, counters.dropped], [62, 2, { short: 1 }]);
});

test("SPP: a reply with another header than its session's is dropped and counted, whichever byte differs", () => {
  const { table: udp, port, counters } = table({ mode: 'SPP' });
  const session = udp.admit(port, client, 5)!;
  const others = Array.from({ length: 38 }, (_, at) => {
    const reply = Buffer.concat([session.header, bytes(5)]);
    reply[at]! ^= 1;
    return reply;
  });
  const strangers = udp.admit(port, other, 5)!.header;
  const wrong = [bytes(38), Buffer.alloc(43, 0xff), Buffer.concat([strangers, bytes(5)]), ...others];
  assert.ok(wrong.every((reply) => udp.reply(session, reply) === -1));
  assert.deepEqual([counters.packetsOut, counters.dropped], [0, { header: 41 }]);
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
  udp.reply(asked, bytes(1));
  const talks = udp.admit(port, other, 1)!;
  udp.reply(talks, bytes(1));
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

test("the slot of the session that makes room is the next one's: no other slot is asked for", () => {
  const world = ruleWorld(rule);
  let slots = 1;
  const udp = tableOf(world, 10, () => slots-- > 0);
  const port = udp.bind(entry);
  udp.reply(udp.admit(port, client, 1)!, bytes(1));
  world.pass(500);
  assert.ok(udp.admit(port, other, 1));
  assert.deepEqual([world.counters.dropped, world.counters.ends], [{}, { evicted: 1 }]);
});

test('a caller without a slot to give refuses as the limit does', () => {
  const world = ruleWorld(rule);
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
  assert.deepEqual(udp.due(), []);
  pass(119_000);
  udp.reply(session, bytes(1));
  assert.deepEqual(udp.due(), []);
  pass(119_999);
  assert.deepEqual(udp.due(), []);
  pass(1);
  assert.deepEqual(udp.due(), [[session, 'idle']]);
});

test('after a change only sessions whose way has changed are stale', () => {
  const { table: udp, port, rule: state } = table();
  const a = udp.admit(port, client, 1);
  const b = udp.admit(port, other, 1);
  const staleAfter = (change: Partial<Listener>): unknown => {
    state.update({ ...rule, ...change });
    udp.judge();
    return udp.due();
  };
  const [goneA, goneB] = [a, b].map((session) => [session, 'drained']);
  assert.deepEqual(staleAfter({ targets: [target('10.0.0.2', 3), target('10.0.0.3')] }), [goneA]);
  assert.deepEqual(staleAfter({}), []);
  assert.deepEqual(staleAfter({ mode: 'SPP' }), [goneA, goneB]);
  assert.deepEqual(staleAfter({ mode: 'SPP' }), []);
  assert.deepEqual(staleAfter({ mode: 'SPP', options: options({ udpHeader: 'each' }) }), [goneA, goneB]);
  const keep = options({ udpHeader: 'each', drain: { how: 'keep', seconds: 0 } });
  assert.deepEqual(staleAfter({ mode: 'SPP', options: keep, targets: [] }), [goneA, goneB]);
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

test('an origin that refused takes no new session for ten seconds, but where all have', () => {
  const { table: udp, port, pass } = table();
  const chosen = (n: number): string | undefined => udp.admit(port, { ...client, port: n }, 1)?.origin.address;
  const refuse = (n: number): boolean => udp.refused(udp.admit(port, { ...client, port: n }, 1)!);
  assert.deepEqual([chosen(1), refuse(1)], ['10.0.0.1', true]);
  assert.deepEqual([2, 3, 4].map(chosen), ['10.0.0.2', '10.0.0.2', '10.0.0.2']);
  // Nobody else is left: the session stays, and so does everybody's turn.
  assert.equal(refuse(2), false);
  assert.deepEqual(new Set([5, 6].map(chosen)), new Set(['10.0.0.1', '10.0.0.2']));
  pass(10_000);
  assert.deepEqual(new Set([7, 8].map(chosen)), new Set(['10.0.0.1', '10.0.0.2']));
});

test('what a refused session had not delivered is counted once, and recorded with the one that takes it', () => {
  const { table: udp, port, counters, records } = table();
  const session = udp.admit(port, client, 7)!;
  assert.ok(udp.mayMove(session) && udp.refused(session, 7));
  udp.close(session, 'origin-refused');
  const next = udp.admit(port, client, 7, true)!;
  udp.close(next, 'idle');
  assert.deepEqual([counters.packetsIn, counters.bytesIn, counters.unanswered], [1, 7, 2]);
  assert.deepEqual(
    records.map(({ bytesIn, origin, end }) => [bytesIn, origin?.address, end]),
    [
      [0, '10.0.0.1', 'origin-refused'],
      [7, '10.0.0.2', 'idle'],
    ],
  );
});

test('simulation: 1,000 seeds keep every invariant', () => {
  for (let seed = 0; seed < 1000; seed++) udpSimulation(seed, 60);
});

test('simulation: the same seed is the same run', () => {
  assert.equal(udpSimulation(7, 2000), udpSimulation(7, 2000));
  assert.notEqual(udpSimulation(7, 2000), udpSimulation(8, 2000));
});

test('C6: a session to an address that its name no longer says stays while it is answered, others are not touched', () => {
  const { table: udp, port, rule: state, pass } = table();
  const first = udp.admit(port, client, 1);
  const second = udp.admit(port, other, 1);
  assert.ok(first && second);
  assert.deepEqual([first.origin.address, second.origin.address], ['10.0.0.1', '10.0.0.2']);
  state.update({
    ...rule,
    options: options({ idleSeconds: 3_600 }),
    targets: [{ ...target('10.0.0.1', 0), left: true }, target('10.0.0.2')],
  });
  udp.judge();
  assert.deepEqual(udp.due(), []);
  pass(60_000);
  udp.reply(first, new Uint8Array(1));
  assert.deepEqual(udp.due(), []);
  // Silent both ways: nobody waits.
  pass(60_000);
  assert.deepEqual(udp.due(), []);
  udp.admit(port, client, 1);
  udp.admit(port, other, 1);
  pass(9_999);
  udp.admit(port, client, 1);
  assert.deepEqual(udp.due(), []);
  pass(1);
  assert.deepEqual(udp.due(), [[first, 'drained']]);
  udp.close(first, 'drained');
  assert.equal(udp.admit(port, client, 1)?.origin.address, '10.0.0.2');
});

test('a session moves at its next datagram when its target is down and another takes it; else it stays', () => {
  const { table: udp, port, records, states } = table({ targets: [target('10.0.0.1'), target('10.0.0.2')] });
  const say = (address: string, state: 'up' | 'down'): void => states.set({ target: target(address).number, state }, 0);
  const [first, second] = [udp.admit(port, client, 10), udp.admit(port, other, 10)];
  assert.ok(first && second);
  assert.deepEqual([first.origin.address, second.origin.address], ['10.0.0.1', '10.0.0.2']);
  say('10.0.0.1', 'down');
  assert.equal(udp.admit(port, other, 10), second);
  assert.equal(udp.admit(port, client, 10)?.origin.address, '10.0.0.2');
  assert.deepEqual(
    records.map(({ end, origin }) => [end, origin?.address]),
    [['origin-unreachable', '10.0.0.1']],
  );
  say('10.0.0.2', 'down');
  assert.equal(udp.admit(port, other, 10), second);
});
