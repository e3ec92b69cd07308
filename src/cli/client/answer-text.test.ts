import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asText } from './answer-text.ts';
import { table } from './table.ts';

test('single values stand line by line, structures in a table without empty columns', () => {
  const answer = {
    TotalCount: 2,
    Rules: [
      { RuleId: 'rule-1', PortRange: ['80', '81-85'], Tag: '', RemoteAuth: null },
      { RuleId: 'rule-22', PortRange: ['443'], Tag: '', RemoteAuth: null },
    ],
  };
  assert.equal(
    asText(answer),
    ['TotalCount  2', '', 'RuleId   PortRange', 'rule-1   80,81-85', 'rule-22  443', ''].join('\n'),
  );
});

test('structures within are told member by member, without those that are absent', () => {
  const answer = {
    Limits: { NewPerSecond: 20, Deny: ['a', 'b'], Prefix4: null },
    Rules: [
      {
        RuleId: 'rule-1',
        Limits: {},
        Dropped: [
          { Reason: 'ban', Count: 1 },
          { Reason: 'deny', Count: 20 },
        ],
      },
      { RuleId: 'rule-2', Limits: {}, Dropped: [] },
    ],
  };
  assert.equal(
    asText(answer),
    [
      'Limits  NewPerSecond 20, Deny a,b',
      '',
      'RuleId  Dropped',
      'rule-1  Reason ban, Count 1; Reason deny, Count 20',
      'rule-2  -',
      '',
    ].join('\n'),
  );
});

test('an empty answer and an empty list say so', () => {
  assert.equal(asText({}), 'Done.\n');
  assert.equal(asText({ Keys: [] }), 'Keys: none\n');
});

test('wide characters take two columns', () => {
  assert.equal(table(['a', 'b'], [['中', 'x']]), 'a   b\n中  x\n');
});
