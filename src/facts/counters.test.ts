import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CounterBook, type Counters } from './counters.ts';

const counted = (rule: string, connections: number): Counters => ({
  rule,
  connections,
  active: 0,
  bytesIn: 0,
  bytesOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  dropped: {},
  ends: {},
});
const report = (edge: string, epoch: string, counters: Counters[], gone: string[] = [], recordsLost = 0) => ({
  edge,
  epoch,
  counters,
  gone,
  recordsLost,
});

test('the last value of each rule and edge; what is gone is gone; a restarted edge starts anew', () => {
  const book = new CounterBook();
  book.report(report('e1', 'x', [counted('a', 1), counted('b', 1)], [], 3));
  book.report(report('e2', 'y', [counted('a', 5)]));
  book.report(report('e1', 'x', [counted('a', 2)], ['b'], 1));
  assert.deepEqual(
    [...book.all()].map(({ edge, counters }) => [edge, counters.rule, counters.connections]),
    [
      ['e1', 'a', 2],
      ['e2', 'a', 5],
    ],
  );
  assert.deepEqual(
    book.ofRule('a').map(({ edge }) => edge),
    ['e1', 'e2'],
  );
  assert.deepEqual(
    [...book.recordsLost()],
    [
      ['e1', 4],
      ['e2', 0],
    ],
  );
  book.report(report('e1', 'z', []));
  book.forget('e2');
  assert.deepEqual([[...book.all()], [...book.recordsLost()]], [[], [['e1', 0]]]);
});
