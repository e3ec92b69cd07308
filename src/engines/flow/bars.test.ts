import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBarred, whyNone } from './bars.ts';

const LOOP = {
  barred: {
    cause: 'loop',
    ports: [
      { from: 80, to: 81 },
      { from: 443, to: 443 },
    ],
  },
} as const;
const DENIED = { barred: { cause: 'denied' } } as const;

test('a bar holds at its ports, or at all of them', () => {
  const ports = [79, 80, 81, 82, 442, 443, 444];
  assert.deepEqual(
    ports.map((port) => isBarred(LOOP, port)),
    [false, true, true, false, false, true, false],
  );
  assert.ok(isBarred(DENIED, 0) && isBarred(DENIED, 65_535));
  assert.ok(!isBarred({}, 80) && !isBarred({ barred: undefined }, 80));
  assert.ok(!isBarred({ barred: { cause: 'loop', ports: [] } }, 80));
});

test('the first bar says why no target takes a connection', () => {
  assert.equal(whyNone([]), 'no-origin');
  assert.equal(whyNone([{}, { barred: undefined }]), 'no-origin');
  assert.equal(whyNone([{}, LOOP, DENIED]), 'loop');
  assert.equal(whyNone([DENIED, LOOP]), 'denied');
});
