import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shares } from './shares.ts';

const ALL = 16_000;
const bytes = (...of: number[]): Uint8Array => Uint8Array.from(of);
const place = (shares: Shares, address: Uint8Array): number => shares.placeOf(address, 0, address.length);

test('while there are many, anybody may have one', () => {
  const shares = new Shares(ALL, 7);
  const glutton = place(shares, bytes(192, 0, 2, 1));
  shares.add(glutton, 14_000);
  assert.equal(shares.admits(glutton, 2000, 14_000, false), true);
});

test('the last eighth is for sources that hold less, the last sixteenth for such rules', () => {
  const shares = new Shares(ALL, 7);
  const [glutton, other] = [place(shares, bytes(192, 0, 2, 1)), place(shares, bytes(192, 0, 2, 2))];
  assert.notEqual(glutton, other);
  shares.add(glutton, 2000);
  assert.equal(shares.admits(glutton, 1999, 0, false), false);
  assert.equal(shares.admits(other, 1999, 14_000, false), true);
  assert.equal(shares.admits(other, 999, 1000, false), false);
  assert.equal(shares.admits(other, 999, 999, false), true);
  assert.equal(shares.admits(other, 999, 14_000, true), true);
  shares.add(glutton, -1);
  assert.equal(shares.admits(glutton, 1, 0, false), true);
});

test('where few can be open at all, nobody is refused for a share', () => {
  const shares = new Shares(100, 7);
  const glutton = place(shares, bytes(192, 0, 2, 1));
  shares.add(glutton, 90);
  assert.equal(shares.admits(glutton, 2, 90, false), true);
});

test('an IPv6 source is its /64', () => {
  const shares = new Shares(ALL, 7);
  const address = (...tail: number[]): Uint8Array => bytes(0x20, 1, 0xd, 0xb8, 0, 0, 0, ...tail);
  const one = place(shares, address(1, 0, 0, 0, 0, 0, 0, 0, 1));
  assert.equal(place(shares, address(1, 9, 9, 9, 9, 9, 9, 9, 9)), one);
  assert.notEqual(place(shares, address(2, 0, 0, 0, 0, 0, 0, 0, 1)), one);
});

test('sources spread, and another seed spreads them otherwise', () => {
  const spread = (seed: number): Set<number> => {
    const shares = new Shares(ALL, seed);
    return new Set(Array.from({ length: 4096 }, (_, i) => place(shares, bytes(10, 0, i >> 8, i & 255))));
  };
  // limit: 4,096 in 65,536 places leave 3,971 of them different where they are thrown at random.
  assert.ok(spread(1).size > 3900 && spread(2).size > 3900);
  assert.notDeepEqual([...spread(1)], [...spread(2)]);
});

test('a share is an eighth for a source and a sixteenth for a rule, and never less than 128', () => {
  const shares = new Shares(ALL, 7);
  const source = place(shares, bytes(192, 0, 2, 1));
  shares.add(source, 1999);
  assert.equal(shares.admits(source, 1, 0, false), true);
  shares.add(source, 1);
  assert.deepEqual([shares.admits(source, 2000, 0, false), shares.admits(source, 1999, 0, true)], [true, false]);
  shares.add(source, -2000);
  assert.deepEqual(
    [shares.admits(source, 1000, 14_000, false), shares.admits(source, 999, 14_000, false)],
    [true, false],
  );
  const few = new Shares(800, 7);
  const one = place(few, bytes(192, 0, 2, 1));
  few.add(one, 127);
  assert.equal(few.admits(one, 49, 127, false), true);
  assert.equal(few.admits(one, 49, 128, false), false);
  few.add(one, 1);
  assert.equal(few.admits(one, 99, 0, false), false);
  assert.equal(few.admits(one, 100, 0, false), true);
});

test('a place is of the address alone, wherever it lies, and of the seed as a number of 32 bits', () => {
  const shares = new Shares(ALL, 7);
  const memory = bytes(9, 9, 192, 0, 2, 1, 9);
  assert.equal(shares.placeOf(memory, 2, 4), place(shares, bytes(192, 0, 2, 1)));
  assert.equal(place(new Shares(ALL, 2 ** 32 + 7), bytes(192, 0, 2, 1)), place(shares, bytes(192, 0, 2, 1)));
  for (let last = 0; last < 256; last++) {
    const at = place(shares, bytes(192, 0, 2, last));
    assert.ok(Number.isInteger(at) && at >= 0 && at < 65_536);
  }
});
