import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Usage } from '../../config/usage.ts';
import { boolean, list, object, oneOf, optional, string, unsigned } from '../../shape/shape.ts';
import { fieldsFrom, flagsOf } from './action-flags.ts';

const FIELDS = {
  ZoneId: string('Zone.'),
  Area: optional(oneOf(['mainland', 'overseas'], 'Area.')),
  Limit: optional(unsigned('Limit.')),
  Deep: optional(boolean('Deep.')),
  RuleIds: optional(list(string('Id.'), 'Ids.')),
  Rules: optional(list(object({ Port: string('Port.') }, 'Rule.'), 'Rules.')),
};

function request(flags: Record<string, string[]>) {
  return fieldsFrom(FIELDS, new Map(Object.entries(flags)));
}

test('each field is a flag that says what it takes and whether it must be given', () => {
  assert.deepEqual(flagsOf(FIELDS), {
    ZoneId: { value: 'TEXT', help: '(required) Zone.' },
    Area: { value: 'mainland|overseas', help: 'Area.' },
    Limit: { value: 'N', help: 'Limit.' },
    Deep: { value: 'true|false', help: 'Deep.' },
    RuleIds: { value: 'TEXT …', help: 'Ids.' },
    Rules: { value: 'JSON', help: 'Rules.' },
  });
});

test('texts become values of the field’s kind', () => {
  assert.deepEqual(request({ ZoneId: ['z'], Area: ['overseas'], Limit: ['20'], Deep: ['true'] }), {
    ZoneId: 'z',
    Area: 'overseas',
    Limit: 20,
    Deep: true,
  });
});

test('lists come by repetition or as JSON', () => {
  assert.deepEqual(request({ RuleIds: ['a', 'b'] }), { RuleIds: ['a', 'b'] });
  assert.deepEqual(request({ RuleIds: ['["a","b"]'] }), { RuleIds: ['a', 'b'] });
  assert.deepEqual(request({ Rules: ['{"Port":"1"}', '{"Port":"2"}'] }), { Rules: [{ Port: '1' }, { Port: '2' }] });
  assert.deepEqual(request({ Rules: ['[{"Port":"1"}]'] }), { Rules: [{ Port: '1' }] });
});

for (const flags of [{ Limit: ['x'] }, { Limit: [''] }, { Deep: ['yes'] }, { Rules: ['{'] }, { ZoneId: ['a', 'b'] }]) {
  test(`refused: ${JSON.stringify(flags)}`, () => {
    assert.throws(() => request(flags), Usage);
  });
}
