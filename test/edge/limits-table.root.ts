/**
 * The table of limits in the kernel, without an edge around it: 100,000 networks beside live traffic, bans that end by
 * themselves, a table that is taken over, flushed by somebody, or fuller than a meter is long. In namespaces.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, afterEach, describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits } from '../../src/domain/limit/limit.ts';
import { deleteFlow, type Flow, getFlows, readFlow } from '../../src/linux/netlink/conntrack.ts';
import { Signal } from '../../src/lib/signal.ts';
import { Guard } from '../../src/edge/guard/guard.ts';
import type { LimitedRule } from '../../src/edge/guard/contents/limited-rule.ts';
import { openTables } from '../../src/edge/tables/tables.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { Netlink } from '../../src/linux/netlink/socket.ts';
import { parseAddress } from '../../src/lib/net/address.ts';
import { systemRng } from '../../src/lib/rng.ts';
import { silentLog } from '../../src/observe/log.ts';
import { enter, makeNamespaces, type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { flood } from './flood.ts';

const missing = whyNoNamespaces();
const PATIENCE_MS = 60_000;
const [ENTRY, PORT] = ['10.96.0.1', 700];
const LIST = 'address-list/zone-a/bad';

if (missing === undefined) {
  const world = makeNamespaces();
  after(() => world[Symbol.dispose]());
  execFileSync('ip', ['-n', world.edge, 'route', 'add', '10.80.0.0/16', 'via', '10.127.0.1']);
  enter(world.edge);
  describe('the table of limits', () => cases(world));
} else describe('the table of limits', () => test('is not available here', { skip: missing }, () => {}));

/** A UDP rule, the records around it, and who gets through to its port. */
async function stage(t: TestContext, world: Namespaces) {
  const rules = new Map<string, LimitedRule>();
  const records = new Map<string, { value: unknown; revision: number }>();
  let revision = 0;
  const got = new Map<string, number>();
  const port = createSocket('udp4').bind(PORT, ENTRY);
  t.after(() => port.close());
  port.on('message', (_, { address }) => got.set(address, (got.get(address) ?? 0) + 1));
  await once(port, 'listening');
  const guards: Guard[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-limits-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const tables = await openTables({
    dataDir: folder,
    isSuccessor: false,
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
  });
  t.after(async () => {
    for (const guard of guards.reverse()) await guard.stop('flush');
    tables.close(false);
  });
  const source = (n: number): string => `10.80.0.${n}`;
  /** Datagrams from outside; the guard stays where it is. */
  function send(from: readonly number[], packets: number): Promise<void> {
    enter(world.out);
    const sources = { source: (n: number) => source(from[n] ?? 0), sources: from.length };
    const sending = flood({ protocol: 'UDP', ...sources, packets, to: [ENTRY, PORT] });
    enter(world.edge);
    return sending;
  }
  return {
    send,
    /** How many came from there. */
    got: (from: number): number => got.get(source(from)) ?? 0,
    limit(limits: Limits): readonly string[] {
      rules.set('rule-a', {
        id: 'rule-a',
        proxy: 'sid-1',
        protocol: 'UDP',
        entries: [ENTRY],
        ports: [{ from: PORT, to: PORT }],
        limits,
      });
      return ['rule-a'];
    },
    put(key: string, value: unknown): string {
      records.set(key, { value, revision: ++revision });
      return key;
    },
    lift: (key: string): string => (records.delete(key), key),
    drop: () => rules.clear(),
    guard(clock: Clock = systemClock, sources?: number): Guard {
      const base = { clock, log: silentLog, tables, onStop: 'keep', changed: new Signal() } as const;
      const made = new Guard({ ...base, ...(sources && { sources }), rules: () => rules, records: () => records });
      guards.push(made);
      return made;
    },
    /** Whether a datagram from there gets through. */
    async passes(from: number): Promise<boolean> {
      const [before, known] = [got.get(source(from)) ?? 0, got.get(source(250)) ?? 0];
      // What is sent after it, by somebody whom nothing stops, comes after it.
      await send([from], 1);
      await eventually(async () => {
        await send([250], 1);
        assert.ok((got.get(source(250)) ?? 0) > known);
      }, PATIENCE_MS);
      return (got.get(source(from)) ?? 0) > before;
    },
  };
}

/** What is let through comes sooner or later; what is not, never. */
const opens = (it: Stage, from: number): Promise<void> =>
  eventually(async () => assert.equal(await it.passes(from), true), PATIENCE_MS);

const tables = (): string => execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' });

type Stage = Awaited<ReturnType<typeof stage>>;
const ban = (network: string): string => `network-ban/sid-1/${network}`;

/** Parts of a list of 100,000, and `more`; gives the list's key. */
function putList(it: Stage, side: 'a' | 'b', more: readonly string[]): string {
  const far = Array.from({ length: 100_000 - more.length }, (_, n) => {
    const address = n * 32 + (side === 'b' ? 16 : 0);
    return `11.${address >>> 16}.${(address >>> 8) & 255}.${address & 255}/28`;
  });
  const all = [...far, ...more];
  for (let part = 0; part < 20; part++)
    it.put(`address-part/zone-a/bad/${side}/${part}`, { networks: all.slice(part * 5000, (part + 1) * 5000) });
  return it.put(LIST, { side, parts: 20 });
}

/** As if they had been silent for long. */
function endFlows(source: string): void {
  const asking = new Netlink();
  const flows: Flow[] = [];
  asking.dump(getFlows(0, 0xffff_ffff), (view, body, end) => flows.push(...[readFlow(view, body, end) ?? []].flat()));
  const its = flows.filter(({ original }) => original.source.address === source);
  assert.equal(its.length, 3);
  asking.request(its.map((flow) => deleteFlow(flow, (address) => parseAddress(address) ?? new Uint8Array(4))));
  asking.close();
}

function cases(world: Namespaces): void {
  afterEach(() => enter(world.edge));

  test('100,000 networks: loaded and replaced as a whole beside traffic; a ban takes no notice of them', async (t) => {
    const it = await stage(t, world);
    const guard = it.guard();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const timed = async (what: string, act: () => Promise<void> | undefined): Promise<number> => {
      const start = performance.now();
      delay.reset();
      delay.enable();
      await act();
      delay.disable();
      const took = performance.now() - start;
      t.diagnostic(`${what}: ${took.toFixed(0)} ms, the longest block ${(delay.max / 1e6).toFixed(0)} ms`);
      return took;
    };
    const list = putList(it, 'a', ['10.80.0.1', '10.80.0.2/31']);
    const rules = it.limit({ deny: [LIST] });
    await timed('list loaded', () => guard.update(rules, [list]));
    assert.deepEqual([guard.alarms, await it.passes(1)], [[], false]);
    await opens(it, 4);

    let isReplaced = false;
    t.after(() => (isReplaced = true));
    const flooding = (async () => {
      while (!isReplaced) await it.send([1], 200);
    })();
    putList(it, 'b', ['10.80.0.1', '10.80.0.4']);
    await timed('list replaced', () => guard.update([], [list]));
    isReplaced = true;
    await flooding;
    await opens(it, 2);
    assert.deepEqual([await it.passes(4), it.got(1)], [false, 0]);

    const first = await timed('first ban', () =>
      guard.update([], [it.put(ban('10.80.0.5'), { network: '10.80.0.5' })]),
    );
    assert.equal(await it.passes(5), false);
    const next = await timed('next ban', () => guard.update([], [it.put(ban('10.80.0.6'), { network: '10.80.0.6' })]));
    assert.equal(await it.passes(6), false);
    const lifted = await timed('ban lifted', () => guard.update([], [it.lift(ban('10.80.0.6'))]));
    await opens(it, 6);
    // limit: milliseconds, where a list takes seconds; one of them may have waited for a machine that is busy otherwise.
    assert.ok(Math.min(first, next, lifted) < 1000, `${first}, ${next}, ${lifted} ms`);

    await timed('counters read', async () => {
      const { dropped = {} } = (await guard.counters()).get('rule-a') ?? {};
      assert.ok((dropped['deny'] ?? 0) > 200 && dropped['ban'] === 2, JSON.stringify(dropped));
    });
  });

  test('bans lie in each other, and each ends by itself, in the kernel', async (t) => {
    const it = await stage(t, world);
    // A guard whose timers never come.
    const guard = it.guard({ ...systemClock, after: () => ({ cancel() {} }) });
    it.limit({});
    const until = Date.now() + 4000;
    const wide = it.put(ban('10.80.0.0_29'), { network: '10.80.0.0/29', until });
    const narrow = it.put(ban('10.80.0.1'), { network: '10.80.0.1' });
    await guard.update([], [wide, narrow]);
    const both = [await it.passes(1), await it.passes(2)];
    // Else the machine was slower than the ban is long, and they say nothing.
    if (Date.now() < until) assert.deepEqual(both, [false, false]);
    await opens(it, 2);
    assert.ok(Date.now() >= until - 100);
    assert.equal(await it.passes(1), false);
  });

  test('the next guard takes the table over without a gap; without limits nothing is left', async (t) => {
    const it = await stage(t, world);
    const rules = it.limit({ packetsPerSecond: 5 });
    const key = it.put(ban('10.80.0.1'), { network: '10.80.0.1' });
    // As after SIGKILL: nobody has stopped it.
    await it.guard().update(rules, [key]);
    assert.equal(await it.passes(1), false);
    let isOver = false;
    t.after(() => (isOver = true));
    const flooding = (async () => {
      while (!isOver) await it.send([1], 200);
    })();
    let next = it.guard();
    await next.update();
    for (let times = 1; times < 10; times++) {
      next = it.guard();
      await next.update();
    }
    isOver = true;
    await flooding;
    assert.deepEqual([next.alarms, it.got(1)], [[], 0]);
    assert.doesNotMatch(tables(), /stand_in/);
    await opens(it, 2);
    it.drop();
    await next.update(rules, []);
    // Somebody may still serve it.
    assert.equal(await it.passes(1), false);
    for (const rule of rules) next.settled(rule);
    await opens(it, 1);
    await eventually(() => assert.doesNotMatch(tables(), /edgefour_guard/), PATIENCE_MS);
  });

  test('the next guard goes on counting where the one before stopped: sessions, rates, bans', async (t) => {
    const it = await stage(t, world);
    const rules = it.limit({ concurrent: 3, packetsPerSecond: 1000 });
    const [stays, goes] = ['10.80.0.8', '10.80.0.9'].map((network) => it.put(ban(network), { network }));
    const first = it.guard();
    await first.update(rules, [stays ?? '', goes ?? '']);
    await openThree(it);
    const dropped = async (guard: Guard) => (await guard.counters()).get('rule-a')?.dropped['concurrent'];
    await askForMore(it, 6);
    await eventually(async () => assert.deepEqual([it.got(1), await dropped(first)], [15, 3]), PATIENCE_MS);
    const handles = (): string[] => {
      const text = execFileSync('nft', ['-a', 'list', 'table', 'inet', 'edgefour_guard'], { encoding: 'utf8' });
      return [...text.matchAll(/^.*# handle \d+$/gm)].map(([line]) => line);
    };
    const before = handles();
    // As after SIGKILL, or an upgrade: a ban was lifted meanwhile, another came.
    it.lift(goes ?? '');
    it.put(ban('10.80.0.10'), { network: '10.80.0.10' });
    const next = it.guard();
    await next.update();
    assert.deepEqual(handles(), before);
    await askForMore(it, 15);
    await eventually(async () => assert.deepEqual([it.got(1), await dropped(next)], [24, 3]), PATIENCE_MS);
    assert.deepEqual([await it.passes(8), await it.passes(9), await it.passes(10)], [false, true, false]);
    // Another number is another meter; what is gone takes its own along.
    await next.update(it.limit({ packetsPerSecond: 1000 }), []);
    const last = it.guard();
    await last.update();
    assert.doesNotMatch(handles().join('\n'), /concurrent/);
    await opens(it, 1);
    assert.deepEqual([last.alarms, await it.passes(8)], [[], false]);
  });

  for (const [what, change] of [
    ['a changed number', (it: Stage) => it.limit({ concurrent: 2 })],
    [
      'a table that was flushed',
      (it: Stage) => (execFileSync('nft', ['flush', 'ruleset']), it.limit({ concurrent: 3 })),
    ],
  ] as const)
    test(`${what}: what is open already is counted, until it ends`, async (t) => {
      const it = await stage(t, world);
      const rules = it.limit({ concurrent: 3 });
      const guard = it.guard();
      await guard.update(rules, []);
      await openThree(it);
      await guard.update(change(it), []);
      const next = it.guard();
      await next.update();
      // The three that are open go on; of those beyond not one gets in.
      await askForMore(it, 6);
      await opens(it, 2);
      assert.equal(it.got(1), 15);
      endFlows('10.80.0.1');
      await eventually(async () => {
        await it.send([1], 1);
        assert.ok(it.got(1) > 15);
      }, PATIENCE_MS);
    });

  for (const [what, ...words] of [
    ['removed', 'flush', 'ruleset'],
    ['flushed', 'flush', 'table', 'inet', 'edgefour_guard'],
  ] as const)
    test(`a table that somebody has ${what} is made anew`, async (t) => {
      const it = await stage(t, world);
      const guard = it.guard();
      await guard.update(it.limit({}), [it.put(ban('10.80.0.1'), { network: '10.80.0.1' })]);
      assert.equal(await it.passes(1), false);
      execFileSync('nft', words);
      await opens(it, 1);
      await guard.counters();
      await eventually(async () => assert.equal(await it.passes(1), false), PATIENCE_MS);
    });

  test('sources that a full meter has no room for share a rate', async (t) => {
    const it = await stage(t, world);
    const guard = it.guard(systemClock, 8);
    await guard.update(it.limit({ packetsPerSecond: 1 }), []);
    const many = Array.from({ length: 200 }, (_, n) => n + 1);
    await it.send(many, 2000);
    const crowd = await eventually(async () => {
      const { dropped = {} } = (await guard.counters()).get('rule-a') ?? {};
      assert.ok((dropped['crowd'] ?? 0) > 0 && (dropped['packets'] ?? 0) > 0);
      const through = many.reduce((sum, from) => sum + it.got(from), 0);
      assert.equal(through + (dropped['crowd'] ?? 0) + (dropped['packets'] ?? 0), 2000);
      return dropped['crowd'] ?? 0;
    }, PATIENCE_MS);
    t.diagnostic(`${crowd} of 2,000 datagrams of 200 sources, 8 of them remembered`);
  });
}

/** limit: a few ticks of the kernel; of sessions that come in one tick it may count one too few. */
const TICKS_MS = 40;

/** The first three of always the same ten sessions of source 1, one after the other. */
async function openThree(it: Stage): Promise<void> {
  for (const [sessions, got] of [
    [1, 1],
    [2, 3],
    [3, 6],
  ] as const) {
    await it.send([1], sessions);
    await eventually(() => assert.equal(it.got(1), got), PATIENCE_MS);
    await sleep(TICKS_MS);
  }
}

/** Three times these three, which pass, and a fourth one. `before`: what has come so far. */
async function askForMore(it: Stage, before: number): Promise<void> {
  for (let times = 1; times <= 3; times++) {
    await it.send([1], 4);
    await eventually(() => assert.ok(it.got(1) >= before + 3 * times), PATIENCE_MS);
    await sleep(TICKS_MS);
  }
}
