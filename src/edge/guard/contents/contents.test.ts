import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '../../../domain/limit/limit.ts';
import { Contents } from './contents.ts';
import type { LimitedRule } from './limited-rule.ts';
import { after, before, whole } from '../table/script.ts';

const NOW = 1_700_000_000_000;
const rule = (id: string, limits?: Limits, entry = '192.0.2.1'): LimitedRule => ({
  id,
  proxy: 'sid-1',
  protocol: 'TCP',
  entries: [entry],
  ports: [{ from: 443, to: 443 }],
  ...(limits && { limits }),
});

function world(...rules: readonly LimitedRule[]) {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const records = new Map<string, { value: unknown; revision: number }>();
  let revision = 0;
  const contents = new Contents({ rules: () => byId, records: () => records });
  const put = (key: string, value: unknown): string => {
    if (value === undefined) records.delete(key);
    else records.set(key, { value, revision: ++revision });
    return key;
  };
  contents.noteAll();
  return { contents, byId, put };
}
const NONE = new Map<string, readonly string[]>();
const BAN = 'network-ban/sid-1/198.51.100.0_24';

test('a ban more or less is one element, and nothing for nft to do', () => {
  const { contents, put } = world(rule('rule-a'), rule('rule-b', {}, '192.0.2.2'));
  contents.note([], [put(BAN, { network: '198.51.100.0/24', until: NOW + 60_000 })]);
  const text = whole(contents.take(NOW), NONE, { owner: 'me', edition: 'e' });
  assert.match(text, /add set inet edgefour_guard ban-sid-1-4-24 .*elements = { 198\.51\.100\.0 timeout 60000ms } }/);
  assert.match(text, /ip saddr & 255\.255\.255\.0 @ban-sid-1-4-24 counter name "rule-b\.ban" drop/);

  const other = 'network-ban/sid-1/203.0.113.0_24';
  contents.note([], [put(other, { network: '203.0.113.0/24' })]);
  const more = contents.take(NOW);
  assert.deepEqual([before(more, NONE), after(more)], ['', '']);
  assert.deepEqual(more.swap, [
    { verb: 'add', set: 'ban-sid-1-4-24', elements: [{ set: 'ban-sid-1-4-24', key: '203.0.113.0', data: '' }] },
  ]);
  contents.note([], [put(other, undefined)]);
  assert.deepEqual(
    contents.take(NOW).swap.map(({ verb, elements }) => [verb, elements[0]?.key]),
    [['delete', '203.0.113.0']],
  );
});

test('a ban that has ended is the kernel’s to remove; after the last one nothing is left', () => {
  const { contents, put } = world(rule('rule-a'));
  contents.note([], [put(BAN, { network: '198.51.100.0/24', until: NOW + 5 })]);
  contents.take(NOW);
  assert.equal(contents.nextEnd, NOW + 5);
  contents.end(NOW + 5);
  const { swap, gone } = contents.take(NOW + 5);
  assert.deepEqual(
    swap.map(({ verb, set }) => [verb, set]),
    [['delete', 'gate4']],
  );
  assert.deepEqual([gone.sets, gone.counters], [['ban-sid-1-4-24'], ['rule-a.ban']]);
  assert.ok(contents.isEmpty && contents.nextEnd === undefined);
});

test('another limit of one rule leaves everything of the others alone; no limit at all is not looked at', () => {
  const { contents, byId } = world(
    rule('rule-a', { newPerSecond: 5 }),
    rule('rule-b', { newPerSecond: 7 }, '192.0.2.2'),
  );
  contents.take(NOW);
  byId.set('rule-a', rule('rule-a', { newPerSecond: 6 }));
  assert.ok(contents.note(['rule-a'], []));
  const change = contents.take(NOW);
  const text = before(change, NONE) + after(change);
  assert.match(text, /limit rate over 6\/second/);
  assert.doesNotMatch(text, /rule-b/);
  assert.deepEqual(
    change.swap.map(({ verb, set }) => [verb, set]),
    [
      ['delete', 'gate4'],
      ['add', 'gate4'],
    ],
  );
  byId.set('rule-c', rule('rule-c', undefined, '192.0.2.3'));
  assert.equal(contents.note(['rule-c'], ['zone/zone-a']), false);
});

