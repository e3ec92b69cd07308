import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options } from '../../../test/suites/engine/listener.ts';
import type { Checker } from '../../domain/load-balancer/checker.ts';
import type { PlannedOrigin } from '../../plan/plan.ts';
import { TargetNumbers } from './numbers.ts';

const rule = (id: string, port = 443, protocol: 'TCP' | 'UDP' = 'TCP', zone = 'zone-a') => ({
  id,
  zone,
  protocol,
  originPorts: { from: port, to: port },
  options: options(),
});
const at = (...addresses: string[]) => addresses.map((address) => as(address, {}));
/** As an address of an origin of this kind. */
function as(address: string, more: Partial<PlannedOrigin>, left?: true) {
  const target = { address, weight: left ? 0 : 1, tier: 0, ...(left && { left }) };
  return { target, of: { host: address, weight: 1, tier: 0, ...more } };
}
const CHECKER: Checker = { type: 'TCP', port: 80, intervalSeconds: 10, timeoutSeconds: 5, rise: 3, fall: 2 };

function desk() {
  const numbers = new TargetNumbers();
  const told: string[] = [];
  numbers.taken.listen(({ number, origin }) => told.push(`${number} ${origin}`));
  numbers.freed.listen(({ number }) => told.push(`${number} free`));
  return {
    numbers,
    told,
    give: (...args: Parameters<TargetNumbers['give']>) => numbers.give(...args).map(({ number }) => number),
  };
}

test('rules that lead to the same address, port and protocol share a number, and no others', () => {
  const { give, numbers, told } = desk();
  assert.deepEqual(give(rule('a'), at('10.0.0.1', '10.0.0.2')), [0, 1]);
  assert.deepEqual(give(rule('b'), at('10.0.0.2')), [1]);
  assert.deepEqual([give(rule('c', 80), at('10.0.0.2')), give(rule('d', 443, 'UDP'), at('10.0.0.2'))], [[2], [3]]);
  assert.deepEqual(told, ['0 TCP 10.0.0.1:443', '1 TCP 10.0.0.2:443', '2 TCP 10.0.0.2:80', '3 UDP 10.0.0.2:443']);
  assert.deepEqual([...(numbers.get(1)?.rules ?? [])], ['a', 'b']);
});

test('zones share no number, and none has the key of another', () => {
  const { give, numbers } = desk();
  assert.deepEqual(
    [give(rule('a'), at('10.0.0.1')), give(rule('b', 443, 'TCP', 'zone-b'), at('10.0.0.1'))],
    [[0], [1]],
  );
  const [one, two] = [numbers.get(0), numbers.get(1)];
  assert.equal(one?.origin, two?.origin);
  assert.notEqual(one?.key, two?.key);
  assert.deepEqual([one?.zone, two?.zone], ['zone-a', 'zone-b']);
});

test("an operator's word about an origin is told once, when it comes, changes or ends; the number stays", () => {
  const { give, numbers, told } = desk();
  const words = [
    undefined,
    { state: 'down', until: 5 },
    { state: 'down', until: 5 },
    { state: 'up' },
    undefined,
  ] as const;
  for (const override of words)
    assert.deepEqual(give(rule('a'), [as('10.0.0.1', { ...(override && { override }) })]), [0]);
  assert.equal(told.length, 4);
  assert.equal(numbers.get(0)?.override, undefined);
});

test('two hosts at one address are two origins: a word about one is not about the other', () => {
  const { give, numbers } = desk();
  const named = as('10.0.0.1', { host: 'a.example', override: { state: 'down' } });
  assert.deepEqual([give(rule('a'), [named]), give(rule('b'), at('10.0.0.1'))], [[0], [1]]);
  assert.deepEqual([numbers.get(0)?.override, numbers.get(1)?.override], [{ state: 'down' }, undefined]);
});

test('a number is free when no rule leads there any more, and is not given to the next origin', () => {
  const { give, numbers, told } = desk();
  give(rule('a'), at('10.0.0.1', '10.0.0.2'));
  give(rule('b'), at('10.0.0.1'));
  assert.deepEqual(give(rule('a'), at('10.0.0.3')), [2]);
  assert.deepEqual(told.slice(2), ['2 TCP 10.0.0.3:443', '1 free']);
  numbers.release('b');
  assert.deepEqual(give(rule('a'), at('10.0.0.1', '10.0.0.3')), [3, 2]);
});

test('after thousands of others the longest free number is given again', () => {
  const { give } = desk();
  for (let i = 0; i <= 4_097; i++) give(rule('a'), at(`name-${i}`));
  assert.deepEqual(give(rule('b'), at('10.0.0.9')), [0]);
});

test('an origin that is watched in another way has a number and a key of its own', () => {
  const { give, numbers } = desk();
  const plain = rule('a');
  const ways: Parameters<TargetNumbers['give']>[] = [
    [plain, [as('10.0.0.1', {})]],
    [plain, [as('10.0.0.1', { group: 'og-1' })]],
    [plain, [as('10.0.0.1', { group: 'og-2' })]],
    [plain, [as('10.0.0.1', { check: { owner: 'og-2', checker: CHECKER } })]],
    [plain, [as('10.0.0.1', { check: { owner: 'lb-1', checker: CHECKER } })]],
    [plain, [as('10.0.0.1', { check: { owner: 'lb-1', checker: { ...CHECKER, proxy: 'PPV2' } } })]],
    [{ ...plain, options: options({ passive: false }) }, [as('10.0.0.1', {})]],
    [{ ...plain, options: options({ slowStartSeconds: 30 }) }, [as('10.0.0.1', {})]],
  ];
  const given = ways.map(([leading, found], i) => give({ ...leading, id: `${i}` }, found)[0] ?? -1);
  assert.deepEqual(given, [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(new Set(given.map((number) => numbers.get(number)?.key)).size, 8);
  const again = desk();
  const keys = ways.toReversed().map(([leading, found], i) => {
    const [number = -1] = again.give({ ...leading, id: `${i}` }, found);
    return again.numbers.get(number)?.key;
  });
  assert.deepEqual(
    keys.toReversed(),
    given.map((number) => numbers.get(number)?.key),
    'whatever comes first',
  );
});

test('another checker of the same owner is told, with the number as it was; an address that is left is not checked', () => {
  const { give, numbers, told } = desk();
  const checked = (port: number, left?: true) =>
    as('10.0.0.1', { host: 'a.example', check: { owner: 'lb-1', checker: { ...CHECKER, port } } }, left);
  give(rule('a'), [checked(80)]);
  give(rule('b'), [checked(80)]);
  assert.deepEqual(told.splice(0), ['0 TCP 10.0.0.1:443']);
  assert.deepEqual(give(rule('a'), [checked(81)]), [0]);
  assert.deepEqual(told.splice(0), ['0 TCP 10.0.0.1:443']);
  assert.deepEqual(numbers.get(0)?.check?.checker, { ...CHECKER, port: 81 });
  for (const id of ['a', 'b']) assert.deepEqual(give(rule(id), [checked(81, true)]), [0]);
  assert.equal(numbers.get(0)?.check, undefined);
});

test('engines are told no more of a target than they need', () => {
  const { numbers } = desk();
  const [target] = numbers.give(rule('a'), [as('10.0.0.1', { check: { owner: 'lb-1', checker: CHECKER } })]);
  assert.deepEqual(target, { number: 0, address: '10.0.0.1', weight: 1, tier: 0 });
});
