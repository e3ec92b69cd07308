/**
 * Upgrade after upgrade under load (`npm run upgrades`): 200 new connections a second, conversations that go on across each
 * change, UDP clients old and new, calls to the API; some of the new generations die on their way. Nothing may be refused
 * or reset, and nobody may live longer than the drain time. Two minutes; on a machine that is too slow for that it does as
 * many as it can, and says so.
 */
import assert from 'node:assert/strict';
import { globalAgent } from 'node:http';
import { test, type TestContext } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { connects } from '../world/connects.ts';
import { datagrams, portTeller } from '../world/datagrams.ts';
import { Generations } from '../world/upgrade.ts';
import { treeWorld } from '../world/world.ts';

// A connection that is kept and idle may be closed by any server just when it is used; this is about new ones.
Object.assign(globalAgent, { keepAlive: false });

/** limit: a conversation takes three seconds, and much longer where twenty others have the machine; nobody waits for it. */
const DRAIN_S = 300;
/** Beyond the drain time: what the supervisor grants, and what a busy machine takes. */
const SLACK_MS = 15_000;
/** At which moments a generation dies: up to the last one before its edge takes over. */
const CRASHES = ['edge ready', 'up load', 'control load', 'edge load', 'control acks', 'edge world'] as const;

interface Course {
  readonly engine: 'uring' | 'node';
  readonly upgrades: number;
  /** Before every how-many-th there is one that dies, in turn as CRASHES says. */
  readonly crashEvery: number;
  /** After which no more begin. */
  readonly withinMs: number;
}

async function run(t: TestContext, { engine, upgrades, crashEvery, withinMs }: Course): Promise<void> {
  await using w = await treeWorld({ settings: ['--engine', engine, '--drain', `${DRAIN_S}`] });
  await using generations = new Generations(w);
  await using teller = await portTeller();
  const udpRule = { Protocol: 'UDP', OriginValue: [teller.address], OriginPortRange: `${teller.port}` } as const;
  const { address, ports } = await w.proxy('busy', [{}, udpRule]);
  const [tcp = 0, udp = 0] = ports;
  await using short = connects(address, tcp, { perSecond: 200 });
  await using long = connects(address, tcp, { perSecond: 5, messages: 15, pauseMs: 200 });
  await using talk = datagrams(address, udp);
  await using calls = callOften(() => w.client.call('DescribeL4Proxy', { ZoneId: w.zoneId }));
  const superseded = new Map<number, number>();
  const lifetimes: Promise<number>[] = [];
  let crashes = 0;
  let done = 0;
  for (const end = clock.monotonic() + withinMs; done < upgrades && clock.monotonic() < end;) {
    const i = ++done;
    if (i % crashEvery === 0) {
      const how = CRASHES[crashes++ % CRASHES.length] ?? '';
      const { code, output } = await generations.crash(how);
      assert.ok(code !== 0, `${how}: ${output}`);
    }
    const old = generations.newest;
    await generations.upgrade();
    superseded.set(old.pid, clock.monotonic());
    lifetimes.push(old.ended.then(() => clock.monotonic() - (superseded.get(old.pid) ?? 0)));
  }
  await Promise.all([short.stop(), long.stop()]);
  const { steady, fresh } = await talk.stop();
  const refusedCalls = await calls.stop();
  const lives = await Promise.all(lifetimes);
  await eventually(() => assert.deepEqual(generations.alive(), [generations.newest]));
  const broken = [...short.ends, ...long.ends].reduce((sum, [how, count]) => sum + (how === 'ok' ? 0 : count), 0);
  t.diagnostic(
    `${engine}: ${done} of ${upgrades} upgrades, and ${crashes} that died on their way; ${short.started} connections and ` +
      `${long.started} conversations, ${broken} of them refused or reset; an old one lived ${Math.max(...lives).toFixed(0)} ms on at most; ` +
      `${calls.made} calls to the API, the slowest ${calls.slowest.toFixed(0)} ms`,
  );
  t.diagnostic(
    `${engine}, UDP: of ${steady.sent} datagrams of old sessions ${steady.lost} lost, ${steady.twice} twice, ` +
      `${steady.portChanges} times another port at the origin; of ${fresh.sent} new sessions ${fresh.lost} without answer`,
  );
  assert.deepEqual([...short.ends], [['ok', short.started]]);
  assert.deepEqual([...long.ends], [['ok', long.started]]);
  assert.deepEqual(refusedCalls, []);
  if (engine !== 'uring') return;
  // The node engine's sessions begin anew; what is lost in between is told above.
  assert.equal(fresh.lost, 0);
  assert.equal(steady.portChanges, 0);
  // limit: one for each session and upgrade.
  assert.ok(steady.lost <= steady.clients * done, `${steady.lost} datagrams of old sessions are lost`);
  assert.ok(Math.max(...lives) < DRAIN_S * 1000 + SLACK_MS, `${Math.max(...lives)} ms after it was superseded`);
}

/** limit: on a machine that can't keep the pace. */
const MOST_CALLS = 20;

function callOften(call: () => Promise<unknown>) {
  const refused: string[] = [];
  const under = new Set<Promise<void>>();
  const stats = { made: 0, slowest: 0, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
  const timer = clock.every(200, () => {
    if (under.size >= MOST_CALLS) return;
    const began = clock.monotonic();
    const one: Promise<void> = call()
      .then(
        () => {},
        (error: Error & { cause?: { code?: string } }) => void refused.push(error.cause?.code ?? error.message),
      )
      .finally(() => {
        stats.made++;
        stats.slowest = Math.max(stats.slowest, clock.monotonic() - began);
        under.delete(one);
      });
    under.add(one);
  });
  async function stop(): Promise<readonly string[]> {
    timer.cancel();
    await Promise.all(under);
    return refused;
  }
  return stats;
}

const skip = { node: process.platform !== 'linux' && 'Linux only', uring: (await whyUnavailable()) ?? false };

test('uring: 50 upgrades', { skip: skip.uring }, (t) =>
  run(t, { engine: 'uring', upgrades: 50, crashEvery: 10, withinMs: 420_000 }),
);
test('node: 6 upgrades', { skip: skip.node }, (t) =>
  run(t, { engine: 'node', upgrades: 6, crashEvery: 3, withinMs: 60_000 }),
);
