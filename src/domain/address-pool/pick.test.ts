import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRng } from '../../lib/rng.ts';
import type { AddressClaim } from '../site/site.ts';
import { joined, left, MOST_HOLDERS } from './claim.ts';
import { pickAddress, type Wish } from './pick.ts';
import { poolOf } from './pool.ts';

const ALONE: Wish = { exclusive: true, fits: () => true };
const ANY: Wish = { exclusive: false, fits: () => true };
const holder = (name: string) => ({ zone: 'z', name });

/** Claims as a Map, with how often they were looked at. */
function book() {
  const claims = new Map<string, AddressClaim>();
  const seen = { looks: 0 };
  const view = () => ({
    count: claims.size,
    at(ip: string) {
      seen.looks++;
      return claims.get(ip);
    },
  });
  return { claims, seen, view };
}

test('the same seed gives the same address, another seed another', () => {
  const pool = poolOf({ pool: ['127.44.0.0/16'] }, 4);
  const pick = (seed: number) => pickAddress(pool, book().view(), ANY, seededRng(seed));
  assert.equal(pick(1), pick(1));
  assert.notEqual(pick(1), pick(2));
});

test('a pool of several networks hands out each of its addresses once', () => {
  const pool = poolOf({ pool: ['10.0.0.0/29', 'fd00::/64', '10.9.9.9', 'nonsense', '10.1.0.0/31'] }, 4);
  const { claims, view } = book();
  const rng = seededRng(3);
  for (let i = 0; i < pool.size; i++) {
    const ip = pickAddress(pool, view(), ALONE, rng) ?? assert.fail(`no address after ${i}`);
    assert.ok(!claims.has(ip));
    claims.set(ip, joined(undefined, holder(`p${i}`), true));
  }
  const expected = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'];
  assert.deepEqual([...claims.keys()].sort(), [...expected, '10.1.0.0', '10.1.0.1', '10.9.9.9']);
  for (const wish of [ALONE, ANY]) assert.equal(pickAddress(pool, view(), wish, rng), undefined);
});

test('a pool of 16,382 takes 25,000 instances with few looks each, evenly', () => {
  const pool = poolOf({ pool: ['127.44.0.0/18'] }, 4);
  const { claims, seen, view } = book();
  const rng = seededRng(5);
  const place = (name: string) => {
    const before = seen.looks;
    const ip = pickAddress(pool, view(), ANY, rng) ?? assert.fail('the pool ran out');
    claims.set(ip, joined(claims.get(ip), holder(name), false));
    return seen.looks - before;
  };
  let looks = 0;
  for (let i = 0; i < 15_000; i++) looks += place(`p${i}`);
  assert.ok(looks / 15_000 < 3, `${looks / 15_000} looks per instance while there is room`);
  for (let i = 15_000; i < 16_382; i++) place(`p${i}`);
  looks = 0;
  for (let i = 16_382; i < 25_000; i++) looks += place(`p${i}`);
  assert.ok(looks / 8_618 < 100, `${looks / 8_618} looks per instance in a pool that is nearly full`);
  assert.ok(Math.max(...[...claims.values()].map(({ proxies }) => proxies.length)) <= 3);
});

test('a static IP gets the last free address of a pool, and is never joined', () => {
  const pool = poolOf({ pool: ['10.0.0.0/18'] }, 4);
  const { claims, view } = book();
  for (let i = 0; i < pool.size; i++) claims.set(pool.at(i), joined(undefined, holder(`p${i}`), true));
  claims.delete(pool.at(12_345));
  assert.equal(pickAddress(pool, view(), ALONE, seededRng(1)), pool.at(12_345));
  claims.set(pool.at(12_345), joined(undefined, holder('last'), true));
  assert.equal(pickAddress(pool, view(), ANY, seededRng(1)), undefined);
});

test('an address is shared where the ports fit and there is room, the least held first', () => {
  const pool = poolOf({ pool: ['10.0.0.0/30'] }, 4);
  const { claims, view } = book();
  const many = (count: number) => ({
    proxies: Array.from({ length: count }, (_, i) => holder(`p${i}`)),
    exclusive: false,
  });
  claims.set('10.0.0.1', many(2)).set('10.0.0.2', many(5));
  const fits = (held: number): Wish => ({ exclusive: false, fits: ({ proxies }) => proxies.length === held });
  assert.equal(pickAddress(pool, view(), ANY, seededRng(1)), '10.0.0.1');
  assert.equal(pickAddress(pool, view(), fits(5), seededRng(1)), '10.0.0.2');
  assert.equal(pickAddress(pool, view(), fits(9), seededRng(1)), undefined);
  claims.set('10.0.0.1', many(MOST_HOLDERS)).set('10.0.0.2', many(MOST_HOLDERS));
  assert.equal(pickAddress(pool, view(), ANY, seededRng(1)), undefined);
});

test('whatever comes and goes, nobody alone on an address is joined and nobody is moved', () => {
  const step = fc.record({ name: fc.integer({ min: 0, max: 11 }), alone: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer(), (steps, seed) => {
      const pool = poolOf({ pool: ['10.0.0.0/29'] }, 4);
      const { claims, view } = book();
      const rng = seededRng(seed);
      const placed = new Map<number, { ip: string; alone: boolean }>();
      for (const { name, alone } of steps) {
        const at = placed.get(name);
        if (at) {
          const rest = left(claims.get(at.ip) ?? assert.fail(), holder(`p${name}`));
          if (rest) claims.set(at.ip, rest);
          else claims.delete(at.ip);
          placed.delete(name);
        } else {
          const ip = pickAddress(pool, view(), alone ? ALONE : ANY, rng);
          const isFull = claims.size === pool.size;
          const allAlone = [...claims.values()].every(({ exclusive }) => exclusive);
          assert.equal(ip === undefined, isFull && (alone || allAlone));
          if (ip === undefined) continue;
          claims.set(ip, joined(claims.get(ip), holder(`p${name}`), alone));
          placed.set(name, { ip, alone });
        }
        for (const [other, { ip, alone }] of placed) {
          const claim = claims.get(ip);
          assert.ok(claim?.proxies.some(({ name }) => name === `p${other}`));
          assert.equal(claim?.exclusive, alone);
          if (alone) assert.equal(claim?.proxies.length, 1);
        }
      }
    }),
    { numRuns: 200 },
  );
});
