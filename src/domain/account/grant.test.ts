/** What one may hand on of the rights one has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PolicyDocument, PolicyStatement } from './account.ts';
import { beyond, replacement } from './grant.ts';
import { refusedResource } from './permission.ts';

const document = (...statement: PolicyStatement[]): PolicyDocument => ({ version: '2.0', statement });
const allow = (action: string, resource = '*'): PolicyStatement => ({
  effect: 'allow',
  action: [action],
  resource: [resource],
});
const deny = (action: string, resource = '*'): PolicyStatement => ({ ...allow(action, resource), effect: 'deny' });
const zone = (id: string): string => `qcs::teo::uin/100:zone/${id}`;

const TABLE: readonly [own: PolicyStatement[], granted: PolicyStatement[], beyond: string | undefined][] = [
  [[allow('edgefour:EdgeFourCreateKey')], [allow('*')], '* on *'],
  [[allow('*')], [allow('*')], undefined],
  [[allow('teo:*')], [allow('name/teo:Describe*')], undefined],
  [[allow('teo:Describe*')], [allow('teo:*')], 'teo:* on *'],
  [[allow('teo:*'), allow('tag:*')], [allow('tag:ModifyResourceTags'), allow('teo:CreateZone')], undefined],
  [[allow('teo:*', zone('a'))], [allow('teo:*', 'qcs::teo::uin/:zone/a')], undefined],
  [[allow('teo:*', zone('a'))], [allow('teo:*', zone('*'))], 'teo:* on zone/*'],
  [[allow('teo:*', zone('a'))], [allow('teo:*', 'qcs::cos::uin/100:bucket/x')], undefined],
  [[allow('*'), deny('*', zone('a'))], [allow('*')], '* on *'],
  [[allow('*'), deny('*', zone('a'))], [allow('*', zone('b'))], undefined],
  [[allow('*'), deny('*', zone('a'))], [allow('*'), deny('*', zone('a'))], undefined],
  [[allow('*'), deny('teo:Delete*')], [allow('teo:Create*')], undefined],
  [[], [deny('*')], undefined],
  [[], [], undefined],
];

test('nobody grants what they have not', () => {
  for (const [own, granted, expected] of TABLE)
    assert.equal(
      beyond([document(...granted)], [document(...own)], '100'),
      expected?.toLowerCase(),
      JSON.stringify({ own, granted }),
    );
});

test('a policy without a deny it had grants what was denied', () => {
  const before = document(allow('*'), deny('*', zone('a')));
  const own = [document(allow('*', zone('b')))];
  const next = document(allow('*', zone('b')));
  assert.equal(beyond([next], own, '100'), undefined);
  assert.equal(beyond([replacement(next, before, '100')], own, '100'), '* on zone/a');
  const kept = document(allow('*', zone('b')), deny('*', zone('*')));
  assert.equal(beyond([replacement(kept, before, '100')], own, '100'), undefined);
});

test('patterns by the thousand are not compared', () => {
  const many = { ...allow('*'), action: Array.from({ length: 60 }, (_, i) => `teo:A${i}`) };
  const wide = { ...many, resource: Array.from({ length: 60 }, (_, i) => zone(`${i}`)) };
  assert.match(beyond([document(wide)], [document(allow('*'))], '100') ?? '', /more than 200/);
});

test('whatever is let through allows nothing that the giver may not do', () => {
  const statement = fc.record({
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
    action: fc.array(fc.constantFrom('*', 't:*', 't:a*', 't:ab', 't:b', '*:*b'), { minLength: 1, maxLength: 2 }),
    resource: fc.array(fc.constantFrom('*', zone('*'), zone('a*'), zone('ab'), zone('b'), 'qcs::cos::uin/100:zone/b'), {
      minLength: 1,
      maxLength: 2,
    }),
  });
  const documents = fc.array(fc.array(statement, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 });
  const may = (texts: PolicyStatement[][], action: string, zones: string[]): boolean =>
    refusedResource(
      texts.map((text) => document(...text)),
      { action, account: '100', zones },
    ) === undefined;
  let through = 0;
  fc.assert(
    fc.property(documents, documents, (own, granted) => {
      const texts = (all: PolicyStatement[][]) => all.map((text) => document(...text));
      if (beyond(texts(granted), texts(own), '100') !== undefined) return;
      through++;
      for (const action of ['t:a', 't:ab', 't:b', 't:bb', 'u:b'])
        for (const zones of [[], ['a'], ['ab'], ['b'], ['c']])
          if (may(granted, action, zones)) assert.ok(may(own, action, zones), `${action} on ${zones.join()}`);
    }),
    { numRuns: 3000 },
  );
  assert.ok(through > 100, `${through} let through`);
});
