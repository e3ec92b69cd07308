import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FakeEngine, fakeEngine } from '../../../test/edge/fake-engine.ts';
import type { Lookup } from '../origins/lookup.ts';
import { drop, origin, port, put, reconciler, rule } from './reconcile.fixture.ts';

const barsOf = (engine: FakeEngine, id: string) =>
  engine.listeners.get(id)?.targets.map(({ address, weight, barred }) => [address, weight, barred?.cause]);
const at = (address: string, n: number, to: string, toPort: number) => ({
  entries: [address],
  ...port(n),
  ...origin(to),
  originPorts: { from: toPort, to: toPort },
});

test('rules that lead to each other are told apart from the rest, whichever came first, and are free again without it', async () => {
  const node = fakeEngine('node');
  const { clock, made, failures } = await reconciler([node]);
  made.feed(
    put(rule('a', at('192.0.2.1', 80, '192.0.2.2', 80)), rule('c', at('192.0.2.3', 80, '198.51.100.1', 80))),
    1,
  );
  await clock.advance(0);
  assert.deepEqual(barsOf(node, 'a'), [['192.0.2.2', 1, undefined]]);
  made.feed(put(rule('b', at('192.0.2.2', 80, '192.0.2.1', 80))), 2);
  await clock.advance(0);
  assert.deepEqual([barsOf(node, 'a'), barsOf(node, 'b')], [[['192.0.2.2', 0, 'loop']], [['192.0.2.1', 0, 'loop']]]);
  assert.deepEqual(barsOf(node, 'c'), [['198.51.100.1', 1, undefined]]);
  assert.match(made.placements.all().get('a')?.why ?? '', /; loop: TCP 192\.0\.2\.2:80 is a listener of this edge/);
  assert.deepEqual(failures(), {});
  made.feed(drop('b'), 3);
  await clock.advance(0);
  assert.deepEqual(barsOf(node, 'a'), [['192.0.2.2', 1, undefined]]);
  assert.doesNotMatch(made.placements.all().get('a')?.why ?? '', /loop/);
});

test('a listener that cannot be had makes no loop of a rule that leads there', async () => {
  const node = fakeEngine('node');
  node.answer = ({ id }) => (id === 'b' ? { ok: false, reason: 'in use by another program' } : undefined);
  const { clock, made } = await reconciler([node]);
  made.feed(put(rule('a', at('192.0.2.1', 80, '192.0.2.2', 80)), rule('b', at('192.0.2.2', 80, '198.51.100.1', 1))), 1);
  await clock.advance(20_000);
  assert.deepEqual(barsOf(node, 'a'), [['192.0.2.2', 1, undefined]]);
});

test('an engine that translates refuses what loops or is denied, with that word; the others serve', async () => {
  const kernel = fakeEngine('kernel', { translates: true });
  const { clock, made, failures } = await reconciler([kernel], { setting: 'kernel' });
  made.feed(
    put(rule('self', at('192.0.2.1', 80, '192.0.2.1', 80)), rule('fine', at('192.0.2.2', 80, '192.0.2.9', 80))),
    1,
  );
  made.feed(put(rule('meta', at('192.0.2.3', 80, '169.254.169.254', 80))), 2);
  await clock.advance(5_000);
  assert.match(failures()['self'] ?? '', /^loop: TCP 192\.0\.2\.1:80 is a listener of this edge/);
  assert.match(failures()['meta'] ?? '', /^denied: 169\.254\.169\.254 is not dialled/);
  assert.deepEqual([Object.keys(failures()).length, made.applied], [2, 2]);
});

test('a name is judged by what it says today', async () => {
  const node = fakeEngine('node');
  let says = ['169.254.169.254', '198.51.100.7'];
  const lookup: Lookup = () => Promise.resolve({ addresses: says, ttlSeconds: 5 });
  const { clock, made } = await reconciler([node], {}, lookup);
  made.feed(put(rule('named', at('192.0.2.1', 80, 'a.example', 80))), 1);
  await clock.advance(0);
  assert.deepEqual(barsOf(node, 'named'), [
    ['169.254.169.254', 0, 'denied'],
    ['198.51.100.7', 1, undefined],
  ]);
  says = ['192.0.2.1'];
  await clock.advance(5_000);
  assert.deepEqual(barsOf(node, 'named')?.[0], ['192.0.2.1', 0, 'loop']);
});

test('C6: an address that left its name stays a target without weight, until the rule is another one', async () => {
  const node = fakeEngine('node');
  let says = ['198.51.100.1', '198.51.100.2'];
  const lookup: Lookup = () => Promise.resolve({ addresses: says, ttlSeconds: 5 });
  const { clock, made } = await reconciler([node], {}, lookup);
  const named = rule('named', at('192.0.2.1', 80, 'a.example', 80));
  const targets = () =>
    node.listeners.get('named')?.targets.map(({ address, weight, left }) => [address, weight, left]);
  made.feed(put(named), 1);
  await clock.advance(0);
  says = ['198.51.100.2', '198.51.100.3'];
  await clock.advance(5_000);
  assert.deepEqual(targets(), [
    ['198.51.100.2', 1, undefined],
    ['198.51.100.3', 1, undefined],
    ['198.51.100.1', 0, true],
  ]);
  made.feed(put({ ...named, ...origin('b.example') }), 2);
  await clock.advance(0);
  assert.deepEqual(targets()?.length, 2);
});

test('a listener on every address: rules are judged again when the machine has other ones', async () => {
  const node = fakeEngine('node');
  const machine = new Set(['192.0.2.7']);
  const { clock, local, made } = await reconciler([node], { isLocal: (address) => machine.has(address) });
  made.feed(put(rule('a', at('192.0.2.1', 81, '192.0.2.7', 80)), rule('b', at('192.0.2.1', 82, '192.0.2.8', 80))), 1);
  await clock.advance(0);
  machine.add('192.0.2.8').delete('192.0.2.7');
  local.changed.tell();
  await clock.advance(0);
  assert.deepEqual([barsOf(node, 'a')?.[0]?.[2], barsOf(node, 'b')?.[0]?.[2]], [undefined, undefined]);
  made.feed(put(rule('wild', at('0.0.0.0', 80, '198.51.100.1', 80))), 2);
  await clock.advance(0);
  assert.deepEqual([barsOf(node, 'a')?.[0]?.[2], barsOf(node, 'b')?.[0]?.[2]], [undefined, 'loop']);
  machine.add('192.0.2.7').delete('192.0.2.8');
  local.changed.tell();
  await clock.advance(0);
  assert.deepEqual([barsOf(node, 'a')?.[0]?.[2], barsOf(node, 'b')?.[0]?.[2]], ['loop', undefined]);
});
