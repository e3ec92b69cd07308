import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options } from '../../../../test/suites/engine/listener.ts';
import { ManualClock } from '../../../../test/world/manual-clock.ts';
import type { Checker } from '../../../domain/load-balancer/checker.ts';
import { TargetNumbers } from '../../origins/numbers.ts';
import { ProbeTimes } from '../probe-times.ts';
import { OriginHealth } from '../origin-health.ts';
import { FailOpen } from './fail-open.ts';
import { OriginFacts } from './origin-facts.ts';
import { TimeCounts } from './time-counts.ts';

const CHECKER: Checker = { type: 'TCP', port: 80, intervalSeconds: 10, timeoutSeconds: 5, rise: 3, fall: 2 };

function rule(numbers: TargetNumbers, id: string, ...addresses: string[]): void {
  const how = { id, zone: 'zone-a', protocol: 'TCP', originPorts: { from: 443, to: 443 }, options: options() } as const;
  const check = { owner: 'lb-1', checker: CHECKER };
  numbers.give(
    how,
    addresses.map((address) => ({
      target: { address, weight: 1, tier: 0 },
      of: { host: 'a.example', weight: 1, tier: 0, group: 'og-1', check },
    })),
  );
}

test('facts of an origin: what it is, its state and why, what was counted; none once no rule leads there', async () => {
  const numbers = new TargetNumbers();
  const health = new OriginHealth();
  const clock = new ManualClock();
  const times = new ProbeTimes();
  const facts = new OriginFacts({ numbers, health, checks: { times: () => times }, clock });
  rule(numbers, 'rule-1', '10.0.0.1');
  rule(numbers, 'rule-2', '10.0.0.1');
  await clock.advance(5_000);
  health.use({ target: 0, name: 'x' }, clock.monotonic());
  await clock.advance(1_000);
  health.outcomes(0, { refused: 3 }, clock.monotonic());
  facts.countChange(0);
  facts.countDials(0, 0);
  facts.countDials(0, 7);
  for (const ms of [1, 2, 3]) times.add(ms);
  await clock.advance(1_000);
  const [fact] = facts.facts(0);
  const { key, ...rest } = fact!;
  assert.equal(key, numbers.get(0)?.key);
  assert.deepEqual(rest, {
    zone: 'zone-a',
    origin: 'TCP 10.0.0.1:443',
    host: 'a.example',
    group: 'og-1',
    check: 'lb-1',
    passive: true,
    slowStartSeconds: 0,
    state: 'down',
    since: clock.now() - 1_000,
    by: 'traffic',
    reason: '3 dials in a row failed (refused)',
    changes: 1,
    rules: 2,
    dials: 7,
    probe: { p50Ms: 2, p99Ms: 3, tries: 3 },
  });
  assert.deepEqual([...facts.keys()], [0]);
  numbers.release('rule-1');
  numbers.release('rule-2');
  const changed: number[] = [];
  facts.changed.listen((number) => changed.push(number));
  facts.forget(0);
  assert.deepEqual([[...facts.keys()], facts.facts(0), changed], [[], [], [0]]);
});

test('rules all of whose origins are down, as origins change and as rules do', () => {
  const numbers = new TargetNumbers();
  const failOpen = new FailOpen(numbers);
  rule(numbers, 'rule-1', '10.0.0.1', '10.0.0.2');
  rule(numbers, 'rule-2', '10.0.0.1');
  const [one, two] = [numbers.get(0)!, numbers.get(1)!];
  assert.deepEqual([failOpen.set(one, true), failOpen.set(one, true)], [true, false]);
  assert.deepEqual(failOpen.rules(), new Set(['rule-2']));
  assert.deepEqual([failOpen.lost([one]), failOpen.lost([one])], [new Set(['rule-2']), new Set()]);
  failOpen.set(two, true);
  assert.deepEqual(failOpen.rules(), new Set(['rule-1', 'rule-2']));
  assert.deepEqual([failOpen.lost([one, two]), failOpen.lost([one, two])], [new Set(['rule-1']), new Set()]);
  rule(numbers, 'rule-1', '10.0.0.1', '10.0.0.3');
  assert.deepEqual(failOpen.rules(), new Set(['rule-2']));
  failOpen.gained(numbers.get(2)!);
  failOpen.set(numbers.get(2)!, true);
  assert.deepEqual(failOpen.lost([numbers.get(2)!]), new Set(['rule-1']), 'it had one for a while');
  assert.deepEqual([failOpen.set(one, false), failOpen.rules()], [true, new Set()]);
});

test('times are counted up to each bound, and beyond the last', () => {
  const times = new TimeCounts();
  for (const ms of [0, 1, 1.5, 5_000, 5_001]) times.add(ms);
  assert.deepEqual(times.told, { counts: [2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1], sumMs: 10_003.5 });
});
