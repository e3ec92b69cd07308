import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from './status.ts';
import { statusText } from './status-text.ts';

const NOW = Date.parse('2026-01-31T08:00:00Z');
type Rule = Status['Instances'][number]['Rules'][number];
type NotUp = NonNullable<Rule['Origins']>['NotUp'][number];

function notUp(Host: string, more: Partial<NotUp> = {}): NotUp {
  const SinceTime = '2026-01-31T07:59:48+00:00';
  const word = { State: 'down', SinceTime, By: 'probe', Reason: 'connection refused' } as const;
  return { Origin: `TCP ${Host}:8080`, Host, ...word, EdgeCount: 1, UpCount: 0, ...more };
}

function rule(RuleId: string, Origins?: Rule['Origins']): Rule {
  const placed = { EdgeId: 'local', Engine: 'node', Why: 'the only engine here', Failure: '', Unresolved: [] };
  return {
    RuleId,
    RuleTag: '',
    Protocol: 'TCP',
    PortRange: ['80'],
    OriginValue: [],
    OriginPortRange: '8080',
    ClientIPPassThroughMode: 'OFF',
    Options: {},
    Status: 'online',
    Want: 'online',
    Placements: [placed],
    Failures: [],
    ...(Origins && { Origins }),
  };
}

function text(...Rules: Rule[]): string {
  const instance = {
    ZoneId: 'zone-1',
    ProxyId: 'sid-1',
    ProxyName: 'web',
    Area: 'overseas',
    Status: 'online',
    Want: 'online',
    Entries: [{ Site: 'local', Addresses: ['127.44.0.1'] }],
    Notes: [],
    Failures: [],
    Rules,
  } as const;
  const status = { Alarms: [], Edges: [], TotalCount: 1, Instances: [instance] };
  return statusText(status as unknown as Status, NOW).split('\n\n')[1] ?? '';
}

test('origins that are up cost no line; the others are named under their rule', () => {
  assert.equal(
    text(
      rule('rule-1', { Count: 3, UpCount: 3, NotUp: [] }),
      rule('rule-2', { Count: 3, UpCount: 2, NotUp: [notUp('10.0.0.2')] }),
      rule('rule-3'),
    ),
    `web  sid-1  online  127.44.0.1  (overseas, zone-1)
  RULE    PROTOCOL  PORTS  STATE   ENGINE  WHY
  rule-1  TCP       80     online  node    the only engine here
  rule-2  TCP       80     online  node    the only engine here
    2 of 3 origins up; 10.0.0.2 down: connection refused (probe, 12s)
  rule-3  TCP       80     online  node    the only engine here
`,
  );
});

test('many edges and many origins stay within 80 columns and three lines', () => {
  const NotUp = [
    notUp('10.0.0.2', { State: 'mixed', EdgeCount: 100, UpCount: 97, By: 'fleet' }),
    notUp('db.example', {
      Origin: 'TCP 10.0.0.3:8080',
      State: 'try',
      By: 'traffic',
      Reason: '3 dials in a row failed (refused)',
    }),
    notUp('10.0.0.4'),
  ];
  const lines = text(rule('rule-1', { Count: 20, UpCount: 10, NotUp }))
    .split('\n')
    .slice(3, -1);
  assert.deepEqual(lines, [
    '    10 of 20 origins up; 10.0.0.2 down at 3 of 100 edges: connection refused',
    '      (fleet, 12s); db.example (TCP 10.0.0.3:8080) down, being tried (traffic,',
    '      12s); 8 more: edgefour origins',
  ]);
  for (const line of lines) assert.ok(line.length <= 80, line);
});
