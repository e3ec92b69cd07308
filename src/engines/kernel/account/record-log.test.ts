import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManualClock } from '../../../../test/world/manual-clock.ts';
import type { ConnectionRecord } from '../../../domain/fact/fact.ts';
import { openRecordLog } from './record-log.ts';

function place(t: TestContext) {
  const parent = mkdtempSync(join(tmpdir(), 'edgefour-log-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const [folder, clock] = [join(parent, 'records'), new ManualClock()];
  const batch = new Float64Array(4);
  const idsIn = (name: string) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as ConnectionRecord).id]));
  return {
    folder,
    batch,
    clock,
    /** One process. */
    open: (capBytes = 1 << 20, gone?: (records: number) => void) =>
      openRecordLog({ folder, capBytes }, batch, clock, gone),
    names: () => readdirSync(folder).toSorted(),
    idsIn,
  };
}

function records(...ids: string[]): ConnectionRecord[] {
  const end = { address: '192.0.2.1', port: 1 };
  const rest = { rule: 'r', proxy: 'p', protocol: 'TCP', client: end, entry: end, startedAt: 1, at: 2 } as const;
  return ids.map((id) => ({ id, ...rest, bytesIn: 3, bytesOut: 4 }));
}

test('a file per process, hour and part', async (t) => {
  const { open, names, idsIn, clock } = place(t);
  const first = open();
  assert.equal(first.append(records('a', 'b')), undefined);
  assert.equal(first.append(records('c')), undefined);
  assert.equal(open().append(records('d')), undefined);
  await clock.advance(3_600_000);
  assert.equal(first.append(records('e')), undefined);
  assert.deepEqual(names(), ['2026-01-02T03.k001.jsonl', '2026-01-02T03.k002.jsonl', '2026-01-02T04.k001.jsonl']);
  assert.deepEqual(names().map(idsIn), [['a', 'b', 'c'], ['d'], ['e']]);
});

test('the oldest go when there is no more room', (t) => {
  const { open, names } = place(t);
  const log = open(16_000);
  for (let i = 0; i < 200; i++) assert.equal(log.append(records(`${i}`.padStart(800, 'x'))), undefined);
  assert.ok(names().length < 20, `${names().length}`);
});

test('a batch is there whole or not at all, wherever its process died', (t) => {
  const { open, batch, folder, names, idsIn } = place(t);
  assert.equal(open().isWhole(), true);
  assert.equal(open().append(records('a')), undefined);
  assert.equal(open().isWhole(), true);
  const [name = ''] = names();
  const before = Number(batch[3]);
  const line = `${JSON.stringify(records('b')[0])}\n`;
  // As it is noted first, then before anything is written, in the middle of it, and when all is there.
  batch[3] = Infinity;
  assert.equal(open().isWhole(), false);
  batch.set([before, before + line.length], 2);
  assert.equal(open().isWhole(), false);
  appendFileSync(join(folder, name), line.slice(0, 40));
  assert.equal(open().isWhole(), false);
  assert.deepEqual(idsIn(name), ['a']);
  appendFileSync(join(folder, name), line);
  assert.equal(open().isWhole(), true);
  assert.deepEqual(idsIn(name), ['a', 'b']);
});

test('where nothing can be written, it says why', (t) => {
  const { open, folder } = place(t);
  writeFileSync(folder, 'a file');
  assert.match(open().append(records('a')) ?? '', /EEXIST|ENOTDIR/);
});

test('where something removes its file it makes another, and tells how many went with it', (t) => {
  const { open, folder, names, idsIn } = place(t);
  const gone: number[] = [];
  const log = open(1 << 20, (records) => gone.push(records));
  assert.equal(log.append(records('a', 'b')), undefined);
  rmSync(folder, { recursive: true });
  assert.equal(log.append(records('c')), undefined);
  assert.equal(log.append(records('d')), undefined);
  assert.deepEqual([gone, names().map(idsIn)], [[2], [['c', 'd']]]);
});
