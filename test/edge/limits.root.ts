/** Limits in front of the engines: exact at their edge, and honest clients served while floods are not. In namespaces. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, describe, test, type TestContext } from 'node:test';
import { execFileSync } from 'node:child_process';
import type { Limits } from '../../src/domain/limit/limit.ts';
import { enter, makeNamespaces, type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { eventually, settle } from '../suites/engine/fixture.ts';
import { ask, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { udpEcho } from '../suites/engine/udp-peers.ts';
import { type ControlEnd, controlEnd } from './control-end.ts';
import { PLACE, proxy, rule } from './edges.ts';
import { flood } from './flood.ts';

const missing = whyNoNamespaces();
const BIN = new URL('../../bin/edgefour.js', import.meta.url).pathname;
const SECONDS_MS = 60_000;

if (missing === undefined) {
  const world = makeNamespaces();
  after(() => world[Symbol.dispose]());
  enter(world.out);
  settle({ address: () => world.address(), entry: () => world.entry() });
  // Where floods come from: answers to them go nowhere.
  execFileSync('ip', ['-n', world.edge, 'route', 'add', '10.80.0.0/16', 'via', '10.127.0.1']);
  for (const engine of ['uring', 'kernel']) describe(`limits before ${engine}`, () => cases(world, engine));
} else describe('limits', () => test('are not available here', { skip: missing }, () => {}));

interface Stage {
  readonly control: ControlEnd;
  readonly entry: string;
  readonly limit: (limits: Limits, more?: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly dropped: (rule: string) => Readonly<Record<string, number>>;
}

/** An edge process in its namespace with a TCP rule on port 700 and a UDP rule on 701. */
async function stage(
  t: TestContext,
  world: Namespaces,
  engine: string,
): Promise<Stage & { readonly got: () => number }> {
  const control = await controlEnd();
  const entry = world.entry();
  const [tcp, udp] = [await tcpOrigin(t), await udpEcho(t)];
  const options = ['--join', `unix:${control.socket}`, '--data', join(control.folder, 'edge'), '--engine', engine];
  const args = [
    'netns',
    'exec',
    world.edge,
    process.execPath,
    BIN,
    'edge',
    ...options,
    '--site',
    'local',
    '--flush',
    'on',
    '--drain',
    '1',
  ];
  const child = spawn('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
    await control[Symbol.asyncDispose]();
  });
  async function limit(limits: Limits, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const rules = [
      rule('rule-tcp', 700, tcp.address, tcp.port),
      rule('rule-udp', 701, udp.address, udp.port, { protocol: 'UDP' }),
    ];
    const revision = await control.put({ 'proxy/zone-a/a': proxy('a', entry, rules, { limits }), ...more });
    await eventually(() => assert.equal(control.acks.applied('overseas'), revision), SECONDS_MS);
    assert.deepEqual([control.acks.failures('rule-tcp'), control.acks.failures('rule-udp')], [[], []]);
  }
  await control.put(PLACE);
  return { control, entry, limit, dropped: (id) => control.counters.droppedOf(id), got: () => udp.got.length };
}

/** The table is written after the ack of the rules: a sign of it is waited for. */
const enforced = (world: Namespaces, sign: RegExp): Promise<void> =>
  eventually(() => assert.match(world.inEdge('nft', 'list', 'table', 'inet', 'edgefour_guard'), sign), SECONDS_MS);

/** As a resolver asks: again after a second, three times in all. */
async function isServed(t: TestContext, entry: string, from: string): Promise<boolean> {
  const client = createSocket('udp4').bind({ address: from });
  t.after(() => client.close());
  await once(client, 'listening');
  const answered = once(client, 'message').then(() => true);
  for (let tries = 0; tries < 3; tries++) {
    client.send('x', 701, entry);
    if (await Promise.race([answered, sleep(1000, false)])) return true;
  }
  return false;
}

