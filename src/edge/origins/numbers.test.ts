import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TargetNumbers } from './numbers.ts';

const rule = (id: string, port = 443, protocol: 'TCP' | 'UDP' = 'TCP', zone = 'zone-a') => ({
  id,
  zone,
  protocol,
  originPorts: { from: port, to: port },
});
const at = (...addresses: string[]) => addresses.map((address) => ({ address, weight: 1, tier: 0 }));

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
