/** Limits in front of the engines: exact at their edge, and honest clients served while floods are not. In namespaces. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { enter, makeNamespaces, type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { eventually, settle } from '../suites/engine/fixture.ts';
import { ask, tcpClient } from '../suites/engine/tcp-peers.ts';
import { udpPeer } from '../suites/engine/udp-peers.ts';
import { flood } from './flood.ts';
import { openStage, PATIENCE_MS, type Stage } from './limits-stage.ts';

const missing = whyNoNamespaces();

if (missing === undefined) {
  const world = makeNamespaces();
  after(() => world[Symbol.dispose]());
  enter(world.out);
  settle({ address: () => world.address(), entry: () => world.entry() });
  // Where floods come from: answers to them go nowhere.
  execFileSync('ip', ['-n', world.edge, 'route', 'add', '10.80.0.0/16', 'via', '10.127.0.1']);
  for (const engine of ['uring', 'kernel']) describe(`limits before ${engine}`, () => cases(world, engine));
} else describe('limits', () => test('are not available here', { skip: missing }, () => {}));

/** A thousand addresses, none of them a client's. */
const CROWD = {
  source: (n: number) => `10.80.${Math.floor(n / 250)}.${1 + (n % 250)}`,
  sources: 1000,
  packets: 50_000,
};

/** As a resolver asks: again after a second, three times in all. Where only the machine is in doubt, more often. */
async function isServed(t: TestContext, entry: string, from: string, times = 3): Promise<boolean> {
  const client = createSocket('udp4').bind({ address: from });
  t.after(() => client.close());
  await once(client, 'listening');
  const answered = once(client, 'message').then(() => true);
  for (let tries = 0; tries < times; tries++) {
    client.send('x', 701, entry);
    if (await Promise.race([answered, sleep(1000, false)])) return true;
  }
  return false;
}

async function isAccepted(t: TestContext, entry: string, from: string): Promise<boolean> {
  const client = await tcpClient(t, entry, 700, from).catch(() => undefined);
  const answer = client && (await ask(client, 'x').catch(() => ''));
  client?.resetAndDestroy();
  return answer === 'x';
}

/** Honest clients, one after the other, as long as the flood lasts and until `least` have tried; 99 % must be served. */
async function serve(t: TestContext, flooding: Promise<void>, least: number, isHonestServed: () => Promise<boolean>) {
  let [isOver, served, tried] = [false, 0, 0];
  const ended = flooding.finally(() => (isOver = true));
  while (!isOver || tried < least) {
    tried++;
    if (await isHonestServed()) served++;
  }
  await ended;
  t.diagnostic(`${served} of ${tried} honest clients served`);
  assert.ok(served >= tried * 0.99, `${served} of ${tried}`);
}

