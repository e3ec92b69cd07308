import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Barrable } from './bars.ts';
import { options } from '../../../test/suites/engine/listener.ts';
import {
  deadlineAfter,
  drainMs,
  DUE,
  dueAt,
  keepsPlace,
  leavesAt,
  mayTryNext,
  NEVER,
  UDP_DRAIN_MS,
} from './verdict.ts';

const TARGET = {};
const NOTHING_NEW: Barrable & { readonly weight: number } = { weight: 0 };
const DENIED = { barred: { cause: 'denied' } } as const;
const LOOPS_AT_80 = { barred: { cause: 'loop', ports: [{ from: 80, to: 80 }] } } as const;

for (const [says, isServed, target, leadsTo, port, keeps] of [
  ['nothing has changed', true, TARGET, 80, 80, true],
  ['its weight is 0', true, NOTHING_NEW, 80, 80, true],
  ['its target is barred at another port', true, LOOPS_AT_80, 81, 81, true],
  ['it still dials', true, undefined, undefined, 0, true],
  ['it still dials, and its target is barred', true, DENIED, 80, 0, true],
  ['its entry is gone', false, TARGET, 80, 80, false],
  ['its entry is gone while it dials', false, undefined, undefined, 0, false],
  ['its target is gone', true, undefined, 80, 80, false],
  ['its target is barred', true, DENIED, 80, 80, false],
  ['its target is barred at its port', true, LOOPS_AT_80, 80, 80, false],
  ['its entry port leads to another one', true, TARGET, 81, 80, false],
  ['its entry port leads nowhere', true, TARGET, undefined, 80, false],
] as const) {
  test(`${says}: it ${keeps ? 'keeps' : 'loses'} its place`, () =>
    assert.equal(keepsPlace(isServed, target, leadsTo, port), keeps));
}

test('a drain is for ever, for so many seconds, or no time at all; UDP has none', () => {
  assert.equal(drainMs({ how: 'keep', seconds: 30 }), Infinity);
  assert.equal(drainMs({ how: 'drain', seconds: 30 }), 30_000);
  assert.equal(drainMs({ how: 'drain', seconds: 0 }), 0);
  assert.equal(drainMs({ how: 'reset', seconds: 30 }), 0);
  assert.equal(UDP_DRAIN_MS, 0);
});

for (const [says, hasPlace, ms, before, after] of [
  ['it stays', true, 30_000, NEVER, NEVER],
  ['it stays where all others are reset', true, 0, NEVER, NEVER],
  ['its place is back: its drain is called off', true, 30_000, 7_000, NEVER],
  ['it is kept', false, NEVER, NEVER, NEVER],
  ['it is to be kept now: its drain is called off', false, NEVER, 7_000, NEVER],
  ['its drain begins', false, 30_000, NEVER, 35_000],
  ['its drain goes on', false, 30_000, 34_999, 34_999],
  ['its drain goes on, and is shorter now', false, 1_000, 35_000, 6_000],
  ['it is reset', false, 0, NEVER, 5_000],
  ['its drain is cut short by a reset', false, 0, 35_000, 5_000],
] as const) {
  test(`after a change: ${says}`, () => assert.equal(deadlineAfter(hasPlace, ms, 5_000, before), after));
}

for (const [says, unhealthy, downSince, startedAt, at] of [
  ['it is kept', 'keep', 1_000, 0, NEVER],
  ['it is reset at once', 'reset', 1_000, 0, 1_000],
  ['it has the seconds of a drain', 'drain', 1_000, 0, 31_000],
  ['it began while the origin was down, and has all of them', 'drain', 1_000, 5_000, 35_000],
  ['its origin is not down', 'reset', NEVER, 5_000, NEVER],
] as const) {
  test(`its origin is down: ${says}`, () => {
    const how = options({ unhealthy, drain: { how: 'keep', seconds: 30 } });
    assert.equal(leavesAt(downSince, startedAt, how), at);
  });
}

for (const [now, deadline, idleAt, recordAt, due] of [
  [99, 100, 100, 100, 'nothing'],
  [100, 101, 101, 101, 'nothing'],
  [100, 101, 101, 100, 'record'],
  [101, 200, 200, 100, 'record'],
  [100, 101, 100, 100, 'idle'],
  [101, 200, 100, NEVER, 'idle'],
  [100, 100, 100, 100, 'drained'],
  [101, 100, 200, 200, 'drained'],
  [1e15, NEVER, NEVER, NEVER, 'nothing'],
] as const) {
  test(`due at ${now}, of an end at ${deadline}, idle at ${idleAt} and a record at ${recordAt}: ${due}`, () =>
    assert.equal(dueAt(now, deadline, idleAt, recordAt), DUE[due]));
}

for (const [timeouts, spentMs, may] of [
  [0, 0, true],
  [2, 4_999, true],
  [3, 0, false],
  [2, 5_000, false],
  [0, 5_001, false],
] as const) {
  test(`after ${timeouts} time-outs and ${spentMs} of 5,000 ms ${may ? 'another' : 'no other'} origin is tried`, () =>
    assert.equal(mayTryNext(timeouts, spentMs, 5_000), may));
}