function cases(world: Namespaces, engine: string): void {
  test('T20: as many connections as allowed, and a slot is free at once', async (t) => {
    const { entry, limit, dropped } = await stage(t, world, engine);
    await limit({ concurrent: 3, ruleConcurrent: 5 });
    await enforced(world, /ct count over 3/);
    const [one, two] = [world.address(), world.address()];
    const open = (from: string) => tcpClient(t, entry, 700, from);
    const clients = [await open(one), await open(one), await open(one)];
    await assert.rejects(open(one), { code: 'ECONNREFUSED' });
    clients.push(await open(two), await open(two));
    await assert.rejects(open(two), { code: 'ECONNREFUSED' });
    for (const client of clients) assert.equal(await ask(client, 'x'), 'x');
    clients[0]?.resetAndDestroy();
    await eventually(async () => void (await open(two)));
    await eventually(() => {
      const { concurrent = 0, 'rule-concurrent': ofRule = 0 } = dropped('rule-tcp');
      assert.ok(concurrent >= 1 && ofRule >= 1);
    }, SECONDS_MS);
  });

  test('T20: datagrams over the rate are dropped and counted, each', async (t) => {
    const { entry, limit, dropped, got } = await stage(t, world, engine);
    await limit({ packetsPerSecond: 5 });
    await enforced(world, /limit rate over 5\/second/);
    const client = createSocket('udp4').bind({ address: world.address() });
    t.after(() => client.close());
    await once(client, 'listening');
    for (let n = 0; n < 50; n++) client.send('x', 701, entry);
    await eventually(() => assert.equal((dropped('rule-udp')['packets'] ?? 0) + got(), 50), SECONDS_MS);
    assert.ok(got() >= 5 && got() < 50, `${got()} passed`);
  });

  test('a SYN flood from 1,000 addresses: honest clients are served, the flood is counted', async (t) => {
    const { entry, limit, dropped } = await stage(t, world, engine);
    await limit({ newPerSecond: 10, synProxy: 50 });
    await enforced(world, /synproxy/);
    const source = (n: number): string => `10.80.${Math.floor(n / 250)}.${1 + (n % 250)}`;
    const flooding = flood({ protocol: 'TCP', source, sources: 1000, packets: 50_000, to: [entry, 700] });
    let [isOver, served, tried] = [false, 0, 0];
    const ended = flooding.finally(() => (isOver = true));
    while (!isOver || tried < 200) {
      const client = await tcpClient(t, entry, 700, world.address()).catch(() => undefined);
      tried++;
      if (client && (await ask(client, 'x').catch(() => '')) === 'x') served++;
      client?.resetAndDestroy();
    }
    await ended;
    t.diagnostic(`${served} of ${tried} honest clients served`);
    assert.ok(served >= tried * 0.99, `${served} of ${tried}`);
    await eventually(() => {
      const { rate = 0, 'syn-cookie': cookies = 0 } = dropped('rule-tcp');
      assert.ok(rate > 10_000 && cookies > 1_000, `${rate} dropped, ${cookies} cookies`);
    }, SECONDS_MS);
    t.diagnostic(JSON.stringify(dropped('rule-tcp')));
  });

  test('a UDP flood from 1,000 addresses: honest clients are served, the flood is counted', async (t) => {
    const { entry, limit, dropped } = await stage(t, world, engine);
    await limit({ packetsPerSecond: 2 });
    await enforced(world, /limit rate over 2\/second/);
    const source = (n: number): string => `10.80.${Math.floor(n / 250)}.${1 + (n % 250)}`;
    let isOver = false;
    const flooding = flood({ protocol: 'UDP', source, sources: 1000, packets: 50_000, to: [entry, 701] });
    const ended = flooding.finally(() => (isOver = true));
    let [served, tried] = [0, 0];
    while (!isOver || tried < 100) {
      tried++;
      if (await isServed(t, entry, world.address())) served++;
    }
    await ended;
    t.diagnostic(`${served} of ${tried} honest clients served`);
    assert.ok(served >= tried * 0.99, `${served} of ${tried}`);
    await eventually(() => assert.ok((dropped('rule-udp')['packets'] ?? 0) > 10_000), SECONDS_MS);
    t.diagnostic(JSON.stringify(dropped('rule-udp')));
  });
}
