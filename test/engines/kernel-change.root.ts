/**
 * What the kernel engine does with flows whose place goes: the stale UDP flow (T10), the deadline of a drain (T26), and an
 * origin that goes while another stays. Reconnecting is for clients; that they learn of it at once is for the engine.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineEvents, Listener } from '../../src/engines/engine.ts';
import { hostEngine } from '../../src/engines/hosting/worker-engine.ts';
import { engineWorld, eventually } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo, options, target } from '../suites/engine/listener.ts';
import { ask, readAll, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { udpEcho, type UdpPeer, udpPeer } from '../suites/engine/udp-peers.ts';
import { whyNoNamespaces } from './kernel-namespaces.ts';
import { takeStage } from './kernel-stage.ts';

const missing = whyNoNamespaces();
if (missing === undefined) {
  takeStage();
  describe('kernel engine', changes);
} else describe('kernel engine', () => test('is not available here', { skip: missing }, () => {}));

const source = {
  module: new URL('kernel-in-edge.ts', import.meta.url).href,
  factory: 'createInEdge',
  options: { use: 'by name', onStop: 'flush', owner: 'test' },
};
/** limit: a second is the promise; a machine that is busy with other things may take as long again, many times. */
const SOON_MS = 20_000;
/** limit: what the test does within it must be done by then. */
const DRAIN_S = 8;

/** Milliseconds until it is so. */
async function time(check: () => void | Promise<void>): Promise<number> {
  const since = performance.now();
  await eventually(check, SOON_MS);
  return Math.round(performance.now() - since);
}

