import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createGate } from './gate.ts';

test('so many at a time, the others in order; leaving twice frees one place', async () => {
  const gate = createGate(2);
  const inside: string[] = [];
  const exits = new Map<string, () => void>();
  for (const name of ['a', 'b', 'c', 'd', 'e'])
    void gate.enter().then((leave) => {
      inside.push(name);
      exits.set(name, leave);
    });
  await turn();
  assert.deepEqual(inside, ['a', 'b']);
  exits.get('b')?.();
  exits.get('b')?.();
  await turn();
  assert.deepEqual(inside, ['a', 'b', 'c']);
  exits.get('a')?.();
  exits.get('c')?.();
  await turn();
  assert.deepEqual(inside, ['a', 'b', 'c', 'd', 'e']);
});
