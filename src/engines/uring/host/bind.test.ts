import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BindPoint } from '../../flow/endpoints.ts';
import { whyTooMany } from './bind.ts';

const points = (protocol: BindPoint['protocol'], from: number, count: number): BindPoint[] =>
  Array.from({ length: count }, (_, i) => ({ protocol, address: '192.0.2.1', port: from + i, key: `${from + i}` }));

test('as many sockets as there is room for fit; none is never too many', () => {
  assert.equal(
    whyTooMany(points('TCP', 100, 5), 5, 64, () => assert.fail()),
    undefined,
  );
  assert.equal(
    whyTooMany([], 0, 64, () => assert.fail()),
    undefined,
  );
});

test('one more does not, and the reason says what to raise', () => {
  assert.equal(
    whyTooMany(points('UDP', 100, 6), 5, 64, () => assert.fail('one socket never takes a range of UDP')),
    'UDP ports 100 to 105: 6 sockets are needed, 5 fit (of 64 descriptors). ' +
      'Raise the limit of open files (LimitNOFILE, ulimit -Hn)',
  );
});

test('of TCP it says what would let one socket take them all, where that is not so already', () => {
  const wide = points('TCP', 1, 2);
  assert.match(whyTooMany(wide, 1, 64, () => 'no CAP_BPF') ?? '', /, or give CAP_BPF .* \(now: no CAP_BPF\)$/);
  assert.match(whyTooMany(wide, 1, 64, () => undefined) ?? '', /ulimit -Hn\)$/);
});
