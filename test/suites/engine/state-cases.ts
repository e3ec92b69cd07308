/** States of targets that an engine is told: who gets a connection, and who keeps one. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { OriginState } from '../../../src/domain/fact/health.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Listener, Target } from '../../../src/engines/engine.ts';
import { chorus } from './chorus.ts';
import { engineWorld, eventually, freePort, type EngineUnderTest } from './fixture.ts';
import { entryOf, leadsTo, options, target } from './listener.ts';
import { ask, dialTcp, readAll, tcpClient, tcpOrigin } from './tcp-peers.ts';
import { udpEcho, udpPeer } from './udp-peers.ts';

/** limit: what CI has time for; `npm run flips` takes 1,000 sessions, and a minute. */
const SESSIONS = Number(process.env['FLIP_SESSIONS'] ?? 200);
const FLIPS = Number(process.env['FLIP_SECONDS'] ?? 10);

export function stateCases(under: EngineUnderTest): void {
  describe('states of origins', { concurrency: 4 }, () => {
    const world = engineWorld(under);

    const say = (state: OriginState, ...addresses: string[]): Promise<void> =>
      world.engine.states(addresses.map((address) => ({ target: target(address).number, state })));

    /** A rule that leads to so many origins, which tell their address. */
    async function served(t: TestContext, count: number): Promise<{ rule: Listener; addresses: string[] }> {
      const port = await freePort();
      const addresses = Array.from({ length: count }, () => world.address());
      for (const address of addresses) await tcpOrigin(t, (socket) => void socket.end(address), { address, port });
      const rule = await world.rule(leadsTo(...addresses.map((address) => ({ address, port }))));
      return { rule: await world.up(rule), addresses };
    }
    async function answers(t: TestContext, rule: Listener, count: number): Promise<Record<string, number>> {
      const counts: Record<string, number> = {};
      for (let i = 0; i < count; i++) {
        const client = dialTcp(t, ...entryOf(rule));
        const answer = (await readAll(client)).bytes.toString();
        client.end();
        counts[answer] = (counts[answer] ?? 0) + 1;
      }
      return counts;
    }

    test('a target that is down gets nothing new, in any rule, and its share when it is up', async (t) => {
      const { rule, addresses } = await served(t, 2);
      const [bad = '', good = ''] = addresses;
      const second = await world.up(await world.rule({ targets: rule.targets, originPorts: rule.originPorts }));
      await say('down', bad);
      assert.deepEqual([await answers(t, rule, 6), await answers(t, second, 4)], [{ [good]: 6 }, { [good]: 4 }]);
      await say('up', bad);
      assert.deepEqual(await answers(t, rule, 8), { [bad]: 4, [good]: 4 });
    });

    test('a state that is said before the rule is there counts for it', async (t) => {
      const { rule, addresses } = await served(t, 2);
      const [bad = '', good = ''] = addresses;
      await say('down', bad);
      await world.engine.remove(rule.id);
      const again = await world.up({ ...rule, id: `${rule.id}-again` });
      assert.deepEqual(await answers(t, again, 4), { [good]: 4 });
    });

    test('the next tier is used when all of a tier are down; where all are, as if all were up', async (t) => {
      const { rule, addresses } = await served(t, 3);
      const [first = '', second = '', reserve = ''] = addresses;
      await world.up({ ...rule, targets: [target(first), target(second), target(reserve, 10, 1)] });
      await say('down', first, second);
      assert.deepEqual(await answers(t, rule, 3), { [reserve]: 3 });
      await say('down', reserve);
      assert.deepEqual(await answers(t, rule, 4), { [first]: 2, [second]: 2 });
    });

    test('a target to try takes one connection, then none until its state is said', async (t) => {
      const { rule, addresses } = await served(t, 2);
      const [tried = '', good = ''] = addresses;
      let led = 0;
      const answersOfEight = async (): Promise<Record<string, number>> => {
        const counts = await answers(t, rule, 8);
        led += counts[tried] ?? 0;
        return counts;
      };
      await say('down', tried);
      for (let tries = 0; tries < 2; tries++) {
        await say('try', tried);
        const { [tried]: taken = 0, [good]: others = 0 } = await answersOfEight();
        if (!world.engine.capabilities().translates) assert.deepEqual([taken, others], [1, 7]);
        // Clients dial themselves: those that come before the engine sees the first of them are led there too.
        else await eventually(async () => assert.deepEqual(await answersOfEight(), { [good]: 8 }));
        // Else one that is counted late would be taken for the next try.
        await eventually(() => assert.equal(world.outcomeCounts(target(tried).number)['ok'], led));
        assert.ok(taken >= 1 && taken <= 4, `${taken} of 8`);
      }
      await say('up', tried);
      assert.deepEqual(await answers(t, rule, 4), { [tried]: 2, [good]: 2 });
    });

    test('a target that starts slowly is chosen as if it weighed less, alone as if it did not', async (t) => {
      const { rule: fast, addresses } = await served(t, 3);
      const [fresh = '', whole = '', reserve = ''] = addresses;
      const targets = [target(fresh), target(whole), target(reserve, 10, 1)];
      const rule = await world.up({ ...fast, targets, options: options({ slowStartSeconds: 60 }) });
      const share = (part: number): Promise<void> =>
        world.engine.states([{ target: target(fresh).number, state: 'up', share: part }]);
      await say('down', fresh);
      await share(64);
      // Clients that dial themselves find it in whole parts of a rotation of sixteen: three, where it should be 3.2.
      const of80 = world.engine.capabilities().translates ? 15 : 16;
      assert.deepEqual(await answers(t, rule, 80), { [fresh]: of80, [whole]: 80 - of80 });
      await say('down', whole);
      assert.deepEqual(await answers(t, rule, 4), { [fresh]: 4 });
      await say('up', whole);
      await say('up', fresh);
      assert.deepEqual(await answers(t, rule, 16), { [fresh]: 8, [whole]: 8 });
    });

    test('UDP sessions come slowly to a target that starts slowly', async (t) => {
      const fresh = await udpPeer(t, {}, (bytes) => bytes);
      const whole = await udpPeer(t, { port: fresh.port }, (bytes) => bytes);
      const slowly = options({ slowStartSeconds: 60 });
      const rule = await world.up(await world.rule({ ...leadsTo(fresh, whole), protocol: 'UDP', options: slowly }));
      await world.engine.states([{ target: target(fresh.address).number, state: 'up', share: 64 }]);
      const of80 = world.engine.capabilities().translates ? 15 : 16;
      for (let i = 0; i < 80; i++) {
        const client = await udpPeer(t);
        client.send('one', ...entryOf(rule));
        await client.datagram(0);
      }
      assert.deepEqual([fresh.got.length, whole.got.length], [of80, 80 - of80]);
    });

    test('connections to a target that goes down stay', async (t) => {
      const origin = await tcpOrigin(t);
      const other = await tcpOrigin(t, undefined, { port: origin.port });
      const rule = await world.up(await world.rule(leadsTo(origin, other)));
      const clients = [await tcpClient(t, ...entryOf(rule)), await tcpClient(t, ...entryOf(rule))];
      for (const client of clients) assert.equal(await ask(client, 'hello'), 'hello');
      await say('down', origin.address);
      for (const client of clients) assert.equal(await ask(client, 'still'), 'still');
      await say('up', origin.address);
      for (const client of clients) assert.equal(await ask(client, 'again'), 'again');
      await world.active(rule.id, 2);
    });

    test('a UDP session leaves a target that is down at its next datagram; the others stay', async (t) => {
      const echo = (bytes: Buffer): Buffer => bytes;
      const first = await udpPeer(t, {}, echo);
      const second = await udpPeer(t, { port: first.port }, echo);
      const rule = await world.up(await world.rule({ ...leadsTo(first, second), protocol: 'UDP' }));
      const clients = [await udpPeer(t), await udpPeer(t)];
      for (const client of clients) {
        client.send('one', ...entryOf(rule));
        await client.datagram(0);
      }
      assert.deepEqual([first.got.length, second.got.length], [1, 1]);
      await say('down', first.address);
      for (const client of clients) {
        client.send('two', ...entryOf(rule));
        assert.equal((await client.datagram(1)).toString(), 'two');
      }
      assert.deepEqual([first.got.length, second.got.length], [1, 3]);
      assert.equal((await world.counters(rule.id)).connections, 3);
    });

    test(`${SESSIONS} UDP sessions with an origin that goes down move at once, no other does, and answers come from the same port`, async (t) => {
      const tells = (who: string) => (): Buffer => Buffer.from(who);
      const ill = await udpPeer(t, {}, tells('ill'));
      const well = await udpPeer(t, { port: ill.port }, tells('well'));
      const rule = await world.up(await world.rule({ ...leadsTo(ill, well), protocol: 'UDP' }));
      const clients = await Promise.all(Array.from({ length: 2 * SESSIONS }, () => udpPeer(t)));
      async function round(number: number): Promise<string[]> {
        for (const [i, client] of clients.entries()) {
          client.send('?', ...entryOf(rule));
          // A socket of a test holds some hundred datagrams.
          if (i % 50 === 49) await Promise.all(clients.slice(i - 49, i + 1).map((one) => one.datagram(number)));
        }
        return clients.map(({ got }) => String(got[number]?.bytes));
      }
      const before = await round(0);
      assert.deepEqual([ill.got.length, well.got.length], [SESSIONS, SESSIONS]);
      await say('down', ill.address);
      assert.deepEqual(
        await round(1),
        clients.map(() => 'well'),
      );
      assert.equal(ill.got.length, SESSIONS, 'nothing was sent there once it was said');
      // One session more for each that has moved, and none for the others.
      assert.equal((await world.counters(rule.id)).connections, 3 * SESSIONS);
      await say('up', ill.address);
      await round(2);
      assert.equal((await world.counters(rule.id)).connections, 3 * SESSIONS, 'nobody is moved back');
      assert.equal(before.filter((who) => who === 'ill').length, SESSIONS);
      for (const { got } of clients)
        for (const { from } of got) assert.deepEqual([from.address, from.port], entryOf(rule));
    });

    test(`an origin that comes and goes each second for ${FLIPS} harms no connection, and moves each session once`, async (t) => {
      const [ill, illUdp] = [await tcpOrigin(t), await udpEcho(t)];
      const well = await tcpOrigin(t, undefined, { port: ill.port });
      const wellUdp = await udpEcho(t, { port: illUdp.port });
      const rule = await world.up(await world.rule(leadsTo(ill, well)));
      const udpRule = await world.up(await world.rule({ ...leadsTo(illUdp, wellUdp), protocol: 'UDP' }));
      const talk = await chorus(t, entryOf(rule), entryOf(udpRule), { connections: 40, sessions: 0 });
      await talk.allSpeakAgain();
      assert.deepEqual([ill.connections.length, well.connections.length], [20, 20]);
      const talkers = await Promise.all(Array.from({ length: 40 }, () => udpPeer(t)));
      // not: while it flips. A datagram on its way back to a session that moves is lost.
      const allAsk = (round: number): Promise<unknown> =>
        Promise.all(
          talkers.map((talker) => {
            talker.send(`${round}`, ...entryOf(udpRule));
            return talker.datagram(round);
          }),
        );
      await allAsk(0);
      for (let flip = 0; flip < FLIPS; flip++) {
        await say(flip % 2 === 0 ? 'down' : 'up', ill.address, illUdp.address);
        await allAsk(flip + 1);
        await sleep(1_000);
      }
      await talk.allSpeakAgain();
      await talk.end();
      const [tcp, udp] = [await world.counters(rule.id), await world.counters(udpRule.id)];
      assert.deepEqual([tcp.connections, udp.connections], [40, 60]);
    });

    test('where all are down, each gets its share of connections and sessions by its weight', async (t) => {
      const { rule, addresses } = await served(t, 4);
      const weigh = (address: string, i: number): Target => target(address, [50, 30, 20, 10][i], i === 3 ? 1 : 0);
      await world.up({ ...rule, targets: addresses.map(weigh) });
      await say('down', ...addresses);
      const expected = { [addresses[0]!]: 50, [addresses[1]!]: 30, [addresses[2]!]: 20 };
      assert.deepEqual(await answers(t, rule, 100), expected);
      const first = await udpEcho(t);
      const peers = [first, await udpEcho(t, { port: first.port }), await udpEcho(t, { port: first.port })];
      const targets = peers.map(({ address }, i) => weigh(address, i));
      const udpRule = await world.up(await world.rule({ ...leadsTo(first), targets, protocol: 'UDP' }));
      await say('down', ...peers.map(({ address }) => address));
      for (let i = 0; i < 100; i++) {
        const client = await udpPeer(t);
        client.send('?', ...entryOf(udpRule));
        await client.datagram(0);
      }
      assert.deepEqual(
        peers.map(({ got }) => got.length),
        [50, 30, 20],
      );
    });

    test('T11: of ten origins one goes down: its tenth of the clients moves, the others stay, and nobody moves back', async (t) => {
      const { rule, addresses } = await served(t, 10);
      await world.up({ ...rule, persistSeconds: 600 });
      const clients = Array.from({ length: 100 }, () => world.address());
      async function homes(): Promise<string[]> {
        const all: string[] = [];
        for (const from of clients) {
          const client = dialTcp(t, ...entryOf(rule), from);
          all.push((await readAll(client)).bytes.toString());
          client.end();
        }
        return all;
      }
      const moved = (from: readonly string[], to: readonly string[]): number =>
        from.filter((home, i) => home !== to[i]).length;
      const before = await homes();
      const [gone = ''] = addresses;
      const its = before.filter((home) => home === gone).length;
      assert.ok(its > 0 && its <= 0.12 * clients.length, `${its}`);
      await say('down', gone);
      const during = await homes();
      assert.deepEqual([moved(before, during), during.includes(gone)], [its, false]);
      await say('up', gone);
      assert.equal(moved(during, await homes()), 0);
      // The same where the origin leaves the rule, and comes back.
      const leaving = during[0] ?? '';
      const tenth = during.filter((home) => home === leaving).length;
      await world.up({ ...rule, persistSeconds: 600, targets: rule.targets.filter((one) => one.address !== leaving) });
      const without = await homes();
      assert.deepEqual([moved(during, without), without.includes(leaving)], [tenth, false]);
      await world.up({ ...rule, persistSeconds: 600 });
      assert.equal(moved(without, await homes()), 0);
    });

    test('a target that has another number keeps its connections, sessions and clients', async (t) => {
      const origins = [await tcpOrigin(t), await udpEcho(t)] as const;
      const others = [
        await tcpOrigin(t, undefined, { port: origins[0].port }),
        await udpEcho(t, { port: origins[1].port }),
      ] as const;
      const care = options({ drain: { how: 'reset', seconds: 0 }, unhealthy: 'reset' });
      const rule = await world.up(
        await world.rule({ ...leadsTo(origins[0], others[0]), persistSeconds: 60, options: care }),
      );
      const udpRule = await world.up(
        await world.rule({ ...leadsTo(origins[1], others[1]), protocol: 'UDP', options: care }),
      );
      const from = Array.from({ length: 4 }, () => world.address());
      const clients = await Promise.all(from.map((address) => tcpClient(t, ...entryOf(rule), address)));
      const talkers = await Promise.all(from.map(() => udpPeer(t)));
      async function talk(number: number): Promise<void> {
        for (const client of clients) assert.equal(await ask(client, 'words'), 'words');
        for (const talker of talkers) {
          talker.send('words', ...entryOf(udpRule));
          await talker.datagram(number);
        }
      }
      await talk(0);
      const renumbered = ({ targets }: Listener): Target[] =>
        targets.map((one) => ({ ...one, number: target(`again ${one.address}`).number }));
      await world.up({ ...rule, targets: renumbered(rule) });
      await world.up({ ...udpRule, targets: renumbered(udpRule) });
      await talk(1);
      const again = await Promise.all(from.map((address) => tcpClient(t, ...entryOf(rule), address)));
      for (const client of again) assert.equal(await ask(client, 'again'), 'again');
      assert.deepEqual([origins[0].connections.length, others[0].connections.length], [4, 4]);
      assert.equal((await world.counters(udpRule.id)).connections, 4);
      // What was said of the old numbers is no more about them; of the new ones it is.
      await say('down', origins[0].address, origins[1].address);
      await talk(2);
      assert.equal((await world.counters(udpRule.id)).connections, 4);
      await say('down', `again ${origins[0].address}`, `again ${origins[1].address}`);
      await eventually(async () => assert.deepEqual((await world.counters(rule.id)).ends, { unhealthy: 4 }));
      for (const talker of talkers) talker.send('more', ...entryOf(udpRule));
      await Promise.all(talkers.map((talker) => talker.datagram(3)));
      assert.equal((await world.counters(udpRule.id)).connections, 6);
    });
  });
}
