/**
 * States of origins in the kernel engine, beyond the engine suite: what the system remembers of an origin that goes down does
 * not lead clients there, be it a handshake without an answer, a client's own origin, or a session on the fast path.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OriginState } from '../../src/domain/fact/health.ts';
import type { EngineEvents, Listener } from '../../src/engines/engine.ts';
import { hostEngine } from '../../src/engines/hosting/worker-engine.ts';
import { Netlink } from '../../src/linux/netlink/socket.ts';
import { getGeneration, readGeneration } from '../../src/linux/nft/elements.ts';
import { engineWorld, eventually, freePort } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo, options, target } from '../suites/engine/listener.ts';
import { ask, deafOrigin, dialTcp, readAll, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { udpEcho, udpPeer } from '../suites/engine/udp-peers.ts';
import { enter, whyNoNamespaces, type Namespaces } from './kernel-namespaces.ts';
import { takeStage } from './kernel-stage.ts';

const missing = whyNoNamespaces();
if (missing === undefined) describe('kernel engine, states of origins', () => states(takeStage()));
else describe('kernel engine, states of origins', () => test('is not available here', { skip: missing }, () => {}));

const source = {
  module: new URL('kernel-in-edge.ts', import.meta.url).href,
  factory: 'createInEdge',
  options: { use: 'by name', onStop: 'flush', owner: 'test' },
};

function states(stage: Namespaces): void {
  const world = engineWorld({ create: (events: EngineEvents) => hostEngine('kernel', source, events) });
  const say = (state: OriginState, ...addresses: string[]): Promise<void> =>
    world.engine.states(addresses.map((address) => ({ target: target(address).number, state })));

  enter(stage.edge);
  const netlink = new Netlink();
  enter(stage.out);
  after(() => netlink.close());
  /** How often the tables of the edge's namespace have changed. */
  function generation(): number {
    let number = 0;
    netlink.get(getGeneration(), (view, body, end) => (number = readGeneration(view, body, end)));
    return number;
  }

  /** A rule with persistence that leads to so many origins, which tell their address. */
  async function keeping(t: TestContext, count: number): Promise<Listener> {
    const port = await freePort();
    const addresses = Array.from({ length: count }, () => world.address());
    for (const address of addresses) await tcpOrigin(t, (socket) => void socket.end(address), { address, port });
    const to = leadsTo(...addresses.map((address) => ({ address, port })));
    return world.up(await world.rule({ ...to, persistSeconds: 60 }));
  }
  async function whoAnswers(t: TestContext, rule: Listener, from: string): Promise<string> {
    const client = await tcpClient(t, ...entryOf(rule), from);
    const { bytes } = await readAll(client);
    client.end();
    return bytes.toString();
  }

  for (const count of [2, 3])
    test(`persistence, ${count} origins: no client goes to one that is down, who moved stays, the others never move`, async (t) => {
      const rule = await keeping(t, count);
      const clients = Array.from({ length: 3 * count }, () => world.address());
      const homes = (): Promise<string[]> => Promise.all(clients.map((from) => whoAnswers(t, rule, from)));
      const before = await homes();
      const [gone = ''] = before;
      await say('down', gone);
      const during = await homes();
      for (const [i, home] of during.entries())
        if (before[i] === gone) assert.notEqual(home, gone);
        else assert.equal(home, before[i]);
      await say('up', gone);
      assert.deepEqual(await homes(), during);
      // One that comes now gets the origin that is back.
      const newcomers = Array.from({ length: count }, () => world.address());
      const found = await Promise.all(newcomers.map((from) => whoAnswers(t, rule, from)));
      assert.ok(found.includes(gone), found.join());
    });

  test('a handshake that an origin does not answer goes elsewhere with its next SYN, once the origin is down', async (t) => {
    const deaf = await deafOrigin(t);
    const origin = await tcpOrigin(t, undefined, { port: deaf.port });
    const rule = await world.up(await world.rule(leadsTo(deaf)));
    const clients = Array.from({ length: 10 }, () => dialTcp(t, ...entryOf(rule)));
    await eventually(() => {
      const entries = stage.inEdge('cat', '/proc/net/nf_conntrack').split('\n');
      assert.equal(entries.filter((line) => line.includes(`src=${deaf.address} `)).length, 10);
    });
    await world.up({ ...rule, targets: [target(deaf.address), target(origin.address)] });
    await say('down', deaf.address);
    await Promise.all(clients.map((client) => once(client, 'connect')));
    for (const client of clients) assert.equal(await ask(client, 'hello'), 'hello');
    assert.equal(origin.connections.length, 10);
  });

  test('UDP sessions on the fast path leave an origin that is down, with replies from the same entry; others stay', async (t) => {
    const going = await udpEcho(t);
    const other = await udpEcho(t, { port: going.port });
    const rule = await world.up(await world.rule({ ...leadsTo(going, other), protocol: 'UDP' }));
    const clients = await Promise.all(Array.from({ length: 20 }, () => udpPeer(t)));
    const speak = async (): Promise<void> => {
      for (const client of clients) {
        const before = client.got.length;
        client.send('x', ...entryOf(rule));
        await client.datagram(before);
      }
    };
    for (let round = 0; round < 30; round++) await speak();
    const sendersOf = (peer: typeof other): Set<number> => new Set(peer.got.map(({ from }) => from.port));
    const before = sendersOf(other);
    assert.deepEqual([sendersOf(going).size, before.size], [10, 10]);
    const { fastPackets = 0 } = (await world.counters(rule.id)) as { fastPackets?: number };
    t.diagnostic(`${fastPackets} packets took the fast path`);
    const had = going.got.length;
    await say('down', going.address);
    await speak();
    assert.equal(going.got.length, had);
    const [entry, port] = entryOf(rule);
    for (const { got } of clients)
      for (const { from } of got) assert.deepEqual([from.address, from.port], [entry, port]);
    for (const one of before) assert.ok(sendersOf(other).has(one));
    assert.equal(sendersOf(other).size, 20);
  });

  test('a change of state is one transaction, whatever the number of rules, and each of them obeys', async (t) => {
    const port = await freePort();
    const [gone, stays] = [world.address(), world.address()];
    for (const address of [gone, stays]) await tcpOrigin(t, (socket) => void socket.end(address), { address, port });
    const to = leadsTo({ address: gone, port }, { address: stays, port });
    const entries = [world.entry()];
    // More than are made ready in one go.
    const ports = Array.from({ length: 600 }, (_, i) => ({ from: 20_000 + i, to: 20_000 + i }));
    const rules = await Promise.all(ports.map(async (span) => world.rule({ ...to, entries, ports: [span] })));
    await Promise.all(rules.map((rule) => world.up(rule)));
    for (const state of ['down', 'up', 'down'] as const) {
      const before = generation();
      await say(state, gone);
      assert.equal(generation(), before + 1);
    }
    const asked = rules.filter((_, i) => i % 50 === 0);
    for (const rule of asked) assert.equal(await whoAnswers(t, rule, world.address()), stays);
  });

  test('connections on the fast path are reset where their rule says so; the others on it stay', async (t) => {
    const going = await tcpOrigin(t);
    const other = await tcpOrigin(t, undefined, { port: going.port });
    const care = { options: options({ unhealthy: 'reset' }) };
    const rule = await world.up(await world.rule({ ...leadsTo(going, other), ...care }));
    const clients = await Promise.all(Array.from({ length: 20 }, () => tcpClient(t, ...entryOf(rule))));
    const speak = (some: readonly Socket[]): Promise<unknown> =>
      Promise.all(some.map(async (client) => assert.equal(await ask(client, 'words'), 'words')));
    for (let round = 0; round < 30; round++) await speak(clients);
    const { fastPackets = 0 } = (await world.counters(rule.id)) as { fastPackets?: number };
    t.diagnostic(`${fastPackets} packets took the fast path`);
    const ports = new Set(going.connections.map(({ remotePort }) => remotePort));
    assert.equal(ports.size, 10);
    await say('down', going.address);
    await eventually(() => assert.equal(clients.filter(({ closed }) => closed).length, 10));
    await eventually(() => assert.ok(going.connections.every(({ closed }) => closed)));
    await speak(clients.filter(({ closed }) => !closed));
    assert.deepEqual(
      (await world.ended(rule.id, 10)).map(({ end }) => end),
      Array(10).fill('unhealthy'),
    );
  });

  test('a state that is said many times, of all rules at once, and while rules change, ends as it was said last', async (t) => {
    const port = await freePort();
    const [a, b] = [world.address(), world.address()];
    for (const address of [a, b]) await tcpOrigin(t, (socket) => void socket.end(address), { address, port });
    const to = leadsTo({ address: a, port }, { address: b, port });
    const rules = await Promise.all(Array.from({ length: 20 }, () => world.rule(to)));
    await Promise.all(rules.map((rule) => world.up(rule)));
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 50; i++) {
      all.push(say(i % 2 === 0 ? 'down' : 'up', a));
      const rule = rules[i % rules.length] ?? assert.fail();
      all.push(world.up({ ...rule, targets: rule.targets.map(({ address }) => target(address, 1 + (i % 3))) }));
      if (i % 7 === 0) await sleep(1);
    }
    all.push(say('down', a));
    await Promise.all(all);
    for (const rule of rules) for (let i = 0; i < 2; i++) assert.equal(await whoAnswers(t, rule, world.address()), b);
  });
}
