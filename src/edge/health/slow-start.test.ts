import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlowStarts } from './slow-start.ts';

const SECONDS = 8;
const back = (backSince: number | undefined, slowStartSeconds = SECONDS) => ({ backSince, slowStartSeconds });

test('one that came back takes more each eighth of its time, then all', () => {
  const starts = new SlowStarts();
  assert.deepEqual(starts.begin(1, 'up', back(1_000), 1_000), { target: 1, state: 'up', share: 16 });
  const told = Array.from({ length: SECONDS }, () => {
    const at = starts.nextDue() ?? assert.fail();
    return [at, ...starts.due(at)];
  });
  assert.deepEqual(told, [
    ...[48, 80, 112, 144, 176, 208, 240].map((share, i) => [2_000 + i * 1_000, { target: 1, state: 'up', share }]),
    [9_000, { target: 1, state: 'up' }],
  ]);
  assert.deepEqual([starts.nextDue(), starts.due(99_000)], [undefined, []]);
});

test('it goes on where it was, whoever asks later; one that was never away, or has no such time, is whole', () => {
  const starts = new SlowStarts();
  assert.deepEqual(starts.begin(1, 'up', back(-4_000), 500), { target: 1, state: 'up', share: 144 });
  assert.deepEqual(starts.begin(2, 'up', back(-9_000), 0), { target: 2, state: 'up' });
  assert.deepEqual(starts.begin(3, 'up', back(undefined), 0), { target: 3, state: 'up' });
  assert.deepEqual(starts.begin(4, 'up', back(0, 0), 0), { target: 4, state: 'up' });
  assert.equal(starts.nextDue(), 1_000);
  assert.deepEqual(starts.due(999), []);
});

test('one that goes again, or is free, is on its way no more', () => {
  const starts = new SlowStarts();
  starts.begin(1, 'up', back(0), 0);
  assert.deepEqual(starts.begin(1, 'down', back(0), 500), { target: 1, state: 'down' });
  assert.equal(starts.nextDue(), undefined);
  starts.begin(2, 'up', back(0), 0);
  assert.deepEqual([starts.end(2), starts.end(2), starts.due(5_000)], [true, false, []]);
});

test('shares only grow, however late and seldom they are asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_600 }), fc.array(fc.nat(900_000)), (seconds, waits) => {
      const starts = new SlowStarts();
      let { share = 256 } = starts.begin(1, 'up', back(0, seconds), 0);
      let at = 0;
      for (const wait of waits) {
        at += wait;
        for (const one of starts.due(at)) {
          assert.ok((one.share ?? 256) > share);
          share = one.share ?? 256;
        }
        assert.equal(share === 256, at >= seconds * 1_000);
      }
    }),
  );
});
