/** Which connection makes room, on a model; server.test.ts has real ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bound, Seats } from './seats.ts';

function seated(most: number, perNetwork: number) {
  const ended: string[] = [];
  const full: Bound[] = [];
  const seats = new Seats({ most, perNetwork }, (bound) => full.push(bound));
  const take = (name: string) => seats.take({ network: name.slice(0, 1), end: () => ended.push(name) });
  return { seats, ended, full, take };
}

test('full: the one that has been idle longest goes, of the network that holds most', () => {
  const { ended, full, take } = seated(5, 3);
  for (const name of ['c1', 'a1', 'b1', 'a2', 'b2', 'c2', 'd1']) assert.ok(take(name), name);
  // c1 was the oldest from the start, but alone of its network until c2 came.
  assert.deepEqual(
    [ended, full],
    [
      ['a1', 'c1'],
      ['most', 'most'],
    ],
  );
});

test('a network that is full gives way to itself', () => {
  const { ended, full, take, seats } = seated(10, 2);
  const first = take('a1') ?? assert.fail();
  take('a2');
  seats.busy(first);
  seats.idle(first);
  assert.ok(take('a3'));
  assert.deepEqual([ended, full], [['a2'], ['perNetwork']]);
});

test('where all are being answered the new one is refused, and a seat is free when one has left', () => {
  const { ended, full, take, seats } = seated(1, 1);
  const only = take('a1') ?? assert.fail();
  seats.busy(only);
  assert.equal(take('b1'), undefined);
  assert.equal(take('a2'), undefined);
  seats.leave(only);
  seats.leave(only);
  assert.ok(take('b1'));
  assert.deepEqual([ended, full], [[], ['most', 'perNetwork']]);
});
