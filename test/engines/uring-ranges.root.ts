/**
 * A range of 30,000 ports as other machines see it, its worker's death, and upgrades of the whole program under it: one
 * socket serves it, and nobody is refused.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { describe, test } from 'node:test';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { listeningPorts } from '../../src/engines/uring/steer/listening.ts';
import type { Engine } from '../../src/engines/engine.ts';
import type { ConnectionRecord } from '../../src/domain/fact/fact.ts';
import { eventually, freePort, loopback, occupy } from '../suites/engine/fixture.ts';
import { leadsTo, listener } from '../suites/engine/listener.ts';
import { ask, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { edgefour } from '../world/command.ts';
import { connects } from '../world/connects.ts';
import { Generations } from '../world/upgrade.ts';
import { treeWorld } from '../world/world.ts';
import { enter, makeNamespaces, whyNoNamespaces } from './kernel-namespaces.ts';

const missing = await whyUnavailable();
const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('uring, 30,000 ports between machines', { skip: missing ?? whyNoNamespaces() ?? false }, () => {
  test('one socket per address takes them all, IPv4 and IPv6, and records say which', async (t) => {
    using spaces = makeNamespaces();
    const records: ConnectionRecord[] = [];
    // order: what the engine starts stays in its namespace; the rest of this test is on the other side, but for its orders.
    enter(spaces.edge);
    const engine: Engine = await createUringEngineWith(
      { workers: 2 },
      { record: (record) => records.push(record), listener() {}, outcomes() {}, log() {} },
    );
    t.after(() => engine.stop(0));
    enter(spaces.out);
    const origin = await tcpOrigin(t, undefined, { address: spaces.address(), port: 9000 });
    const entries = [spaces.entry(), spaces.entry6()];
    const rule = listener({
      ...leadsTo(origin),
      id: 'wide',
      entries,
      ports: [{ from: 10_000, to: 39_999 }],
    });
    const inEdge = async <T>(order: () => Promise<T>): Promise<T> => {
      enter(spaces.edge);
      try {
        return await order();
      } finally {
        enter(spaces.out);
      }
    };
    await inEdge(() => engine.apply({ ...rule, id: 'first', ports: [{ from: 9999, to: 9999 }] }));
    const before = descriptors();
    const began = performance.now();
    const note = '60000 ports, 4 sockets behind eBPF sk_lookup';
    assert.deepEqual(await inEdge(() => engine.apply(rule)), { ok: true, note });
    t.diagnostic(`60,000 points in ${(performance.now() - began).toFixed(0)} ms`);
    assert.ok(descriptors() - before < 20, `${descriptors() - before} descriptors`);

    const asked: string[] = [];
    for (let i = 0; i < 150; i++) {
      for (const entry of entries) {
        const port = 10_000 + ((i * 7919 + 13) % 30_000);
        const client = await tcpClient(t, entry, port);
        assert.equal(await ask(client, `${port}`), `${port}`);
        client.end();
        asked.push(`${entry} ${port}`);
      }
    }
    await eventually(() => assert.equal(records.filter(({ end }) => end).length, asked.length));
    const told = records.map(({ entry }) => `${entry.address} ${entry.port}`);
    assert.deepEqual(told.toSorted(compare), asked.toSorted(compare));
    await eventually(async () => {
      const counters = (await engine.counters()).get('wide');
      assert.deepEqual([counters?.connections, counters?.active], [asked.length, 0]);
    });

    const narrow = { ...rule, ports: [{ from: 20_000, to: 39_999 }] };
    assert.equal((await inEdge(() => engine.apply(narrow))).ok, true);
    await assert.rejects(tcpClient(t, entries[0] ?? '', 19_999), { code: 'ECONNREFUSED' });
    assert.equal(await ask(await tcpClient(t, entries[1] ?? '', 39_999), 'x'), 'x');
    await inEdge(() => engine.remove('wide'));
    for (const entry of entries) await assert.rejects(tcpClient(t, entry, 30_000), { code: 'ECONNREFUSED' });
    // What is left is the program and its maps, for the next range.
    await eventually(() => assert.ok(descriptors() - before < 10, 'its sockets are closed'));
  });

  test('without it a rule that needs more sockets than fit says so, and what to change', async () => {
    const quiet = { record() {}, listener() {}, outcomes() {}, log() {} };
    const engine = await createUringEngineWith({ workers: 1, steering: false, descriptors: 4000 }, quiet);
    const refused = await engine.apply(listener({ entries: [loopback()], ports: [{ from: 10_000, to: 39_999 }] }));
    await engine.stop(0);
    assert.ok(!refused.ok);
    assert.match(
      refused.reason,
      /^TCP ports 10000 to 39999: 30000 sockets are needed, 3000 fit \(of 4000 descriptors\)/,
    );
    assert.match(refused.reason, /LimitNOFILE.*CAP_BPF and CAP_NET_ADMIN/);
  });
});

describe('uring, ranges of a whole program', { skip: missing ?? whyNoNamespaces() ?? false }, () => {
  test('two upgrades under load: no port of the range refuses or resets anybody', async () => {
    await using w = await treeWorld({ settings: ['--engine', 'uring', '--drain', '300'] });
    await using generations = new Generations(w);
    const from = 21_000;
    const { address, proxyId } = await w.proxy('wide', [{ PortRange: [`${from}-${from + 1999}`] }]);
    const inRange = [...listeningPorts()].filter((port) => port >= from && port < from + 2000);
    assert.deepEqual(inRange, [from], 'one socket takes them all');
    await eventually(async () => {
      const { stdout } = await edgefour(['status', '--data', w.folder]);
      assert.match(stdout, /--engine uring; 2000 ports, \d+ sockets? behind eBPF sk_lookup/);
    });
    // Nobody tells a program that listens there later; doctor tells the operator.
    const leave = await occupy(address, from + 5);
    await eventually(async () => {
      const { stdout } = await edgefour(['doctor', ...w.args]);
      assert.match(stdout, new RegExp(`TCP ${address} port ${from + 5} of \\S+ is taken by .*pid ${process.pid}\\b`));
    });
    await leave();
    await using ending = new AsyncDisposableStack();
    const loads = [0, 777, 1999].map((offset) => ending.use(connects(address, from + offset, { perSecond: 30 })));
    const old = await connectTo(address, from + 1234);
    for (let i = 0; i < 2; i++) await generations.upgrade();
    assert.equal(await ask(old, 'still'), 'still');
    old.destroy();
    // Another rule beside it, so that the newest one has shown that it takes changes.
    const other = await freePort(address);
    await w.rules(proxyId, [{ PortRange: [`${other}`] }]);
    await Promise.all(loads.map((load) => load.stop()));
    for (const { ends, started } of loads) assert.deepEqual([...ends], [['ok', started]]);
    await eventually(() => assert.deepEqual(generations.alive(), [generations.newest]), 60_000);
    const last = await connectTo(address, from + 500);
    assert.equal(await ask(last, 'after'), 'after');
    last.destroy();
  });
});

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}

async function connectTo(address: string, port: number): Promise<Socket> {
  const socket = connect(port, address);
  await once(socket, 'connect');
  return socket;
}
