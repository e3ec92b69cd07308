import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readiness } from './readiness.ts';

const edges = (alive: readonly string[], silent: readonly string[]) => ({
  isAlive: (edge: string) => alive.includes(edge),
  silent: () => silent,
});

test('under `up` the edge beside control decides, whatever others do', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((own) => readiness(edges(['a'], ['b']), own));
  assert.deepEqual(a, { isReady: true, text: 'ready\nsilent: b\n' });
  assert.deepEqual(b, { isReady: false, text: 'silent: b\n' });
  assert.deepEqual(c, { isReady: false, text: 'edge c has not joined yet\n' });
});

test('a control of its own is ready whatever edges do, and names the silent', () => {
  assert.deepEqual(readiness(edges([], []), undefined), { isReady: true, text: 'ready\n' });
  assert.deepEqual(readiness(edges([], ['b']), undefined), { isReady: true, text: 'ready\nsilent: b\n' });
  const many = Array.from({ length: 25 }, (_, i) => `e${i}`);
  assert.match(readiness(edges([], many), undefined).text, /^ready\nsilent: e0, .*, e19 and 5 more\n$/);
});
