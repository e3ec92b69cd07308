/**
 * `edgefour up --upgrade` where rules live in the kernel: the table is taken over while flows and new connections go on. And
 * a next generation that is started with another engine, each from each, so that every rule changes over during the upgrade.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { apiClient } from '../../src/cli/client/api-client.ts';
import { TABLE } from '../../src/engines/kernel/table/sets.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { enter, makeNamespaces, type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { MAIN } from '../world/command.ts';
import { connects } from '../world/connects.ts';
import { online } from '../world/online.ts';
import { openOrigin } from '../world/origin.ts';
import type { Facts } from '../world/places.ts';
import { dial, exchange, say } from './clients.ts';

const skip = whyNoNamespaces() ?? false;
const noUring = skip || ((await whyUnavailable()) ?? false);
/** limit: nobody waits for it; rules in the kernel need no process, and other connections are ended by the test. */
const DRAIN_S = 300;
const WITHIN_MS = 120_000;
const TIMEOUT_MS = 300_000;
const LIMITED = { skip: noUring, timeout: TIMEOUT_MS };
const API = '10.127.0.2';
let namespaces: Namespaces;

before(() => {
  if (skip) return;
  namespaces = makeNamespaces();
  enter(namespaces.out);
});
after(() => namespaces?.[Symbol.dispose]());

type Engine = 'kernel' | 'uring' | 'node';

