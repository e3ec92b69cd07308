/**
 * Wide ranges of TCP ports on the uring engine, in both of its ways: one socket that the kernel leads the range to (where
 * that may be done), and a socket per port. What a client sees is the same.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import type { Applied, Listener } from '../../src/engines/engine.ts';
import { Inherited } from '../../src/handoff/inherited.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { engineSuite } from '../suites/engine-suite.ts';
import { type EngineUnderTest, engineWorld, eventually, freePort, loopback, occupy } from '../suites/engine/fixture.ts';
import { leadsTo, listener, options, target, workerRule } from '../suites/engine/listener.ts';
import { ask, readAll, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { connects } from '../world/connects.ts';
import { oneWorker } from './one-worker.ts';

const missing = await whyUnavailable();
// order: only then, because on a machine without koffi it cannot be loaded.
const notSteered = missing ?? (await import('../../src/engines/uring/steer/ranges.ts')).whyPerPort();
const WAYS = { 'one socket for the range': true, 'a socket per port': false };

for (const [way, steering] of Object.entries(WAYS)) {
  const skip = (steering ? notSteered : missing) ?? false;
  describe(`uring ranges, ${way}`, { skip }, () => {
    const under = {
      create: (events) => createUringEngineWith({ workers: 2, steering }, events),
    } satisfies EngineUnderTest;
    if (!steering && skip === false) engineSuite('ranges', under, ['ranges']);
    changes(under);
  });
}

describe('uring ranges, taken over', { skip: missing ?? false }, () => {
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 2, steering: false }, events) });

  test('a range that comes with a socket per port keeps them, and loses nobody', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.rule({ ...leadsTo(origin), ports: [{ from: 26_000, to: 26_099 }] });
    const [entry = ''] = rule.entries;
    await world.up(rule);
    await using load = connects(entry, 26_050, { perSecond: 100 });
    const { duplicate, listeners } = await import('../../src/handoff/listeners.ts');
    const own = listeners().filter(({ key }) => key.startsWith(`TCP ${entry} `));
    const sockets = Inherited.of(own.map((socket) => ({ ...socket, fd: duplicate(socket.fd) })));
    await world.engine.succession.handOver();
    const next = await createUringEngineWith(
      { workers: 2, inheritance: { sockets, sessions: new Map() } },
      { record() {}, listener() {}, outcomes() {}, log() {} },
    );
    t.after(() => next.stop(0));
    assert.match(
      noteIn(await next.apply(rule)),
      /^100 ports, 100 sockets one per port: (it came with them|sk_lookup needs)/,
    );
    assert.deepEqual(sockets.open(), []);
    await world.engine.succession.pause();
    const stopping = world.engine.stop(60_000);
    sockets.begin();
    await next.succession.begin();
    await stopping;
    assert.match(noteIn(await next.apply({ ...rule, persistSeconds: 60 })), /^100 ports, 100 sockets one per port/);
    for (const port of [26_000, 26_099]) assert.equal(await ask(await tcpClient(t, entry, port), 'x'), 'x');
    await load.stop();
    assert.deepEqual([...load.ends], [['ok', load.started]]);
  });
});

describe('uring ranges, handed over', { skip: notSteered ?? false }, () => {
  const quiet = { record() {}, listener() {}, outcomes() {}, log() {} };

  test('sockets that a range began with, and the one that takes it, go on in the next process; a change counts at once', async (t) => {
    const origin = await tcpOrigin(t);
    const entry = loopback();
    const rule = listener({ ...leadsTo(origin), entries: [entry], ports: [{ from: 28_000, to: 28_009 }] });
    const first = await createUringEngineWith({ workers: 2 }, quiet);
    assert.deepEqual(await first.apply(rule), { ok: true });
    const wide = { ...rule, ports: [{ from: 28_000, to: 28_999 }] };
    // Those that it had when it was narrow take the rest along.
    assert.equal(noteIn(await first.apply(wide)), '1000 ports, 20 sockets behind eBPF sk_lookup');
    await using ending = new AsyncDisposableStack();
    const loads = [28_003, 28_500].map((port) => ending.use(connects(entry, port, { perSecond: 60 })));
    const { duplicate, listeners } = await import('../../src/handoff/listeners.ts');
    const own = listeners().filter(({ key }) => key.startsWith(`TCP ${entry} `));
    assert.equal(new Set(own.map(({ key }) => key)).size, 10);
    const sockets = Inherited.of(own.map((socket) => ({ ...socket, fd: duplicate(socket.fd) })));
    await first.succession.handOver();
    const inheritance = { sockets, sessions: new Map() };
    const next = await createUringEngineWith({ workers: 2, inheritance }, quiet);
    t.after(() => next.stop(0));
    assert.equal(noteIn(await next.apply(wide)), '1000 ports, 20 sockets behind eBPF sk_lookup');
    assert.deepEqual(sockets.open(), []);
    const old = await tcpClient(t, entry, 28_777);
    assert.equal(await ask(old, 'before'), 'before');
    await first.succession.pause();
    const stopping = first.stop(60_000);
    sockets.begin();
    await next.succession.begin();
    for (const load of loads) await load.stop();
    for (const { ends, started } of loads) assert.deepEqual([...ends], [['ok', started]]);
    const moved = await next.apply({ ...rule, ports: [{ from: 28_005, to: 28_600 }] });
    assert.equal(noteIn(moved), '596 ports, 10 sockets behind eBPF sk_lookup');
    for (const port of [28_000, 28_601]) await assert.rejects(tcpClient(t, entry, port), { code: 'ECONNREFUSED' });
    assert.equal(await ask(await tcpClient(t, entry, 28_600), 'x'), 'x');
    assert.equal(await ask(old, 'still'), 'still');
    old.destroy();
    await stopping;
  });
});

test('a worker of a range dies: the next one has its ports', { skip: notSteered ?? false }, async (t) => {
  // order: only here, because on a machine without koffi these cannot be loaded.
  const { newRow, sumRows } = await import('../../src/engines/uring/worker/counters.ts');
  const { openPoint } = await import('../../src/engines/uring/host/listening-sockets.ts');
  const { Ranges } = await import('../../src/engines/uring/steer/ranges.ts');
  const origin = await tcpOrigin(t);
  const rule = listener({ ...leadsTo(origin), entries: [loopback()], ports: [{ from: 27_000, to: 27_099 }] });
  const ranges = new Ranges();
  t.after(() => ranges.close());
  const range = ranges.points(rule, new Map(), undefined);
  assert.ok(typeof range !== 'string', 'it is to be led');
  const [[key, point] = assert.fail()] = [...range];
  const fds = openPoint(point, 1, undefined);
  assert.ok(typeof fds !== 'string', String(fds));
  const events: string[] = [];
  const worker = await oneWorker(t, events);
  const row = newRow();
  const { ports, originPorts } = rule;
  await worker.command({
    kind: 'apply',
    rule: workerRule(
      origin.address,
      [{ fd: fds[0]?.[0] ?? -1, address: point.address, port: point.port, originPort: origin.port }],
      row,
      { range: { ports, originPorts } },
    ),
  });
  assert.equal(ranges.lead(rule, range, new Map([[key, { point, fds }]])), undefined);
  const lost = await tcpClient(t, point.address, 27_050);
  assert.equal(await ask(lost, 'one'), 'one');
  const end = readAll(lost);
  const waiting = worker.command({ kind: 'nonsense' } as never);
  assert.equal((await end).end, 'reset');
  const patient = await tcpClient(t, point.address, 27_051);
  assert.equal(await ask(patient, 'two'), 'two');
  await waiting;
  await eventually(() => assert.deepEqual(events, ['died', 'back']));
  assert.equal(sumRows([row]).connections, 2);
});

/** What an engine says of how it serves a rule, which it must. */
function noteIn(applied: Applied): string {
  assert.ok(applied.ok, JSON.stringify(applied));
  return applied.note ?? assert.fail('it says nothing');
}

