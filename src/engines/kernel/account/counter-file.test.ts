import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCounterFile } from './counter-file.ts';

const skip = process.platform === 'linux' ? false : 'needs Linux';

test('rows outlive who wrote them, as long as they are about this table', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-counters-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a', 'counters');
  const first = openCounterFile(path, 7);
  assert.equal(first.isCurrent, false);
  first.begin(7);
  first.row(65_535).set([1, 2, 3], 9);
  first.row(1)[0] = 5;
  // order: not closed, as a process that is killed closes nothing.
  const second = openCounterFile(path, 7);
  assert.equal(second.isCurrent, true);
  assert.deepEqual([second.row(1)[0], second.row(65_535)[11]], [5, 3]);
  first.close();
  second.close();
  const other = openCounterFile(path, 8);
  assert.deepEqual([other.isCurrent, other.row(1)[0]], [false, 0]);
  other.close();
});

test('a file that was cut is about nothing', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-counters-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'counters');
  const first = openCounterFile(path, 7);
  first.begin(7);
  first.row(60_000)[0] = 5;
  first.close();
  truncateSync(path, 4_096);
  const second = openCounterFile(path, 7);
  assert.deepEqual([second.isCurrent, second.row(60_000)[0]], [false, 0]);
  second.close();
});

test('without a file they last as long as the process', () => {
  const file = openCounterFile('/proc/nothing/can/be/here', 7);
  assert.equal(file.isCurrent, false);
  file.row(3)[3] = 1;
  assert.deepEqual([file.row(3)[3], file.row(2)[3], file.row(4)[3]], [1, 0, 0]);
});
