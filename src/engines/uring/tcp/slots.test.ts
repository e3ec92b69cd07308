import assert from 'node:assert/strict';
import { test } from 'node:test';

const skip = process.platform !== 'linux' && 'needs Linux';

test('a slot that is used again has no trace of its last connection but a higher generation', { skip }, async () => {
  const { DIALLING, FREE, RELAYING, READING, RESET, Slots } = await import('./slots.ts');
  const { NEVER } = await import('../../flow/verdict.ts');
  const slots = new Slots(1, new SharedArrayBuffer(8));
  const { directions, dials, lives } = slots;
  const slot = slots.take(7, 3, 1000);
  assert.equal(slots.take(8, 3, 1000), -1);
  assert.deepEqual([slots.state[slot], slots.entry[slot], slots.urgent], [DIALLING, 3, 1]);
  assert.deepEqual([...directions.fd], [7, -1]);

  directions.fd[1] = 9;
  dials.target[slot] = 5;
  dials.ruleOut(slot);
  dials.timeouts[slot] = 2;
  lives.deadline[slot] = 1;
  lives.recordAt[slot] = 1;
  directions.flags.fill(READING | RESET);
  directions.bytes.fill(100);
  slots.state[slot] = RELAYING;
  slots.urgent--;
  slots.give(slot);
  assert.deepEqual([slots.state[slot], slots.generation[slot], slots.available], [FREE, 1, 1]);
  assert.deepEqual([...directions.fd], [-1, -1]);

  assert.equal(slots.take(8, 4, 2000), slot);
  assert.equal(dials.failed(slot), undefined);
  assert.deepEqual([dials.target[slot], dials.timeouts[slot]], [-1, 0]);
  assert.deepEqual([lives.deadline[slot], lives.recordAt[slot]], [NEVER, NEVER]);
  assert.deepEqual([...directions.flags, ...directions.bytes], [0, 0, 0, 0]);
  slots.names.release();
});

test('urgent are the slots that dial and those that settle, each until it is given back', { skip }, async () => {
  const { RELAYING, SETTLING, Slots } = await import('./slots.ts');
  const slots = new Slots(2, new SharedArrayBuffer(16));
  const [dials, settles] = [slots.take(3, 0, 0), slots.take(4, 0, 0)];
  slots.state[settles] = RELAYING;
  slots.urgent--;
  slots.directions.flags[2 * settles + 1] = SETTLING;
  slots.urgent++;
  assert.equal(slots.urgent, 2);
  slots.give(settles);
  assert.equal(slots.urgent, 1);
  slots.give(dials);
  assert.equal(slots.urgent, 0);
  slots.names.release();
});
