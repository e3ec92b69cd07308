import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { silentLog } from '../../observe/log.ts';
import { openAcks } from './ack-file.ts';
import { world } from './acks.fixture.ts';
import { Acks } from './acks.ts';

test('a restart of control changes no status: neither before edges are back nor after', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'acks.json');
  const clock = new ManualClock();
  const open = () => openAcks(path, 'w', { clock, log: silentLog });
  const first = await open();
  const before = world(clock, first.acks);
  before.join('p1', 'paris');
  before.ack('p1', 'paris', 7, { failed: [{ id: 'rule-1', reason: 'in use' }] });
  before.join('dead', 'paris');
  before.ack('dead', 'paris', 7);
  await before.pass(7_000, 'p1');
  before.ack('p1', 'paris', 9, { failed: [{ id: 'rule-1', reason: 'in use' }] });
  assert.equal(first.acks.applied('overseas'), 9);
  await first.close();

  const second = await open();
  const after = world(clock, second.acks);
  const told = () => [second.acks.applied('overseas'), second.acks.failures('rule-1')];
  assert.deepEqual(told(), [9, ['p1: in use']]);
  // The dead edge is no reason to wait again.
  after.join('p1', 'paris');
  after.ack('p1', 'paris', 10);
  assert.deepEqual(told(), [10, []]);
  await second.close();

  const other = await openAcks(path, 'another world', { clock, log: silentLog });
  assert.deepEqual([other.acks.applied('overseas'), other.acks.edges()], [0, []]);
  await writeFile(path, '{"world":"w","floors":{"overseas":"many"}}');
  assert.equal((await open()).acks.applied('overseas'), 0);
});

test('what would be kept is told as changed only where it is', async () => {
  const clock = new ManualClock();
  let changes = 0;
  const { ack, join } = world(clock, new Acks(clock, undefined, () => (changes += 1)));
  const after = (act: () => void): number => {
    changes = 0;
    act();
    return changes;
  };
  const failed = [{ id: 'rule-1', reason: 'in use' }];
  assert.equal(
    after(() => ack('p1', 'paris', 1)),
    1,
  );
  assert.equal(
    after(() => ack('p1', 'paris', 1)),
    0,
  );
  assert.equal(
    after(() => join('p1', 'paris')),
    0,
  );
  assert.equal(
    after(() => ack('p1', 'paris', 2)),
    1,
  );
  assert.equal(
    after(() => ack('p1', 'paris', 2, { failed })),
    1,
  );
  assert.equal(
    after(() => ack('p1', 'paris', 2, { failed: failed.map((one) => ({ ...one, reason: 'other' })) })),
    1,
  );
  assert.equal(
    after(() => ack('p1', 'paris', 2)),
    1,
  );
  await clock.advance(7_000);
  assert.equal(
    after(() => join('p2', 'paris')),
    2,
  );
  assert.equal(
    after(() => join('p1', 'paris')),
    1,
  );
});

test('a world at rest writes nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'acks.json');
  const clock = new ManualClock();
  const file = await openAcks(path, 'w', { clock, log: silentLog });
  const { ack } = world(clock, file.acks);
  ack('p1', 'paris', 1);
  await file.close();
  await writeFile(path, 'touched');
  for (let n = 0; n < 10; n++) {
    ack('p1', 'paris', 1);
    await clock.advance(2_000);
  }
  await file.close();
  assert.equal(await readFile(path, 'utf8'), 'touched');
});