/** An EdgeFour in the edge's namespace with one TCP rule, its origin and its clients outside. */
async function edgeWorld(port: number, engine: Engine) {
  const ending = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
  ending.defer(() => rmSync(folder, { recursive: true, force: true }));
  const origin = ending.use(await openOrigin(namespaces.address()));
  const ready = join(folder, 'ready.json');
  const network = `${namespaces.entry().split('.').slice(0, 3).join('.')}.0/24`;
  const places = ['--listen', `${API}:${port}`, '--dns', 'off', '--addresses', network, '--rate', '0'];
  const settings = [
    '--data',
    join(folder, 'data'),
    ...places,
    '--ready-file',
    ready,
    '--drain',
    `${DRAIN_S}`,
    '--flush',
    'on',
  ];

  /** Resolves when it serves. */
  async function start(name: Engine, more: readonly string[] = []) {
    const command = [process.execPath, MAIN, 'up', ...settings, '--engine', name, ...more];
    const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
    const env = { PATH, HOME, NODE_COMPILE_CACHE };
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const child = spawn('ip', ['netns', 'exec', namespaces.edge, ...command], { env, stdio: [...stdio] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (part: string) => (said += part));
    const ended = once(child, 'close').then(([code]) => code as number | null);
    ending.defer(async () => {
      child.kill('SIGTERM');
      await ended;
    });
    const early = ended.then((code) => assert.fail(`it ended with ${code}: ${said}`));
    early.catch(() => {});
    await Promise.race([early, eventually(() => assert.equal(readyPid(), child.pid), WITHIN_MS)]);
    return { ended, output: () => said };
  }
  function readyPid(): number {
    assert.ok(existsSync(ready));
    return (JSON.parse(readFileSync(ready, 'utf8')) as { pid: number }).pid;
  }
  const first = await start(engine);
  const facts = JSON.parse(readFileSync(ready, 'utf8')) as Facts;
  const client = apiClient(facts.api, facts, () => clock.now());
  const ZoneId = facts.zoneId;
  const named = { ZoneId, ProxyName: 'upgraded', Area: 'overseas' };
  const { ProxyId } = await client.call<{ ProxyId: string }>('CreateL4Proxy', named);
  async function rule(port: number): Promise<string> {
    const to = { OriginType: 'IP_DOMAIN', OriginValue: [origin.address], OriginPortRange: `${origin.tcpPort}` };
    const L4ProxyRules = [{ Protocol: 'TCP', PortRange: [`${port}`], ...to }];
    await client.call('CreateL4ProxyRules', { ZoneId, ProxyId, L4ProxyRules });
    return online(client, ZoneId, ProxyId, WITHIN_MS);
  }
  /** Which engines serve the rules, as control has heard. */
  async function engines(): Promise<string[]> {
    const { Instances } = await client.call<Placed>('EdgeFourDescribeStatus', { ZoneId, ProxyId });
    return Instances.flatMap(({ Rules }) => Rules.flatMap(({ Placements }) => Placements.map(({ Engine }) => Engine)));
  }
  return {
    first,
    address: await rule(5000),
    rule,
    /** Resolves when it is in force. */
    async limit(Concurrent: number): Promise<void> {
      await client.call('EdgeFourSetLimits', { ZoneId, ProxyId, Concurrent });
      await online(client, ZoneId, ProxyId, WITHIN_MS);
    },
    engines,
    upgrade: (to: Engine) => start(to, ['--upgrade']),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}
interface Placed {
  readonly Instances: readonly { readonly Rules: readonly { readonly Placements: readonly { Engine: string }[] }[] }[];
}

test('kernel: the table is taken over; flows and new connections go on', { skip, timeout: TIMEOUT_MS }, async () => {
  await using w = await edgeWorld(8001, 'kernel');
  assert.deepEqual(await w.engines(), ['kernel']);
  await using load = connects(w.address, 5000, { perSecond: 50 });
  const old = await dial(w.address, 5000);
  assert.equal(await say(old, 'before'), 'before');
  const second = await w.upgrade('kernel');
  // order: nothing of a flow is in the process, so it ends at once.
  assert.equal(await w.first.ended, 0);
  assert.equal(await say(old, 'after'), 'after');
  await w.rule(5001);
  assert.equal((await exchange(w.address, 5001, Buffer.from('x'))).toString(), 'x');
  await w.upgrade('kernel');
  assert.equal(await second.ended, 0);
  assert.equal(await say(old, 'still'), 'still');
  await load.stop();
  assert.deepEqual([...load.ends], [['ok', load.started]]);
  old.destroy();
});

for (const [port, engine] of [
  [8011, 'kernel'],
  [8012, 'uring'],
  [8013, 'node'],
] as const)
  test(`${engine}: three open, upgraded: no more get in; another number counts them`, LIMITED, async () => {
    await using w = await edgeWorld(port, engine);
    const open: Socket[] = [];
    async function letIn(tries: number): Promise<number> {
      const before = open.length;
      for (let i = 0; i < tries; i++) {
        const socket = await dial(w.address, 5000).catch(() => undefined);
        if (socket) open.push(socket);
      }
      return open.length - before;
    }
    await w.limit(3);
    assert.equal(await letIn(6), 3);
    await w.upgrade(engine);
    assert.equal(await letIn(3), 0);
    await w.limit(4);
    assert.equal(await letIn(3), 1);
    for (const socket of open) assert.equal(await say(socket, 'still'), 'still');
    open.shift()?.destroy();
    await eventually(async () => assert.equal(await letIn(1), 1), WITHIN_MS);
    assert.equal(await letIn(3), 0);
    for (const socket of open) socket.destroy();
  });

const CHANGES = [
  [8002, 'kernel', 'uring'],
  [8003, 'uring', 'kernel'],
  [8004, 'kernel', 'node'],
  [8005, 'node', 'kernel'],
  [8006, 'node', 'uring'],
  [8007, 'uring', 'node'],
] as const;

for (const [port, from, to] of CHANGES)
  test(`${from} → ${to}: nobody is refused, nothing is cut`, { skip: noUring, timeout: TIMEOUT_MS }, async () => {
    await using w = await edgeWorld(port, from);
    assert.deepEqual(await w.engines(), [from]);
    await using load = connects(w.address, 5000, { perSecond: 50 });
    const old = await dial(w.address, 5000);
    assert.equal(await say(old, 'before'), 'before');
    await w.upgrade(to);
    assert.equal(await say(old, 'at once'), 'at once');
    await eventually(async () => assert.deepEqual(await w.engines(), [to]), WITHIN_MS);
    assert.equal(await say(old, 'after'), 'after');
    assert.equal((await exchange(w.address, 5000, Buffer.from('x'))).toString(), 'x');
    await load.stop();
    assert.deepEqual([...load.ends], [['ok', load.started]]);
    assert.equal(await say(old, 'still'), 'still');
    old.destroy();
    assert.equal(await w.first.ended, 0);
    // With its last connection the table goes.
    const tables = (): string => namespaces.inEdge('nft', 'list', 'tables');
    if (from === 'kernel')
      await eventually(() => assert.ok(!tables().split('\n').includes(`table ${TABLE}`), tables()), WITHIN_MS);
  });
