import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Element } from '../../../linux/nft/transaction.ts';
import { UsedPlaces } from './former-places.ts';
import type { MapName } from '../layout.ts';

const lead = (from: number, to: number, data: string): Element<MapName> => ({
  set: from === to ? 'gate4' : 'gate-span4',
  key: `192.0.2.1 . tcp . ${from === to ? from : `${from}-${to}`}`,
  data,
});
const span = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(12)).map(([from, more]) => [from, from + more] as const);

test('what is left of a place is all of it that is not in use, and no port of it twice', () => {
  fc.assert(
    fc.property(span, fc.array(span, { maxLength: 4 }), ([from, to], taken) => {
      const used = new UsedPlaces();
      used.add(taken.map(([from, to]) => lead(from, to, 'goto new')));
      const left = used.without(lead(from, to, 'goto old'));
      const ports = left.flatMap(({ set, key, data }) => {
        const [first = 0, last = first] = (key.split(' . ')[2] ?? '').split('-').map(Number);
        assert.deepEqual([set, data], [first === last ? 'gate4' : 'gate-span4', 'goto old']);
        return Array.from({ length: last - first + 1 }, (_, n) => first + n);
      });
      // A map of single ports and one of ranges do not get in each other's way.
      const rivals = taken.filter(([first, last]) => (first === last) === (from === to));
      const all = Array.from({ length: to - from + 1 }, (_, n) => from + n);
      assert.deepEqual(
        ports,
        all.filter((port) => !rivals.some(([first, last]) => first <= port && port <= last)),
      );
    }),
  );
});

test('another entry or protocol is another place', () => {
  const used = new UsedPlaces();
  used.add([{ ...lead(443, 443, 'goto new'), key: '192.0.2.1 . udp . 443' }]);
  used.add([{ ...lead(443, 443, 'goto new'), key: '192.0.2.2 . tcp . 443' }]);
  const old = lead(443, 443, 'goto old');
  assert.deepEqual(used.without(old), [old]);
});
