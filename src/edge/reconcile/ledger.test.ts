import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ledger, type Mark } from './ledger.ts';

test('applied is the last revision before the first that is not settled, in any order of settling', () => {
  const pieces = fc.array(fc.nat(3), { minLength: 1 });
  fc.assert(
    fc.property(pieces, fc.infiniteStream(fc.nat()), (counts, random) => {
      const ledger = new Ledger();
      const open: Mark[] = [];
      for (const [i, count] of counts.entries()) {
        const mark = ledger.begin((i + 1) * 10);
        for (let n = 0; n < count; n++) open.push(ledger.add(mark));
        ledger.settle(mark);
      }
      const left = counts.slice();
      for (;;) {
        const first = left.findIndex((count) => count > 0);
        assert.equal(ledger.applied, first === -1 ? counts.length * 10 : first * 10);
        assert.equal(ledger.settled, first === -1);
        if (open.length === 0) break;
        const [mark] = open.splice((random.next().value as number) % open.length, 1);
        assert.ok(mark);
        ledger.settle(mark);
        left[mark.revision / 10 - 1]! -= 1;
      }
    }),
  );
});

test('another history starts from nothing, and late pieces of the old one say nothing about it', () => {
  const ledger = new Ledger();
  const old = ledger.begin(50);
  ledger.settle(ledger.add(old));
  ledger.restart();
  assert.equal(ledger.applied, 0);
  const mark = ledger.begin(7);
  ledger.settle(old);
  assert.equal(ledger.applied, 0);
  ledger.settle(mark);
  assert.equal(ledger.applied, 7);
});
