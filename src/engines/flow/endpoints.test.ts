import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindPoints, originPort } from './endpoints.ts';

test('every entry address with every port, once', () => {
  const ports = [
    { from: 80, to: 81 },
    { from: 443, to: 443 },
  ];
  const points = bindPoints({ protocol: 'TCP', entries: ['10.0.0.1', '::1'], ports });
  assert.deepEqual(
    [...points.keys()],
    ['TCP 10.0.0.1 80', 'TCP 10.0.0.1 81', 'TCP 10.0.0.1 443', 'TCP ::1 80', 'TCP ::1 81', 'TCP ::1 443'],
  );
});

test('a single origin port takes all, a range maps by offset over the spans as written', () => {
  const ports = [
    { from: 2000, to: 2001 },
    { from: 90, to: 92 },
  ];
  const single = { from: 22, to: 22 };
  const range = { from: 5000, to: 5004 };
  const table = [2000, 2001, 90, 92, 93, 1999].map((port) => [
    originPort(ports, single, port),
    originPort(ports, range, port),
  ]);
  assert.deepEqual(table, [
    [22, 5000],
    [22, 5001],
    [22, 5002],
    [22, 5004],
    [undefined, undefined],
    [undefined, undefined],
  ]);
});

test('a bind point says what it is', () => {
  const points = bindPoints({ protocol: 'UDP', entries: ['::1'], ports: [{ from: 53, to: 53 }] });
  assert.deepEqual([...points], [['UDP ::1 53', { protocol: 'UDP', address: '::1', port: 53, key: 'UDP ::1 53' }]]);
});

test('no entry, no port: nothing to bind, and nowhere to go', () => {
  assert.equal(bindPoints({ protocol: 'TCP', entries: [], ports: [{ from: 1, to: 2 }] }).size, 0);
  assert.equal(bindPoints({ protocol: 'TCP', entries: ['::1'], ports: [] }).size, 0);
  assert.equal(originPort([], { from: 1, to: 1 }, 1), undefined);
});
