import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../lib/rng.ts';
import { type Row, rowId } from './rows.ts';
import { Tail } from './tail.ts';

test('has the newest revisions whole, or says that it has not', () => {
  const rng = seededRng(3);
  const tail = new Tail();
  const all: Row[] = [];
  for (let revision = 1; revision <= 400; revision++) {
    const rows = Array.from({ length: 1 + rng.below(20) }, (_, place): Row => {
      return {
        id: rowId(revision, place),
        key: `k/${place}`,
        text: rng.below(4) === 0 ? null : 'x'.repeat(rng.below(40_000)),
      };
    });
    tail.add(rows);
    all.push(...rows);
    for (const row of rows) assert.equal(tail.text(row.id), row.text ?? undefined);
    assert.deepEqual(tail.rows(revision, revision), rows);
    const from = Math.max(1, revision - rng.below(60));
    const found = tail.rows(from, revision);
    if (found)
      assert.deepEqual(
        found,
        all.filter(({ id }) => id >= rowId(from, 0)),
      );
  }
  assert.equal(tail.rows(1, 400), undefined);
  assert.equal(tail.text(rowId(1, 0)), undefined);
  assert.ok(tail.rows(390, 400));
});

test('a revision too big to keep is not kept', () => {
  const tail = new Tail();
  tail.add(Array.from({ length: 5_000 }, (_, place): Row => ({ id: rowId(1, place), key: 'k', text: '1' })));
  assert.equal(tail.rows(1, 1), undefined);
  tail.add([{ id: rowId(2, 0), key: 'k', text: '2' }]);
  assert.equal(tail.text(rowId(2, 0)), '2');
});
