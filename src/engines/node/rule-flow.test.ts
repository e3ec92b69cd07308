import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowWorld } from '../../../test/sim/flow-world.ts';
import { listener, options, target } from '../../../test/suites/engine/listener.ts';

const client = { address: '192.0.2.1', port: 4000 };
const entry = { address: '127.44.0.1', port: 443 };
const origin = { address: '10.0.0.1', port: 8443 };
const rule = listener({
  id: 'r',
  ports: [{ from: 443, to: 443 }],
  originPorts: { from: 8443, to: 8443 },
  targets: [target('10.0.0.1'), target('10.0.0.2')],
});

test('a session is counted at both ends and recorded at its end', () => {
  const { flow, counters, records, pass } = flowWorld(rule);
  const session = flow.open(client, entry);
  session.origin = origin;
  session.bytesIn = 10;
  session.bytesOut = 20;
  assert.deepEqual([counters.connections, counters.active], [1, 1]);
  pass(1500);
  flow.close(session, 'client-closed');
  assert.deepEqual([counters.connections, counters.active, counters.ends], [1, 0, { 'client-closed': 1 }]);
  assert.deepEqual(records, [
    {
      id: 'session-1',
      rule: 'r',
      proxy: 'sid-test',
      protocol: 'TCP',
      client,
      entry,
      origin,
      startedAt: 1_700_000_000_000,
      at: 1_700_000_001_500,
      bytesIn: 10,
      bytesOut: 20,
      end: 'client-closed',
    },
  ]);
});

test('a long session is recorded once a minute, each time with what is new', () => {
  const { flow, records, pass } = flowWorld(rule);
  const session = flow.open(client, entry);
  for (let second = 1; second <= 150; second++) {
    session.activity++;
    session.bytesIn++;
    pass(1000);
    assert.equal(flow.check(session), undefined);
  }
  flow.close(session, 'origin-closed');
  assert.deepEqual(
    records.map(({ bytesIn, end }) => [bytesIn, end]),
    [
      [60, undefined],
      [60, undefined],
      [30, 'origin-closed'],
    ],
  );
});

test('one record in N, none, all', () => {
  const count = (recordOneIn: number): number => {
    const { flow, records } = flowWorld({ ...rule, options: options({ recordOneIn }) });
    for (let i = 0; i < 10; i++) flow.close(flow.open(client, entry), 'idle');
    return records.length;
  };
  assert.deepEqual([count(0), count(1), count(3)], [0, 10, 4]);
});

test('idle is a time without activity, whatever the direction', () => {
  const { flow, pass } = flowWorld({ ...rule, options: options({ idleSeconds: 10 }) });
  const session = flow.open(client, entry);
  pass(9000);
  session.activity++;
  assert.equal(flow.check(session), undefined);
  pass(9999);
  assert.equal(flow.check(session), undefined);
  pass(1);
  assert.equal(flow.check(session), 'idle');
});

test('a session whose origin is gone drains, and stays if the origin is back in time', () => {
  const { flow, pass } = flowWorld(rule);
  const session = flow.open(client, entry);
  session.origin = origin;
  flow.update({ ...rule, targets: [target('10.0.0.2')] });
  assert.equal(flow.judge(session, true), 'drains');
  pass(29_999);
  assert.equal(flow.check(session), undefined);
  // A second change does not begin the drain again.
  assert.equal(flow.judge(session, true), 'drains');
  flow.update(rule);
  assert.equal(flow.judge(session, true), 'stays');
  pass(60_000);
  session.activity++;
  assert.equal(flow.check(session), undefined);
  assert.equal(flow.judge(session, false), 'drains');
  pass(30_000);
  assert.equal(flow.check(session), 'drained');
});

test('another origin port is another origin', () => {
  const { flow } = flowWorld(rule);
  const session = flow.open(client, entry);
  session.origin = origin;
  flow.update({ ...rule, originPorts: { from: 9443, to: 9443 } });
  assert.equal(flow.judge(session, true), 'drains');
});

test('drains: keep never ends, reset ends at once', () => {
  for (const [how, after] of [
    ['keep', undefined],
    ['reset', 'drained'],
  ] as const) {
    const { flow } = flowWorld({ ...rule, options: options({ drain: { how, seconds: 30 } }) });
    const session = flow.open(client, entry);
    assert.equal(flow.judge(session, false), 'drains');
    assert.equal(flow.check(session), after);
  }
});

test('persistence holds while the target is there and takes new sessions', () => {
  const { flow } = flowWorld({ ...rule, persistSeconds: 30 });
  flow.settle(client.address, '10.0.0.2');
  const chosen = (): string | undefined => flow.choose(client.address, 1)?.address;
  assert.deepEqual([chosen(), chosen()], ['10.0.0.2', '10.0.0.2']);
  assert.equal(flow.choose(client.address, 1, new Set(['10.0.0.2']))?.address, '10.0.0.1');
  flow.update({ ...rule, persistSeconds: 30, targets: [target('10.0.0.1'), target('10.0.0.2', 0)] });
  assert.equal(chosen(), '10.0.0.1');
});
