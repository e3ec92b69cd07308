import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DialWindow, totals } from './dial-window.ts';

test('three failed dials in a row are too many, two are not; a success between them starts anew', () => {
  const dials = new DialWindow();
  assert.equal(dials.add({ refused: 2 }, 1_000), undefined);
  assert.equal(dials.add({ ok: 1 }, 1_100), undefined);
  assert.equal(dials.add({ refused: 1 }, 1_200), undefined);
  assert.equal(dials.add({ 'timed-out': 1 }, 60_000), undefined);
  assert.equal(dials.add({ unreachable: 1 }, 120_000), '3 dials in a row failed (unreachable)');
  dials.clear();
  assert.equal(dials.add({ reset: 1, 'port-unreachable': 1 }, 120_000), undefined);
  assert.equal(dials.add({ reset: 2, refused: 0 }, 120_000), '4 dials in a row failed (reset)');
});

test('failures behind a success of the same batch are in a row; what an engine has counted before it is not', () => {
  const dials = new DialWindow();
  assert.equal(dials.add({ ok: 5, refused: 2 }, 1_000, 1), undefined);
  assert.equal(dials.add({ refused: 1 }, 1_100, 2), undefined);
  assert.equal(dials.add({ refused: 1 }, 1_200, 3), '3 dials in a row failed (refused)');
  dials.clear();
  // It was found well meanwhile, and the engine has seen no success since.
  assert.equal(dials.add({ refused: 1 }, 9_000, 4), undefined);
  assert.equal(dials.add({ ok: 1, refused: 1 }, 9_100, 6), undefined);
  assert.equal(dials.add({ ok: 1, refused: 3 }, 9_200, 3), '3 dials in a row failed (refused)');
});

test('half of twenty dials within two seconds is too many; of nineteen, or less than half, is not', () => {
  const dials = new DialWindow();
  assert.equal(dials.add({ ok: 10, refused: 9 }, 5_000), undefined);
  assert.equal(dials.add({ ok: 1, refused: 0 }, 5_000), undefined);
  assert.equal(dials.add({ ok: 1, refused: 2 }, 5_100), undefined);
  assert.equal(dials.add({ ok: 1, refused: 2 }, 5_200), '13 of 26 dials within 2 s failed (refused)');
});

test('a dial counts for no longer than two seconds, and for no less than a slot less', () => {
  const failures = { ok: 9, refused: 9 };
  for (const [later, isTooMany] of [
    [0, true],
    [1_749, true],
    [2_000, false],
    [60_000, false],
  ] as const) {
    const dials = new DialWindow();
    assert.equal(dials.add(failures, 10_000), undefined);
    assert.equal(dials.add({ ok: 1, refused: 1 }, 10_000 + later) !== undefined, isTooMany, String(later));
  }
});

test('after clear() nothing of before counts', () => {
  const dials = new DialWindow();
  dials.add({ ok: 10, refused: 9 }, 5_000);
  dials.clear();
  assert.equal(dials.add({ ok: 1, refused: 1 }, 5_000), undefined);
});

test('every kind of outcome but ok is a failure', () => {
  assert.deepEqual(totals({}), { ok: 0, failed: 0 });
  assert.deepEqual(totals({ ok: 7, refused: 1, 'timed-out': 2, unreachable: 4, reset: 8, 'port-unreachable': 16 }), {
    ok: 7,
    failed: 31,
  });
});
