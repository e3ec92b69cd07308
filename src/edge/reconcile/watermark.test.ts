import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Pending, Watermark } from './watermark.ts';

test('applied is the last revision before the first that is not settled, in any order of settling', () => {
  const pieces = fc.array(fc.nat(3), { minLength: 1 });
  fc.assert(
    fc.property(pieces, fc.infiniteStream(fc.nat()), (counts, random) => {
      const watermark = new Watermark();
      const open: Pending[] = [];
      for (const [i, count] of counts.entries()) {
        const pending = watermark.begin((i + 1) * 10);
        for (let n = 0; n < count; n++) open.push(watermark.add(pending));
        watermark.settle(pending);
      }
      const left = counts.slice();
      for (;;) {
        const first = left.findIndex((count) => count > 0);
        assert.equal(watermark.applied, first === -1 ? counts.length * 10 : first * 10);
        assert.equal(watermark.settled, first === -1);
        if (open.length === 0) break;
        const [pending] = open.splice((random.next().value as number) % open.length, 1);
        assert.ok(pending);
        watermark.settle(pending);
        left[pending.revision / 10 - 1]! -= 1;
      }
    }),
  );
});

test('another history starts from nothing, and late pieces of the old one say nothing about it', () => {
  const watermark = new Watermark();
  const old = watermark.begin(50);
  watermark.settle(watermark.add(old));
  watermark.restart();
  assert.equal(watermark.applied, 0);
  const pending = watermark.begin(7);
  watermark.settle(old);
  assert.equal(watermark.applied, 0);
  watermark.settle(pending);
  assert.equal(watermark.applied, 7);
});
