import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { Checker } from '../../domain/load-balancer/checker.ts';
import { seededRng } from '../../lib/rng.ts';
import { OriginHealth } from './origin-health.ts';
import { checkRule, ProbeSchedule } from './schedule.ts';

/** Origins that are checked alone, some of which die at a moment in one of the two ways in which a probe fails. */
async function dying(checker: Checker, seed: number) {
  const clock = new ManualClock();
  const rng = seededRng(seed);
  const health = new OriginHealth();
  const deaths = Array.from({ length: 40 }, () => 20_000 + rng.below(40_000));
  const seen = new Map<number, number>();
  const schedule = new ProbeSchedule(clock, async (address) => {
    const target = Number(address);
    if (clock.monotonic() < (deaths[target] ?? 0)) return { verdict: 'healthy', reason: 'it takes connections' };
    // Refused at once, or never answered.
    if (target % 2 === 0) await clock.sleep(checker.timeoutSeconds * 1_000);
    return { verdict: 'unhealthy', reason: 'dead' };
  });
  schedule.results.listen(({ key, result }) => {
    const target = Number(key);
    for (const { state } of health.probe(target, result, clock.monotonic()))
      if (state === 'down') seen.set(target, clock.monotonic());
  });
  deaths.forEach((_, target) => {
    health.use({ target, name: `${target}`, check: checkRule(checker) }, clock.monotonic());
    schedule.ask(`${target}`, `${target}`, checker);
  });
  await clock.advance(120_000);
  schedule.close();
  return deaths.map((death, target) => (seen.get(target) ?? Infinity) - death);
}

test('an origin that dies is found ill within interval + (fall − 1) × fast interval + time-out + 0.5 s', async () => {
  const usual = { type: 'TCP', port: 80, rise: 3 } as const;
  for (const [seed, times] of [
    { intervalSeconds: 10, timeoutSeconds: 5, fall: 2 },
    { intervalSeconds: 10, timeoutSeconds: 1, fall: 3 },
    { intervalSeconds: 1, timeoutSeconds: 1, fall: 1 },
    { intervalSeconds: 30, timeoutSeconds: 2, fall: 2 },
  ].entries()) {
    const { intervalSeconds, timeoutSeconds, fall } = times;
    const fast = Math.min(intervalSeconds, Math.max(1, timeoutSeconds));
    const most = (intervalSeconds + (fall - 1) * fast + timeoutSeconds + 0.5) * 1_000;
    const took = await dying({ ...usual, ...times }, seed);
    assert.ok(Math.max(...took) <= most, `${Math.max(...took)} ms instead of ${most}`);
    // One failed probe alone is not enough where more are asked for.
    assert.ok(Math.min(...took) >= (fall - 1) * fast * 1_000);
  }
});
