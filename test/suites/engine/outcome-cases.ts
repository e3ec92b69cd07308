/** Outcomes that an engine tells of dials: each kind, how soon, and how many failures in a row. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { engineWorld, eventually, freePort, type EngineUnderTest } from './fixture.ts';
import { entryOf, leadsTo, options, target } from './listener.ts';
import { ask, deafOrigin, dialTcp, readAll, tcpClient, tcpOrigin } from './tcp-peers.ts';
import { udpPeer } from './udp-peers.ts';

export function outcomeCases(under: EngineUnderTest): void {
  describe('outcomes of dials', { concurrency: 4 }, () => {
    const world = engineWorld(under);
    const outcomesOf = (address: string): Record<string, number> => world.outcomeCounts(target(address).number);

    test('outcomes are told of rules with one target, whatever share of their connections has records', async (t) => {
      const origin = await tcpOrigin(t);
      const deaf = await deafOrigin(t);
      const closed = { address: world.address(), port: await freePort() };
      const ruleTo = async (there: { address: string; port: number }, recordOneIn: number) =>
        entryOf(
          await world.up(
            await world.rule({ ...leadsTo(there), options: options({ connectTimeoutMs: 300, recordOneIn }) }),
          ),
        );
      for (const recordOneIn of [0, 1, 100]) {
        assert.equal(await ask(await tcpClient(t, ...(await ruleTo(origin, recordOneIn))), 'hello'), 'hello');
        await readAll(dialTcp(t, ...(await ruleTo(closed, recordOneIn))));
        dialTcp(t, ...(await ruleTo(deaf, recordOneIn))).on('error', () => {});
      }
      const all = [origin, closed, deaf];
      await eventually(() =>
        assert.deepEqual(
          all.map(({ address }) => outcomesOf(address)),
          [{ ok: 3 }, { refused: 3 }, { 'timed-out': 3 }],
        ),
      );
      const inRow = all.map(({ address }) => world.outcomes(target(address).number).at(-1)?.failedInRow);
      assert.deepEqual(inRow, [0, 3, 3]);
    });

    test('outcomes are told: what went well, a refusal at once, time-outs with how many in a row', async (t) => {
      if (!world.engine.capabilities().nextOrigin) return t.skip('the engine does not try a next origin');
      const origin = await tcpOrigin(t);
      const deaf = await deafOrigin(t, origin.port);
      const closed = world.address();
      const targets = [target(closed), target(deaf.address, 10, 1), target(origin.address, 10, 2)];
      const fast = { targets, options: options({ connectTimeoutMs: 300 }) };
      const rule = await world.up(await world.rule({ ...leadsTo(origin), ...fast }));
      for (let i = 0; i < 3; i++) assert.equal(await ask(await tcpClient(t, ...entryOf(rule)), 'hello'), 'hello');
      const of = (address: string) => world.outcomes(target(address).number);
      await eventually(() => {
        const sums = [closed, deaf.address, origin.address].map(outcomesOf);
        assert.deepEqual(sums, [{ refused: 3 }, { 'timed-out': 3 }, { ok: 3 }]);
      });
      assert.deepEqual(of(closed)[0], { target: target(closed).number, counts: { refused: 1 }, failedInRow: 1 });
      const inRow = [closed, deaf.address, origin.address].map((address) => of(address).at(-1)?.failedInRow);
      assert.deepEqual(inRow, [3, 3, 0]);
    });

    test('of UDP an answer and a port without a program are told', async (t) => {
      const origin = await udpPeer(t, {}, (bytes) => bytes);
      const closed = world.address();
      const targets = [target(closed), target(origin.address, 10, 1)];
      const rule = await world.up(await world.rule({ ...leadsTo(origin), targets, protocol: 'UDP' }));
      const client = await udpPeer(t);
      client.send('one', ...entryOf(rule));
      if (world.engine.capabilities().translates) {
        // Clients dial themselves: nothing sends the datagram on, and the next one begins another session.
        await eventually(() => assert.equal(world.outcomes(target(closed).number).length, 1));
        await world.engine.states([{ target: target(closed).number, state: 'down' }]);
        client.send('one', ...entryOf(rule));
      }
      assert.equal((await client.datagram(0)).toString(), 'one');
      await eventually(() => {
        assert.deepEqual(world.outcomes(target(closed).number)[0]?.counts, { 'port-unreachable': 1 });
        assert.deepEqual(world.outcomes(target(origin.address).number)[0]?.counts, { ok: 1 });
      });
    });
  });
}
