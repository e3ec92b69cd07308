import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { networkSet } from '../../lib/net/cidr.ts';
import { changedLimits, limitsOf } from './limit.ts';
import { badNetwork, disjoint, isStanding, networkText } from './networks.ts';

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
  assert.equal(isStanding({ network: '::', until: 5 }, 5), false);
  assert.equal(isStanding({ network: '::' }, 5), true);
});

test('what is left of overlapping networks holds the same addresses, each once', () => {
  const address = fc.tuple(fc.nat(3), fc.nat(3)).map(([c, d]) => `10.0.${c}.${d * 64}`);
  const network = fc.tuple(address, fc.integer({ min: 22, max: 32 })).map(([at, bits]) => `${at}/${bits}`);
  fc.assert(
    fc.property(fc.array(network, { maxLength: 12 }), address, (networks, probe) => {
      const { v4, v6 } = disjoint(networks);
      assert.deepEqual(v6, []);
      assert.equal(networkSet(v4)(probe), networkSet(networks)(probe));
      assert.ok(v4.filter((one) => networkSet([one])(probe)).length <= 1);
    }),
    { numRuns: 200 },
  );
});
