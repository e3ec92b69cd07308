/** UDP as every engine must carry it: datagram by datagram, by sessions, answered from the address that was asked. What binds a session is binding-cases.ts's. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineWorld, eventually, type EngineUnderTest } from './fixture.ts';
import { entryOf, firstPort, leadsTo, target } from './listener.ts';
import { parsePpv2 } from '../pass-through-parse.ts';
import { udpEcho, udpPeer, type UdpPeer } from './udp-peers.ts';

export function udpCases(under: EngineUnderTest): void {
  describe('UDP', { concurrency: 4 }, () => {
    const world = engineWorld(under);

    test('T7: datagrams pass both ways as they are, empty ones too', async (t) => {
      const origin = await udpEcho(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
      const client = await udpPeer(t);
      const sizes = [5, 0, 1472, 9000, 60_000];
      for (const [i, size] of sizes.entries()) {
        client.send(Buffer.alloc(size, i), ...entryOf(rule));
        assert.deepEqual(await client.datagram(i), Buffer.alloc(size, i));
      }
      const bytes = 5 + 1472 + 9000 + 60_000;
      const counters = await world.counters(rule.id);
      assert.deepEqual(
        [counters.connections, counters.packetsIn, counters.packetsOut, counters.bytesIn],
        [1, 5, 5, bytes],
      );
      await world.active(rule.id, 1);
      await world.engine.remove(rule.id);
      const [record] = await world.ended(rule.id);
      assert.deepEqual(
        [record?.client, record?.entry, record?.origin, record?.bytesIn, record?.bytesOut, record?.end],
        [
          { address: client.address, port: client.port },
          { address: rule.entries[0], port: firstPort(rule) },
          { address: origin.address, port: origin.port },
          bytes,
          bytes,
          'drained',
        ],
      );
    });

    test('T9: a reply leaves from the address and port that the client used', async (t) => {
      const origin = await udpEcho(t);
      const entries = [world.entry(), world.entry(), world.entry()];
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP', entries }));
      const client = await udpPeer(t);
      for (const [i, entry] of entries.entries()) {
        client.send(entry, entry, firstPort(rule));
        assert.equal(String(await client.datagram(i)), entry);
        assert.deepEqual([client.got[i]?.from.address, client.got[i]?.from.port], [entry, firstPort(rule)]);
      }
    });

    test('a client may get many replies to one datagram, and none that the origin did not send', async (t) => {
      const origin = await udpPeer(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
      const client = await udpPeer(t);
      const stranger = await udpPeer(t);
      client.send('question', ...entryOf(rule));
      await origin.datagram(0);
      const from = origin.got[0]?.from;
      assert.ok(from);
      // Nothing answers before the origin does, and only the origin is heard.
      assert.equal((await world.counters(rule.id)).packetsOut, 0);
      // A client on the engine's own machine may be led to the origin with no address in between.
      if (from.port !== client.port || from.address !== client.address)
        stranger.send('forged', from.address, from.port);
      for (const word of ['one', 'two', 'three']) origin.send(word, from.address, from.port);
      await client.datagram(2);
      assert.deepEqual(
        client.got.map(({ bytes }) => String(bytes)),
        ['one', 'two', 'three'],
      );
      assert.deepEqual((await world.counters(rule.id)).packetsOut, 3);
    });

    test('shares and session persistence hold for sessions as for connections', async (t) => {
      const origins = await Promise.all([1, 2].map(() => udpEcho(t)));
      const port = origins[0]?.port;
      const second = await udpEcho(t, { ...(port && { port }) });
      assert.ok(origins[0]);
      const first = origins[0];
      const rule = await world.rule({ ...leadsTo(first), protocol: 'UDP' });
      await world.up({ ...rule, targets: [target(first.address, 3), target(second.address, 1)] });
      for (let i = 0; i < 8; i++) {
        const client = await udpPeer(t);
        client.send('x', ...entryOf(rule));
        await client.datagram(0);
      }
      assert.deepEqual([first.got.length, second.got.length], [6, 2]);
      await world.up({ ...rule, targets: [target(first.address), target(second.address)], persistSeconds: 30 });
      const from = world.address();
      const before = [first.got.length, second.got.length];
      for (let i = 0; i < 6; i++) {
        const client = await udpPeer(t, { address: from });
        client.send('x', ...entryOf(rule));
        await client.datagram(0);
      }
      const grown = [first.got.length - (before[0] ?? 0), second.got.length - (before[1] ?? 0)];
      assert.deepEqual(
        grown.toSorted((a, b) => a - b),
        [0, 6],
      );
    });

    test('T38, session persistence of UDP ends with its time, and when it is switched off', async (t) => {
      const first = await udpEcho(t);
      const second = await udpEcho(t, { port: first.port });
      const rule = await world.rule({ ...leadsTo(first, second), protocol: 'UDP', persistSeconds: 2 });
      await world.up(rule);
      const from = world.address();
      const whoAnswers = async (): Promise<string> => {
        const before = first.got.length;
        const client = await udpPeer(t, { address: from });
        client.send('x', ...entryOf(rule));
        await client.datagram(0);
        return first.got.length > before ? 'first' : 'second';
      };
      let [one, two, took] = ['', '', Infinity];
      // A slow machine may need more than the time for two sessions; then they say nothing.
      while (took > 1900) {
        const began = performance.now();
        one = await whoAnswers();
        two = await whoAnswers();
        took = performance.now() - began;
      }
      assert.equal(two, one);
      await new Promise((resolve) => setTimeout(resolve, 2100));
      assert.notEqual(await whoAnswers(), one);
      await world.up({ ...rule, persistSeconds: 0 });
      const answers = [await whoAnswers(), await whoAnswers(), await whoAnswers(), await whoAnswers()];
      assert.equal(answers.filter((answer) => answer === 'first').length, 2, answers.join());
    });

    test('T10: a one-way sender leaves what is gone within a second, and is back within a second', async (t) => {
      const first = await udpPeer(t);
      const second = await udpPeer(t, { port: first.port });
      const rule = await world.rule({ ...leadsTo(first), protocol: 'UDP' });
      const to = (...peers: { address: string }[]) => ({
        ...rule,
        targets: peers.map(({ address }) => target(address)),
      });
      await world.up(to(first));
      const client = await udpPeer(t);
      const stop = new AbortController();
      t.after(() => stop.abort());
      void (async () => {
        for (let i = 0; !stop.signal.aborted; i++, await sleep(10)) client.send(String(i), ...entryOf(rule));
      })();
      const grows = async (peer: UdpPeer): Promise<void> => {
        const before = peer.got.length;
        await eventually(() => assert.ok(peer.got.length > before + 3));
      };
      const drops = async (): Promise<number> => (await world.counters(rule.id)).dropped['no-origin'] ?? 0;
      const dropsMore = async (): Promise<void> => {
        const before = await drops();
        await eventually(async () => assert.ok((await drops()) > before + 3));
      };
      /** The one gets what is sent, the other nothing more (what it had been sent before may still be read by then). */
      const goesTo = async (one: UdpPeer, other: UdpPeer): Promise<void> => {
        await grows(one);
        const before = other.got.length;
        await grows(one);
        assert.equal(other.got.length, before);
      };
      // The quickest: on a machine that is busy with other things the clock says nothing about one of them.
      const quickest = new Map<string, number>();
      const timed = async (what: string, change: Promise<unknown>, shown: () => Promise<void>): Promise<void> => {
        const since = performance.now();
        await change;
        await shown();
        quickest.set(what, Math.min(quickest.get(what) ?? Infinity, performance.now() - since));
      };
      const slowest = (): number => Math.max(...quickest.values());
      await goesTo(first, second);
      for (let made = 0; made === 0 || (made < 5 && slowest() >= 1000); made++) {
        await timed('origin removed', world.up(to(second)), () => grows(second));
        await goesTo(second, first);
        await timed('group emptied', world.up(to()), dropsMore);
        const before = second.got.length;
        await dropsMore();
        assert.equal(second.got.length, before);
        await timed('origin again', world.up(to(second)), () => grows(second));
        await goesTo(second, first);
        await world.engine.remove(rule.id);
        await timed('rule again', world.up(to(first)), () => grows(first));
        await goesTo(first, second);
      }
      stop.abort();
      t.diagnostic([...quickest].map(([what, ms]) => `${what}: ${ms.toFixed(0)} ms`).join(', '));
      assert.ok(slowest() < 1000, `${slowest()} ms`);
    });

    for (const [what, dead] of [
      ['refuses', () => world.address()],
      // Link-local without its link: no socket can be connected to it.
      ['cannot be reached', () => 'fe80::1'],
    ] as const)
      test(`clients that ask once are all served where one origin of two ${what}`, async (t) => {
        if (!world.engine.capabilities().nextOrigin) return t.skip('the engine does not try a next origin');
        const alive = await udpEcho(t);
        const rule = await world.rule({ ...leadsTo(alive), protocol: 'UDP', mode: 'PPV2' });
        await world.up({ ...rule, targets: [target(dead()), target(alive.address)] });
        for (let i = 0; i < 20; i++) {
          const client = await udpPeer(t);
          client.send(`question ${i}`, ...entryOf(rule));
          const answer = await client.datagram(0);
          assert.equal(String(answer.subarray(-`question ${i}`.length)), `question ${i}`);
          assert.equal(parsePpv2(answer).kind, 'proxied');
        }
        assert.equal(alive.got.length, 20);
        const { packetsIn, bytesIn, dropped } = await world.counters(rule.id);
        assert.deepEqual([packetsIn, bytesIn, dropped], [20, 10 * 10 + 10 * 11, {}]);
        await world.engine.remove(rule.id);
        const ended = await eventually(async () => {
          const records = await world.ended(rule.id, 20);
          assert.equal(records.filter(({ origin }) => origin?.address === alive.address).length, 20);
          return records;
        });
        const sum = ended.reduce((bytes, record) => bytes + record.bytesIn, 0);
        assert.equal(sum, bytesIn);
        const { unanswered, connections } = await world.counters(rule.id);
        assert.equal(unanswered ?? 0, connections - 20);
      });

    test('a session whose origin never answers is counted, once', async (t) => {
      const origin = await udpPeer(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
      const client = await udpPeer(t);
      for (let i = 0; i < 3; i++) {
        client.send('x', ...entryOf(rule));
        await origin.datagram(i);
      }
      await world.engine.remove(rule.id);
      await world.ended(rule.id);
      await eventually(async () => assert.equal((await world.counters(rule.id)).unanswered, 1));
    });

    test('a session whose origin refuses goes to another origin', async (t) => {
      if (!world.engine.capabilities().nextOrigin) return t.skip('the engine does not try a next origin');
      const second = await udpEcho(t);
      const rule = await world.rule({ ...leadsTo(second), protocol: 'UDP' });
      await world.up({ ...rule, targets: [target(world.address()), target(second.address)] });
      const client = await udpPeer(t);
      await eventually(() => {
        client.send('x', ...entryOf(rule));
        assert.ok(client.got.length > 0);
      });
      assert.equal((await world.ended(rule.id))[0]?.end, 'origin-refused');
    });
  });
}
