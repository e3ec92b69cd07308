import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originNames, targetsOf } from './targets.ts';

const origin = (host: string, weight = 1, tier = 0) => ({ host, weight, tier });
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  'two.example': ['198.51.100.1', '2001:db8::1'],
  'same.example': ['198.51.100.1'],
};
const known = {
  addresses: (name: string) => KNOWN[name] ?? [],
  former: (name: string) => (name === 'two.example' ? ['198.51.100.9', '203.0.113.1'] : []),
};

test('addresses stand for themselves, names for all of their addresses', () => {
  const origins = [origin('203.0.113.1', 5), origin('two.example', 3), origin('gone.example')];
  assert.deepEqual(originNames(origins), ['two.example', 'gone.example']);
  const { targets, missing } = targetsOf(origins, known);
  assert.deepEqual(
    targets.map(({ target }) => target),
    [
      { address: '203.0.113.1', weight: 5, tier: 0 },
      { address: '198.51.100.1', weight: 3, tier: 0 },
      { address: '2001:db8::1', weight: 3, tier: 0 },
      // 203.0.113.1 is an origin by itself.
      { address: '198.51.100.9', weight: 0, tier: 0, left: true },
    ],
  );
  assert.deepEqual(
    targets.map(({ of }) => of.host),
    ['203.0.113.1', 'two.example', 'two.example', 'two.example'],
  );
  assert.deepEqual(missing, ['gone.example']);
});

test('an address is one target: its shares add up within a tier, its lowest tier counts', () => {
  const weightOf = (...origins: ReturnType<typeof origin>[]) =>
    targetsOf(origins, known).targets.map(({ target }) => target);
  const twice = weightOf(origin('198.51.100.1', 2), origin('same.example', 3));
  assert.deepEqual(twice, [{ address: '198.51.100.1', weight: 5, tier: 0 }]);
  const first = { address: '198.51.100.1', weight: 2, tier: 0 };
  assert.deepEqual(weightOf(origin('198.51.100.1', 2, 0), origin('same.example', 3, 1)), [first]);
  assert.deepEqual(weightOf(origin('same.example', 3, 1), origin('198.51.100.1', 2, 0)), [first]);
});
