import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BoundPoint } from './listening-sockets.ts';
import { entriesOf } from './rule-spec.ts';

const bound = (port: number, fds: readonly (readonly number[])[]): BoundPoint => ({
  point: { protocol: 'TCP', address: '192.0.2.1', port, key: `TCP 192.0.2.1 ${port}` },
  fds,
});
const leads = (from: number, to: number, origin: number) => ({
  ports: [{ from, to }],
  originPorts: { from: origin, to: origin + to - from },
});

test('a worker is told of its own sockets only, all of them', () => {
  const points = [bound(100, [[5], [6, 7]]), bound(101, [[], [8]])];
  const portsAndSockets = (worker: number) =>
    entriesOf(points, worker, [leads(100, 101, 9000)]).map(({ fd, originPort }) => [fd, originPort]);
  assert.deepEqual(portsAndSockets(0), [[5, 9000]]);
  assert.deepEqual(portsAndSockets(1), [
    [6, 9000],
    [7, 9000],
    [8, 9001],
  ]);
  assert.deepEqual(portsAndSockets(2), []);
});

test('a socket whose port the rule no longer has leads where it led before, or is left out', () => {
  const points = [bound(100, [[5]]), bound(150, [[6]])];
  const now = leads(140, 160, 7000);
  assert.deepEqual(
    entriesOf(points, 0, [now, leads(100, 199, 9000)]).map(({ port, originPort }) => [port, originPort]),
    [
      [100, 9000],
      [150, 7010],
    ],
  );
  assert.deepEqual(
    entriesOf(points, 0, [now]).map(({ port }) => port),
    [150],
  );
});
