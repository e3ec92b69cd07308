/** Which origin a connection gets: shares, tiers, session persistence, and the next one where one fails. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import type { Listener } from '../../../src/engines/engine.ts';
import type { EndCause } from '../../../src/domain/fact/fact.ts';
import { engineWorld, freePort, type EngineUnderTest } from './fixture.ts';
import { entryOf, leadsTo, options, target } from './listener.ts';
import { ask, deafOrigin, dialTcp, readAll, tcpClient, tcpOrigin, type TcpOrigin } from './tcp-peers.ts';

export function choiceCases(under: EngineUnderTest): void {
  describe('choice of origin', { concurrency: 4 }, () => {
    const world = engineWorld(under);

    /** Origins that share a port and tell their own address. */
    async function originsWithNames(t: TestContext, count: number): Promise<TcpOrigin[]> {
      const port = await freePort();
      const address = (): { address: string; port: number } => ({ address: world.address(), port });
      return Promise.all(
        Array.from({ length: count }, () =>
          tcpOrigin(t, (socket) => void socket.end(`${socket.localAddress}`), address()),
        ),
      );
    }

    async function whoAnswers(t: TestContext, rule: Listener, from?: string): Promise<string> {
      const client = await tcpClient(t, ...entryOf(rule), from);
      const { bytes, end } = await readAll(client);
      client.end();
      return end === 'fin' ? bytes.toString() : end;
    }

    async function answers(t: TestContext, rule: Listener, count: number, from?: string): Promise<number[]> {
      const counts = rule.targets.map(() => 0);
      for (let i = 0; i < count; i++) {
        const name = await whoAnswers(t, rule, from);
        const at = rule.targets.findIndex(({ address }) => address === name);
        counts[at] = (counts[at] ?? 0) + 1;
      }
      return counts;
    }

    test('connections are shared by weight, exactly over a period; weight 0 gets none', async (t) => {
      const origins = await originsWithNames(t, 4);
      const rule = await world.rule(leadsTo(...origins));
      const weights = [5, 3, 0, 2];
      const targets = rule.targets.map(({ address }, i) => target(address, weights[i]));
      await world.up({ ...rule, targets });
      assert.deepEqual(await answers(t, rule, 20), [10, 6, 0, 4]);
    });

    test('a higher tier is used only while no lower one answers', async (t) => {
      const origins = await originsWithNames(t, 2);
      const rule = await world.rule(leadsTo(...origins));
      const [first, second] = origins;
      assert.ok(first && second);
      const tiers = [target(first.address, 1, 1), target(second.address, 1, 0)];
      await world.up({ ...rule, targets: tiers });
      assert.deepEqual(await answers(t, rule, 4), [0, 4]);
      second.server.close();
      if (!world.engine.capabilities().nextOrigin) return;
      assert.deepEqual(await answers(t, rule, 4), [4, 0]);
    });

    test('T38, session persistence: a client keeps its origin, others are shared', async (t) => {
      const rule = await world.rule({ ...leadsTo(...(await originsWithNames(t, 3))), persistSeconds: 30 });
      await world.up(rule);
      for (let i = 0; i < 3; i++) {
        const counts = await answers(t, rule, 5, world.address());
        assert.deepEqual(
          counts.toSorted((a, b) => a - b),
          [0, 0, 5],
        );
      }
    });

    test('T38, session persistence ends with its time, and when it is switched off', async (t) => {
      const rule = await world.rule({ ...leadsTo(...(await originsWithNames(t, 2))), persistSeconds: 2 });
      await world.up(rule);
      const from = world.address();
      let [first, second, took] = ['', '', Infinity];
      // A slow machine may need more than the time for two connections; then they say nothing.
      while (took > 1900) {
        const began = performance.now();
        first = await whoAnswers(t, rule, from);
        second = await whoAnswers(t, rule, from);
        took = performance.now() - began;
      }
      assert.equal(second, first);
      await new Promise((resolve) => setTimeout(resolve, 2100));
      // The last turn was this client's own, whenever that was: the next one is the other origin's.
      assert.notEqual(await whoAnswers(t, rule, from), first);
      await world.up({ ...rule, persistSeconds: 0 });
      assert.deepEqual(await answers(t, rule, 4, from), [2, 2]);
    });

    test('session persistence holds through a change as long as the origin stays', async (t) => {
      const origins = await originsWithNames(t, 3);
      const rule = await world.rule({ ...leadsTo(...origins), persistSeconds: 30 });
      await world.up(rule);
      const from = world.address();
      const mine = await whoAnswers(t, rule, from);
      await world.up({
        ...rule,
        targets: rule.targets.map(({ address }) => target(address, address === mine ? 1 : 50)),
      });
      assert.equal(await whoAnswers(t, rule, from), mine);
      await world.up({ ...rule, targets: rule.targets.filter(({ address }) => address !== mine) });
      assert.notEqual(await whoAnswers(t, rule, from), mine);
    });

    test('T3: the next origin takes over from one that refuses, with all the client has sent, once', async (t) => {
      if (!world.engine.capabilities().nextOrigin) return t.skip('the engine does not try a next origin');
      const heard: Promise<string>[] = [];
      const origin = await tcpOrigin(t, (socket) => {
        heard.push(readAll(socket).then(({ bytes }) => bytes.toString()));
        socket.end('ok');
      });
      const targets = [target(world.address()), target(world.address()), target(origin.address, 1, 1)];
      const rule = await world.up(await world.rule({ ...leadsTo(origin), targets }));
      const client = await tcpClient(t, ...entryOf(rule));
      client.end('early words');
      assert.deepEqual(await readAll(client), { bytes: Buffer.from('ok'), end: 'fin' });
      assert.deepEqual(await Promise.all(heard), ['early words']);
      const [record] = await world.ended(rule.id);
      assert.deepEqual(record?.origin, { address: origin.address, port: origin.port });
      assert.deepEqual((await world.counters(rule.id)).connections, 1);
    });

    for (const [failover, says, expected] of [
      ['origin', 'tries another of its tier first', [0, 4, 0]],
      ['tier', 'tries another tier first, and one of its own where that fails too', [0, 2, 2]],
    ] as const)
      test(`a connection that could not be made ${says}: failover \`${failover}\``, async (t) => {
        if (!world.engine.capabilities().nextOrigin) return t.skip('the engine does not try a next origin');
        const [second, reserve] = await originsWithNames(t, 2);
        assert.ok(second && reserve);
        const targets = [target(world.address()), target(second.address), target(reserve.address, 10, 1)];
        const rule = await world.up(await world.rule({ ...leadsTo(second), targets, failover }));
        assert.deepEqual(await answers(t, rule, 4), expected);
        // The other tiers have nobody to give: one refuses, one is down.
        const ill = target(world.address(), 10, 2);
        await world.engine.states([{ target: ill.number, state: 'down' }]);
        await world.up({ ...rule, targets: [...targets.slice(0, 2), target(world.address(), 10, 1), ill] });
        assert.deepEqual(await answers(t, rule, 4), [0, 4, 0]);
      });

    test('T3: the next origin takes over from one that does not answer, when its time is up', async (t) => {
      if (!world.engine.capabilities().nextOrigin) return t.skip('the engine does not try a next origin');
      const deaf = await deafOrigin(t);
      const origin = await tcpOrigin(t, undefined, { address: world.address(), port: deaf.port });
      const targets = [target(deaf.address), target(origin.address, 1, 1)];
      const rule = await world.up(
        await world.rule({ ...leadsTo(origin), targets, options: options({ connectTimeoutMs: 1_500 }) }),
      );
      const started = performance.now();
      const client = await tcpClient(t, ...entryOf(rule));
      assert.equal(await ask(client, 'early words'), 'early words');
      const waited = performance.now() - started;
      // Less than the default of five seconds.
      assert.ok(waited > 1_450 && waited < 4_900, `${waited} ms`);
      client.end();
      await world.ended(rule.id);
    });

    test('T3: the ways to fail are told apart, and the client sees a reset', async (t) => {
      if (world.engine.capabilities().translates) return t.skip('clients dial origins themselves');
      const ends = async (
        change: Partial<Listener>,
        connectTimeoutMs = 30_000,
      ): Promise<[EndCause | undefined, string]> => {
        const rule = await world.up(await world.rule({ ...change, options: options({ connectTimeoutMs }) }));
        const { end } = await readAll(dialTcp(t, ...entryOf(rule)));
        const [record] = await world.ended(rule.id);
        assert.equal(record?.origin, undefined);
        return [record?.end, end];
      };
      const somewhere = { originPorts: { from: 9, to: 9 } };
      assert.deepEqual(await ends({ ...somewhere, targets: [] }), ['no-origin', 'reset']);
      assert.deepEqual(await ends({ ...somewhere, targets: [target(world.address(), 0)] }), ['no-origin', 'reset']);
      assert.deepEqual(await ends({ ...somewhere, targets: [target(world.address())] }), ['origin-refused', 'reset']);
      assert.deepEqual(await ends(leadsTo(await deafOrigin(t)), 200), ['origin-timeout', 'reset']);
      // Multicast: no connection can lead there, and no packet leaves for it.
      assert.deepEqual(await ends({ ...somewhere, targets: [target('224.0.0.1')] }), ['origin-unreachable', 'reset']);
    });

    test('a refusal costs nothing: with four of five origins refusing, 30 of 30 clients are served', async (t) => {
      if (!world.engine.capabilities().nextOrigin) return t.skip('the engine does not try a next origin');
      const origin = await tcpOrigin(t, (socket) => void socket.end('ok'));
      const targets = [1, 2, 3, 4].map(() => target(world.address()));
      const rule = await world.rule({ ...leadsTo(origin), targets: [...targets, target(origin.address)] });
      await world.up(rule);
      for (let i = 0; i < 30; i++) assert.equal(await whoAnswers(t, rule), 'ok');
      assert.equal(origin.connections.length, 30);
    });

    test('three origins may let a dial time out, not more', async (t) => {
      if (!world.engine.capabilities().nextOrigin) return t.skip('the engine does not try a next origin');
      const origin = await tcpOrigin(t);
      const deaf = await Promise.all([1, 2, 3].map(() => deafOrigin(t, origin.port)));
      const targets = [...deaf.map(({ address }) => target(address)), target(origin.address, 1, 1)];
      const fast = { targets, options: options({ connectTimeoutMs: 300 }) };
      const rule = await world.up(await world.rule({ ...leadsTo(origin), ...fast }));
      assert.equal((await readAll(dialTcp(t, ...entryOf(rule)))).end, 'reset');
      assert.deepEqual((await world.ended(rule.id))[0]?.end, 'origin-timeout');
      assert.equal(origin.connections.length, 0);
    });

    test('no origin is dialled for a client that is gone: a reset ends the dial, behind an end too', async (t) => {
      if (world.engine.capabilities().translates) return t.skip('clients dial origins themselves');
      const deaf = await deafOrigin(t);
      const origin = await tcpOrigin(t, undefined, { port: deaf.port });
      const targets = [target(deaf.address), target(origin.address, 1, 1)];
      const patient = { targets, options: options({ connectTimeoutMs: 30_000 }) };
      const rule = await world.up(await world.rule({ ...leadsTo(origin), ...patient }));
      const plain = await tcpClient(t, ...entryOf(rule));
      const talker = await tcpClient(t, ...entryOf(rule));
      const leaver = await tcpClient(t, ...entryOf(rule));
      talker.write('words');
      leaver.end('last words');
      await once(leaver, 'finish');
      await world.active(rule.id, 3);
      for (const client of [plain, talker, leaver]) client.resetAndDestroy();
      const began = performance.now();
      const records = await world.ended(rule.id, 3);
      assert.ok(performance.now() - began < 25_000, 'the dials went on');
      assert.deepEqual(
        records.map(({ end }) => end),
        ['client-reset', 'client-reset', 'client-reset'],
      );
      assert.equal(origin.connections.length, 0);
    });
  });
}
