/**
 * A thousand checks a second, real probes: each is made once in its interval, those that time out delay no other, and no
 * socket is left. Counted at the origins and in the system's table of sockets. `npm run bench:checks` measures ten thousand.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressOf, CHECKS } from '../../bench/checks/checks.ts';
import { probe } from '../../src/edge/health/probe.ts';
import { ProbeSchedule } from '../../src/edge/health/schedule.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { egressRule } from '../../src/lib/net/egress.ts';
import { systemRng } from '../../src/lib/rng.ts';
import { eventually, freePort } from '../suites/engine/fixture.ts';

const [ANSWERED, SILENT] = [900, 100];
const SECONDS = 4;
const TIMES = { intervalSeconds: 1, timeoutSeconds: 1 };
const SLOW = { intervalSeconds: 10, timeoutSeconds: 5 };
const KINDS = ['tcp', 'answered', 'http'] as const;
const TIME_WAIT = '06';

/** A program of its own that answers at every address of the loopback network; says how often each was dialled. */
async function origins(t: TestContext) {
  const port = await freePort();
  const program = join(import.meta.dirname, '..', '..', 'bench', 'checks', 'origins.ts');
  const child = fork(program, [`${port}`], { execArgv: [] });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  return {
    port,
    dialled: async () => {
      const said = once(child, 'message');
      child.send('counts');
      return new Map(((await said) as [[string, number][]])[0]);
    },
  };
}

/** Our ends of connections to this port. */
function socketsTo(port: number): { timeWait: number; open: number } {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n');
  const ours = lines.map((line) => line.trim().split(/\s+/)).filter(([, , remote = '']) => remote.endsWith(end));
  const timeWait = ours.filter(([, , , state]) => state === TIME_WAIT).length;
  return { timeWait, open: ours.length - timeWait };
}

test('a thousand checks, a tenth of which time out', { skip: process.platform !== 'linux' }, async (t) => {
  const { port, dialled } = await origins(t);
  const lookup = () => Promise.reject(new Error('ENOTFOUND'));
  const tools = { clock: systemClock, rng: systemRng, egress: egressRule([]), lookup };
  const schedule = new ProbeSchedule(systemClock, (where, checker) => probe(where, checker, tools));
  t.after(() => schedule.close());
  const heard = new Set<number>();
  const healthy = new Set<number>();
  const late = new Set<number>();
  /** Checks without a result when the first one timed out. */
  let missing: number | undefined;
  let results = 0;
  schedule.results.listen(({ key, result }) => {
    const target = Number(key);
    results++;
    if (result.verdict === 'healthy') healthy.add(target);
    if (target < ANSWERED) heard.add(target);
    else {
      late.add(target);
      missing ??= ANSWERED - heard.size;
    }
  });

  const began = performance.now();
  for (let n = 0; n < ANSWERED; n++)
    schedule.ask(`${n}`, addressOf(n, false), CHECKS[KINDS[n % KINDS.length]!](port, n, TIMES));
  const hushed = { ...CHECKS.answered(port, 0, SLOW), send: 'hush' };
  for (let n = ANSWERED; n < ANSWERED + SILENT; n++) schedule.ask(`${n}`, addressOf(n, false), hushed);
  await eventually(() => assert.equal(healthy.size, ANSWERED));
  await sleep(SECONDS * 1_000);
  await eventually(() => assert.equal(late.size, SILENT));
  schedule.close();
  const seconds = (performance.now() - began) / 1_000;
  const counts = await dialled();
  const ofAnswered = Array.from({ length: ANSWERED }, (_, n) => counts.get(addressOf(n, false)) ?? 0);
  const ofSilent = Array.from({ length: SILENT }, (_, n) => counts.get(addressOf(ANSWERED + n, false)) ?? 0);
  const [least, most] = [Math.min(...ofAnswered), Math.max(...ofAnswered)];
  t.diagnostic(`${seconds.toFixed(1)} s, ${results} results: each was dialled ${least} to ${most} times`);
  // The first one comes at once, the next one at its place in the interval.
  assert.ok(most <= seconds + 2, `${most} in ${seconds} s`);
  assert.ok(least >= 2);
  // A time-out after the first one those are tried again, because two failures are asked for.
  assert.ok(Math.max(...ofSilent) <= 1 + seconds / SLOW.timeoutSeconds);
  assert.equal(missing, 0, 'all others had their first result before one timed out');
  await eventually(() => assert.equal(socketsTo(port).open, 0));
  assert.equal(socketsTo(port).timeWait, 0);
});
