/** KeyIndex against a sorted array, under random and under ordered work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRng } from '../../lib/rng.ts';
import { KeyIndex } from './key-index.ts';

function check(index: KeyIndex, model: Map<string, number>): void {
  for (const prefix of ['a/', 'b/', 'b/c/', 'none/', '']) {
    const keys = [...model.keys()].filter((key) => key.startsWith(prefix)).sort();
    const expected = keys.map((key) => ({ key, id: model.get(key) }));
    assert.deepEqual(index.under(prefix), expected);
    assert.equal(index.count(prefix), keys.length);
    const offset = keys.length >> 1;
    assert.deepEqual(index.under(prefix, offset, 3), expected.slice(offset, offset + 3));
  }
}

test('agrees with a sorted array whatever is set and deleted', () => {
  const key = fc.tuple(fc.constantFrom('a/', 'b/', 'b/c/', 'b0', 'a'), fc.integer({ min: 0, max: 400 })).map(String);
  const steps = fc.array(
    fc.tuple(
      fc.boolean(),
      key.map((text) => text.replace(',', '')),
    ),
    { maxLength: 600 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const index = new KeyIndex();
      const model = new Map<string, number>();
      list.forEach(([put, at], id) => {
        if (put) {
          index.set(at, id);
          model.set(at, id);
        } else {
          index.delete(at);
          model.delete(at);
        }
        assert.equal(index.get(at), model.get(at));
      });
      check(index, model);
    }),
    { numRuns: 60 },
  );
});

test('stays right through many levels, emptying and refilling', () => {
  const rng = seededRng(7);
  const index = new KeyIndex();
  const model = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const at = `b/${rng.below(30_000)}`;
    index.set(at, i);
    model.set(at, i);
  }
  check(index, model);
  for (const at of [...model.keys()].slice(0, -5)) {
    index.delete(at);
    model.delete(at);
  }
  check(index, model);
  for (let i = 0; i < 5_000; i++) {
    const at = `a/${String(i).padStart(6, '0')}`;
    index.set(at, i);
    model.set(at, i);
  }
  check(index, model);
});
