/**
 * T8: what a UDP session is bound to, and for how long. One client address and port at one place of a rule has one socket
 * towards one origin; it stays so until the session is idle, its origin goes or its rule does; and nobody but that origin
 * is heard through it. Datagrams themselves are udp-cases.ts's.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineWorld, eventually, freePort, type EngineUnderTest } from './fixture.ts';
import { entryOf, leadsTo, options, target } from './listener.ts';
import { udpEcho, udpPeer, type UdpPeer } from './udp-peers.ts';

const IDLE_S = 3;
const idle = { options: options({ idleSeconds: IDLE_S }) };

const texts = ({ got }: UdpPeer): string[] => got.map(({ bytes }) => String(bytes));

/** Who sent the n-th datagram: the session's socket, as its origin sees it. */
function senderOf({ got }: UdpPeer, n: number): { readonly address: string; readonly port: number } {
  const from = got[n]?.from;
  assert.ok(from, `no datagram ${n}`);
  return { address: from.address, port: from.port };
}

/**
 * Acts all the time until more than the idle time is over. False: the machine stood still for so long meanwhile that the
 * session may be idle for want of time, which says nothing.
 */
async function beyondIdle(act: () => void): Promise<boolean> {
  const began = performance.now();
  let last = began;
  let longest = 0;
  while (last - began < (IDLE_S + 1.5) * 1000) {
    act();
    await sleep(50);
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  return longest < IDLE_S * 500;
}

export function bindingCases(under: EngineUnderTest): void {
  describe('UDP sessions', { concurrency: 4 }, () => {
    const world = engineWorld(under);

    test('T8: each client address and port has a socket of its own at each place of the rule', async (t) => {
      const origin = await udpEcho(t);
      const entries = [world.entry(), world.entry()];
      const from = await freePort(entries[0]);
      const ports = [{ from, to: from + 1 }];
      await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP', entries, ports, id: `places-${from}` }));
      const first = await udpPeer(t);
      // Another port of the same address, and the same port of another address.
      const clients = [first, await udpPeer(t, { address: first.address }), await udpPeer(t, { port: first.port })];
      const places = entries.flatMap((entry) => [from, from + 1].map((port) => [entry, port] as const));
      const round = async (): Promise<string[]> => {
        const senders: string[] = [];
        for (const client of clients) {
          for (const [entry, port] of places) {
            const { length } = client.got;
            client.send('x', entry, port);
            await client.datagram(length);
            assert.deepEqual(senderOf(client, length), { address: entry, port });
            const { address, port: seen } = senderOf(origin, origin.got.length - 1);
            senders.push(`${address} ${seen}`);
          }
        }
        return senders;
      };
      const senders = await round();
      assert.equal(new Set(senders).size, 12);
      assert.deepEqual(await round(), senders);
      const { connections, packetsIn, packetsOut, dropped } = await world.counters(`places-${from}`);
      assert.deepEqual([connections, packetsIn, packetsOut, dropped], [12, 24, 24, {}]);
      await world.active(`places-${from}`, 12);
    });

    test('T8: an empty datagram opens a session; any number of replies passes, empty and late ones too', async (t) => {
      const origin = await udpPeer(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
      const [client, other] = [await udpPeer(t), await udpPeer(t)];
      client.send('', ...entryOf(rule));
      assert.equal((await origin.datagram(0)).length, 0);
      const session = senderOf(origin, 0);
      origin.send('', session.address, session.port);
      assert.equal((await client.datagram(0)).length, 0);
      // Somebody else comes and is answered before the rest: order is a client's own.
      other.send('another', ...entryOf(rule));
      await origin.datagram(1);
      const second = senderOf(origin, 1);
      assert.notDeepEqual(second, session);
      origin.send('yours', second.address, second.port);
      await other.datagram(0);
      for (const word of ['one', '', 'three']) origin.send(word, session.address, session.port);
      await client.datagram(3);
      assert.deepEqual([texts(client), texts(other)], [['', 'one', '', 'three'], ['yours']]);
      const { connections, packetsIn, packetsOut } = await world.counters(rule.id);
      assert.deepEqual([connections, packetsIn, packetsOut], [2, 2, 5]);
    });

    for (const [who, speaks] of [
      ['the client', (client: UdpPeer, to: [string, number]) => client.send('x', ...to)],
      ['the origin', (origin: UdpPeer, to: [string, number]) => origin.send('x', ...to)],
      ['empty datagrams', (client: UdpPeer, to: [string, number]) => client.send('', ...to)],
    ] as const) {
      test(`T8: a session in which ${who} alone can be heard is not idle`, async (t) => {
        const origin = await udpPeer(t);
        const rule = await world.up(await world.rule({ ...leadsTo(origin), ...idle, protocol: 'UDP' }));
        for (let isFair = false; !isFair;) {
          const client = await udpPeer(t);
          const known = origin.got.length;
          client.send('first', ...entryOf(rule));
          await origin.datagram(known);
          const { address, port } = senderOf(origin, known);
          isFair = await beyondIdle(() =>
            who === 'the origin' ? speaks(origin, [address, port]) : speaks(client, entryOf(rule)),
          );
          if (!isFair) continue;
          assert.ok(!world.records(rule.id).some((record) => record.client.port === client.port && record.end));
          const { length } = client.got;
          origin.send('last', address, port);
          await eventually(() => assert.equal(texts(client).at(-1), 'last'));
          assert.ok(length > 20 || who !== 'the origin', `${length} replies`);
          assert.deepEqual(
            origin.got.slice(known).filter(({ from }) => from.port !== port),
            [],
          );
        }
      });
    }

    test('T8: what ends as idle hears nothing more, begins anew, and was nobody else’s', async (t) => {
      const origin = await udpPeer(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), ...idle, protocol: 'UDP' }));
      const [client, neighbour] = [await udpPeer(t), await udpPeer(t)];
      client.send('a', ...entryOf(rule));
      await origin.datagram(0);
      const session = senderOf(origin, 0);
      const isFair = await beyondIdle(() => neighbour.send('still here', ...entryOf(rule)));
      const [record] = await world.ended(rule.id);
      assert.deepEqual([record?.end, record?.client.port], ['idle', client.port]);
      origin.send('too late', session.address, session.port);
      client.send('b', ...entryOf(rule));
      await eventually(() => assert.ok(texts(origin).includes('b')));
      const again = senderOf(origin, texts(origin).indexOf('b'));
      origin.send('in time', again.address, again.port);
      await client.datagram(0);
      assert.deepEqual(texts(client), ['in time']);
      if (!isFair) return;
      const neighbours = origin.got.filter(({ bytes }) => String(bytes) === 'still here');
      assert.equal(new Set(neighbours.map(({ from }) => from.port)).size, 1);
      assert.deepEqual((await world.counters(rule.id)).connections, 3);
    });

    test('T8: another port of the origin and another origin are not heard, and keep no session alive', async (t) => {
      const origin = await udpPeer(t);
      const strangers = [await udpPeer(t, { address: origin.address }), await udpPeer(t, { port: origin.port })];
      const rule = await world.rule({ ...leadsTo(origin), ...idle, protocol: 'UDP' });
      await world.up(rule);
      const client = await udpPeer(t);
      client.send('question', ...entryOf(rule));
      await origin.datagram(0);
      const session = senderOf(origin, 0);
      // The second of them is an origin of the rule from now on, but not of this session.
      await world.up({ ...rule, targets: [...rule.targets, target(strangers[1]?.address ?? '')] });
      const forge = (): void => {
        for (const stranger of strangers) stranger.send('forged', session.address, session.port);
      };
      // A client on the engine's own machine may be led to the origin with no address in between.
      if (session.port === client.port && session.address === client.address) return;
      forge();
      origin.send('true', session.address, session.port);
      await client.datagram(0);
      assert.deepEqual(texts(client), ['true']);
      assert.equal((await world.counters(rule.id)).packetsOut, 1);
      await eventually(() => {
        forge();
        assert.equal(world.records(rule.id).filter(({ end }) => end === 'idle').length, 1);
      });
      assert.deepEqual(texts(client), ['true']);
    });

    test('T8: a session stays with its origin through any change of shares, and leaves with it', async (t) => {
      const origin = await udpEcho(t);
      const other = await udpEcho(t, { port: origin.port });
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
      const client = await udpPeer(t);
      const ask = async (who: UdpPeer): Promise<void> => {
        const { length } = who.got;
        who.send('x', ...entryOf(rule));
        await who.datagram(length);
      };
      await ask(client);
      for (const weight of [1, 0, 7]) {
        await world.up({ ...rule, targets: [target(other.address, 100), target(origin.address, weight)] });
        await ask(client);
      }
      assert.deepEqual([origin.got.length, other.got.length], [4, 0]);
      assert.equal(new Set(origin.got.map(({ from }) => from.port)).size, 1);
      await world.up({ ...rule, targets: [target(other.address, 100), target(origin.address, 0)] });
      await ask(await udpPeer(t));
      assert.deepEqual([origin.got.length, other.got.length], [4, 1]);
      await world.up({ ...rule, targets: [target(other.address)] });
      // Within a second, where an engine moves what it finds now and then.
      await eventually(async () => {
        client.send('x', ...entryOf(rule));
        await sleep(20);
        assert.ok(other.got.length > 1);
      });
      assert.equal((await world.ended(rule.id))[0]?.end, 'drained');
    });

    test('T8: a session that its rule has left hears nothing more', async (t) => {
      const origin = await udpPeer(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
      const client = await udpPeer(t);
      client.send('a', ...entryOf(rule));
      await origin.datagram(0);
      const before = senderOf(origin, 0);
      await world.engine.remove(rule.id);
      assert.equal((await world.ended(rule.id))[0]?.end, 'drained');
      origin.send('too late', before.address, before.port);
      await world.up(rule);
      client.send('b', ...entryOf(rule));
      await origin.datagram(1);
      const now = senderOf(origin, 1);
      origin.send('in time', now.address, now.port);
      await client.datagram(0);
      assert.deepEqual(texts(client), ['in time']);
      assert.deepEqual((await world.counters(rule.id)).connections, 2);
    });
  });
}
