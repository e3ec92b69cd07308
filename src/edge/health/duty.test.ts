import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dutyOf } from './duty.ts';

const ids = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), { minLength: 1, maxLength: 40 });
const probers = (check: string, edges: readonly string[]): string[] =>
  edges.filter((edge) => dutyOf(edge, edges)(check)).toSorted();

test('two probe, all where there are no more, in whatever order edges are told', () => {
  fc.assert(
    fc.property(ids, fc.string(), (edges, check) => {
      const found = probers(check, edges);
      assert.equal(found.length, Math.min(2, edges.length));
      assert.deepEqual(probers(check, edges.toReversed()), found);
    }),
  );
});

test('an edge that goes changes nothing where it did not probe, and one prober where it did', () => {
  fc.assert(
    fc.property(ids, fc.string(), fc.nat(), (edges, check, n) => {
      const gone = edges[n % edges.length]!;
      const before = probers(check, edges);
      const after = new Set(
        probers(
          check,
          edges.filter((edge) => edge !== gone),
        ),
      );
      for (const edge of before) if (edge !== gone) assert.ok(after.has(edge));
    }),
  );
});

test('an edge that is not told of is none of them, but for a site of which nothing is told', () => {
  assert.deepEqual(
    [dutyOf('a', ['b', 'd', 'e'])('c'), dutyOf('a', ['b'])('c'), dutyOf('a', [])('c')],
    [false, false, true],
  );
});

test('checks are shared out evenly: of 10,000 among 50 edges, none has twice its share or less than half', () => {
  const edges = Array.from({ length: 50 }, (_, n) => `edge-${n}`);
  const shares = new Map<string, number>();
  const duties = edges.map((edge) => ({ edge, duty: dutyOf(edge, edges) }));
  const probersAmong = (check: string) => duties.filter(({ duty }) => duty(check)).map(({ edge }) => edge);
  for (let n = 0; n < 10_000; n++)
    for (const edge of probersAmong(`10.0.${n >> 8}.${n & 255} TCP abc`)) shares.set(edge, (shares.get(edge) ?? 0) + 1);
  const counts = [...shares.values()];
  assert.equal(
    counts.reduce((sum, n) => sum + n),
    20_000,
  );
  assert.ok(Math.min(...counts) > 200 && Math.max(...counts) < 800, `${Math.min(...counts)} to ${Math.max(...counts)}`);
});
