/**
 * What happens to TCP connections of an origin that goes down, by the rule's `unhealthy`: a false alarm harms nobody, a
 * connection that has to go goes in time, and where no origin is up none is cut.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { availableParallelism, loadavg } from 'node:os';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OriginState } from '../../../src/domain/fact/health.ts';
import type { Listener } from '../../../src/engines/engine.ts';
import { chorus } from './chorus.ts';
import { engineWorld, eventually, type EngineUnderTest } from './fixture.ts';
import { entryOf, leadsTo, options, target } from './listener.ts';
import { ask, tcpClient, tcpOrigin, type TcpOrigin } from './tcp-peers.ts';

const IDLE = 100;
const BUSY = 100;
/** limit: the promise is a second; on a machine that has more to do than it can, each process has a part of that. */
const soonMs = (): number => 1_000 * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());

type Care = Partial<Listener['options']>;

export function unhealthyCases(under: EngineUnderTest): void {
  describe('connections of an origin that goes down', { concurrency: 4 }, () => {
    const world = engineWorld(under);
    const say = (state: OriginState, ...origins: readonly { readonly address: string }[]): Promise<void> =>
      world.engine.states(origins.map(({ address }) => ({ target: target(address).number, state })));

    /** A rule that leads to the first origin, until both() adds the second. */
    async function pair(t: TestContext, care: Care): Promise<{ ill: TcpOrigin; well: TcpOrigin; rule: Listener }> {
      const ill = await tcpOrigin(t);
      const well = await tcpOrigin(t, undefined, { port: ill.port });
      const rule = await world.up(await world.rule({ ...leadsTo(ill), options: options(care) }));
      return { ill, well, rule };
    }
    const both = (rule: Listener, { address }: TcpOrigin): Promise<Listener> =>
      world.up({ ...rule, targets: [...rule.targets, target(address)] });
    const clientsOf = (t: TestContext, rule: Listener, count: number): Promise<Socket[]> =>
      Promise.all(Array.from({ length: count }, () => tcpClient(t, ...entryOf(rule))));
    async function talk(clients: readonly Socket[], words: string): Promise<void> {
      const answers = await Promise.all(clients.map((client) => ask(client, words)));
      assert.ok(answers.every((answer) => answer === words));
    }
    const whenClosed = (clients: readonly Socket[]): Promise<number>[] =>
      clients.map(
        (client) =>
          new Promise((resolve) => {
            client.resume().on('close', () => resolve(performance.now()));
          }),
      );

    test('a false alarm: 100 idle and 100 busy connections survive with `keep`, and lose no byte', async (t) => {
      const { ill, well, rule } = await pair(t, { unhealthy: 'keep' });
      const idle = await clientsOf(t, rule, IDLE);
      await talk(idle, 'before');
      const busy = await chorus(t, entryOf(rule), entryOf(rule), { connections: BUSY, sessions: 0 });
      await busy.allSpeakAgain();
      await both(rule, well);
      await say('down', ill);
      await busy.allSpeakAgain();
      await say('try', ill);
      await busy.allSpeakAgain();
      await say('up', ill);
      await busy.allSpeakAgain();
      await talk(idle, 'after');
      assert.ok((await busy.end()) >= 3 * BUSY);
      const { connections, ends } = await world.counters(rule.id);
      assert.deepEqual([connections, ends['unhealthy']], [IDLE + BUSY, undefined]);
      assert.deepEqual([ill.connections.length, well.connections.length], [IDLE + BUSY, 0]);
    });

    test('with `reset` 100 idle and 100 busy connections are closed at once, and no other', async (t) => {
      const { ill, well, rule } = await pair(t, { unhealthy: 'reset' });
      const clients = await clientsOf(t, rule, IDLE + BUSY);
      await talk(clients, 'before');
      await world.up({ ...rule, targets: [target(ill.address, 0), target(well.address)] });
      const others = await clientsOf(t, rule, 10);
      await talk(others, 'others');
      await both(rule, well);
      const writing = setInterval(() => clients.slice(IDLE).forEach((client) => client.write('more')), 50);
      t.after(() => clearInterval(writing));
      const closed = whenClosed(clients);
      const began = performance.now();
      await say('down', ill);
      const took = Math.max(...(await Promise.all(closed))) - began;
      t.diagnostic(`${IDLE + BUSY} connections were closed within ${took.toFixed(0)} ms`);
      assert.ok(took <= soonMs(), `${took} ms`);
      await eventually(() => assert.equal(ill.connections.filter(({ closed }) => closed).length, IDLE + BUSY));
      await eventually(async () => {
        const { active, ends } = await world.counters(rule.id);
        assert.deepEqual([active, ends['unhealthy']], [10, IDLE + BUSY]);
      });
      const records = await world.ended(rule.id, IDLE + BUSY);
      assert.deepEqual(new Set(records.map(({ end }) => end)), new Set(['unhealthy']));
      assert.ok(records.every(({ origin }) => origin?.address === ill.address));
      await talk(others, 'still');
    });

    test('with `drain` they have its seconds from when their origin went down, and stay if it is up by then', async (t) => {
      const { ill, well, rule } = await pair(t, { unhealthy: 'drain', drain: { how: 'keep', seconds: 2 } });
      const clients = await clientsOf(t, rule, 5);
      await talk(clients, 'before');
      await both(rule, well);
      await say('down', ill);
      await sleep(500);
      await talk(clients, 'down');
      await say('up', ill);
      await sleep(2_500);
      await talk(clients, 'up');
      const closed = whenClosed(clients);
      const began = performance.now();
      await say('down', ill);
      // One that is tried, and fails, begins no new time.
      await sleep(1_000);
      await say('try', ill);
      await say('down', ill);
      const times = (await Promise.all(closed)).map((at) => at - began);
      assert.ok(Math.min(...times) >= 2_000 && Math.max(...times) < 2_000 + soonMs(), times.join());
      assert.equal((await world.ended(rule.id, 5))[0]?.end, 'unhealthy');
    });

    test('a rule that no longer keeps them ends those of an origin that is down already', async (t) => {
      const { ill, well, rule } = await pair(t, { unhealthy: 'keep' });
      const clients = await clientsOf(t, rule, 5);
      await talk(clients, 'before');
      const led = await both(rule, well);
      await say('down', ill);
      await talk(clients, 'down');
      const closed = whenClosed(clients);
      const began = performance.now();
      await world.up({ ...led, options: options({ unhealthy: 'reset' }) });
      const took = Math.max(...(await Promise.all(closed))) - began;
      assert.ok(took <= soonMs(), `${took} ms`);
      await say('up', ill);
    });

    test('none is cut where no other origin is up; one that another tier can take is', async (t) => {
      const { ill, well, rule } = await pair(t, { unhealthy: 'reset' });
      const clients = await clientsOf(t, rule, 5);
      await talk(clients, 'before');
      await say('down', ill);
      await sleep(1_000);
      await talk(clients, 'alone');
      await say('down', well);
      const reserve = target(well.address, 10, 1);
      await world.up({ ...rule, targets: [...rule.targets, reserve, target(world.address(), 0)] });
      await sleep(1_000);
      await talk(clients, 'all down');
      const closed = whenClosed(clients);
      await say('up', well);
      await Promise.all(closed);
      await eventually(async () => assert.deepEqual((await world.counters(rule.id)).ends, { unhealthy: 5 }));
    });

    test('the connection that tries an origin stays, and so does one of before that the origin had', async (t) => {
      const { ill, well, rule } = await pair(t, { unhealthy: 'drain', drain: { how: 'keep', seconds: 60 } });
      const [before] = await clientsOf(t, rule, 1);
      assert.ok(before);
      await talk([before], 'before');
      // Else the engine may take this one for the try.
      await eventually(() => assert.ok(world.outcomes(target(ill.address).number).length > 0));
      const led = await both(rule, well);
      await say('down', ill);
      await say('try', ill);
      const clients = await clientsOf(t, led, 4);
      await talk(clients, 'tried');
      await eventually(() => assert.ok(ill.connections.length > 1));
      await world.up({ ...led, options: options({ unhealthy: 'reset' }) });
      await say('up', ill);
      await sleep(1_000);
      await talk([before, ...clients], 'up');
    });
  });
}
