/** Bursts of datagrams through the uring engine: sent together, they arrive one by one, whole, in order. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { Mode } from '../../src/domain/l4-rule/modes.ts';
import { createUringEngineWith } from '../../src/edge/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/edge/engines/uring/probe.ts';
import { engineWorld, eventually, loopback } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo } from '../suites/engine/listener.ts';
import { newcomersUntilServed, udpEcho, udpPeer } from '../suites/engine/udp-peers.ts';

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
      assert.ok((ends.evicted ?? 0) >= 1 && active <= 10, JSON.stringify({ connections, ends, active }));
      assert.equal(connections, active + (ends.evicted ?? 0));
    });
  });
});
