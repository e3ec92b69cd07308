import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { TargetOutcomes } from '../engine.ts';
import { outcomeOf, OutcomeTally } from './outcomes.ts';

function desk() {
  const clock = new ManualClock();
  const batches: (readonly TargetOutcomes[])[] = [];
  const tally = new OutcomeTally(clock, { outcomes: (batch) => void batches.push(batch) });
  return { clock, batches, tally };
}

test('outcomes are added up per target and told after a tenth of a second, then no more', async () => {
  const { clock, batches, tally } = desk();
  for (const target of [1, 2, 1]) tally.note(target, 'ok');
  await clock.advance(99);
  assert.deepEqual(batches, []);
  await clock.advance(1);
  const first = { target: 1, counts: { ok: 2 }, failedInRow: 0 };
  assert.deepEqual(batches, [[first, { target: 2, counts: { ok: 1 }, failedInRow: 0 }]]);
  await clock.advance(1_000);
  assert.equal(batches.length, 1);
});

test('the first failures in a row are told at once, with all that waits; the next ones wait', async () => {
  const { clock, batches, tally } = desk();
  tally.note(1, 'ok');
  tally.note(1, 'refused');
  assert.deepEqual(batches, [[{ target: 1, counts: { ok: 1, refused: 1 }, failedInRow: 1 }]]);
  for (let i = 0; i < 4; i++) tally.note(1, 'timed-out');
  assert.deepEqual(
    batches.slice(1).map(([one]) => one?.failedInRow),
    [2, 3],
  );
  await clock.advance(100);
  assert.deepEqual(batches[3], [{ target: 1, counts: { 'timed-out': 2 }, failedInRow: 5 }]);
  tally.note(1, 'ok');
  tally.note(1, 'reset');
  assert.deepEqual(batches[4], [{ target: 1, counts: { ok: 1, reset: 1 }, failedInRow: 1 }]);
});

test('what waits is told when it is asked for, once', async () => {
  const { clock, batches, tally } = desk();
  tally.note(1, 'ok');
  tally.tell();
  assert.deepEqual(batches, [[{ target: 1, counts: { ok: 1 }, failedInRow: 0 }]]);
  await clock.advance(1_000);
  tally.tell();
  assert.equal(batches.length, 1);
});

test('only what says something about the origin is an outcome', () => {
  const one = { from: 80, to: 80 };
  assert.deepEqual(
    (['origin-refused', 'origin-timeout', 'origin-unreachable', 'origin-reset'] as const).map((cause) =>
      outcomeOf(cause, 'TCP', one),
    ),
    ['refused', 'timed-out', 'unreachable', 'reset'],
  );
  assert.equal(outcomeOf('origin-refused', 'UDP', one), 'port-unreachable');
  assert.equal(outcomeOf('origin-refused', 'TCP', { from: 80, to: 81 }), undefined);
  assert.equal(outcomeOf('no-source-port', 'TCP', one), undefined);
});
