/** The walker's verdicts, one table per rank, and what it may never do on hostile input. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { check, type CheckOptions } from './check.ts';
import { boolean, float, integer, list, object, oneOf, optional, string, unsigned } from './shape.ts';

const FIELDS = {
  ZoneId: string('Required.'),
  Name: optional(string('Pattern.', { pattern: /^[a-z]+$/, fault: 'InvalidParameter.ProxyNameNotMatched' })),
  Tag: optional(string('Length.', { min: 1, max: 5 })),
  Since: optional(string('Time.', { format: 'time' })),
  Area: optional(oneOf(['mainland', 'overseas'], 'Enum.')),
  Mode: optional(oneOf(['A', 'B'], 'Empty is absent.', { emptyIsAbsent: true })),
  Offset: optional(unsigned('Unsigned.')),
  Limit: optional(integer('Signed.', { min: -1, max: 1000 })),
  Share: optional(float('Float.')),
  Flag: optional(boolean('Boolean.')),
  Rules: optional(
    list(
      object({ RuleId: string('Required.'), Ports: list(string('Port.'), 'Ports.', { min: 1 }) }, 'A rule.'),
      'Rules.',
      {
        max: 2,
      },
    ),
  ),
};
const STRICT: CheckOptions = { unknown: 'refuse', text: false };

function verdict(input: unknown, options = STRICT): unknown {
  const checked = check(FIELDS, input, options);
  if (checked.ok) return checked.value;
  return [checked.fault.code, checked.fault.values['parameter']];
}

test('what passes comes back typed, with null and unknown members gone and no defaults put in', () => {
  const full = {
    ZoneId: 'z',
    Name: 'abc',
    Tag: '站点标签一',
    Since: '2024-02-29T23:59:59.5+08:00',
    Area: 'mainland',
    Mode: 'A',
    Offset: 0,
    Limit: -1,
    Share: 0.5,
    Flag: false,
    Rules: [{ RuleId: '', Ports: ['80', '81-85'] }],
  };
  assert.deepEqual(verdict(full), full);
  assert.deepEqual(verdict({ ZoneId: '', Name: null, Mode: '', Rules: null }), { ZoneId: '' });
  assert.deepEqual(verdict({ ZoneId: 'z', Tag: '\u{1F600}'.repeat(5) }), { ZoneId: 'z', Tag: '\u{1F600}'.repeat(5) });
});

test('types are strict', () => {
  const wrong: [member: string, value: unknown][] = [
    ['Name', 5],
    ['Area', 1],
    ['Offset', '5'],
    ['Offset', -1],
    ['Offset', 1.5],
    ['Offset', 2 ** 53],
    ['Limit', true],
    ['Share', '0.5'],
    ['Share', Infinity],
    ['Flag', 'true'],
    ['Flag', 0],
    ['Rules', {}],
    ['Rules', 'x'],
  ];
  for (const [member, value] of wrong) {
    assert.deepEqual(
      verdict({ ZoneId: 'z', [member]: value }),
      ['InvalidParameter', member],
      `${member} ${String(value)}`,
    );
  }
  for (const body of [[], null, 'x', 5, undefined]) assert.deepEqual(verdict(body), ['InvalidParameter', undefined]);
});

test('paths are dotted, with indices', () => {
  const rules = (...rules: unknown[]): unknown => verdict({ ZoneId: 'z', Rules: rules });
  const good = { RuleId: 'r', Ports: ['1'] };
  assert.deepEqual(rules(good, { RuleId: 'r', Ports: [5] }), ['InvalidParameter', 'Rules.1.Ports.0']);
  assert.deepEqual(rules(good, { Ports: ['1'] }), ['MissingParameter', 'Rules.1.RuleId']);
  assert.deepEqual(rules({ ...good, Status: 'x' }), ['UnknownParameter', 'Rules.0.Status']);
  assert.deepEqual(rules(null), ['InvalidParameter', 'Rules.0']);
  assert.deepEqual(rules({ RuleId: 'r', Ports: [] }), ['InvalidParameterValue', 'Rules.0.Ports']);
});

test('values', () => {
  const wrong: [member: string, value: unknown, code: string][] = [
    ['Name', 'A b', 'InvalidParameter.ProxyNameNotMatched'],
    ['Tag', '', 'InvalidParameterValue'],
    ['Tag', 'abcdef', 'InvalidParameterValue'],
    ['Tag', 'a'.repeat(1_000_000), 'InvalidParameterValue'],
    ['Since', '2024-02-30T00:00:00Z', 'InvalidParameterValue'],
    ['Since', '2024-01-01T00:00:00', 'InvalidParameterValue'],
    ['Area', 'europe', 'InvalidParameterValue'],
    ['Area', '', 'InvalidParameterValue'],
    ['Limit', 1001, 'InvalidParameterValue'],
    ['Rules', [1, 2, 3], 'InvalidParameterValue'],
  ];
  for (const [member, value, code] of wrong) {
    assert.deepEqual(
      verdict({ ZoneId: 'z', [member]: value }),
      [code, member],
      `${member} ${String(value).slice(0, 20)}`,
    );
  }
  const checked = check(FIELDS, { ZoneId: 'z', Area: 'europe' }, STRICT);
  assert.equal(checked.ok ? '' : checked.fault.detail, '`Area` must be one of mainland, overseas.');
});

test('unknown before missing before type before value, wherever they stand', () => {
  const input = { Area: 'europe', Offset: 'x', Rules: [{ RuleId: 'r', Ports: ['1'], Foo: 1 }] };
  assert.deepEqual(verdict(input), ['UnknownParameter', 'Rules.0.Foo']);
  assert.deepEqual(verdict({ Area: 'europe', Offset: 'x' }), ['MissingParameter', 'ZoneId']);
  assert.deepEqual(verdict({ ZoneId: 'z', Area: 'europe', Offset: 'x' }), ['InvalidParameter', 'Offset']);
});

test('accepting unknown members tells their paths, 20 at most', () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`X${index}`, 1]));
  const checked = check(FIELDS, { ZoneId: 'z', ...many }, { unknown: 'ignore', text: false });
  assert.deepEqual(checked.ok && [checked.value, checked.unknown.length], [{ ZoneId: 'z' }, 20]);
});

test('text is read by the field', () => {
  const text: CheckOptions = { unknown: 'refuse', text: true };
  const input = {
    ZoneId: '5',
    Offset: '12',
    Limit: '-1',
    Share: '0.25',
    Flag: 'True',
    Rules: [{ RuleId: '1', Ports: ['2'] }],
  };
  assert.deepEqual(verdict(input, text), { ...input, Offset: 12, Limit: -1, Share: 0.25, Flag: true });
  assert.deepEqual(verdict({ ZoneId: 'z', Flag: 'false' }, text), { ZoneId: 'z', Flag: false });
  for (const [member, value] of [
    ['Offset', '-1'],
    ['Offset', '0x10'],
    ['Offset', ''],
    ['Flag', '1'],
    ['Rules', '[]'],
  ] as const) {
    assert.deepEqual(verdict({ ZoneId: 'z', [member]: value }, text), ['InvalidParameter', member]);
  }
});

test('any JSON gets a verdict, and names from Object.prototype are nothing special', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.boolean(), (input, text) => {
      const checked = check(FIELDS, input, { unknown: 'ignore', text });
      if (checked.ok) assert.equal(typeof checked.value['ZoneId'], 'string');
    }),
    { numRuns: 500 },
  );
  const hostile = JSON.parse('{"ZoneId":"z","__proto__":{"Area":"x"},"constructor":1,"toString":null}') as unknown;
  const checked = check(FIELDS, hostile, { unknown: 'ignore', text: false });
  assert.deepEqual(checked.ok && [checked.value, checked.unknown], [
    { ZoneId: 'z' },
    ['__proto__', 'constructor', 'toString'],
  ]);
  assert.deepEqual(verdict(Object.create({ ZoneId: 'inherited' })), ['MissingParameter', 'ZoneId']);
});

test('hostile depth costs nothing', () => {
  const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
  assert.deepEqual(verdict({ ZoneId: deep }), ['InvalidParameter', 'ZoneId']);
});
