import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromText, headFromText, toText } from './text.ts';

test('any value comes back as JSON would bring it, long or short', () => {
  const long = fc.string({ unit: 'binary', minLength: 200, maxLength: 400 });
  const members = fc.oneof(fc.array(fc.oneof(long, fc.jsonValue()), { maxLength: 8 }), fc.jsonValue());
  const value = fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), members));
  fc.assert(
    fc.property(value, (value) => {
      const plain: unknown = JSON.parse(JSON.stringify(value));
      assert.deepEqual(fromText(toText(value)), plain);
      const head = headFromText(toText(value));
      if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return assert.deepEqual(head, plain);
      for (const [name, member] of Object.entries(plain)) {
        assert.deepEqual((head as Record<string, unknown>)[name], Array.isArray(member) ? member.length : member);
      }
    }),
    { numRuns: 50 },
  );
});

test('a head is read without what is in the lists', () => {
  const value = { id: 'a', rules: Array.from({ length: 50 }, (_, i) => ({ id: i, text: 'line\nbreak' })), tags: [] };
  const text = toText(value);
  assert.equal(text.split('\n')[0], '{"id":"a","rules":50,"tags":0}');
  assert.deepEqual(headFromText(text), { id: 'a', rules: 50, tags: 0 });
});
