/** What a change of a rule does to its sockets and connections, and what it leaves alone; refusals in words; the end. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Listener } from '../../../src/engines/engine.ts';
import { anEntry, engineWorld, eventually, freePort, occupy, type EngineUnderTest } from './fixture.ts';
import { entryOf, firstPort, leadsTo, options, target } from './listener.ts';
import { ask, readAll, tcpClient, tcpOrigin } from './tcp-peers.ts';
import { udpEcho, udpPeer } from './udp-peers.ts';

/** limit: what a test does within it must be done by then, on a machine that others use; the default is 30. */
const DRAIN_S = 4;

const drain = (how: 'keep' | 'drain' | 'reset', seconds = 0): Pick<Listener, 'options'> => ({
  options: options({ drain: { how, seconds } }),
});

export function changeCases(under: EngineUnderTest): void {
  describe('change', { concurrency: 4 }, () => {
    const world = engineWorld(under);

    test('the same again changes nothing; other targets, weights and options leave connections alone', async (t) => {
      const origin = await tcpOrigin(t);
      const other = await tcpOrigin(t, undefined, { port: origin.port });
      const rule = await world.up(await world.rule({ ...leadsTo(origin), ...drain('reset') }));
      const client = await tcpClient(t, ...entryOf(rule));
      await ask(client, 'one');
      await world.up(rule);
      await world.up({ ...rule, targets: [target(origin.address, 0), target(other.address)], persistSeconds: 30 });
      await world.up({ ...rule, ...drain('keep'), targets: [target(other.address), target(origin.address, 7, 1)] });
      assert.equal(await ask(client, 'two'), 'two');
      const next = await tcpClient(t, ...entryOf(rule));
      await ask(next, 'three');
      assert.deepEqual([origin.connections.length, other.connections.length], [1, 1]);
      assert.deepEqual(world.records(rule.id), []);
    });

    for (const [what, change] of [
      ['origin is gone', (rule: Listener) => world.up({ ...rule, targets: [] })],
      ['rule is gone', (rule: Listener) => world.engine.remove(rule.id)],
    ] as const) {
      test(`T26: a connection whose ${what} has its drain time, and within a second of it ends as drained`, async (t) => {
        const origin = await tcpOrigin(t);
        // The quickest: on a machine that is busy with other things the clock says nothing about one of them.
        let quickest = Infinity;
        for (let made = 0; made < 5 && quickest >= (DRAIN_S + 1) * 1000; made++) {
          const rule = await world.up(await world.rule({ ...leadsTo(origin), ...drain('drain', DRAIN_S) }));
          const client = await tcpClient(t, ...entryOf(rule));
          await ask(client, 'one');
          const started = performance.now();
          await change(rule);
          // It begins somewhere in between.
          const changed = performance.now();
          assert.equal(await ask(client, 'two'), 'two');
          assert.equal((await readAll(client)).end, 'reset');
          const took = performance.now() - started;
          assert.ok(took > DRAIN_S * 1000 - 50, `${took} ms for a drain of ${DRAIN_S} s`);
          quickest = Math.min(quickest, took - (changed - started));
          assert.equal((await world.ended(rule.id))[0]?.end, 'drained');
        }
        t.diagnostic(`${quickest.toFixed(0)} ms for a drain of ${DRAIN_S} s`);
        assert.ok(quickest < (DRAIN_S + 1) * 1000, `${quickest} ms for a drain of ${DRAIN_S} s`);
      });
    }

    test('ports: the new one opens, the old one closes, the one that stays is not touched', async (t) => {
      const origin = await tcpOrigin(t);
      const rule = await world.rule({ ...leadsTo(origin), ...drain('reset') });
      const [a, b, c] = await Promise.all([1, 2, 3].map(() => freePort(rule.entries[0])));
      const ports = (...list: (number | undefined)[]) => list.map((port = 0) => ({ from: port, to: port }));
      await world.up({ ...rule, ports: ports(a, b) });
      const [entry = ''] = rule.entries;
      const [onA, onB] = [await tcpClient(t, entry, a ?? 0), await tcpClient(t, entry, b ?? 0)];
      await Promise.all([ask(onA, 'x'), ask(onB, 'x')]);
      const gone = readAll(onA);
      await world.up({ ...rule, ports: ports(b, c) });
      assert.equal((await gone).end, 'reset');
      assert.equal(await ask(onB, 'still here'), 'still here');
      await assert.rejects(tcpClient(t, entry, a ?? 0), { code: 'ECONNREFUSED' });
      assert.equal(await ask(await tcpClient(t, entry, c ?? 0), 'new'), 'new');
    });

    test('another protocol: the old sockets go, the new ones come', async (t) => {
      const [tcp, udp] = [await tcpOrigin(t), await udpEcho(t)];
      const rule = await world.up(await world.rule(leadsTo(tcp)));
      await world.up({ ...rule, ...leadsTo(udp), protocol: 'UDP' });
      await assert.rejects(tcpClient(t, ...entryOf(rule)), { code: 'ECONNREFUSED' });
      const client = await udpPeer(t);
      client.send('x', ...entryOf(rule));
      assert.equal(String(await client.datagram(0)), 'x');
      await world.up(rule);
      assert.equal(await ask(await tcpClient(t, ...entryOf(rule)), 'back'), 'back');
    });

    for (const [how, seconds, word] of [
      ['keep', 0, 'go on for as long as they like'],
      ['drain', DRAIN_S, 'go on for the drain time'],
      ['reset', 0, 'end at once'],
    ] as const) {
      test(`removed with "${how}": the port closes at once, connections ${word}`, async (t) => {
        const origin = await tcpOrigin(t);
        const rule = await world.up(await world.rule({ ...leadsTo(origin), ...drain(how, seconds) }));
        const client = await tcpClient(t, ...entryOf(rule));
        await ask(client, 'one');
        await world.engine.remove(rule.id);
        await assert.rejects(tcpClient(t, ...entryOf(rule)), { code: 'ECONNREFUSED' });
        if (how !== 'reset') assert.equal(await ask(client, 'two'), 'two');
        if (how === 'keep') client.end();
        await world.ended(rule.id);
        const end = how === 'keep' ? 'client-closed' : 'drained';
        assert.equal(world.records(rule.id)[0]?.end, end);
        // What it counted stays known.
        assert.deepEqual((await world.counters(rule.id)).ends, { [end]: 1 });
      });
    }

    test('a rule that comes back counts on, and takes back what was still draining', async (t) => {
      const origin = await tcpOrigin(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), ...drain('drain', DRAIN_S) }));
      const client = await tcpClient(t, ...entryOf(rule));
      await ask(client, 'one');
      await world.engine.remove(rule.id);
      await world.up(rule);
      // Longer than the drain would have lasted.
      await sleep(DRAIN_S * 1000 + 700);
      assert.equal(await ask(client, 'two'), 'two');
      assert.equal((await world.counters(rule.id)).connections, 1);
    });

    test('a taken port, an address that is not here: refused in words, all or nothing, others untouched', async (t) => {
      const origin = await tcpOrigin(t);
      const healthy = await world.up(await world.rule(leadsTo(origin)));
      const rule = await world.rule(leadsTo(origin));
      const [entry = ''] = rule.entries;
      const from = firstPort(rule);
      const leave = await occupy(entry, from + 2);
      const range = { ...rule, ports: [{ from, to: from + 4 }] };
      const refused = await world.engine.apply(range);
      assert.ok(!refused.ok);
      assert.match(refused.reason, new RegExp(`TCP ${entry}:${from + 2} is in use`));
      await assert.rejects(tcpClient(t, entry, from), { code: 'ECONNREFUSED' });
      await leave();
      await world.up(range);
      assert.equal(await ask(await tcpClient(t, entry, from + 4), 'x'), 'x');
      const elsewhere = await world.engine.apply({ ...rule, entries: ['203.0.113.9'] });
      assert.ok(!elsewhere.ok && elsewhere.reason.includes('not on this machine'), JSON.stringify(elsewhere));
      const nowhere = await world.engine.apply({ ...rule, entries: [] });
      assert.ok(!nowhere.ok && nowhere.reason.includes('no entry address'));
      assert.equal(await ask(await tcpClient(t, ...entryOf(healthy)), 'x'), 'x');
    });

    test('calls about one rule take effect in their order', async (t) => {
      const origin = await tcpOrigin(t);
      const rule = await world.rule(leadsTo(origin));
      const { engine } = world;
      await Promise.all([engine.apply(rule), engine.remove(rule.id), engine.apply(rule)]);
      assert.equal(await ask(await tcpClient(t, ...entryOf(rule)), 'x'), 'x');
      await Promise.all([engine.apply(rule), engine.remove(rule.id)]);
      await assert.rejects(tcpClient(t, ...entryOf(rule)), { code: 'ECONNREFUSED' });
    });
  });

  describe('engine of its own', () => {
    async function stoppable(t: TestContext) {
      const ends: (string | undefined)[] = [];
      const engine = await under.create({
        record: ({ end }) => ends.push(end),
        listener() {},
        outcomes() {},
        log() {},
      });
      t.after(() => engine.stop(0));
      const [tcp, udp] = [await tcpOrigin(t), await udpEcho(t)];
      const entries = [anEntry()];
      const port = await freePort(entries[0]);
      const rule = {
        entries,
        ports: [{ from: port, to: port }],
        zone: 'zone-a',
        proxy: 'sid-1',
        mode: 'OFF',
        persistSeconds: 0,
        failover: 'origin',
      } as const;
      const common = { ...rule, options: options() };
      const tcpRule: Listener = { ...common, id: 'tcp', protocol: 'TCP', ...both(tcp) };
      await engine.apply(tcpRule);
      await engine.apply({ ...common, id: 'udp', protocol: 'UDP', ...both(udp) });
      const client = await tcpClient(t, ...entryOf(tcpRule));
      await ask(client, 'x');
      const talker = await udpPeer(t);
      talker.send('x', ...entryOf(tcpRule));
      await talker.datagram(0);
      return { engine, ends, client, rule: tcpRule };
    }
    const both = (origin: { address: string; port: number }) => ({
      targets: [target(origin.address)],
      originPorts: { from: origin.port, to: origin.port },
    });

    test('prune removes all but the named; unknown ids are fine', async (t) => {
      const { engine, rule } = await stoppable(t);
      const port = await freePort(rule.entries[0]);
      const other = { ...rule, id: 'other', ports: [{ from: port, to: port }] };
      assert.deepEqual(await engine.apply(other), { ok: true });
      await engine.prune(new Set([other.id, 'nobody']));
      await engine.remove('nobody');
      assert.equal(await ask(await tcpClient(t, ...entryOf(other)), 'x'), 'x');
      await assert.rejects(tcpClient(t, ...entryOf(rule)), { code: 'ECONNREFUSED' });
    });

    test('T26: waits for connections up to the drain time, then resets the rest', async (t) => {
      const { engine, ends, client, rule } = await stoppable(t);
      const ended = readAll(client);
      const stopped = engine.stop(300);
      await eventually(() => assert.rejects(tcpClient(t, ...entryOf(rule)), { code: 'ECONNREFUSED' }));
      await stopped;
      assert.equal((await ended).end, 'reset');
      // One that came in while the sockets were being closed is a connection like the others.
      assert.ok(ends.length >= 2 && ends.every((end) => end === 'shutdown'), ends.join());
      await engine.stop(300);
      assert.equal((await engine.apply(rule)).ok, false);
    });

    test('is over as soon as the last connection is', async (t) => {
      const { engine, client } = await stoppable(t);
      const started = performance.now();
      const stopped = engine.stop(60_000);
      client.end();
      await stopped;
      assert.ok(performance.now() - started < 30_000);
    });
  });
}
