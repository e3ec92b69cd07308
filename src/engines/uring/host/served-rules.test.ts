import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listener } from '../../../../test/suites/engine/listener.ts';
import { ACTIVE, CONNECTIONS } from '../worker/counters.ts';
import { ServedRules, update } from './served-rules.ts';

test('a rule keeps its number and its counters through every change of it', () => {
  const rules = new ServedRules(2);
  const first = rules.open(listener({ id: 'a' }));
  assert.equal(rules.open(listener({ id: 'a', persistSeconds: 30 })), first);
  assert.notEqual(rules.open(listener({ id: 'b' })).index, first.index);
  assert.equal(first.rows.length, 2);
  first.rows[0]![CONNECTIONS] = 3;
  first.rows[1]![CONNECTIONS] = 4;
  update(first, listener({ id: 'a', persistSeconds: 30 }));
  assert.equal(rules.counters().get('a')?.connections, 7);
  assert.deepEqual([...rules.counters().keys()], ['a'], 'one that has counted nothing is not told of');
  const { persistence } = first;
  update(first, listener({ id: 'a', persistSeconds: 60 }));
  assert.ok(persistence && first.persistence === persistence);
  update(first, listener({ id: 'a' }));
  assert.equal(first.persistence, undefined);
});

test('a removed rule is retired once nothing of it is open, and goes on counting if it comes back', () => {
  const rules = new ServedRules(1);
  const rule = rules.open(listener({ id: 'a' }));
  const row = rule.rows[0]!;
  row[CONNECTIONS] = 5;
  row[ACTIVE] = 1;
  assert.deepEqual(rules.ended(), []);
  rule.state = 'closing';
  row[ACTIVE] = 0;
  assert.deepEqual(rules.ended(), [], 'its sockets may still bring one');
  rule.state = 'removed';
  row[ACTIVE] = 1;
  assert.deepEqual(rules.ended(), []);
  row[ACTIVE] = 0;
  assert.deepEqual(rules.ended(), [rule]);
  assert.equal(rules.nameOf(rule.index)?.id, 'a');
  rules.retire(rule);
  assert.equal(rules.nameOf(rule.index), undefined);
  assert.equal(rules.counters().get('a')?.connections, 5);
  const again = rules.open(listener({ id: 'a' }));
  assert.notEqual(again.index, rule.index);
  again.rows[0]![CONNECTIONS] = 1;
  assert.equal(rules.counters().get('a')?.connections, 6);
});

test('sockets of wide ranges are counted whole, those of others not at all', () => {
  const rules = new ServedRules(1);
  for (const [id, size] of [
    ['a', 2],
    ['b', 3],
    ['c', 5],
  ] as const) {
    const { points } = rules.open(listener({ id }));
    for (let port = 1; port <= size; port++)
      points.set(`${port}`, { point: { protocol: 'TCP', address: '192.0.2.1', port, key: `${port}` }, fds: [[port]] });
  }
  assert.equal(rules.boundBeyond(2), 8);
});
