/** Query strings and forms: decoding, nesting, and hostile names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { flatten } from '../../../test/conformance/sign.ts';
import { Fault } from '../../faults/fault.ts';
import { decodeForm, nest } from './form.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'OK';
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
};

test('decoding', () => {
  assert.deepEqual(
    [...decodeForm('a=1&b=x+y&c=%E7%AB%99&d&e=&=z&a=2&f=g=h')],
    [
      ['a', '2'],
      ['b', 'x y'],
      ['c', '站'],
      ['d', ''],
      ['e', ''],
      ['f', 'g=h'],
    ],
  );
  assert.deepEqual([...decodeForm('')], []);
  assert.equal(
    codeOf(() => decodeForm('a=%zz')),
    'InvalidParameter',
  );
  assert.equal(
    codeOf(() => decodeForm('a=%ff')),
    'InvalidParameter',
  );
  assert.equal(
    codeOf(() => decodeForm('a&'.repeat(20_001))),
    'RequestSizeLimitExceeded',
  );
});

test('nesting', () => {
  const flat = { 'Filters.0.Name': 'a', 'Filters.0.Values.0': 'x', 'Filters.0.Values.1': 'y', Area: 'z' };
  assert.deepEqual(nest(Object.entries(flat)), { Filters: [{ Name: 'a', Values: ['x', 'y'] }], Area: 'z' });
  const ten = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`L.${10 - index}`, String(10 - index)]));
  assert.deepEqual(nest(Object.entries(ten)), { L: Array.from({ length: 11 }, (_, index) => String(index)) });
});

test('hostile names are refused and allocate nothing', () => {
  for (const names of [
    ['L.999999999'],
    ['L.0', 'L.2'],
    ['L.00'],
    ['L.0', 'L.name'],
    ['L', 'L.0'],
    ['L.0', 'L'],
    [Array.from({ length: 20 }, () => 'a').join('.')],
    ['a.'.repeat(100_000)],
  ]) {
    assert.equal(
      codeOf(() => nest(names.map((name) => [name, 'x'] as const))),
      'InvalidParameter',
      String(names[0]).slice(0, 20),
    );
  }
});

test('names from Object.prototype are ordinary', () => {
  const grown = nest([
    ['__proto__.polluted', 'x'],
    ['constructor', 'y'],
  ]);
  assert.deepEqual(Object.keys(grown), ['__proto__', 'constructor']);
  assert.equal(({} as { polluted?: string }).polluted, undefined);
});

test('flattening and nesting are inverse', () => {
  const name = fc.stringMatching(/^[A-Z][a-z]{0,5}$/);
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
      fc.dictionary(name, tie('tree'), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(name, tree, { noNullPrototype: true }), (value) => {
      const text = new URLSearchParams(flatten(value)).toString();
      assert.deepEqual(nest(decodeForm(text)), value);
    }),
    { numRuns: 300 },
  );
});
