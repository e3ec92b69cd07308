/**
 * What an edge leaves in the kernel: the next one takes it over wherever the data folder is by then, an edge that lives keeps
 * its own, and where nobody can take it away the rule says so. Whole edges, in namespaces.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { ruleStatus } from '../../src/domain/status.ts';
import { enter, makeNamespaces, type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { eventually, settle } from '../suites/engine/fixture.ts';
import { ask, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { type ControlEnd, controlEnd } from './control-end.ts';
import { PLACE, proxy, rule } from './edges.ts';

const missing = whyNoNamespaces();
const BIN = new URL('../../bin/edgefour.js', import.meta.url).pathname;
const PATIENCE_MS = 60_000;
const PORT = 700;
const POWERLESS = ['setpriv', '--inh-caps=-net_admin', '--bounding-set=-net_admin'];

if (missing === undefined) {
  const world = makeNamespaces();
  after(() => world[Symbol.dispose]());
  enter(world.out);
  settle({ address: () => world.address(), entry: () => world.entry() });
  describe('tables in the kernel', () => cases(world));
} else describe('tables in the kernel', () => test('are not available here', { skip: missing }, () => {}));

interface Setting {
  readonly data: string;
  readonly engine: 'node' | 'uring' | 'kernel';
  readonly edge?: string;
  readonly isPowerless?: boolean;
}

/** A control with one TCP rule, which leads to one of two origins; each answers with its own name. */
async function stage(t: TestContext, world: Namespaces) {
  const control: ControlEnd = await controlEnd();
  const children = new Set<ChildProcess>();
  const entry = world.entry();
  const origins = await Promise.all(
    ['one', 'two'].map((name) =>
      tcpOrigin(t, (socket) => void socket.on('error', () => {}).on('data', () => socket.write(name))),
    ),
  );
  t.after(async () => {
    for (const child of children) await end(child, 'SIGKILL');
    await control[Symbol.asyncDispose]();
    world.inEdge('sh', '-c', 'nft delete table inet edgefour 2>/dev/null || true');
  });
  async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
  return {
    entry,
    folder: (name: string): string => join(control.folder, name),
    failures: () => control.acks.failures('rule-a').join('\n'),
    /** Leads there from now on; `off`: the rule is switched off. Resolves when edges have said that it is so. */
    async lead(to: 0 | 1, want: 'online' | 'offline' = 'online'): Promise<void> {
      const { address, port } = origins[to] ?? assert.fail();
      const rules = [rule('rule-a', PORT, address, port, { want })];
      const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, rules) });
      await eventually(
        () => assert.ok(children.size === 0 || control.acks.applied('overseas') >= revision),
        PATIENCE_MS,
      );
    },
    status(want: 'online' | 'offline'): string {
      const one = { id: 'rule-a', want, changed: 0 } as Parameters<typeof ruleStatus>[1];
      const instance = { ...proxy('a', entry, []), area: 'overseas' } as unknown as Parameters<typeof ruleStatus>[0];
      return ruleStatus(instance, one, { paused: false, changed: 1 }, control.acks, 0);
    },
    /** Resolves when the edge has applied another revision. */
    async start({ data, engine, edge = 'e1', isPowerless = false }: Setting): Promise<ChildProcess> {
      const place = ['--join', `unix:${control.socket}`, '--data', data, '--site', 'local', '--edge', edge];
      const program = [
        ...(isPowerless ? POWERLESS : []),
        process.execPath,
        BIN,
        'edge',
        ...place,
        '--engine',
        engine,
        '--drain',
        '1',
      ];
      const child = spawn('ip', ['netns', 'exec', world.edge, ...program], { stdio: ['ignore', 'ignore', 'inherit'] });
      children.add(child);
      const zone = { ...PLACE['zone/zone-a'], tags: [{ key: `${edge} ${engine}`, value: `${children.size}` }] };
      const revision = await control.put({ ...PLACE, 'zone/zone-a': zone });
      await eventually(() => {
        assert.equal(child.exitCode, null);
        assert.ok(control.acks.edges().some((one) => one.id === edge && one.applied >= revision));
      }, PATIENCE_MS);
      return child;
    },
    kill: (child: ChildProcess) => end(child, 'SIGKILL'),
    /** Whom a new client gets; '' where nobody answers. */
    async answer(): Promise<string> {
      const client = await tcpClient(t, entry, PORT).catch(() => undefined);
      const said = client && (await ask(client, 'who').catch(() => ''));
      client?.resetAndDestroy();
      return said ?? '';
    },
    open: () => tcpClient(t, entry, PORT),
    /** What doctor says of tables; as root, or without its powers. */
    doctor(data: string, isPowerless = false): string {
      const at = ['--data', data, '--addresses', '10.96.0.0/12', '--listen', '127.0.0.1:0', '--dns', '127.0.0.1:0'];
      const [program = '', ...args] = [
        ...(isPowerless ? POWERLESS : []),
        process.execPath,
        BIN,
        'doctor',
        '--json',
        ...at,
      ];
      const said = spawnSync('ip', ['netns', 'exec', world.edge, program, ...args], { encoding: 'utf8' });
      const found = JSON.parse(said.stdout) as { about: string; state: string; text: string }[];
      return found
        .flatMap(({ about, state, text }) => (about === 'kernel tables' ? [`${state} ${text}`] : []))
        .join('\n');
    },
  };
}

