import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readiness } from './readiness.ts';

const alive = { id: 'a', alive: true };
const silent = { id: 'b', alive: false };

test('under `up` the edge beside control decides, whatever others do', () => {
  assert.deepEqual(readiness([alive, silent], 'a'), { isReady: true, text: 'ready\nsilent: b\n' });
  assert.deepEqual(readiness([alive, silent], 'b'), { isReady: false, text: 'silent: b\n' });
  assert.deepEqual(readiness([alive], 'c'), { isReady: false, text: 'edge c has not joined yet\n' });
});

test('a control of its own is ready whatever edges do, and names the silent', () => {
  assert.deepEqual(readiness([], undefined), { isReady: true, text: 'ready\n' });
  assert.deepEqual(readiness([silent], undefined), { isReady: true, text: 'ready\nsilent: b\n' });
  const many = Array.from({ length: 25 }, (_, i) => ({ id: `e${i}`, alive: false }));
  assert.match(readiness(many, undefined).text, /^ready\nsilent: e0, .*, e19 and 5 more\n$/);
});
