import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/world/manual-clock.ts';
import { CounterBook } from '../facts/counters.ts';
import { forgetGoneRules } from './gone-rules.ts';

test('an edge that was last heard of an hour ago leaves no rows; one that lives or was just here keeps them', async () => {
  const clock = new ManualClock();
  const counters = new CounterBook(clock);
  const none = { rule: 'r', connections: 1, active: 0, bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 };
  for (const edge of ['lives', 'died', 'unknown'])
    counters.report({ edge, epoch: 'x', counters: [{ ...none, dropped: {}, ends: {} }], gone: [], recordsLost: 0 });
  const start = clock.now();
  const edges = () => [
    { id: 'lives', alive: true, seenAt: start },
    { id: 'died', alive: false, seenAt: start },
  ];
  using _looking = forgetGoneRules({ read: () => assert.fail() }, { acks: { edges }, counters }, clock);
  await clock.advance(60_000);
  assert.deepEqual(counters.edges(), ['lives', 'died']);
  await clock.advance(3_600_000);
  assert.deepEqual([counters.edges(), [...counters.all()].length], [['lives'], 1]);
});
