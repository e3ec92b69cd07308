/**
 * T5 (`npm run hold`): idle connections by the thousand through the node and the uring engine, each in a process of its own,
 * held for HOLD_MINUTES, 10 by default. None may be closed, each must still answer at the end; what one costs is printed.
 * As many as the limit of open files lets one process have: 20,000 with 47,000 descriptors.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { descriptorLimit } from '../../src/linux/descriptors.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { edgeProcess, freeRule, type EdgeShape } from '../suites/engine/edge.ts';
import { freePort, loopback } from '../suites/engine/fixture.ts';
import { options, target } from '../suites/engine/listener.ts';
import type { Pairs } from './hold-peers.ts';

const MOST = 20_000;
/** limit: two descriptors a pair, a tenth for the rest, and what workers get that do not share evenly. */
const PAIRS_PER_DESCRIPTOR = 0.43;
const LOOK_MS = 10_000;
const minutes = Number(process.env['HOLD_MINUTES'] ?? 10);
const limit = descriptorLimit();
const pairs = Math.min(MOST, Math.floor(limit * PAIRS_PER_DESCRIPTOR));

async function hold(t: TestContext, engine: NonNullable<EdgeShape['engine']>): Promise<void> {
  if (pairs < MOST) t.diagnostic(`${pairs} pairs, because of the limit of open files, ${limit}: ulimit -n, as root`);
  const origins = [1, 2, 3, 4].map(() => loopback());
  const entries = [1, 2, 3, 4].map(() => loopback());
  const peers = await startPeers(t, origins);
  const port = await freePort(entries[0]);
  const rule = await freeRule({
    entries,
    ports: [{ from: port, to: port }],
    targets: origins.map((address) => target(address)),
    originPorts: { from: peers.port, to: peers.port },
    options: options({ idleSeconds: minutes * 120 + 600, connectTimeoutMs: 60_000 }),
  });
  const status = await edgeProcess(t, [rule], { engine });
  const active = async (): Promise<number | undefined> => (await status()).counters[rule.id]?.active;
  const before = await status('settle');
  const said = await peers.tell(`open ${pairs} ${entries.map((entry) => `${entry}:${port}`).join(' ')}`);
  assert.deepEqual(said, { open: pairs, closed: 0, answered: 0 });
  assert.equal(await active(), pairs);
  const held = await status('settle');
  for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
    await sleep(LOOK_MS);
    assert.equal(await active(), pairs);
    assert.equal((await peers.tell('look')).closed, 0);
  }
  const after = await status('settle');
  assert.deepEqual(await peers.tell('ask'), { open: pairs, closed: 0, answered: pairs });
  const each = (memory: number): string => ((memory - before.memory) / pairs).toFixed(0);
  t.diagnostic(
    `${engine}: ${pairs} pairs for ${minutes} minutes, none closed, all answer; ${each(held.memory)} bytes each at first, ` +
      `${each(after.memory)} at last; ${((after.cpu - held.cpu) / 1e6).toFixed(1)} s of CPU while nothing happened`,
  );
}

async function startPeers(t: TestContext, origins: readonly string[]) {
  const main = join(import.meta.dirname, 'hold-peers.ts');
  const child = spawn(process.execPath, [main, ...origins], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const up = String((await lines.next()).value);
  assert.match(up, /^up \d+$/);
  return {
    port: Number(up.slice(3)),
    async tell(order: string): Promise<Pairs> {
      child.stdin.write(`${order}\n`);
      return JSON.parse(String((await lines.next()).value)) as Pairs;
    },
  };
}

const skip = { node: false, uring: (await whyUnavailable()) ?? false };

describe('idle connections', { concurrency: true }, () => {
  for (const engine of ['node', 'uring'] as const)
    test(`${engine}: all are held, and answer`, { skip: skip[engine] }, (t) => hold(t, engine));
});
