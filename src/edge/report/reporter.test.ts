import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { quietHealth } from '../../../test/world/quiet-health.ts';
import { seededRng } from '../../lib/rng.ts';
import type { HealthReport } from '../../domain/fact/health.ts';
import type { AckReport, FactReport } from '../../link/contract.ts';
import type { Beat } from '../../domain/fact/ack.ts';
import type { ConnectionRecord, RuleCounters } from '../../domain/fact/fact.ts';
import type { Placed } from '../reconcile/placements.ts';
import { RecordQueue } from './record-queue.ts';
import { Reporter } from './reporter.ts';

const ZERO = { connections: 0, active: 0, bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0, dropped: {}, ends: {} };

function reporting() {
  const clock = new ManualClock();
  const acks: AckReport[] = [];
  const facts: FactReport[] = [];
  const beats: Beat[] = [];
  const healths: HealthReport[] = [];
  const health = quietHealth();
  const placements = new Map<string, Placed>();
  let moved = new Map<string, Placed | undefined>();
  const world = {
    applied: 0,
    status: 204,
    counters: new Map<string, RuleCounters>(),
    hangs: Promise.resolve(),
  };
  const place = (id: string, engine?: Placed['engine']) => {
    const placed = engine && { engine, why: 'test' };
    if (placed) placements.set(id, placed);
    else placements.delete(id);
    moved.set(id, placed);
  };
  const records = new RecordQueue();
  const reporter = new Reporter({
    edge: 'e1',
    site: 's',
    records,
    clock,
    rng: seededRng(1),
    link: {
      async post(path, body) {
        if (path.endsWith('beat')) {
          beats.push(body as Beat);
          return 204;
        }
        if (path.endsWith('ack')) await world.hangs;
        if (world.status !== 204) return world.status;
        if (path.endsWith('health')) healths.push(body as HealthReport);
        else if (path.endsWith('ack')) acks.push(body as AckReport);
        else facts.push(body as FactReport);
        return 204;
      },
    },
    source: {
      ack: () => ({
        edge: 'e1',
        site: 's',
        version: '1',
        world: 'w',
        applied: world.applied,
        failed: [],
        engines: [],
        alarms: [],
      }),
      placements: () => placements,
      health,
      takeMoved() {
        const taken = moved;
        moved = new Map();
        return taken;
      },
      counters: async () => world.counters,
    },
  });
  return { clock, acks, facts, beats, healths, world, place, records, reporter };
}

const placedIn = ({ placed, fresh }: AckReport) => [fresh, placed.map(({ rule, engine }) => `${rule}=${engine}`)];

function record(id: string): ConnectionRecord {
  const end = { address: '192.0.2.1', port: 1 };
  const times = { startedAt: 1, at: 2, bytesIn: 3, bytesOut: 4 };
  return { id, rule: 'rule-1', proxy: 'sid-1', protocol: 'TCP', client: end, entry: end, ...times };
}

test('changes that come together make one ack, a calm edge one every two seconds', async () => {
  const { clock, acks, world, reporter } = reporting();
  for (let n = 0; n < 50; n++) reporter.changed();
  await clock.advance(100);
  assert.equal(acks.length, 0);
  reporter.connected();
  await clock.advance(0);
  for (let n = 1; n <= 50; n++) {
    world.applied = n;
    reporter.changed();
  }
  await clock.advance(10);
  assert.deepEqual(
    acks.map(({ applied }) => applied),
    [0, 50],
  );
  await clock.advance(10_000);
  assert.equal(acks.length, 7);
});

test('an ack that is long on its way is overtaken by beats, and none is sent while acks get through', async () => {
  const { clock, acks, beats, world, reporter } = reporting();
  reporter.connected();
  await clock.advance(4_000);
  assert.deepEqual([acks.length, beats], [3, []]);
  const { promise, resolve } = Promise.withResolvers<void>();
  world.hangs = promise;
  await clock.advance(6_000);
  assert.deepEqual([acks.length, beats.length, beats[0]], [3, 2, { edge: 'e1', site: 's', version: '1' }]);
  resolve();
  await clock.advance(0);
  assert.equal(acks.length, 5);
  await reporter.stop();
});

test('placements are told once, again after a failure, and all of them on a new connection', async () => {
  const { clock, acks, world, place, reporter } = reporting();
  place('a', 'node');
  reporter.connected();
  await clock.advance(0);
  place('b', 'node');
  place('a');
  world.status = 500;
  reporter.changed();
  await clock.advance(10);
  world.status = 204;
  // Not only with the timer: a status waits for it.
  await clock.advance(300);
  assert.equal(acks.length, 2);
  await clock.advance(2_000);
  assert.deepEqual(acks.map(placedIn), [
    [true, ['a=node']],
    [false, ['b=node', 'a=']],
    [false, []],
  ]);
  reporter.disconnected();
  await clock.advance(5_000);
  reporter.connected();
  await clock.advance(0);
  assert.deepEqual(acks.slice(3).map(placedIn), [[true, ['b=node']]]);
});

