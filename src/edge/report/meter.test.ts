import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { RuleCounters } from '../../domain/fact/fact.ts';
import { createCounters } from '../../engines/flow/counters.ts';
import { Meter } from './meter.ts';

const counted = (change: Partial<RuleCounters>): RuleCounters => ({ ...createCounters(), ...change });

test('engines and limits are added up by rule; a rule that is off is told on, one that has ended is told for a while', async () => {
  const clock = new ManualClock();
  const forwarded = new Map([
    ['on', counted({ connections: 3, dropped: { queue: 1 } })],
    ['off', counted({ connections: 2 })],
    ['ended', counted({ connections: 1 })],
  ]);
  const limited = new Map([
    ['on', counted({ dropped: { queue: 1, ban: 5 } })],
    ['only-limited', counted({ dropped: { rate: 2 } })],
  ]);
  const noted: number[] = [];
  const meter = new Meter({
    engines: { counters: async () => forwarded },
    guard: { counters: async () => limited },
    ports: { note: (counters) => noted.push([...counters].length) },
    rules: () => new Map([['on', {}]]),
    records: () =>
      new Map([['proxy/zone-a/sid-1', { value: { rules: [{ id: 'on' }, { id: 'off' }, { id: 'only-limited' }] } }]]),
    clock,
  });
  const first = await meter.read();
  assert.deepEqual([...first.keys()], ['on', 'off', 'ended', 'only-limited']);
  assert.deepEqual([first.get('on')?.connections, first.get('on')?.dropped], [3, { queue: 2, ban: 5 }]);
  await clock.advance(4 * 60_000);
  assert.deepEqual([...(await meter.read()).keys()], ['on', 'off', 'only-limited']);
  assert.deepEqual(noted, [3, 3]);
});
