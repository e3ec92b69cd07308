/** Bursts of datagrams through the uring engine: sent together, they arrive one by one, whole, in order. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { Mode } from '../../src/domain/l4-rule/modes.ts';
import { SOL_UDP, UDP_SEGMENT } from '../../src/linux/abi.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { setsockopt } from '../../src/linux/ffi/libc.ts';
import { engineWorld, eventually, loopback } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo, target } from '../suites/engine/listener.ts';
import { newcomersUntilServed, udpEcho, udpPeer } from '../suites/engine/udp-peers.ts';
import type { UdpPeer } from '../suites/engine/udp-peers.ts';

const skip = (await whyUnavailable()) ?? false;
/** Runs of equal ones, shorter and longer ones, empty ones, one that no frame carries. */
const SIZES = [64, 64, 64, 10, 64, 64, 1200, 1200, 1200, 7, 0, 0, 5, 1472, 1472, 9000, 9000, 1, 1, 1, 1, 1473];

describe('uring, bursts of datagrams', { skip }, () => {
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 1 }, events) });

  for (const [mode, header] of [
    ['OFF', 0],
    ['SPP', 38],
  ] as const satisfies [Mode, number][]) {
    test(`${mode}: what is sent at once arrives one by one, in order, both ways`, async (t) => {
      const address = loopback();
      const origin = createSocket('udp4').bind(0, address);
      await once(origin, 'listening');
      t.after(() => origin.close());
      const heard: Buffer[] = [];
      origin.on('message', (datagram, { port, address }) => {
        heard.push(datagram.subarray(header));
        origin.send(datagram, port, address);
      });
      const rule = await world.up(
        await world.rule({ ...leadsTo({ address, port: origin.address().port }), mode, protocol: 'UDP' }),
      );
      const client = createSocket('udp4');
      t.after(() => client.close());
      const answers: Buffer[] = [];
      client.on('message', (datagram) => answers.push(datagram));
      const said: Buffer[] = [];
      const [to, port] = entryOf(rule);
      for (let burst = 0; burst < 10; burst++) {
        for (const size of SIZES) {
          const datagram = randomBytes(size);
          said.push(datagram);
          client.send(datagram, port, to);
        }
        await eventually(() => assert.equal(answers.length, said.length));
      }
      const same = (a: readonly Buffer[], b: readonly Buffer[]): boolean =>
        a.every((part, i) => part.equals(b[i] ?? Buffer.alloc(0)));
      assert.ok(heard.length === said.length && same(heard, said), 'at the origin');
      assert.ok(same(answers, said), 'back at the client');
      const { packetsIn, packetsOut, bytesIn, dropped } = await world.counters(rule.id);
      const bytes = said.reduce((sum, { length }) => sum + length, 0);
      assert.deepEqual(
        { packetsIn, packetsOut, bytesIn, dropped },
        { packetsIn: said.length, packetsOut: said.length, bytesIn: bytes, dropped: {} },
      );
    });
  }
});

describe('uring, bursts that are written as one', { skip }, () => {
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 1 }, events) });

  // 9,000: longer than a segment that leaves as it came, so the burst is taken apart.
  for (const [mode, segment] of [
    ['OFF', 500],
    ['OFF', 9000],
    ['SPP', 500],
    ['PPV2', 500],
  ] as const satisfies [Mode, number][]) {
    test(`${mode}, datagrams of ${segment} bytes: they arrive one by one, in order, both ways`, async (t) => {
      const head = mode === 'SPP' ? 38 : 0;
      const origin = await udpPeer(t);
      const client = await udpPeer(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), mode, protocol: 'UDP' }));
      const [to, port] = entryOf(rule);
      if (mode === 'PPV2') {
        client.send('first', to, port);
        assert.equal((await origin.datagram(0)).length, 28 + 5);
        origin.got.length = 0;
      }
      const parts = [segment, segment, segment, 100].map((size) => randomBytes(size - head));
      for (const peer of [origin, client]) writesBursts(peer, segment);
      client.send(Buffer.concat(parts), to, port);
      // What was written in pieces of `segment` bytes, the header of SPP not among them.
      const said = pieces(Buffer.concat(parts), segment);
      await origin.datagram(said.length - 1);
      assert.deepEqual(
        origin.got.map(({ bytes }) => bytes.subarray(head).toString('hex')),
        said.map((part) => part.toString('hex')),
      );
      const first = origin.got[0];
      assert.ok(first);
      const answers = parts.map((part) => Buffer.concat([first.bytes.subarray(0, head), part]));
      origin.send(Buffer.concat(answers), first.from.address, first.from.port);
      await client.datagram(parts.length - 1);
      assert.deepEqual(
        client.got.map(({ bytes }) => bytes.toString('hex')),
        parts.map((part) => part.toString('hex')),
      );
      const { packetsIn, packetsOut, dropped } = await world.counters(rule.id);
      const earlier = mode === 'PPV2' ? 1 : 0;
      assert.deepEqual(
        { packetsIn, packetsOut, dropped },
        { packetsIn: said.length + earlier, packetsOut: parts.length, dropped: {} },
      );
    });
  }

  for (const [mode, head] of [
    ['OFF', 0],
    ['SPP', 38],
  ] as const satisfies [Mode, number][]) {
    test(`${mode}: a stream of replies, which the engine takes in bursts after a while`, async (t) => {
      const [origin, client] = [await udpPeer(t), await udpPeer(t)];
      const rule = await world.up(await world.rule({ ...leadsTo(origin), mode, protocol: 'UDP' }));
      client.send('go', ...entryOf(rule));
      await origin.datagram(0);
      const first = origin.got[0];
      assert.ok(first);
      const header = first.bytes.subarray(0, head);
      writesBursts(origin, 200 + head);
      const said: Buffer[] = [];
      for (let burst = 0; burst < 40; burst++) {
        const parts = Array.from({ length: 20 + (burst % 5) }, () => randomBytes(200));
        // Now and then a short one at the end, or one alone.
        if (burst % 3 === 0) parts.push(randomBytes(1 + burst));
        if (burst % 7 === 0) parts.splice(1);
        origin.send(Buffer.concat(parts.flatMap((part) => [header, part])), first.from.address, first.from.port);
        said.push(...parts);
        await client.datagram(said.length - 1);
      }
      assert.ok(said.every((part, i) => client.got[i]?.bytes.equals(part)) && client.got.length === said.length);
      const { packetsOut, bytesOut, dropped } = await world.counters(rule.id);
      const bytes = said.reduce((sum, { length }) => sum + length, 0);
      assert.deepEqual({ packetsOut, bytesOut, dropped }, { packetsOut: said.length, bytesOut: bytes, dropped: {} });
    });
  }
});