test('another list is another set; parts that are not in force yet change nothing', () => {
  const key = 'address-list/zone-a/bad';
  const part = (side: string) => `address-part/zone-a/bad/${side}/0`;
  const { contents, put } = world(rule('rule-a', { deny: [key] }));
  put(part('a'), { networks: ['192.0.2.0/24'] });
  contents.note([], [put(key, { side: 'a', parts: 1 })]);
  const [first] = contents.take(NOW).lists;
  assert.deepEqual(first?.parts, [['192.0.2.0/24']]);
  assert.equal(contents.note([], [put(part('b'), { networks: ['198.51.100.0/24'] })]), false);
  contents.note([], [put(key, { side: 'b', parts: 1 })]);
  const { lists, gone } = contents.take(NOW);
  assert.deepEqual([lists[0]?.parts, gone.sets], [[['198.51.100.0/24']], [first?.name]]);
});

test('limits of a place stay until the engine has left it, or another rule comes there', () => {
  const at = (id: string, port: number, limits: Limits): LimitedRule => ({
    ...rule(id, limits),
    ports: [{ from: port, to: port }],
  });
  const { contents, byId } = world(at('rule-a', 80, { newPerSecond: 5 }), at('rule-b', 81, { newPerSecond: 7 }));
  const keys = () => contents.take(NOW).swap.map(({ verb, elements }) => [verb, elements.map(({ key }) => key).join()]);
  contents.take(NOW);
  for (const id of ['rule-a', 'rule-b']) assert.equal(contents.settled(id), false);

  byId.set('rule-a', at('rule-a', 82, { newPerSecond: 6 }));
  contents.note(['rule-a'], []);
  assert.deepEqual(keys(), [['add', '192.0.2.1 . tcp . 82']]);
  assert.ok(contents.settled('rule-a'));
  const { swap, gone } = contents.take(NOW);
  assert.deepEqual(
    swap.map(({ verb, elements }) => [verb, elements[0]?.key]),
    [['delete', '192.0.2.1 . tcp . 80']],
  );
  assert.equal(gone.chains.length, 1);
  assert.equal(contents.settled('rule-a'), false);

  // They change their ports, and one of them is not limited any more.
  byId.set('rule-a', at('rule-a', 81, { newPerSecond: 6 }));
  byId.set('rule-b', at('rule-b', 82, {}));
  contents.note(['rule-a', 'rule-b'], []);
  assert.deepEqual(keys(), [
    ['delete', '192.0.2.1 . tcp . 81'],
    ['add', '192.0.2.1 . tcp . 81'],
  ]);
  byId.clear();
  contents.note(['rule-a', 'rule-b'], []);
  assert.deepEqual([keys(), contents.isEmpty], [[], false]);
  assert.ok(contents.settled('rule-a'));
  assert.deepEqual([keys().length, contents.isEmpty], [1, true]);
});

test('a rule waits that has limits or a ban, and no other', () => {
  const { contents, byId, put } = world(rule('rule-a', { newPerSecond: 5 }), rule('rule-b', undefined, '192.0.2.2'));
  assert.deepEqual(
    [contents.isLimited('rule-a'), contents.isLimited('rule-b'), contents.isLimited('rule-c')],
    [true, false, false],
  );
  contents.note([], [put(BAN, { network: '198.51.100.0/24' })]);
  assert.ok(contents.isLimited('rule-b'));
  contents.take(NOW);
  assert.ok(contents.isLimited('rule-b'));
  byId.set('rule-c', { ...rule('rule-c', undefined, '192.0.2.3'), proxy: 'sid-2' });
  assert.equal(contents.isLimited('rule-c'), false);
});

test('of chains that go, the one that jumps goes before the one that it jumps to', () => {
  const { contents, byId } = world(rule('rule-a', { allow: ['address-list/zone-a/good'] }));
  const { chains } = contents.take(NOW);
  assert.deepEqual(
    chains.map(([name]) => name.split('-')[0]),
    ['allow', 'gate'],
  );
  byId.clear();
  contents.note(['rule-a'], []);
  contents.settled('rule-a');
  assert.deepEqual(
    contents.take(NOW).gone.chains.map((name) => name.split('-')[0]),
    ['gate', 'allow'],
  );
});