function changes(under: EngineUnderTest): void {
  const world = engineWorld(under);
  const span = (from: number, to: number): Listener['ports'] => [{ from, to }];

  test('records name the port that the client used, and its connection reaches that of the origin', async (t) => {
    const address = loopback();
    const base = await freePort(address);
    const origin = await tcpOrigin(t, undefined, { address, port: base });
    const rule = await world.rule({
      targets: [target(address)],
      ports: span(12_000, 12_199),
      originPorts: { from: base - 77, to: base + 122 },
    });
    await world.up(rule);
    const client = await tcpClient(t, rule.entries[0] ?? '', 12_077);
    assert.equal(await ask(client, 'x'), 'x');
    client.end();
    const [record] = await world.ended(rule.id);
    assert.deepEqual(record?.entry, { address: rule.entries[0], port: 12_077 });
    assert.deepEqual(record.origin, { address, port: origin.port });
  });

  test('a change keeps what is still in the range, drains what is not, and adds the rest', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.rule({
      ...leadsTo(origin),
      ports: span(20_000, 20_099),
      options: options({ drain: { how: 'reset', seconds: 0 } }),
    });
    const [entry = ''] = rule.entries;
    await world.up(rule);
    const [first, inside, gone] = await Promise.all([20_000, 20_050, 20_005].map((port) => tcpClient(t, entry, port)));
    assert.ok(first && inside && gone);
    for (const client of [first, inside, gone]) assert.equal(await ask(client, 'before'), 'before');
    const ends = [first, gone].map(readAll);
    await world.up({ ...rule, ports: span(20_010, 20_199) });
    assert.deepEqual(
      (await Promise.all(ends)).map(({ end }) => end),
      ['reset', 'reset'],
    );
    assert.equal(await ask(inside, 'after'), 'after');
    assert.equal(await ask(await tcpClient(t, entry, 20_199), 'new'), 'new');
    for (const port of [20_000, 20_009]) await assert.rejects(tcpClient(t, entry, port), { code: 'ECONNREFUSED' });
    await world.up({ ...rule, ports: [...span(20_050, 20_050), ...span(20_010, 20_012)] });
    assert.equal(await ask(inside, 'narrow'), 'narrow');
    assert.equal(await ask(await tcpClient(t, entry, 20_011), 'x'), 'x');
    await assert.rejects(tcpClient(t, entry, 20_100), { code: 'ECONNREFUSED' });
    await world.engine.remove(rule.id);
    await assert.rejects(tcpClient(t, entry, 20_050), { code: 'ECONNREFUSED' });
  });

  test('nobody is refused or led astray while the range changes', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.rule({ ...leadsTo(origin), ports: span(30_000, 30_099) });
    await world.up(rule);
    const [entry = ''] = rule.entries;
    await using ending = new AsyncDisposableStack();
    const loads = [30_005, 30_006, 30_030].map((port) => ending.use(connects(entry, port, { perSecond: 60 })));
    const shapes = [
      span(30_005, 30_030),
      span(30_000, 30_199),
      span(30_004, 30_150),
      [...span(30_006, 30_030), ...span(30_005, 30_005)],
      [...span(30_030, 30_090), ...span(30_001, 30_020)],
    ];
    for (let i = 0; i < 25; i++) {
      await world.up({ ...rule, ports: shapes[i % shapes.length] ?? [] });
      await clock.sleep(20);
    }
    await Promise.all(loads.map((load) => load.stop()));
    for (const { ends, started } of loads) assert.deepEqual([...ends], [['ok', started]]);
    const ports = new Set((await world.ended(rule.id)).map((record) => record.entry.port));
    assert.deepEqual(
      [...ports].toSorted((a, b) => a - b),
      [30_005, 30_006, 30_030],
    );
  });

  test('a port of the range that is taken is named, whoever has it', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.rule({ ...leadsTo(origin), ports: span(25_000, 25_099) });
    const [entry = ''] = rule.entries;
    const free = await occupy(entry, 25_050);
    const refused = await world.engine.apply(rule);
    assert.ok(!refused.ok);
    assert.match(refused.reason, new RegExp(`TCP ${entry}:25050 is in use by (?:another|this) program`));
    await assert.rejects(tcpClient(t, entry, 25_000), { code: 'ECONNREFUSED' });
    await free();
    await world.up(rule);
    const single = await world.rule({ ...leadsTo(origin), entries: [entry], ports: span(25_077, 25_077) });
    const overlapping = { ...single, ports: span(25_090, 25_190) };
    for (const other of [single, overlapping]) {
      const taken = await world.engine.apply(other);
      assert.ok(!taken.ok, JSON.stringify(other.ports));
      assert.match(taken.reason, /in use by (?:another|this) program|is in the range of rule/);
    }
    assert.equal(await ask(await tcpClient(t, entry, 25_077), 'x'), 'x');
    await world.engine.remove(rule.id);
    await world.up(overlapping);
  });

  test('a range that does not fit is refused in words', async () => {
    const rule = await world.rule({ protocol: 'UDP', ports: span(1025, 65_535) });
    const few = await createUringEngineWith(
      { workers: 1, descriptors: 400 },
      { record() {}, listener() {}, outcomes() {}, log() {} },
    );
    const refused = await few.apply(rule);
    await few.stop(0);
    assert.ok(!refused.ok);
    assert.match(refused.reason, /^UDP ports 1025 to 65535: 64511 sockets are needed, 300 fit/);
  });
}
