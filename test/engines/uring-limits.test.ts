/** The uring engine where something runs out, and where a stream changes its nature: it slows down, counts, recovers. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { engineWorld, eventually } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo, options } from '../suites/engine/listener.ts';
import { udpEcho, udpPeer } from '../suites/engine/udp-peers.ts';
import { ask, echo, readAll, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';

const skip = (await whyUnavailable()) ?? false;
const MiB = 1_048_576;

describe('uring, short of descriptors', { skip }, () => {
  // Ten connections' worth: two descriptors each.
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 1, descriptors: 20 }, events) });

  test('T21: connections beyond the limit wait, and each is served when another ends', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.up(await world.rule(leadsTo(origin)));
    const clients = await Promise.all(Array.from({ length: 40 }, () => tcpClient(t, ...entryOf(rule))));
    const answers: Promise<string>[] = clients.map(async (client, i) => {
      const answer = await ask(client, `question ${i}`);
      client.end();
      return answer;
    });
    assert.deepEqual(
      await Promise.all(answers),
      clients.map((_, i) => `question ${i}`),
    );
    await world.ended(rule.id, 40);
    await world.active(rule.id, 0);
    const { dropped, ends } = await world.counters(rule.id);
    assert.ok((dropped['wait-descriptors'] ?? 0) + (dropped['wait-slots'] ?? 0) > 0, JSON.stringify(dropped));
    assert.deepEqual(ends, { 'client-closed': 40 });
  });

  test('a big stream without a pipe to be had is copied, whole', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.up(await world.rule(leadsTo(origin)));
    const idle = await Promise.all(Array.from({ length: 9 }, () => tcpClient(t, ...entryOf(rule))));
    await Promise.all(idle.map((client) => ask(client, 'x')));
    const bytes = randomBytes(8 * MiB);
    const client = await tcpClient(t, ...entryOf(rule));
    client.end(bytes);
    assert.ok((await readAll(client)).bytes.equals(bytes));
    assert.ok(((await world.counters(rule.id)).dropped['wait-pipes'] ?? 0) > 0);
    for (const socket of idle) assert.equal(await ask(socket, 'still here'), 'still here');
  });
});

describe('uring, full', { skip }, () => {
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 1, descriptors: 20 }, events) });

  test('who waits longer than an origin may take is refused, and so are those behind, until there is room', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.rule({ ...leadsTo(origin), options: options({ connectTimeoutMs: 1000 }) });
    await world.up(rule);
    const lucky = await Promise.all(Array.from({ length: 10 }, () => tcpClient(t, ...entryOf(rule))));
    await Promise.all(lucky.map((client) => ask(client, 'x')));
    const others = await Promise.all(Array.from({ length: 30 }, () => tcpClient(t, ...entryOf(rule))));
    const ends = await Promise.all(others.map(async (client) => (await readAll(client)).end));
    assert.deepEqual(ends, Array(30).fill('reset'));
    const counted = await world.counters(rule.id);
    assert.deepEqual(
      [counted.connections, counted.active, counted.ends, counted.unrecorded],
      [40, 10, { limit: 30 }, { sampled: 0, lost: 30 }],
    );
    for (const client of lucky) assert.equal(await ask(client, 'still here'), 'still here');
    lucky[0]?.end();
    await world.ended(rule.id);
    const next = await tcpClient(t, ...entryOf(rule));
    assert.equal(await ask(next, 'y'), 'y');
  });
});

describe('uring, the last descriptors', { skip }, () => {
  const DESCRIPTORS = 512;
  const world = engineWorld({
    create: (events) => createUringEngineWith({ workers: 1, descriptors: DESCRIPTORS }, events),
  });

  test('go to other sources than the one that holds most, and to other rules', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.up(await world.rule(leadsTo(origin)));
    const second = await world.up(await world.rule(leadsTo(origin)));
    const served = (from: string, on: typeof rule): Promise<boolean> =>
      tcpClient(t, ...entryOf(on), from)
        .then((client) => ask(client, 'x'))
        .then(
          () => true,
          () => false,
        );
    const [glutton, neighbour, another] = [world.address(), world.address(), world.address()];
    const fill = async (from: string): Promise<number> => {
      for (let count = 0; ; count++) if (!(await served(from, rule))) return count;
    };
    // Until an eighth is free; a descriptor or two are the listeners'.
    const mine = await fill(glutton);
    assert.ok(mine > 220 && mine <= 225, `${mine}`);
    // Another source goes on until a sixteenth is.
    const theirs = await fill(neighbour);
    assert.ok(theirs >= 15 && theirs <= 17, `${theirs}`);
    // The rest is for other rules, whoever asks; but not for the one that has so many.
    assert.equal(await served(another, second), true);
    assert.equal(await served(glutton, second), false);
    const { ends } = await world.counters(rule.id);
    assert.deepEqual([ends['limit'], (await world.counters(second.id)).ends['limit']], [2, 1]);
  });
});

describe('uring, the last descriptors, UDP', { skip }, () => {
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 1, descriptors: 512 }, events) });

  test('go to other sources than the one that holds most', async (t) => {
    const origin = await udpEcho(t);
    const up = async () => world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
    const rules = [await up(), await up(), await up()];
    const [glutton, neighbour] = [world.address(), world.address()];
    // More than half of all would be one rule's flood, which pushes out its own.
    for (const rule of rules.slice(0, 2)) {
      const clients = await Promise.all(Array.from({ length: 223 }, () => udpPeer(t, { address: glutton })));
      for (const client of clients) client.send('x', ...entryOf(rule));
      await Promise.all(clients.map((client) => client.datagram(0)));
    }
    const third = rules[2]!;
    // The listeners have three, so three more are not the last ones.
    for (let i = 0; i < 10; i++) (await udpPeer(t, { address: glutton })).send('x', ...entryOf(third));
    await eventually(async () => {
      const { connections, dropped } = await world.counters(third.id);
      assert.equal(connections + (dropped['limit'] ?? 0), 10);
      assert.ok((dropped['limit'] ?? 0) >= 6, JSON.stringify(dropped));
    });
    const client = await udpPeer(t, { address: neighbour });
    client.send('y', ...entryOf(third));
    assert.equal(String(await client.datagram(0)), 'y');
  });
});

describe('uring, short of buffers', { skip }, () => {
  // So few that the first burst of any stream takes them all, however slowly it comes.
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 1, buffers: 2 }, events) });

  test('T21: slow readers take all buffers, and others are still served', async (t) => {
    const flood = await tcpOrigin(t, (socket) => void socket.write(randomBytes(8 * MiB)));
    const origin = await tcpOrigin(t);
    const slow = await world.up(await world.rule(leadsTo(flood)));
    const rule = await world.up(await world.rule(leadsTo(origin)));
    const sleepers = await Promise.all(Array.from({ length: 20 }, () => tcpClient(t, ...entryOf(slow))));
    for (const sleeper of sleepers) sleeper.pause();
    for (let i = 0; i < 20; i++) {
      const client = await tcpClient(t, ...entryOf(rule));
      assert.equal(await ask(client, `question ${i}`), `question ${i}`);
      client.destroy();
    }
    await eventually(async () => {
      const { dropped } = await world.counters(slow.id);
      assert.ok((dropped['wait-buffers'] ?? 0) > 0, JSON.stringify(dropped));
    });
    const read = await Promise.all(sleepers.map((sleeper) => readMuch(sleeper, 8 * MiB)));
    assert.deepEqual(
      read,
      sleepers.map(() => 8 * MiB),
    );
  });
});

describe('uring, streams and messages', { skip }, () => {
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 2 }, events) });

  test('one connection: messages, a stream, messages, a stream, in order both ways', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.up(await world.rule(leadsTo(origin)));
    const client = await tcpClient(t, ...entryOf(rule));
    const said: Buffer[] = [];
    const heard: Buffer[] = [];
    client.on('data', (chunk: Buffer) => heard.push(chunk));
    const say = async (bytes: Buffer): Promise<void> => {
      said.push(bytes);
      client.write(bytes);
      await eventually(() => assert.equal(length(heard), length(said)));
    };
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 20; i++) await say(randomBytes(1 + i * 50));
      await say(randomBytes(6 * MiB));
    }
    assert.ok(Buffer.concat(heard).equals(Buffer.concat(said)));
  });

  test('an end and a reset in the middle of a stream pass on as what they are', async (t) => {
    const ends: string[] = [];
    const origin = await tcpOrigin(t, (socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
      socket.on('end', () => ends.push('fin'));
      echo(socket);
    });
    const rule = await world.up(await world.rule(leadsTo(origin)));
    const finisher = await tcpClient(t, ...entryOf(rule));
    const bytes = randomBytes(12 * MiB);
    finisher.end(bytes);
    assert.ok((await readAll(finisher)).bytes.equals(bytes));
    assert.deepEqual(ends, ['fin']);
    // order: another worker may tell of the second before this one is told.
    await world.ended(rule.id, 1);
    const breaker = await tcpClient(t, ...entryOf(rule));
    breaker.resume().write(bytes);
    await once(breaker, 'data');
    breaker.resetAndDestroy();
    await eventually(() => assert.deepEqual(ends, ['fin', 'ECONNRESET']));
    const records = await world.ended(rule.id, 2);
    assert.deepEqual(
      records.map(({ end }) => end),
      ['client-closed', 'client-reset'],
    );
    assert.equal(records[0]?.bytesIn, bytes.length);
    assert.equal(records[0]?.bytesOut, bytes.length);
  });
});

const length = (parts: readonly Buffer[]): number => parts.reduce((sum, { length }) => sum + length, 0);

function readMuch(socket: Socket, size: number): Promise<number> {
  return new Promise((resolve) => {
    let read = 0;
    socket.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read >= size) resolve(read);
    });
    socket.resume();
  });
}