function cases(world: Namespaces, engine: string): void {
  let stage: Stage;
  before(async () => void (stage = await openStage(world, engine)));
  after(() => stage[Symbol.asyncDispose]());
  /** Edges tell what was given up every five seconds: it is looked at once, for all cases. */
  const counted = new Map<string, () => void>();

  test('T20: as many connections as allowed, and a slot is free at once', async (t) => {
    const { entry, dropped } = await stage.limited(t, { concurrent: 3, ruleConcurrent: 5 });
    const [one, two] = [world.address(), world.address()];
    const open = (from: string) => tcpClient(t, entry, 700, from);
    const clients = [await open(one), await open(one), await open(one)];
    await assert.rejects(open(one), { code: 'ECONNREFUSED' });
    clients.push(await open(two), await open(two));
    await assert.rejects(open(two), { code: 'ECONNREFUSED' });
    for (const client of clients) assert.equal(await ask(client, 'x'), 'x');
    clients[0]?.resetAndDestroy();
    await eventually(async () => void (await open(two)));
    counted.set('connections', () => {
      const { concurrent = 0, 'rule-concurrent': ofRule = 0 } = dropped('tcp');
      assert.ok(concurrent >= 1 && ofRule >= 1, `${concurrent} of one source, ${ofRule} of the rule`);
    });
  });

  test('T20: datagrams over the rate are dropped and counted, each', async (t) => {
    const { entry, dropped, origin } = await stage.limited(t, { packetsPerSecond: 5 });
    const client = await udpPeer(t);
    for (let n = 0; n < 50; n++) client.send('x', entry, 701);
    await eventually(() => assert.equal((dropped('udp')['packets'] ?? 0) + origin.got.length, 50), PATIENCE_MS);
    assert.ok(origin.got.length >= 5 && origin.got.length < 50, `${origin.got.length} passed`);
  });

  test('a SYN flood from 1,000 addresses: honest clients are served, the flood is counted', async (t) => {
    const { entry, dropped } = await stage.limited(t, { newPerSecond: 2, synProxy: 50 });
    const flooding = flood({ protocol: 'TCP', ...CROWD, to: [entry, 700] });
    await serve(t, flooding, 200, () => isAccepted(t, entry, world.address()));
    counted.set('SYNs', () => {
      const { rate = 0, 'syn-cookie': cookies = 0 } = dropped('tcp');
      assert.ok(rate > 10_000 && cookies > 1_000, `${rate} dropped, ${cookies} cookies`);
    });
  });

  test('a UDP flood from 1,000 addresses: honest clients are served, the flood is counted', async (t) => {
    const { entry, dropped } = await stage.limited(t, { packetsPerSecond: 2 });
    const flooding = flood({ protocol: 'UDP', ...CROWD, to: [entry, 701] });
    await serve(t, flooding, 100, () => isServed(t, entry, world.address()));
    counted.set('flood of datagrams', () => {
      const { packets = 0 } = dropped('udp');
      assert.ok(packets > 10_000, `${packets} dropped`);
    });
  });

  test('what was given up is counted, by rule and reason', async (t) => {
    assert.ok(counted.size > 0);
    for (const [what, check] of counted) {
      await eventually(check, PATIENCE_MS);
      t.diagnostic(`${what}: told`);
    }
  });

  test('a rule is limited from its first moment to its last, wherever it goes', async (t) => {
    const entry = world.entry();
    let [isOver, sent] = [false, 0];
    t.after(() => (isOver = true));
    const flooding = (async () => {
      // Other sources each time: the kernel decides about a flow once, when it begins.
      for (; !isOver; sent += 200)
        for (const port of [701, 702]) {
          const source = (): string => `10.80.${1 + ((sent / 50_000) & 127)}.${1 + ((sent / 200) % 250)}`;
          await flood({ protocol: 'UDP', source, sources: 1, packets: 100, to: [entry, port] });
        }
    })();
    await eventually(() => assert.ok(sent > 1000), PATIENCE_MS);
    const limited = await stage.limited(t, {}, ['10.80.0.0/16'], entry);
    assert.ok(await isServed(t, entry, world.address(), 30));
    for (const port of [702, 701, 702, 'off', 701, 'off', 702, 701] as const) await limited.move(port);
    assert.ok(await isServed(t, entry, world.address(), 30));
    isOver = true;
    await flooding;
    const passed = limited.origin.got.filter(({ bytes }) => bytes.toString() !== 'x');
    t.diagnostic(`${passed.length} of ${sent} banned datagrams got through`);
    assert.equal(passed.length, 0);
  });

  if (engine === 'kernel')
    test('connections that outlive an edge are counted by the next one', async (t) => {
      const { entry } = await stage.limited(t, { concurrent: 3, ruleConcurrent: 5 });
      const from = world.address();
      const clients = await Promise.all([1, 2, 3].map(() => tcpClient(t, entry, 700, from)));
      await stage.kill();
      await stage.start();
      await assert.rejects(tcpClient(t, entry, 700, from), { code: 'ECONNREFUSED' });
      for (const client of clients) assert.equal(await ask(client, 'x'), 'x');
      clients[0]?.resetAndDestroy();
      await eventually(async () => void (await tcpClient(t, entry, 700, from)), PATIENCE_MS);
    });

  test('an edge that is killed leaves the limits in force, and the next one takes them over', async (t) => {
    const banned = await udpPeer(t);
    const { entry, origin } = await stage.limited(t, {}, [banned.address]);
    let [isOver, sent] = [false, 0];
    t.after(() => (isOver = true));
    const flooding = (async () => {
      for (; !isOver; sent++) {
        banned.send('banned', entry, 701);
        await sleep(1);
      }
    })();
    assert.ok(await isServed(t, entry, world.address(), 30));
    await stage.kill();
    // The kernel forwards on; the other engine is gone with its process.
    if (engine === 'kernel') assert.ok(await isServed(t, entry, world.address(), 30));
    await stage.start();
    assert.ok(await isServed(t, entry, world.address(), 30));
    isOver = true;
    await flooding;
    const passed = origin.got.filter(({ bytes }) => bytes.toString() === 'banned');
    assert.deepEqual([passed.length, banned.got.length], [0, 0]);
    t.diagnostic(`none of ${sent} datagrams got through`);
  });
}
