import assert from 'node:assert/strict';
import { test } from 'node:test';
import { target } from '../../../test/suites/engine/listener.ts';
import { hex } from '../../linux/nft/nf-tables.ts';
import { endingOf, indexOf, isOurs, markAt, markOf, MOST_INDEX } from './table/marks.ts';
import { assignSlots, pagesFor } from './table/slots.ts';
import { NO_CONTENTS } from './table/sets.ts';
import { emptyRules } from './testdata/rule-set.ts';

test('marks carry what they say', () => {
  const mark = markOf(MOST_INDEX, 1023);
  assert.equal(hex(mark), '0xe3ffffff');
  assert.deepEqual([isOurs(mark), indexOf(mark), endingOf(mark)], [true, MOST_INDEX, 0]);
  assert.deepEqual([isOurs(0), isOurs(0xc000_0000), endingOf(0xf000_0400)], [false, false, 4]);
});

test('an index rests before it is given again, and a full table says so', () => {
  const registry = emptyRules();
  const first = registry.take('a', 'p');
  assert.equal(registry.take('a', 'p'), first);
  const found = { slots: new Map(), contents: NO_CONTENTS, settings: undefined, isUp: true };
  registry.inherit({ id: 'old', proxy: 'p', indices: [2], ...found });
  assert.ok(first);
  registry.release(first);
  assert.equal(registry.take('b', 'p')?.indices[0], 3);
  for (let i = registry.byId.size; i < MOST_INDEX; i++) assert.ok(registry.take(`r${i}`, 'p'));
  assert.equal(registry.take('one too many', 'p'), undefined);
  assert.equal(registry.at(1)?.id, `r${MOST_INDEX - 1}`);
});

test('a rule that is released has nothing open, whatever the last look has seen', () => {
  const registry = emptyRules();
  const rule = registry.take('a', 'p') ?? assert.fail();
  Object.assign(rule.account.counted, { connections: 24, active: 24 });
  registry.release(rule);
  const { connections, active } = registry.retired.get('a') ?? {};
  assert.deepEqual({ connections, active }, { connections: 24, active: 0 });
});

test('a rule takes as many indices as its targets need, keeps them, and gives all back', () => {
  const registry = emptyRules();
  const rule = registry.take('a', 'p') ?? assert.fail();
  registry.take('b', 'p');
  assignSlots(
    rule.slots,
    Array.from({ length: 1_000 }, (_, i) => target(`10.0.${i >> 8}.${i & 255}`)),
  );
  assert.equal(pagesFor(rule.slots), 2);
  assert.equal(registry.take('a', 'p', 2), rule);
  assert.equal(registry.take('a', 'p', 1), rule);
  const indices = [...rule.indices];
  assert.deepEqual(indices, [1, 3]);
  assert.deepEqual([registry.at(1), registry.at(3)], [rule, rule]);
  assert.deepEqual(
    [1, 511, 512, 1_000].map((slot) => markAt(indices, slot)),
    [markOf(1, 1), markOf(1, 511), markOf(3, 1), markOf(3, 489)],
  );
  assert.equal(registry.take('too wide', 'p', MOST_INDEX), undefined);
  registry.release(rule);
  assert.deepEqual([registry.at(1), registry.at(3)], [undefined, undefined]);
});

test('a rule that comes back counts on', () => {
  const registry = emptyRules();
  const rule = registry.take('a', 'p');
  assert.ok(rule);
  rule.account.counted.connections = 5;
  registry.release(rule);
  assert.equal(registry.retired.get('a')?.connections, 5);
  assert.equal(registry.take('a', 'p')?.account.counted.connections, 5);
  assert.equal(registry.retired.size, 0);
});

test('targets keep their slots, new ones take what is free', () => {
  const slots = new Map<string, number>();
  const assign = (...addresses: string[]) => {
    assignSlots(
      slots,
      addresses.map((address) => target(address)),
    );
    return Object.fromEntries(slots);
  };
  assert.deepEqual(assign('a', 'b', 'c'), { a: 1, b: 2, c: 3 });
  assert.deepEqual(assign('c', 'a', 'd'), { a: 1, c: 3, d: 2 });
  assert.deepEqual(assign('d', 'd'), { d: 2 });
});
