import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addCounters, countDrop, createCounters, snapshot } from './counters.ts';

test('a snapshot no longer changes', () => {
  const counters = createCounters();
  countDrop(counters, 'limit');
  const before = snapshot(counters);
  countDrop(counters, 'limit');
  countDrop(counters, 'short');
  counters.ends.idle = 1;
  assert.deepEqual([before.dropped, before.ends], [{ limit: 1 }, {}]);
  assert.deepEqual(counters.dropped, { limit: 2, short: 1 });
});

test('two places of one rule add up', () => {
  const one = { ...createCounters(), connections: 3, active: 1, bytesIn: 10, dropped: { limit: 1 }, ends: { idle: 2 } };
  const two = {
    ...createCounters(),
    connections: 1,
    active: 1,
    packetsOut: 5,
    dropped: { short: 4 },
    ends: { idle: 1 },
  };
  assert.deepEqual(addCounters(one, two), {
    connections: 4,
    active: 2,
    bytesIn: 10,
    bytesOut: 0,
    packetsIn: 0,
    packetsOut: 5,
    dropped: { limit: 1, short: 4 },
    ends: { idle: 3 },
  });
});
