/**
 * An origin that is up one second and down the next, for a minute, under every kind of check and traffic: few of its changes
 * reach the engines. Schedule and states as an edge has them, on a clock of the test's own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checker } from '../../src/domain/load-balancer/checker.ts';
import { type OriginChange, OriginHealth } from '../../src/edge/health/origin-health.ts';
import { checkRule, ProbeSchedule } from '../../src/edge/health/schedule.ts';
import type { Timer } from '../../src/lib/clock.ts';
import { ManualClock } from '../world/manual-clock.ts';

const PROMISED = 12;
const MINUTE_MS = 60_000;

/** What engines are told in a minute. */
async function flapping(checker: Checker | undefined, dialsPerSecond: number): Promise<string[]> {
  const clock = new ManualClock();
  const health = new OriginHealth();
  const told: string[] = [];
  let wake: Timer | undefined;
  const carryOut = (changes: readonly OriginChange[]): void => {
    for (const { state } of changes) told.push(`${clock.monotonic()} ${state}`);
    wake?.cancel();
    const due = health.nextDue();
    if (due === undefined) return;
    const wait = Math.max(0, Math.ceil(due - clock.monotonic()));
    wake = clock.after(wait, () => carryOut(health.due(clock.monotonic())));
  };
  const isDown = (): boolean => Math.floor(clock.monotonic() / 1_000) % 2 === 1;
  const schedule = new ProbeSchedule(clock, async () => ({
    verdict: isDown() ? 'unhealthy' : 'healthy',
    reason: 'as it is now',
  }));
  schedule.results.listen(({ result }) => carryOut(health.probe(1, result, clock.monotonic())));
  carryOut(health.use({ target: 1, name: 'a', check: checker && checkRule(checker) }, 0));
  if (checker) schedule.ask('1', 'a', checker);
  const dials =
    dialsPerSecond > 0 &&
    clock.every(1_000 / dialsPerSecond, () => {
      if (health.view(1)?.told.state === 'down') return;
      carryOut(health.outcomes(1, isDown() ? { refused: 1 } : { ok: 1 }, clock.monotonic()));
    });
  await clock.advance(MINUTE_MS);
  schedule.close();
  if (dials) dials.cancel();
  return told;
}

const checkers = [1, 2, 3].flatMap((rise) =>
  [1, 2, 3].flatMap((fall) =>
    [1, 2, 10].map((intervalSeconds): Checker => ({
      type: 'TCP',
      port: 80,
      intervalSeconds,
      timeoutSeconds: 1,
      rise,
      fall,
    })),
  ),
);

test(`up and down each second for a minute: at most ${PROMISED} changes reach the engines, whatever the check`, async (t) => {
  let most = 0;
  for (const checker of [undefined, ...checkers])
    for (const dials of [0, 10, 50]) {
      const told = await flapping(checker, dials);
      most = Math.max(most, told.length);
      assert.ok(told.length <= PROMISED, `${JSON.stringify(checker)}, ${dials} dials a second: ${told.join(', ')}`);
    }
  t.diagnostic(`at most ${most}`);
  assert.ok(most >= 4, 'otherwise nothing was seen of it');
});
