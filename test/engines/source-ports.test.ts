/** The ports that relays dial origins from: ours in turn, the system's where there is none; and rules listen on any of them. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import type { Engine, EngineEvents, Listener } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { sourcePortMemory } from '../../src/engines/flow/source-ports.ts';
import { dialPorts, PORT_FILES, type PortTexts } from '../../src/linux/dial-ports.ts';
import { freePort, loopback } from '../suites/engine/fixture.ts';
import { freeRule } from '../suites/engine/edge.ts';
import { entryOf, leadsTo, listener, target } from '../suites/engine/listener.ts';
import { ask, echo, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { quickConnects, quickOrigin } from '../suites/engine/quick-peers.ts';
import { udpEcho, udpPeer } from '../suites/engine/udp-peers.ts';

const quiet: EngineEvents = { record() {}, listener() {}, outcomes() {}, log() {} };
const MAKERS = {
  uring: (sourcePorts?: SharedArrayBuffer) => createUringEngineWith({ workers: 2, sourcePorts }, quiet),
  node: (sourcePorts?: SharedArrayBuffer) => createNodeEngine(quiet, sourcePorts && { sourcePorts }),
};
const skip = { uring: (await whyUnavailable()) ?? false, node: process.platform === 'linux' ? false : 'Linux only' };

const TEXTS = Object.fromEntries(
  PORT_FILES.map((name) => [name, readFileSync(`/proc/sys/net/ipv4/${name}`, 'latin1')]),
) as PortTexts;
const portsOf = (may: Uint8Array): number[] => [...may.keys()].filter((port) => may[port] === 1);

/** So many ports of ours that nobody has now. */
async function freePorts(count: number): Promise<number[]> {
  const ours = portsOf(dialPorts([{ from: 10_240, to: 32_767 }], TEXTS));
  const free: number[] = [];
  for (let i = (process.pid * 37) % ours.length; free.length < count; i = (i + 1) % ours.length)
    if (await isFree(ours[i] ?? 0)) free.push(ours[i] ?? 0);
  return free;
}

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, '0.0.0.0');
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

function memoryOf(ports: readonly number[]): SharedArrayBuffer {
  const may = new Uint8Array(65_536);
  for (const port of ports) may[port] = 1;
  return sourcePortMemory(may, (below) => below - 1);
}

