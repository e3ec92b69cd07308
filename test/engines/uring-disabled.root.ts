/** Where io_uring is switched off: the engine exists, takes nothing and says why; `auto` then means node. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { chooseEngine } from '../../src/edge/choose-engine.ts';
import { createNodeEngine } from '../../src/edge/engines/node/engine.ts';
import { createUringEngine } from '../../src/edge/engines/uring/engine.ts';
import { listener } from '../suites/engine/listener.ts';

const SYSCTL = '/proc/sys/kernel/io_uring_disabled';
const quiet = { record() {}, listener() {}, log() {} };

test('kernel.io_uring_disabled=2: one clear line, and rules go to the node engine', async (t) => {
  const before = readFileSync(SYSCTL, 'latin1');
  t.after(() => writeFileSync(SYSCTL, before));
  writeFileSync(SYSCTL, '2');
  const uring = await createUringEngine(quiet);
  const node = await createNodeEngine(quiet);
  t.after(() => Promise.all([uring.stop(0), node.stop(0)]));
  const why = 'io_uring is switched off: set sysctl kernel.io_uring_disabled=0 (it is 2)';
  assert.equal(uring.capabilities().unavailable, why);
  assert.deepEqual(await uring.apply(listener({ id: 'r' })), { ok: false, reason: why });
  const engines = new Map([
    ['uring', uring.capabilities()],
    ['node', node.capabilities()],
  ] as const);
  const { targets, ...rule } = listener({ id: 'r' });
  const choice = chooseEngine(
    { ...rule, origins: targets.map(({ address, ...rest }) => ({ host: address, ...rest })) },
    'auto',
    engines,
  );
  assert.deepEqual(choice, { engine: 'node', why: `uring: ${why}` });
});