function cases(world: Namespaces): void {
  const isThere = (): boolean => /inet edgefour$/m.test(world.inEdge('nft', 'list', 'tables'));
  const table = (): string => world.inEdge('nft', 'list', 'table', 'inet', 'edgefour');
  /** Without what traffic changes: counters, and the sets that packets enter origins into. */
  const still = (text: string): string =>
    text.replaceAll(/counter packets \d+ bytes \d+|expires \S+|set (?:dials|rejected)[46] \{[^]*?\n\t\}/g, '');
  const handle = (): string =>
    /edgefour \{ # handle (\d+)/.exec(world.inEdge('nft', '-a', 'list', 'table', 'inet', 'edgefour'))?.[1] ?? '';

  test('a folder that was moved is the same edge: its rules follow what is wanted, and no connection ends', async (t) => {
    const it = await stage(t, world);
    await it.lead(0);
    const first = await it.start({ data: it.folder('a'), engine: 'kernel' });
    const old = await it.open();
    assert.equal(await ask(old, 'who'), 'one');
    const before = handle();
    await it.kill(first);
    assert.equal(await it.answer(), 'one');
    renameSync(it.folder('a'), it.folder('b'));
    await it.lead(1);
    const second = await it.start({ data: it.folder('b'), engine: 'kernel' });
    await eventually(async () => assert.equal(await it.answer(), 'two'), PATIENCE_MS);
    assert.deepEqual([it.failures(), await ask(old, 'who'), handle()], ['', 'one', before]);
    await it.lead(1, 'offline');
    assert.deepEqual([it.status('offline'), await it.answer()], ['offline', '']);
    await it.lead(0);
    await it.kill(second);
    symlinkSync(it.folder('b'), it.folder('link'));
    await it.lead(1);
    await it.start({ data: it.folder('link'), engine: 'node' });
    await eventually(async () => assert.equal(await it.answer(), 'two'), PATIENCE_MS);
    assert.equal(it.failures(), '');
    old.resetAndDestroy();
    await eventually(() => assert.ok(!isThere()), PATIENCE_MS);
  });

  test('another folder, another engine: what a dead edge has left goes, its connections when they end', async (t) => {
    const it = await stage(t, world);
    await it.lead(0);
    const first = await it.start({ data: it.folder('a'), engine: 'kernel' });
    const old = await it.open();
    assert.equal(await ask(old, 'who'), 'one');
    await it.kill(first);
    await it.lead(1);
    const second = await it.start({ data: it.folder('b'), engine: 'node' });
    await eventually(async () => assert.equal(await it.answer(), 'two'), PATIENCE_MS);
    assert.deepEqual([it.failures(), await ask(old, 'who')], ['', 'one']);
    await it.kill(second);
    // And from one dead edge to the next, with the kernel engine again.
    const third = await it.start({ data: it.folder('c'), engine: 'kernel' });
    await eventually(async () => assert.equal(await it.answer(), 'two'), PATIENCE_MS);
    assert.equal(await ask(old, 'who'), 'one');
    const id = readFileSync(join(it.folder('c'), 'edge', 'kernel-owner'), 'latin1').trim();
    assert.deepEqual(table().match(/chain owner-\w+/g), [`chain owner-${id}`]);
    old.resetAndDestroy();
    await it.kill(third);
  });

  test('without CAP_NET_ADMIN a rule that the kernel still holds fails, on or off, and names the way out', async (t) => {
    const it = await stage(t, world);
    await it.lead(0);
    const data = it.folder('a');
    await it.kill(await it.start({ data, engine: 'kernel' }));
    assert.match(it.doctor(data, true), /^bad .*as root: nft delete table inet edgefour; rm /);
    assert.match(it.doctor(data), /^warn inet edgefour is of this data folder, whose edge does not run/);
    assert.match(it.doctor(it.folder('b')), /^warn inet edgefour is of an edge that is dead/);
    await it.lead(1);
    await it.start({ data, engine: 'node', isPowerless: true });
    await eventually(() => assert.match(it.failures(), /as root: nft delete table inet edgefour/), PATIENCE_MS);
    assert.deepEqual([it.status('online'), await it.answer()], ['fail', 'one']);
    await it.lead(1, 'offline');
    assert.deepEqual([it.status('offline'), await it.answer()], ['fail', 'one']);
    const command = /as root: (.*)$/m.exec(it.failures())?.[1] ?? 'false';
    world.inEdge('sh', '-ec', command);
    await eventually(() => assert.deepEqual([it.status('offline'), it.failures()], ['offline', '']), PATIENCE_MS);
    await it.lead(0);
    await eventually(async () => assert.deepEqual([it.failures(), await it.answer()], ['', 'one']), PATIENCE_MS);
  });

  test('beside an edge that lives the second one fails, until the first is gone', async (t) => {
    const it = await stage(t, world);
    await it.lead(0);
    const first = await it.start({ data: it.folder('a'), engine: 'kernel' });
    const before = still(table());
    const refused = new RegExp(`^e2: .*inet edgefour is of another edge .*pid ${first.pid}`, 'm');
    assert.match(it.doctor(it.folder('b')), /^warn inet edgefour is of another edge that runs/);
    const second = await it.start({ data: it.folder('b'), engine: 'kernel', edge: 'e2' });
    await eventually(() => assert.match(it.failures(), refused), PATIENCE_MS);
    assert.deepEqual([still(table()), await it.answer()], [before, 'one']);
    await it.kill(second);
    await it.start({ data: it.folder('c'), engine: 'node', edge: 'e2' });
    await eventually(() => assert.match(it.failures(), refused), PATIENCE_MS);
    assert.match(it.failures(), new RegExp(`TCP ${it.entry} port ${PORT} is held in the kernel`));
    assert.deepEqual([still(table()), await it.answer()], [before, 'one']);
    await it.kill(first);
    await eventually(async () => assert.deepEqual([isThere(), await it.answer()], [false, 'one']), PATIENCE_MS);
  });

  test('a table of 0.1.0, which knew its owner by the path, is taken over once', async (t) => {
    const it = await stage(t, world);
    const data = it.folder('a');
    world.inEdge('nft', `add table inet edgefour { comment "${data}"; }`);
    await it.lead(0);
    const first = await it.start({ data, engine: 'kernel' });
    const old = await it.open();
    assert.equal(await ask(old, 'who'), 'one');
    const before = handle();
    await it.kill(first);
    const id = readFileSync(join(data, 'edge', 'kernel-owner'), 'latin1').trim();
    world.inEdge('nft', 'delete', 'chain', 'inet', 'edgefour', `owner-${id}`);
    for (const name of ['kernel-owner', 'kernel-left']) rmSync(join(data, 'edge', name));
    await it.lead(1);
    await it.start({ data, engine: 'kernel' });
    await eventually(async () => assert.equal(await it.answer(), 'two'), PATIENCE_MS);
    assert.deepEqual([it.failures(), await ask(old, 'who'), handle()], ['', 'one', before]);
    assert.equal(table().match(/chain owner-/g)?.length, 1);
    old.resetAndDestroy();
  });
}
