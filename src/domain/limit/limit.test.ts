import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { networkSet } from '../../lib/net/cidr.ts';
import { changedLimits, limitsOf } from './limit.ts';
import { isStanding } from '../until.ts';
import { badNetwork, disjoint, networkText, sorted } from './networks.ts';

test('a change sets, 0 and an empty list take away, the rest stays', () => {
  const before = changedLimits(undefined, { newPerSecond: 5, deny: ['a'], concurrent: undefined });
  assert.deepEqual(before, { newPerSecond: 5, deny: ['a'] });
  assert.deepEqual(changedLimits(before, { newPerSecond: 0, concurrent: 9 }), { deny: ['a'], concurrent: 9 });
  assert.equal(changedLimits(before, { newPerSecond: 0, deny: [] }), undefined);
});

test("a rule's own limit goes before its instance's, field by field", () => {
  assert.equal(limitsOf(undefined, undefined), undefined);
  assert.deepEqual(limitsOf({ concurrent: 1, prefix4: 24 }, { concurrent: 2 }), { concurrent: 2, prefix4: 24 });
});

test('networks are read, spelt one way, and the bad one is named', () => {
  assert.equal(networkText('10.1.2.3/8'), '10.0.0.0/8');
  assert.equal(networkText('2001:DB8:0::1/128'), '2001:db8::1');
  assert.equal(badNetwork(['10.0.0.0/8', '10.0.0.0/33', 'x']), '10.0.0.0/33');
  assert.equal(badNetwork(['::/0', '1.2.3.4']), undefined);
  assert.equal(isStanding({ until: 5 }, 5), false);
  assert.equal(isStanding({}, 5), true);
});

test('what is left of overlapping networks holds the same addresses, each once', () => {
  const low = fc.tuple(fc.nat(3), fc.nat(3)).map(([c, d]) => [c, d * 64] as const);
  const address = fc.tuple(low, fc.boolean()).map(([[c, d], is6]) => (is6 ? `::${c}:${d}` : `10.0.${c}.${d}`));
  const network = fc
    .tuple(address, fc.integer({ min: 0, max: 10 }))
    .map(([at, hosts]) => `${at}/${(at.includes(':') ? 128 : 32) - hosts}`);
  fc.assert(
    fc.property(fc.array(network, { maxLength: 12 }), fc.nat(12), address, (networks, cut, probe) => {
      const { v4, v6 } = disjoint([sorted(networks.slice(0, cut)), sorted(networks.slice(cut))]);
      const all = [...v4, ...v6];
      assert.equal(networkSet(all)(probe), networkSet(networks)(probe));
      assert.ok(all.filter((one) => networkSet([one])(probe)).length <= 1);
    }),
    { numRuns: 200 },
  );
});

test('the quick reader of IPv4 networks reads what the other one reads', () => {
  const odd = fc.constantFrom('', '0', '00', '/', '/0', '/32', '/33', '/08', '.', '256', '1.2.3', 'x', ' ');
  const near = fc.tuple(fc.ipV4(), odd, odd).map(([address, a, b]) => `${a}${address}${b}`);
  const text = fc.oneof(
    fc.ipV4(),
    near,
    fc.tuple(fc.ipV4(), fc.nat(40)).map(([at, bits]) => `${at}/${bits}`),
  );
  fc.assert(
    fc.property(text, (text) => {
      const spelt = networkText(text);
      assert.deepEqual(disjoint([sorted([text])]).v4, spelt === '' ? [] : [spelt]);
    }),
    { numRuns: 500 },
  );
});
