/** Policy documents and what they allow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allowedZones, matches, refusedResource } from './permission.ts';
import { readPolicyDocument } from './policy-document.ts';

interface Statement {
  readonly effect: string;
  readonly action: unknown;
  readonly resource: unknown;
}

function allows(statements: readonly Statement[], action: string, ...zones: string[]): boolean {
  const read = readPolicyDocument(JSON.stringify({ version: '2.0', statement: statements }));
  assert.ok('document' in read, 'wrong' in read ? read.wrong : '');
  return refusedResource([read.document], { action, account: '100', zones }) === undefined;
}
const allow = (action: unknown, resource: unknown = '*'): Statement => ({ effect: 'allow', action, resource });
const deny = (action: unknown, resource: unknown = '*'): Statement => ({ effect: 'deny', action, resource });

test('nothing is allowed that no policy allows', () => {
  assert.equal(refusedResource([], { action: 'teo:DescribeZones', account: '100', zones: [] }), 'qcs::teo::uin/100:*');
  assert.equal(allows([allow('teo:DescribeZones')], 'teo:CreateZone'), false);
});

test('actions', () => {
  const rows: [pattern: string, action: string, allowed: boolean][] = [
    ['*', 'teo:CreateL4Proxy', true],
    ['*', 'edgefour:EdgeFourCreateKey', true],
    ['teo:*', 'teo:CreateL4Proxy', true],
    ['teo:*', 'edgefour:EdgeFourCreateKey', false],
    ['teo:Describe*', 'teo:DescribeL4Proxy', true],
    ['teo:Describe*', 'teo:ModifyL4Proxy', false],
    ['teo:*L4Proxy*', 'teo:CreateL4ProxyRules', true],
    ['teo:createl4proxy', 'teo:CreateL4Proxy', true],
    ['name/teo:CreateL4Proxy', 'teo:CreateL4Proxy', true],
    ['teo:CreateL4Proxy', 'teo:CreateL4ProxyRules', false],
  ];
  for (const [pattern, action, allowed] of rows) assert.equal(allows([allow(pattern)], action), allowed, pattern);
});

test('resources', () => {
  const rows: [pattern: string, allowed: boolean][] = [
    ['*', true],
    ['qcs::teo::uin/100:zone/zone-1', true],
    ['qcs::teo::uin/100:zone/*', true],
    ['qcs::teo::uin/100:*', true],
    ['qcs::teo::uin/:zone/zone-1', true],
    ['qcs::teo:::zone/zone-1', true],
    ['qcs::::uin/100:zone/zone-*', true],
    ['qcs::teo:ap-guangzhou:uin/100:zone/zone-1', true],
    ['qcs::teo::uin/200:zone/zone-1', false],
    ['qcs::teo::uin/100:zone/zone-2', false],
    ['qcs::cos::uin/100:zone/zone-1', false],
  ];
  for (const [pattern, allowed] of rows) {
    assert.equal(allows([allow('teo:*', pattern)], 'teo:CreateL4Proxy', 'zone-1'), allowed, pattern);
  }
});

test('an action about no zone needs all of the account', () => {
  assert.equal(allows([allow('*', 'qcs::teo::uin/100:zone/*')], 'teo:DescribeZones'), false);
  assert.equal(allows([allow('*', 'qcs::teo::uin/100:*')], 'teo:DescribeZones'), true);
});

test('every zone that is named must be allowed, and a deny wins', () => {
  const both = [allow('teo:*', ['qcs::teo::uin/100:zone/zone-1', 'qcs::teo::uin/100:zone/zone-2'])];
  assert.equal(allows(both, 'teo:X', 'zone-1', 'zone-2'), true);
  assert.equal(allows(both, 'teo:X', 'zone-1', 'zone-3'), false);
  const denied = [deny('teo:Delete*', 'qcs::teo::uin/100:zone/zone-1'), allow('*')];
  assert.equal(allows(denied, 'teo:DeleteL4Proxy', 'zone-1'), false);
  assert.equal(allows(denied, 'teo:DeleteL4Proxy', 'zone-2'), true);
  assert.equal(allows(denied, 'teo:CreateL4Proxy', 'zone-1'), true);
});

test('documents: one statement or several, one pattern or several, words in any case', () => {
  const good = { version: '2.0', statement: { effect: 'Allow', action: 'teo:*', resource: ['*'] } };
  assert.deepEqual(readPolicyDocument(JSON.stringify(good)), {
    document: { version: '2.0', statement: [{ effect: 'allow', action: ['teo:*'], resource: ['*'] }] },
  });
});

test('documents that would not be enforced as written are refused with the reason', () => {
  const statement = { effect: 'allow', action: 'teo:*', resource: '*' };
  const rows: [document: unknown, reason: RegExp][] = [
    ['{', /valid JSON/],
    ['[]', /must be an object/],
    ['x'.repeat(7000), /at most 6144/],
    [{ version: '1.0', statement }, /`version` must be "2\.0"/],
    [{ version: '2.0' }, /lacks `statement`/],
    [{ version: '2.0', statement: [] }, /1 to 50/],
    [{ version: '2.0', statement, principal: {} }, /`principal`, which is not supported/],
    [{ version: '2.0', statement: { ...statement, condition: {} } }, /`statement\.0` has `condition`/],
    [{ version: '2.0', statement: { ...statement, effect: 'maybe' } }, /"allow" or "deny"/],
    [{ version: '2.0', statement: { ...statement, action: [] } }, /`action` must have 1 to 100/],
    [{ version: '2.0', statement: { ...statement, action: 'CreateL4Proxy' } }, /look like "teo:Describe\*"/],
    [{ version: '2.0', statement: { ...statement, resource: 'zone-1' } }, /not "zone-1"/],
    [{ version: '2.0', statement: { ...statement, resource: [5] } }, /not 5/],
  ];
  for (const [document, reason] of rows) {
    const read = readPolicyDocument(typeof document === 'string' ? document : JSON.stringify(document));
    assert.match('wrong' in read ? read.wrong : 'accepted', reason);
  }
});

test('patterns match like the regular expression they stand for', () => {
  const word = fc.stringMatching(/^[ab*]{0,8}$/);
  fc.assert(
    fc.property(word, fc.stringMatching(/^[ab]{0,10}$/), (pattern, text) => {
      assert.equal(matches(pattern, text), new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text));
    }),
    { numRuns: 2000 },
  );
  assert.equal(matches(`${'*a'.repeat(120)}*b`, 'a'.repeat(100_000)), false);
});

test('zones asked one by one get the same answer', () => {
  const zone = (id: string): string => `qcs::teo::uin/100:zone/${id}`;
  const statement = fc.record({
    effect: fc.constantFrom('allow' as const, 'deny' as const),
    action: fc.constantFrom('*', 't:*', 'u:*').map((action) => [action]),
    resource: fc
      .constantFrom(
        '*',
        zone('*'),
        zone('a*'),
        zone('ab'),
        'qcs::teo::uin/200:zone/a',
        'qcs::cos::uin/100:*',
        'qcs::::uin/:*',
      )
      .map((resource) => [resource]),
  });
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 4 }), (statements) => {
      const documents = [{ version: '2.0' as const, statement: statements }];
      const wish = { action: 't:x', account: '100' };
      const sees = allowedZones(documents, wish);
      for (const id of ['a', 'ab', 'b'])
        assert.equal(sees(id), refusedResource(documents, { ...wish, zones: [id] }) === undefined);
    }),
    { numRuns: 1000 },
  );
});
