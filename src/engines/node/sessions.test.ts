import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ruleWorld } from '../../../test/sim/rule-world.ts';
import { drainMs } from '../flow/verdict.ts';
import type { RuleState } from './rule-state.ts';
import type { Session } from './sessions.ts';
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

/** As connections do. Whether it keeps its place. */
function judge(state: RuleState, session: Session, isServed: boolean): boolean {
  const keeps = state.targets.keeps(session.origin, session.entry.port, isServed);
  state.sessions.judge(session, keeps, drainMs(state.listener.options.drain));
  return keeps;
}

test('a session is counted at both ends and recorded at its end', () => {
  const { rule: state, counters, records, pass } = ruleWorld(rule);
  const session = state.sessions.open(client, entry);
  session.origin = origin;
  session.bytesIn = 10;
  session.bytesOut = 20;
  assert.deepEqual([counters.connections, counters.active], [1, 1]);
  pass(1500);
  state.sessions.close(session, 'client-closed');
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
  const { rule: state, records, pass } = ruleWorld(rule);
  const session = state.sessions.open(client, entry);
  for (let second = 1; second <= 150; second++) {
    session.activity++;
    session.bytesIn++;
    pass(1000);
    assert.equal(state.sessions.due(session), undefined);
  }
  state.sessions.close(session, 'origin-closed');
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
    const { rule: state, records } = ruleWorld({ ...rule, options: options({ recordOneIn }) });
    for (let i = 0; i < 10; i++) state.sessions.close(state.sessions.open(client, entry), 'idle');
    return records.length;
  };
  assert.deepEqual([count(0), count(1), count(3)], [0, 10, 4]);
});

test('idle is a time without activity, whatever the direction', () => {
  const { rule: state, pass } = ruleWorld({ ...rule, options: options({ idleSeconds: 10 }) });
  const session = state.sessions.open(client, entry);
  pass(9000);
  session.activity++;
  assert.equal(state.sessions.due(session), undefined);
  pass(9999);
  assert.equal(state.sessions.due(session), undefined);
  pass(1);
  assert.equal(state.sessions.due(session), 'idle');
});

test('a session whose origin is gone drains, and stays if the origin is back in time', () => {
  const { rule: state, pass } = ruleWorld(rule);
  const session = state.sessions.open(client, entry);
  session.origin = origin;
  state.update({ ...rule, targets: [target('10.0.0.2')] });
  assert.equal(judge(state, session, true), false);
  pass(29_999);
  assert.equal(state.sessions.due(session), undefined);
  // A second change does not begin the drain again.
  assert.equal(judge(state, session, true), false);
  state.update(rule);
  assert.equal(judge(state, session, true), true);
  pass(60_000);
  session.activity++;
  assert.equal(state.sessions.due(session), undefined);
  assert.equal(judge(state, session, false), false);
  pass(30_000);
  assert.equal(state.sessions.due(session), 'drained');
});

test('another origin port is another origin', () => {
  const { rule: state } = ruleWorld(rule);
  const session = state.sessions.open(client, entry);
  session.origin = origin;
  state.update({ ...rule, originPorts: { from: 9443, to: 9443 } });
  assert.equal(judge(state, session, true), false);
});

test('drains: keep never ends, reset ends at once', () => {
  for (const [how, after] of [
    ['keep', undefined],
    ['reset', 'drained'],
  ] as const) {
    const { rule: state } = ruleWorld({ ...rule, options: options({ drain: { how, seconds: 30 } }) });
    const session = state.sessions.open(client, entry);
    assert.equal(judge(state, session, false), false);
    assert.equal(state.sessions.due(session), after);
  }
});

test('persistence holds while the target is there and takes new sessions', () => {
  const { rule: state } = ruleWorld({ ...rule, persistSeconds: 30 });
  state.targets.settle(client.address, '10.0.0.2');
  const chosen = (): string | undefined => state.targets.choose(client.address, 1)?.address;
  assert.deepEqual([chosen(), chosen()], ['10.0.0.2', '10.0.0.2']);
  assert.equal(state.targets.choose(client.address, 1, new Set(['10.0.0.2']))?.address, '10.0.0.1');
  state.update({ ...rule, persistSeconds: 30, targets: [target('10.0.0.1'), target('10.0.0.2', 0)] });
  assert.equal(chosen(), '10.0.0.1');
});
