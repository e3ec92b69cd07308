import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../lib/rng.ts';
import { History } from './history.ts';
import { revisionOf, type RowId, rowId } from './rows.ts';

test('compaction leaves the value of each key at its revision and every row after it, and nothing else', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const rng = seededRng(seed);
    const history = new History(0, 1_000);
    const current = new Map<string, RowId>();
    let rows: { id: RowId; key: string; gone: boolean }[] = [];
    let at = 0;
    for (let revision = 1; revision <= 200; revision++) {
      for (let place = 0; place <= rng.below(3); place++) {
        const key = `${place}/${rng.below(6)}`;
        const gone = current.has(key) && rng.below(3) === 0;
        const id = rowId(revision, place);
        history.added(id, gone ? undefined : 10, current.get(key));
        if (gone) current.delete(key);
        else current.set(key, id);
        rows.push({ id, key, gone });
      }
      if (rng.below(30) > 0) continue;
      at += rng.below(revision - at + 1);
      const dead = new Set(history.deadAt(at));
      history.compact(at);
      const newest = new Map(rows.filter(({ id }) => revisionOf(id) <= at).map((row) => [row.key, row]));
      const kept = rows.filter((row) => revisionOf(row.id) > at || (newest.get(row.key) === row && !row.gone));
      rows = rows.filter(({ id }) => !dead.has(id));
      assert.deepEqual(rows, kept);
    }
  }
});

test('history is overdue a tenth above its number of revisions, and goes back to it', () => {
  const history = new History(0, 100);
  for (let revision = 1; revision <= 110; revision++) history.added(rowId(revision, 0), 1, undefined);
  assert.equal(history.overdue(), undefined);
  history.added(rowId(111, 0), 1, undefined);
  assert.equal(history.overdue(), 11);
  history.compact(11);
  assert.equal(history.overdue(), undefined);
  assert.equal(history.compacted, 11);
});

test('big records are history for a shorter time', () => {
  const history = new History(0, 10_000);
  const megabyte = 1024 * 1024;
  for (let revision = 1; revision <= 70; revision++) history.added(rowId(revision, 0), megabyte, undefined);
  assert.equal(history.overdue(), undefined);
  history.added(rowId(71, 0), megabyte, undefined);
  assert.equal(history.overdue(), 7);
  history.compact(7);
  assert.equal(history.overdue(), undefined);
});
