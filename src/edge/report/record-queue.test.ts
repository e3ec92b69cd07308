import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionRecord } from '../../domain/fact/fact.ts';
import { RecordQueue } from './record-queue.ts';

const record = (n: number) => ({ id: `${n}` }) as ConnectionRecord;

test('each record is given once, in order; what does not fit is counted; a full report is told when it is', () => {
  const queue = new RecordQueue();
  let told = 0;
  queue.full.listen(() => (told += 1));
  assert.ok(queue.isEmpty);
  for (let n = 0; n < 20_003; n++) queue.add(record(n));
  assert.equal(told, 1);
  queue.lose(4);
  const first = queue.first();
  assert.deepEqual([first.records.length, first.records[0]?.id, first.recordsLost], [2_000, '0', 7]);
  // Not taken: it is given again, with what was lost meanwhile.
  queue.lose(1);
  assert.equal(queue.first().recordsLost, 8);
  queue.taken(first);
  assert.deepEqual([queue.first().records[0]?.id, queue.first().recordsLost], ['2000', 1]);
  while (queue.first().records.length > 0) queue.taken(queue.first());
  assert.ok(queue.isEmpty);
});
