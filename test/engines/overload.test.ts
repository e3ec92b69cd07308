/**
 * T21, more clients than 512 descriptors carry, and little heap: conversations that are there go on as fast as before while
 * newcomers wait or are refused, the process lives, each reason is counted, and when the burst is over newcomers are
 * served again. The engine is in a process of its own that has no more. What the limits are for is
 * node/descriptors.test.ts's and uring-limits.test.ts's.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { edgeProcess, freeRule, type EdgeShape } from '../suites/engine/edge.ts';
import { eventually, loopback } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo, options } from '../suites/engine/listener.ts';
import { ask, dialTcp, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';

const DESCRIPTORS = 512;
/** limit: twice what the process needs when nobody is there. */
const HEAP_MIB = 32;
const TALKERS = 40;
/** More than the system itself would let wait, were there no descriptor for any of them. */
const NEWCOMERS = 600;
const SOURCES = 50;
const WINDOW_MS = 400;
/** limit: what the test asks for, and how many bursts a machine that is busy with other things may need to show it. */
const LEAST_SHARE = 0.95;
const SOON_MS = 5000;
const MOST_BURSTS = 20;

async function overload(t: TestContext, engine: NonNullable<EdgeShape['engine']>): Promise<void> {
  const origin = await tcpOrigin(t);
  const rule = await freeRule({ ...leadsTo(origin), options: options({ connectTimeoutMs: 60_000 }) });
  const status = await edgeProcess(t, [rule], { engine, descriptors: DESCRIPTORS, heap: HEAP_MIB });
  const talkers = await Promise.all(Array.from({ length: TALKERS }, () => tcpClient(t, ...entryOf(rule))));
  const answered = talkers.map(() => 0);
  let isOver = false;
  t.after(() => (isOver = true));
  const talks = talkers.map(async (talker, i) => {
    for (; !isOver; answered[i]!++) {
      const question = `talker ${i} question ${answered[i]};`;
      assert.equal(await ask(talker, question), question);
    }
  });
  const failed = Promise.all(talks);
  /** Answers in a moment; everybody has had some. */
  const pace = async (): Promise<number> => {
    const before = [...answered];
    await Promise.race([sleep(WINDOW_MS), failed]);
    await eventually(() => assert.ok(answered.every((count, i) => count > before[i]!)));
    return answered.reduce((sum, count, i) => sum + count - before[i]!, 0);
  };
  const waits = async (): Promise<number> => {
    const { dropped } = (await status()).counters[rule.id] ?? assert.fail('no counters');
    return (dropped['wait-descriptors'] ?? 0) + (dropped['wait-slots'] ?? 0);
  };

  // The first moments are of code that is not compiled yet.
  await pace();
  const shares: number[] = [];
  const recoveries: number[] = [];
  const isShown = (): boolean => Math.max(...shares) >= LEAST_SHARE && Math.min(...recoveries) < SOON_MS;
  for (let burst = 0; burst < MOST_BURSTS && !isShown(); burst++) {
    const calm = await timed(pace);
    const waited = await waits();
    const fates = newcomers(t, entryOf(rule));
    await eventually(async () => assert.ok((await waits()) > waited && fates.dialling() === 0));
    await eventually(() => assert.ok(fates.served() > 0));
    // Nobody is left out while they come; how fast it goes then is a matter of those who come, too.
    await pace();
    const crowded = await timed(pace);
    assert.ok(fates.waiting() > 0, 'nobody waits: this is no overload');
    shares.push(crowded / calm);
    fates.leave();
    const since = performance.now();
    await eventually(async () => {
      const late = await tcpClient(t, ...entryOf(rule));
      const answer = ask(late, 'late');
      assert.equal(await answer.finally(() => late.destroy()), 'late');
    });
    recoveries.push(performance.now() - since);
  }
  isOver = true;
  await failed;
  const { counters, logs } = await status();
  const { dropped, ends } = counters[rule.id] ?? assert.fail('no counters');
  t.diagnostic(
    `${engine}: ${shares.map((share) => `${(100 * share).toFixed(0)} %`).join(', ')} of the pace; ` +
      `newcomers served again after ${recoveries.map((ms) => ms.toFixed(0)).join(', ')} ms; ${JSON.stringify({ dropped, ends })}`,
  );
  assert.ok(Math.max(...shares) >= LEAST_SHARE, shares.join());
  assert.ok(Math.min(...recoveries) < SOON_MS, recoveries.join());
  assert.ok(!logs.some((line) => /died|worker/.test(line)), logs.join('\n'));
}

/** Answers a millisecond. */
async function timed(pace: () => Promise<number>): Promise<number> {
  const began = performance.now();
  return (await pace()) / (performance.now() - began);
}

/** All at once, from many sources, since one would be refused its last share; each asks once, and stays away if refused. */
function newcomers(t: TestContext, entry: [string, number]) {
  const sources = Array.from({ length: SOURCES }, loopback);
  const all = Array.from({ length: NEWCOMERS }, (_, i) => {
    const socket: Socket = dialTcp(t, ...entry, sources[i % sources.length]);
    const fate = { socket, how: 'dials' };
    socket.once('connect', () => {
      fate.how = 'waits';
      ask(socket, 'x').then(
        () => (fate.how = 'served'),
        () => {},
      );
    });
    // Maybe before it knew that it was connected.
    socket.on('error', () => {}).once('close', () => (fate.how = 'gone'));
    return fate;
  });
  const count = (how: string): number => all.filter((fate) => fate.how === how).length;
  return {
    dialling: () => count('dials'),
    served: () => count('served'),
    waiting: () => count('waits'),
    leave: () => all.forEach(({ socket }) => socket.destroy()),
  };
}

const elsewhere = process.platform !== 'linux' && 'only Linux tells how many descriptors are open';
const skip = { node: elsewhere, uring: (await whyUnavailable()) ?? false };

for (const engine of ['node', 'uring'] as const)
  test(`T21: ${engine}: who talks goes on at the same pace while newcomers have no room`, { skip: skip[engine] }, (t) =>
    overload(t, engine),
  );
