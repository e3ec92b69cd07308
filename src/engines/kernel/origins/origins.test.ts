/** One change of states is one transaction, however many rules lead to the target; and what is told of dials. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listener, options, target } from '../../../../test/suites/engine/listener.ts';
import type { TargetOutcomes } from '../../engine.ts';
import { TargetStates } from '../../flow/target-states.ts';
import type { TakeDials } from '../account/dials.ts';
import type { KernelRule } from '../rules.ts';
import { contentsOf } from '../table/contents.ts';
import { settingsName, settingsOf } from '../table/settings.ts';
import { createTable } from '../table/table.ts';
import { emptyRules } from '../testdata/rule-set.ts';
import { Origins } from './origins.ts';
import { TargetUses } from './uses.ts';

const RULES = 1_000;

function world() {
  const [rules, uses, states] = [emptyRules(), new TargetUses(), new TargetStates()];
  const transactions: number[] = [];
  const told: TargetOutcomes[] = [];
  const due: (() => void)[] = [];
  let dials: Parameters<TakeDials>[] = [];
  let now = 0;
  const clock = { monotonic: () => now, after: (_: number, run: () => void) => (due.push(run), { cancel() {} }) };
  const asking = {
    dump: () => 0,
    get: () => 0,
    transact: (_: number, messages: readonly unknown[]) => (transactions.push(messages.length), 0),
  };
  const table = createTable({
    asking,
    nft: () => assert.fail('nft is not needed'),
    rules: () => rules.byId.values(),
    settings: [settingsName(settingsOf(listener({})))],
    options: { isGuarded: false, stamp: [], owner: 'test' },
  });
  const contents = (rule: KernelRule) => {
    const settings = settingsName(settingsOf(rule.listener ?? assert.fail()));
    return contentsOf(rule.listener ?? assert.fail(), { ...rule, settings }, ({ number }) => states.partOf(number));
  };
  const origins = new Origins({
    clock,
    rules,
    uses,
    states,
    monitor: { checkDrains() {} },
    conntrack: { flows: () => [], unanswered() {}, end() {} },
    accounts: {
      unheard() {},
      dials: (take) => dials.splice(0).forEach((one) => take(...one)),
      recorder: { ending() {} },
    },
    refresh: async (all) =>
      void (await Promise.all(Array.from(all, (rule) => table.change(rule, contents(rule), rule.settings)))),
    events: { outcomes: (batch) => told.push(...batch) },
  });
  return {
    origins,
    transactions,
    told,
    states,
    add: (change: Parameters<typeof listener>[0]): KernelRule => {
      const rule = rules.take(change.id ?? 'rule', 'proxy') ?? assert.fail();
      rule.listener = listener({ entries: ['192.0.2.1'], originPorts: { from: 80, to: 80 }, ...change });
      rule.slots = new Map(rule.listener.targets.map(({ address }, i) => [address, i + 1]));
      Object.assign(rule, { isUp: true, contents: contents(rule), settings: settingsOf(rule.listener) });
      uses.set(rule, rule.listener);
      return rule;
    },
    look: (at: number, ...seen: Parameters<TakeDials>[]): void => {
      now = at;
      dials = seen;
      origins.look();
      for (const run of due.splice(0)) run();
    },
  };
}

const turnsOf = ({ contents }: KernelRule): string[] =>
  [...contents.elements.values()].flatMap(({ set, data }) => (set === 'counts4' ? [data] : []));

test(`${RULES} rules on an origin that goes down and comes back: a transaction each way, and all rules follow`, async () => {
  const { add, origins, transactions } = world();
  const targets = [target('10.0.0.1'), target('10.0.0.2'), target('10.0.0.3')];
  const rules = Array.from({ length: RULES }, (_, i) =>
    add({ id: `rule-${i}`, ports: [{ from: i + 1, to: i + 1 }], targets }),
  );
  const other = add({ id: 'other', ports: [{ from: 5000, to: 5000 }], targets: targets.slice(1) });
  const before = [rules.map(turnsOf), turnsOf(other)];
  assert.ok(before[0]?.every((turns) => turns.length === 6 && new Set(turns).size === 3));
  const { number } = targets[0] ?? assert.fail();
  await origins.obey([{ target: number, state: 'down' }]);
  assert.equal(transactions.length, 1);
  assert.ok(rules.every((rule) => turnsOf(rule).length === 6 && new Set(turnsOf(rule)).size === 2));
  assert.deepEqual(turnsOf(other), before[1]);
  await origins.obey([{ target: number, state: 'down' }]);
  assert.equal(transactions.length, 1);
  await origins.obey([{ target: number, state: 'up' }]);
  assert.equal(transactions.length, 2);
  assert.deepEqual(rules.map(turnsOf), before[0]);
});

test('a target to try is shut again once something has gone there, until its state is said', async () => {
  const { add, origins, look, states } = world();
  const targets = [target('10.0.0.1'), target('10.0.0.2')];
  add({ targets, ports: [{ from: 1, to: 1 }] });
  const { number } = targets[0] ?? assert.fail();
  await origins.obey([{ target: number, state: 'down' }]);
  await origins.obey([{ target: number, state: 'try' }]);
  look(0, ['begun', '10.0.0.2', 80, 1]);
  assert.equal(states.isShut(number), false);
  look(100, ['begun', '10.0.0.1', 80, 1]);
  assert.equal(states.isShut(number), true);
  await origins.obey([{ target: number, state: 'up' }]);
  look(200, ['begun', '10.0.0.1', 80, 1]);
  assert.equal(states.isShut(number), false);
});

test('failures are told with all that came with the first; silence when the time to connect is up', () => {
  const { add, look, told } = world();
  const to = (address: string) => ({ targets: [target(address)], options: options({ connectTimeoutMs: 1000 }) });
  add({ id: 'a', ports: [{ from: 1, to: 1 }], ...to('10.0.0.1') });
  add({ id: 'b', ports: [{ from: 2, to: 2 }], ...to('10.0.0.2') });
  add({ id: 'c', ports: [{ from: 3, to: 4 }], originPorts: { from: 90, to: 91 }, ...to('10.0.0.3') });
  const [a, b] = ['10.0.0.1', '10.0.0.2'].map((address) => target(address).number);
  look(0, ['begun', '10.0.0.1', 80, 7], ['refused', '10.0.0.1', 80, 5], ['ok', '10.0.0.1', 80, 0]);
  assert.deepEqual(told.splice(0), [{ target: a, counts: { refused: 5 }, failedInRow: 5 }]);
  // A port of a range without a program says nothing about the origin, and nobody leads to the last.
  look(
    100,
    ['begun', '10.0.0.2', 80, 2],
    ['begun', '10.0.0.3', 90, 1],
    ['refused', '10.0.0.3', 90, 1],
    ['ok', '10.0.0.9', 80, 1],
  );
  look(900, ['ok', '10.0.0.2', 80, 1]);
  assert.deepEqual(told.splice(0), [{ target: b, counts: { ok: 1 }, failedInRow: 0 }]);
  look(1000);
  assert.deepEqual(told.splice(0), [{ target: a, counts: { 'timed-out': 2 }, failedInRow: 7 }]);
  look(1100);
  assert.deepEqual(told.splice(0), [{ target: b, counts: { 'timed-out': 1 }, failedInRow: 1 }]);
  look(3000);
  assert.deepEqual(told, []);
});
