import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_RETIRED } from './behaviour.ts';
import { addCounters, countDrop, createCounters, hasCounted, keepCounters, snapshot } from './counters.ts';

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

test('counters begin at nothing', () =>
  assert.deepEqual(createCounters(), {
    connections: 0,
    active: 0,
    bytesIn: 0,
    bytesOut: 0,
    packetsIn: 0,
    packetsOut: 0,
    dropped: {},
    ends: {},
  }));

test('a snapshot is as the counters are', () => {
  const counters = { ...createCounters(), connections: 3, bytesOut: 7, unanswered: 1 };
  assert.deepEqual(snapshot(counters), counters);
});

test('a snapshot tells what was not recorded, as it was then, and nothing where there is nothing', () => {
  const counters = createCounters();
  assert.ok(!('unrecorded' in snapshot(counters)));
  counters.unrecorded = { sampled: 1, lost: 2 };
  const before = snapshot(counters);
  counters.unrecorded.sampled++;
  assert.deepEqual(before.unrecorded, { sampled: 1, lost: 2 });
});

test('something has counted once there was a connection, a packet or a drop', () => {
  const none = createCounters();
  assert.ok(!hasCounted(none));
  assert.ok(!hasCounted({ ...none, bytesIn: 1, bytesOut: 1, packetsOut: 1 }));
  for (const change of [{ connections: 1 }, { active: 1 }, { packetsIn: 1 }, { dropped: { limit: 1 } }])
    assert.ok(hasCounted({ ...none, ...change }), Object.keys(change).join());
});

test('counters of rules that are gone are kept, the last ones where there are too many', () => {
  const retired = new Map<string, number>();
  for (let i = 0; i < MOST_RETIRED; i++) keepCounters(retired, `${i}`, i);
  assert.deepEqual([retired.size, retired.get('0')], [MOST_RETIRED, 0]);
  keepCounters(retired, 'one more', -1);
  assert.deepEqual([retired.size, retired.has('0'), retired.get('1')], [MOST_RETIRED, false, 1]);
  assert.equal(retired.get('one more'), -1);
});