function changes(): void {
  const world = engineWorld({ create: (events: EngineEvents) => hostEngine('kernel', source, events) });
  const drain = (how: 'keep' | 'drain' | 'reset', seconds = 0): Pick<Listener, 'options'> => ({
    options: options({ drain: { how, seconds } }),
  });

  test('T10: a one-way sender is led away from what is gone, and back, each within a second', async (t) => {
    const first = await udpPeer(t);
    const second = await udpPeer(t, { port: first.port });
    const rule = await world.up(await world.rule({ ...leadsTo(first), protocol: 'UDP' }));
    const client = await udpPeer(t);
    const stop = new AbortController();
    t.after(() => stop.abort());
    void (async () => {
      for (; !stop.signal.aborted; await sleep(10)) client.send('x', ...entryOf(rule));
    })();
    const gets = (peer: { got: unknown[] }): Promise<number> => {
      const before = peer.got.length;
      return time(() => assert.ok(peer.got.length > before));
    };
    const dropped = async (): Promise<number> => (await world.counters(rule.id)).dropped['no-origin'] ?? 0;
    const times: Record<string, number> = {};
    await gets(first);
    const to = (...peers: { address: string }[]) => ({ targets: peers.map(({ address }) => target(address)) });

    await world.up({ ...rule, ...to(second) });
    times['origin removed: on the other'] = await gets(second);
    await world.up({ ...rule, ...to() });
    const before = await dropped();
    times['group emptied: counted as dropped'] = await time(async () => assert.ok((await dropped()) > before));
    await world.up({ ...rule, ...to(first) });
    times['origin again'] = await gets(first);
    await world.engine.remove(rule.id);
    const unanswered = await udpPeer(t);
    unanswered.socket.connect(entryOf(rule)[1], entryOf(rule)[0]);
    // Nobody has the port any more, so the system refuses.
    times['rule deleted: refused'] = await new Promise<number>((resolve, reject) => {
      const since = performance.now();
      unanswered.socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNREFUSED') return reject(error);
        resolve(Math.round(performance.now() - since));
      });
      unanswered.socket.once('connect', () => unanswered.socket.send('x'));
    });
    await eventually(async () => {
      const had = first.got.length;
      await sleep(100);
      assert.equal(first.got.length, had);
    });
    await world.up({ ...rule, ...to(second) });
    times['rule again'] = await gets(second);
    stop.abort();
    t.diagnostic(`milliseconds: ${JSON.stringify(times)}`);
  });

  test('T26: at the deadline of a drain the rest is cut, both ends learn of it, and the cause is in the record', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = await world.up(await world.rule({ ...leadsTo(origin), ...drain('drain', DRAIN_S) }));
    const clients = await Promise.all(Array.from({ length: 100 }, () => tcpClient(t, ...entryOf(rule))));
    for (const client of clients) await ask(client, 'x');
    const gone = origin.connections.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    const since = performance.now();
    const removed = world.engine.remove(rule.id);
    const ends = clients.map(async (client) => {
      assert.equal((await readAll(client)).end, 'reset');
      return performance.now() - since;
    });
    await removed;
    await assert.rejects(tcpClient(t, ...entryOf(rule)), { code: 'ECONNREFUSED' });
    assert.equal(await ask(clients[0] ?? assert.fail(), 'y'), 'y');
    const times = (await Promise.all(ends)).map(Math.round).toSorted((a, b) => a - b);
    await Promise.all(gone);
    const [least = 0, most = 0] = [times[0], times.at(-1)];
    t.diagnostic(`100 connections cut after ${least} to ${most} ms of a drain of ${DRAIN_S} s`);
    assert.ok(least >= DRAIN_S * 1000 - 10 && most < DRAIN_S * 1000 + SOON_MS, `${least} to ${most} ms`);
    const records = await world.ended(rule.id, 100);
    assert.deepEqual([...new Set(records.map(({ end }) => end))], ['drained']);
    assert.deepEqual((await world.counters(rule.id)).ends, { drained: 100 });
  });

  test('an origin that goes: its connections are cut where the rule says so, those of the other notice nothing', async (t) => {
    const staying = await tcpOrigin(t);
    const going = await tcpOrigin(t, undefined, { port: staying.port });
    const rule = await world.up(await world.rule({ ...leadsTo(staying, going), ...drain('reset') }));
    const clients = await Promise.all(Array.from({ length: 40 }, () => tcpClient(t, ...entryOf(rule))));
    for (const client of clients) await ask(client, 'x');
    assert.deepEqual([staying.connections.length, going.connections.length], [20, 20]);
    const cut = new Set<number>();
    for (const [i, client] of clients.entries()) void readAll(client).then(() => cut.add(i));
    await world.up({ ...rule, targets: [target(staying.address)] });
    const took = await time(() => assert.equal(cut.size, 20));
    t.diagnostic(`20 silent clients know after ${took} ms`);
    await Promise.all(
      clients.map(
        async (_, i) => cut.has(i) && assert.equal(await ask(await tcpClient(t, ...entryOf(rule)), 'again'), 'again'),
      ),
    );
    assert.deepEqual([staying.connections.length, going.connections.length], [40, 20]);
    assert.equal(staying.connections.filter((socket) => socket.destroyed).length, 0);
    assert.equal(cut.size, 20);
  });

  test('an origin without weight gets nobody new and keeps whom it has', async (t) => {
    const staying = await tcpOrigin(t);
    const resting = await tcpOrigin(t, undefined, { port: staying.port });
    const rule = await world.up(await world.rule({ ...leadsTo(resting), ...drain('reset') }));
    const client = await tcpClient(t, ...entryOf(rule));
    await ask(client, 'x');
    await world.up({ ...rule, targets: [target(staying.address), target(resting.address, 0)] });
    for (let i = 0; i < 5; i++) await ask(await tcpClient(t, ...entryOf(rule)), 'new');
    assert.equal(await ask(client, 'still'), 'still');
    assert.deepEqual([staying.connections.length, resting.connections.length], [5, 1]);
  });

  test('an origin that goes: its UDP sessions move within a second, those of the other keep their place', async (t) => {
    const staying = await udpEcho(t);
    const going = await udpEcho(t, { port: staying.port });
    const rule = await world.up(await world.rule({ ...leadsTo(staying, going), protocol: 'UDP' }));
    const clients = await Promise.all(Array.from({ length: 40 }, () => udpPeer(t)));
    /** An answer that is on its way while its session is cut is lost, so a client asks again. */
    const speak = async (client: UdpPeer): Promise<void> => {
      const before = client.got.length;
      for (let tries = 0; client.got.length === before; await sleep(20))
        if (tries++ % 20 === 0) client.send('x', ...entryOf(rule));
    };
    const sayAll = async (): Promise<void> => void (await Promise.all(clients.map(speak)));
    const sendersOf = (peer: { got: { from: { port: number } }[] }): Set<number> =>
      new Set(peer.got.map(({ from }) => from.port));
    await sayAll();
    const before = [sendersOf(staying), sendersOf(going)];
    assert.deepEqual(
      before.map((ports) => ports.size),
      [20, 20],
    );
    await world.up({ ...rule, targets: [target(staying.address)] });
    const took = await time(async () => {
      const had = going.got.length;
      await sayAll();
      assert.equal(going.got.length, had);
    });
    t.diagnostic(`nobody speaks to the one that went after ${took} ms`);
    const after = sendersOf(staying);
    assert.equal(after.size, 40);
    for (const port of before[0] ?? []) assert.ok(after.has(port));
  });
}
