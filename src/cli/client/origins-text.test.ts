import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Origin, originsText } from './origins-text.ts';

const NOW = Date.parse('2026-01-31T08:00:00Z');
const ago = (seconds: number) => new Date(NOW - seconds * 1_000).toISOString();

function origin(address: string, more: Partial<Origin> = {}): Origin {
  return {
    ZoneId: 'zone-24wjy25v1cwi',
    Origin: `TCP ${address}:443`,
    Host: address,
    OriginGroupId: 'og-30l5kv5z2bse',
    CheckedFor: 'lb-2qwk27xf7j9g',
    State: 'up',
    SinceTime: ago(7_300),
    By: 'probe',
    Reason: 'it accepts connections',
    Rules: 2,
    Share: 50,
    Changes: 0,
    Dials: 1_042,
    Probes: { P50Ms: 0.41, P99Ms: 3.14, Tries: 864 },
    EdgeCount: 1,
    UpCount: 1,
    Edges: [],
    ...more,
  };
}
const DOWN = { State: 'down', SinceTime: ago(12), Reason: 'connection refused', UpCount: 0 } as const;

test('a table for each group, a reason where an origin is not up', () => {
  const { Probes: _, Share: __, ...bare } = origin('198.51.100.7');
  const plain = { ...bare, OriginGroupId: '', CheckedFor: '', SinceTime: ago(NOW / 1_000), Host: 'db.example.com' };
  const text = originsText([origin('10.0.0.1'), origin('10.0.0.2', { ...DOWN, Share: 0 }), plain], NOW);
  assert.equal(
    text,
    `og-30l5kv5z2bse, checked for lb-2qwk27xf7j9g
ORIGIN            STATE  SINCE  BY     TRIES  PROBE MS  DIALS  SHARE
TCP 10.0.0.1:443  up     2h     probe  864    0.41/3.1  1042   50 %
TCP 10.0.0.2:443  down   12s    probe  864    0.41/3.1  1042   0 %
  connection refused

named by rules, not checked
ORIGIN                STATE  SINCE  BY  TRIES  PROBE MS  DIALS  SHARE
TCP 198.51.100.7:443  up     -      -   -      -         1042   -
  of db.example.com

3 origins, 1 not up
`,
  );
});

test('edges that differ are named, some of them; what was set by hand is said', () => {
  const edge = (EdgeId: string, State: 'up' | 'down') => ({
    EdgeId,
    Site: 'paris',
    Alive: true,
    State,
    SinceTime: ago(12),
    By: 'probe' as const,
    Reason: 'connection refused',
    Changes: 1,
    Dials: 0,
  });
  const ill = ['edge-1', 'edge-2', 'edge-3', 'edge-4'].map((id) => edge(id, 'down'));
  const mixed = { State: 'mixed', EdgeCount: 100, UpCount: 95, Edges: [...ill, edge('edge-5', 'up')] } as const;
  const byHand = { State: 'drain', UntilTime: ago(-1_700) } as const;
  const lines = originsText(
    [
      origin('10.0.0.1', { ...DOWN, ...mixed, Edges: [...mixed.Edges] }),
      origin('10.0.0.2', { ...DOWN, By: 'operator', Reason: 'set down by hand', ByHand: byHand }),
      origin('10.0.0.3', { ByHand: { State: 'up' } }),
      origin('10.0.0.4', { Edges: [{ ...edge('edge-1', 'up'), Alive: false }] }),
    ],
    NOW,
  ).split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('  ')),
    [
      '  up at 95 of 100 edges',
      '  edge-1 (paris): down, connection refused (probe, 12s)',
      '  edge-2 (paris): down, connection refused (probe, 12s)',
      '  edge-3 (paris): down, connection refused (probe, 12s)',
      '  and 2 more',
      '  drained by hand for 28m more',
      '  held up by hand',
      '  as it was told last: none of its edges is alive',
    ],
  );
});

test('80 columns are enough, whatever the numbers, names and reasons', () => {
  const wide = origin('2001:db8:1111:2222:3333:4444:5555:6666', {
    Origin: 'UDP [2001:db8:1111:2222:3333:4444:5555:6666]:10000-20000',
    Host: 'origin.of.a.rather.long.name.that.somebody.gave.it.example.com',
    State: 'down',
    By: 'operator',
    SinceTime: ago(364 * 86_400),
    Reason: `the answer of the check was ${'other '.repeat(30)}than expected`,
    Dials: 987_654_321_000,
    Share: 100,
    Probes: { P50Ms: 4_999.5, P99Ms: 60_000, Tries: 123_456_789 },
  });
  const widest = origin('198.51.100.123', { ...wide, Origin: 'TCP 198.51.100.123:65535', ZoneId: 'zone-34wjy25v1cwi' });
  for (const line of originsText([wide, widest], NOW).split('\n')) assert.ok(line.length <= 80, line);
});

test('nothing yet', () => {
  assert.match(originsText([], NOW), /^No edge has told of such an origin yet/);
});