for (const name of ['uring', 'node'] as const)
  describe(`source ports, ${name}`, { skip: skip[name] }, () => {
    const make = MAKERS[name];

    async function up(t: TestContext, engine: Engine, change: Partial<Listener>): Promise<Listener> {
      t.after(() => engine.stop(0));
      const rule = await freeRule({ id: `rule-${loopback()}`, ...change });
      assert.deepEqual(await engine.apply(rule), { ok: true });
      return rule;
    }

    test('a rule listens on a port of ours that a connection is dialled from', async (t) => {
      const origin = await tcpOrigin(t);
      const engine = await make(memoryOf(await freePorts(1)));
      const rule = await up(t, engine, leadsTo(origin));
      const client = await tcpClient(t, ...entryOf(rule));
      await ask(client, 'x');
      const { remoteAddress = '', remotePort = 0 } = origin.connections[0] ?? {};
      const ports = [{ from: remotePort, to: remotePort }];
      const beside = listener({ ...leadsTo(origin), id: 'beside', entries: [remoteAddress], ports });
      assert.deepEqual(await engine.apply(beside), { ok: true });
      assert.equal(await ask(await tcpClient(t, ...entryOf(beside)), 'beside'), 'beside');
      assert.equal(await ask(client, 'still'), 'still');
    });

    const count = name === 'uring' ? 20_000 : 2_000;
    test(`${count} connections come from ports of ours, none twice before all came once`, async (t) => {
      const ours = dialPorts([{ from: 10_240, to: 32_767 }], TEXTS);
      if (portsOf(ours).length < count) return t.skip("the system's own range leaves too few ports here");
      const address = loopback();
      const origin = await quickOrigin(address, count);
      const memory = sourcePortMemory(ours, () => 20_000);
      const rule = await up(t, await make(memory), leadsTo({ address, port: origin.port }));
      assert.equal(await quickConnects(...entryOf(rule), count, 4), count);
      const sources = await origin.sources;
      assert.deepEqual(
        sources.filter((port) => ours[port] !== 1),
        [],
      );
      // Another program finds a port towards another destination each time: ours are outside the system's range.
      const elsewhere = await quickOrigin(loopback(), 1000);
      assert.equal(await quickConnects(elsewhere.address, elsewhere.port, 1000, 1), 1000);
      const twice = count - new Set(sources).size;
      assert.ok(twice < count / 100, `${count} connections came from ${count - twice} ports`);
    });

    test('ports of ours are had once towards each origin; when all are in use the system chooses, counted', async (t) => {
      const ours = await freePorts(3);
      const port = await freePort();
      const [one, other] = [await tcpOrigin(t, echo, { port }), await tcpOrigin(t, echo, { port })];
      const engine = await make(memoryOf(ours));
      const rule = await up(t, engine, leadsTo(one));
      const from = (): number[] => one.connections.map(({ remotePort }) => remotePort ?? 0);
      for (let i = 0; i < 3; i++) await ask(await tcpClient(t, ...entryOf(rule)), 'x');
      assert.deepEqual(new Set(from()), new Set(ours));
      for (let i = 0; i < 2; i++) await ask(await tcpClient(t, ...entryOf(rule)), 'x');
      assert.equal(
        from()
          .slice(3)
          .filter((port) => ours.includes(port)).length,
        0,
      );
      assert.deepEqual((await engine.counters()).get(rule.id)?.dropped, { 'wait-source-ports': 2 });
      assert.deepEqual(await engine.apply({ ...rule, targets: [target(other.address)] }), { ok: true });
      for (let i = 0; i < 3; i++) await ask(await tcpClient(t, ...entryOf(rule)), 'x');
      assert.deepEqual(new Set(other.connections.map(({ remotePort }) => remotePort)), new Set(ours));
    });

    test('a port that another program listens on is passed over', async (t) => {
      const ours = await freePorts(2);
      const origin = await tcpOrigin(t);
      await tcpOrigin(t, echo, { address: '127.0.0.1', port: ours[0] ?? 0 });
      const rule = await up(t, await make(memoryOf(ours)), leadsTo(origin));
      const client = await tcpClient(t, ...entryOf(rule));
      await ask(client, 'x');
      assert.equal(origin.connections[0]?.remotePort, ours[1]);
    });

    test('a UDP rule listens on a port that a session has; both are heard, and nobody else listens there', async (t) => {
      const origin = await udpEcho(t);
      const engine = await make();
      const rule = await up(t, engine, { ...leadsTo(origin), protocol: 'UDP' });
      const client = await udpPeer(t);
      client.send('a', ...entryOf(rule));
      await client.datagram(0);
      const session = origin.got[0]?.from ?? assert.fail('no session');
      const ports = [{ from: session.port, to: session.port }];
      const beside = listener({
        ...leadsTo(origin),
        id: 'beside',
        protocol: 'UDP',
        entries: [session.address],
        ports,
      });
      assert.deepEqual(await engine.apply(beside), { ok: true });
      const other = await udpPeer(t);
      other.send('b', ...entryOf(beside));
      assert.equal(String(await other.datagram(0)), 'b');
      client.send('c', ...entryOf(rule));
      assert.equal(String(await client.datagram(1)), 'c');
      const thief = createSocket({ type: 'udp4', reuseAddr: true });
      thief.bind(session.port, session.address);
      const [refusal] = (await once(thief, 'error')) as [NodeJS.ErrnoException];
      assert.equal(refusal.code, 'EADDRINUSE');
      thief.close();
    });

    test('a UDP port that another program listens on is refused', async (t) => {
      const socket = createSocket({ type: 'udp4', reuseAddr: true }).bind(0, loopback());
      await once(socket, 'listening');
      t.after(() => socket.close());
      const { address, port } = socket.address();
      const engine = await make();
      t.after(() => engine.stop(0));
      const rule = listener({ id: 'taken', protocol: 'UDP', entries: [address], ports: [{ from: port, to: port }] });
      const applied = await engine.apply(rule);
      assert.ok(!applied.ok && /in use by (?:another|this) program/.test(applied.reason), JSON.stringify(applied));
    });
  });
