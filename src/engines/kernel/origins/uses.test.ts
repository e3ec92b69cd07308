import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listener, target } from '../../../../test/suites/engine/listener.ts';
import type { KernelRule } from '../rules.ts';
import { emptyRules } from '../testdata/rule-set.ts';
import { TargetUses } from './uses.ts';

const numberOf = (address: string): number => target(address).number;

test('rules are found by the number of a target as long as they lead there', () => {
  const rules = emptyRules();
  const uses = new TargetUses();
  const [one, two] = ['one', 'two'].map((id) => rules.take(id, 'proxy') as KernelRule);
  const both = listener({ targets: [target('10.0.0.1'), target('10.0.0.2')] });
  assert.ok(one && two);
  uses.set(one, both);
  uses.set(two, { ...both, targets: both.targets.slice(0, 1) });
  const found = (address: string): string[] => [...uses.rulesOf(numberOf(address))].map(({ id }) => id);
  assert.deepEqual([found('10.0.0.1'), found('10.0.0.2'), found('10.0.0.3')], [['one', 'two'], ['one'], []]);
  uses.set(one, { ...both, targets: [target('10.0.0.3')] });
  assert.deepEqual([found('10.0.0.1'), found('10.0.0.2'), found('10.0.0.3')], [['two'], [], ['one']]);
  uses.set(one, undefined);
  uses.set(one, undefined);
  uses.set(two, undefined);
  assert.deepEqual([found('10.0.0.1'), found('10.0.0.3')], [[], []]);
});

test('a place is of the targets whose rules lead TCP there', () => {
  const rules = emptyRules();
  const uses = new TargetUses();
  const targets = [target('10.0.0.1')];
  const add = (id: string, change: Parameters<typeof listener>[0]): void =>
    uses.set(rules.take(id, 'proxy') as KernelRule, listener({ targets, ...change }));
  add('udp', { protocol: 'UDP', originPorts: { from: 53, to: 53 } });
  add('range', { originPorts: { from: 8000, to: 8003 } });
  const at = (port: number): number[] => [...uses.at('10.0.0.1', port, 'TCP')].map(([number]) => number);
  const number = numberOf('10.0.0.1');
  assert.deepEqual([53, 7999, 8000, 8003, 8004].map(at), [[], [], [number], [number], []]);
  assert.deepEqual([...uses.at('10.0.0.9', 8000, 'TCP')], []);
});
