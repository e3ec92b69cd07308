import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROBE_VERDICTS } from '../domain/fact/health.ts';
import type { Frame } from './contract.ts';
import { decodeFrame, encodeBatch, encodeFrame, encodeSnapshot, recordText } from './frames.ts';

const bytes = (line: string) => Buffer.from(line.endsWith('\n') ? line.slice(0, -1) : line);
const revision = fc.nat();
const key = fc.string({ minLength: 1 });
const record = fc.record({ key, revision, value: fc.jsonValue() });

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant('hello' as const), link: revision, version: fc.string(), world: fc.string() }),
  fc.record({
    kind: fc.constant('snapshot' as const),
    revision,
    records: fc.array(record),
    done: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('batch' as const), revision, changes: fc.array(record) }),
  fc.record({ kind: fc.constant('beat' as const), revision, digest: revision }),
  fc.record({
    kind: fc.constant('verdicts' as const),
    sequence: revision,
    whole: fc.boolean(),
    edges: fc.array(fc.string()),
    checks: fc.array(
      fc.record({
        check: fc.string(),
        verdict: fc.constantFrom(...PROBE_VERDICTS),
        by: fc.constantFrom('site' as const, 'fleet' as const),
      }),
    ),
  }),
);

test('what was encoded is decoded', () => {
  fc.assert(
    fc.property(frame, (given) => {
      // JSON has no -0.
      assert.deepEqual(decodeFrame(bytes(encodeFrame(given))), JSON.parse(JSON.stringify(given)));
    }),
  );
});

test('any bytes are a frame of the right form or have a reason', () => {
  const nearly = frame.chain((given) =>
    fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => {
      const line = bytes(encodeFrame(given));
      line[at % line.length] = byte;
      return line;
    }),
  );
  const other = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), nearly, other), (line) => {
      const decoded = decodeFrame(line);
      if ('bad' in decoded) assert.notEqual(decoded.bad, '');
      else assert.ok(['hello', 'snapshot', 'batch', 'beat', 'verdicts'].includes(decoded.kind));
    }),
    { numRuns: 2_000 },
  );
});

test('forms that are refused by name', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /not JSON/],
    ['[]', /no known kind/],
    ['null', /no known kind/],
    ['{"kind":"toString"}', /no known kind/],
    ['{"kind":"beat","revision":-1}', /beat frame of the wrong form/],
    ['{"kind":"beat","revision":1.5}', /beat frame of the wrong form/],
    ['{"kind":"batch","revision":1,"changes":[{"key":"a","revision":1}]}', /batch frame of the wrong form/],
    ['{"kind":"batch","revision":1,"changes":[{"key":"","revision":1,"value":1}]}', /batch frame of the wrong form/],
    ...[
      '"edges":[]',
      `"edges":["${'e'.repeat(513)}"],"checks":[]`,
      '"edges":[],"checks":[{"check":"c","verdict":"well","by":"site"}]',
      '"edges":[],"checks":[{"check":"c","verdict":"healthy","by":"chance"}]',
      `"edges":[],"checks":[{"check":"${'c'.repeat(513)}","verdict":"healthy","by":"site"}]`,
    ].map(
      (rest) => [`{"kind":"verdicts","sequence":1,"whole":true,${rest}}`, /verdicts frame of the wrong form/] as const,
    ),
  ];
  for (const [line, reason] of cases) {
    const decoded = decodeFrame(Buffer.from(line));
    assert.match('bad' in decoded ? decoded.bad : 'decoded', reason, line);
  }
});

test('a snapshot is cut into parts, of which only the last one is the end', () => {
  const records = Array.from({ length: 10 }, (_, i) => recordText(`key/${i}`, 'x'.repeat(100_000), i));
  const parts = [...encodeSnapshot(9, records, true)].map((line) => decodeFrame(bytes(line)));
  assert.ok(parts.length > 3);
  assert.deepEqual(
    parts.map((part) => 'done' in part && part.done),
    parts.map((_, i) => i === parts.length - 1),
  );
  const keys = parts.flatMap((part) => ('records' in part ? part.records.map(({ key }) => key) : []));
  assert.deepEqual(
    keys,
    records.map(({ key }) => key),
  );
  assert.equal([...encodeSnapshot(0, [], true)].length, 1);
});

test('a record too big for a line keeps its id and says so', () => {
  const huge = recordText('proxy/z/a', { id: 'sid-1', rules: ['x'.repeat(20 * 1024 * 1024)] }, 3);
  const decoded = decodeFrame(bytes(encodeBatch(3, [huge, recordText('proxy/z/b', undefined, 3)])));
  assert.ok('changes' in decoded);
  assert.deepEqual(decoded.changes[0]?.value, {
    id: 'sid-1',
    oversize: '20971547 characters, over the limit of 16777216',
  });
  assert.deepEqual(decoded.changes[1], { key: 'proxy/z/b', revision: 3, value: null });
});