/** From now on the system makes datagrams of `segment` bytes of each that the peer sends. */
function writesBursts({ socket }: UdpPeer, segment: number): void {
  const inner = Object.getOwnPropertySymbols(socket).map((symbol): unknown => Reflect.get(socket, symbol));
  const state = inner.find((value) => typeof value === 'object' && value !== null && 'handle' in value);
  const { fd } = (state as { handle: { fd: number } }).handle;
  assert.ok(setsockopt(fd, SOL_UDP, UDP_SEGMENT, Int32Array.of(segment), 4) >= 0);
}

const pieces = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

describe('uring, more clients than descriptors', { skip }, () => {
  // One rule may have half of them.
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 1, descriptors: 20 }, events) });

  test('newcomers take the place of sessions that are over; a conversation goes on', async (t) => {
    const origin = await udpEcho(t);
    const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
    const talker = await udpPeer(t);
    for (let i = 0; i < 2; i++) {
      talker.send(`${i}`, ...entryOf(rule));
      await talker.datagram(i);
    }
    const peers = await Promise.all(Array.from({ length: 30 }, () => udpPeer(t)));
    for (const peer of peers) peer.send('x', ...entryOf(rule));
    await newcomersUntilServed(t, entryOf(rule));
    talker.send('still here', ...entryOf(rule));
    assert.equal(String(await talker.datagram(2)), 'still here');
    const last = origin.got.findLast(({ bytes }) => String(bytes) === 'still here');
    assert.equal(last?.from.port, origin.got[0]?.from.port, 'from the same socket as ever');
    await eventually(async () => {
      const { connections, ends, active } = await world.counters(rule.id);
      assert.ok((ends['evicted'] ?? 0) >= 1 && active <= 10, JSON.stringify({ connections, ends, active }));
      assert.equal(connections, active + (ends['evicted'] ?? 0));
    });
  });
});

describe('uring, an origin that its name no longer says', { skip }, () => {
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 1 }, events) });

  test('C6: its session ends once it has not answered for ten seconds, and the client is served by another', async (t) => {
    const [old, other] = [await udpEcho(t), loopback()];
    const fresh = await udpPeer(t, { address: other, port: old.port }, (bytes) => bytes);
    const rule = await world.up(await world.rule({ ...leadsTo(old), protocol: 'UDP' }));
    const client = await udpPeer(t);
    client.send('one', ...entryOf(rule));
    await client.datagram(0);
    await world.up({ ...rule, targets: [target(other), { ...target(old.address, 0), left: true }] });
    // Silent, but not refusing: nobody reads any more.
    old.socket.removeAllListeners('message');
    const asking = setInterval(() => client.send('two', ...entryOf(rule)), 200);
    t.after(() => clearInterval(asking));
    const started = performance.now();
    assert.equal(String(await client.datagram(1)), 'two');
    assert.ok(performance.now() - started > 9_500, 'not before');
    assert.ok(fresh.got.length > 0);
    assert.equal((await world.ended(rule.id))[0]?.end, 'drained');
  });
});

describe('uring, datagrams for which a buffer has no room', { skip }, () => {
  const world = engineWorld({ create: (events) => createUringEngineWith({ workers: 1 }, events) });
  /** More than the largest buffer that a system allows. */
  const [COUNT, SIZE] = [600, 60_000];

  test("are counted, in the rule's socket and in its sessions'", async (t) => {
    const origin = await udpPeer(t);
    const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
    const client = await udpPeer(t);
    client.send('x', ...entryOf(rule));
    await origin.datagram(0);
    const { address, port } = origin.got[0]!.from;
    // Nothing is received while another process is about to, so all of it waits in the buffers.
    await world.engine.succession.handOver();
    const datagram = Buffer.alloc(SIZE);
    const sendAll = async (from: UdpPeer, to: string, toPort: number): Promise<void> => {
      for (let i = 0; i < COUNT; i++)
        await new Promise<void>((sent) => from.socket.send(datagram, toPort, to, () => sent()));
    };
    await sendAll(client, ...entryOf(rule));
    await sendAll(origin, address, port);
    await world.engine.succession.resume();
    await eventually(async () => {
      const { packetsIn, packetsOut, dropped } = await world.counters(rule.id);
      assert.equal(packetsIn + (dropped['overflow'] ?? 0), COUNT + 1);
      assert.ok(packetsIn > 1 && packetsOut > 1 && (dropped['overflow'] ?? 0) > 0);
    });
    const before = await world.counters(rule.id);
    await world.engine.remove(rule.id);
    await world.ended(rule.id);
    const { packetsOut, dropped } = await world.counters(rule.id);
    assert.equal(packetsOut + ((dropped['overflow'] ?? 0) - (before.dropped['overflow'] ?? 0)), COUNT);
  });
});