test('a whole ack that control did not take is told whole again', async () => {
  const { clock, acks, world, place, reporter } = reporting();
  place('a', 'node');
  world.status = 500;
  reporter.connected();
  await clock.advance(0);
  world.status = 204;
  await clock.advance(300);
  assert.deepEqual(acks.map(placedIn), [[true, ['a=node']]]);
  // The next one is on its way, and will fail, when another stream begins, which is owed everything.
  const { promise, resolve } = Promise.withResolvers<void>();
  world.hangs = promise;
  reporter.changed();
  await clock.advance(10);
  reporter.disconnected();
  reporter.connected();
  world.status = 500;
  resolve();
  await clock.advance(0);
  world.status = 204;
  await clock.advance(300);
  assert.deepEqual(acks.slice(1, 2).map(placedIn), [[true, ['a=node']]]);
  await reporter.stop();
});

test('many placements go in parts', async () => {
  const { clock, acks, place, reporter } = reporting();
  for (let n = 0; n < 5_000; n++) place(`r${n}`, 'node');
  reporter.connected();
  await clock.advance(0);
  assert.deepEqual(
    acks.map(({ placed, fresh }) => [fresh, placed.length]),
    [
      [true, 2_000],
      [false, 2_000],
      [false, 1_000],
    ],
  );
});

test('counters are told when they change, and when they are gone', async () => {
  const { clock, facts, world, reporter } = reporting();
  world.counters = new Map([
    ['a', ZERO],
    ['b', ZERO],
  ]);
  reporter.connected();
  await clock.advance(5_000);
  await clock.advance(5_000);
  world.counters = new Map([['a', { ...ZERO, bytesIn: 7 }]]);
  await clock.advance(5_000);
  assert.deepEqual(
    facts.map(({ counters, gone }) => [counters.map(({ rule, bytesIn }) => `${rule}=${bytesIn}`), gone]),
    [
      [['a=0', 'b=0'], []],
      [['a=7'], ['b']],
    ],
  );
  reporter.connected();
  await clock.advance(5_000);
  assert.deepEqual(
    facts.slice(2).map(({ counters }) => counters.length),
    [1],
  );
});

test('an edge that has counted nothing says that its epoch is another, once', async () => {
  const { clock, facts, reporter } = reporting();
  reporter.connected();
  await clock.advance(20_000);
  assert.deepEqual(
    facts.map(({ epoch, counters, gone }) => [epoch !== '', counters, gone]),
    [[true, [], []]],
  );
});

test('records wait for control, are sent in order, and those that don’t fit are counted', async () => {
  const { clock, facts, records, reporter } = reporting();
  for (let n = 0; n < 20_005; n++) records.add(record(`${n}`));
  reporter.connected();
  await clock.advance(5_000);
  const ids = facts.flatMap(({ records }) => records.map(({ id }) => Number(id)));
  assert.deepEqual([ids.length, ids[0], ids.at(-1)], [20_000, 0, 19_999]);
  assert.ok(ids.every((id, i) => id === i));
  assert.equal(
    facts.reduce((sum, { recordsLost }) => sum + recordsLost, 0),
    5,
  );
  assert.equal(new Set(facts.map(({ epoch }) => epoch)).size, 1);
});

test('a burst is sent before the timer, the rest at the end', async () => {
  const { clock, facts, records, reporter } = reporting();
  reporter.connected();
  for (let n = 0; n < 2_000; n++) records.add(record(`${n}`));
  await clock.advance(0);
  assert.equal(facts[0]?.records.length, 2_000);
  records.add(record('last'));
  await reporter.stop();
  assert.deepEqual([facts.at(-1)?.records.map(({ id }) => id), clock.waiting], [['last'], 0]);
});

test('one that drains tells no ack, all its counters each time, and its last word to the next control', async () => {
  const { clock, acks, facts, world, reporter } = reporting();
  world.counters = new Map([['a', { ...ZERO, bytesIn: 1 }]]);
  reporter.connected();
  await clock.advance(5_000);
  reporter.disconnected();
  const told = acks.length;
  reporter.drain();
  await clock.advance(5_000);
  assert.deepEqual(
    facts.map(({ draining, counters }) => [draining, counters[0]?.bytesIn]),
    [
      [undefined, 1],
      [true, 1],
      [true, 1],
    ],
  );
  world.status = 503;
  world.counters = new Map([['a', { ...ZERO, bytesIn: 9 }]]);
  const stopped = reporter.stop(2_000);
  await clock.advance(500);
  world.status = 204;
  await clock.advance(500);
  await stopped;
  assert.deepEqual([facts.at(-1)?.counters[0]?.bytesIn, facts.at(-1)?.draining, acks.length], [9, true, told]);
  assert.equal(new Set(facts.map(({ epoch }) => epoch)).size, 1);
});

test('the health of origins is told on each new stream, and not by one that drains', async () => {
  const { clock, reporter, healths } = reporting();
  await clock.advance(1_000);
  reporter.connected();
  await clock.advance(0);
  assert.deepEqual(
    healths.map(({ edge, site, whole }) => [edge, site, whole]),
    [['e1', 's', { part: 0, isLast: true }]],
  );
  reporter.disconnected();
  reporter.connected();
  await clock.advance(0);
  reporter.drain();
  await clock.advance(60_000);
  assert.equal(healths.length, 2);
  await reporter.stop();
  assert.equal(clock.waiting, 0);
});
