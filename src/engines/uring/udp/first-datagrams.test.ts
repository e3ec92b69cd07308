import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FirstDatagrams } from './first-datagrams.ts';

/** Of 16 buffers a quarter may be kept. */
function kept(): { firsts: FirstDatagrams; given: number[] } {
  const given: number[] = [];
  return { firsts: new FirstDatagrams({ give: (buffer) => void given.push(buffer) }, 10, 16), given };
}

test('a kept datagram is taken once, or given back once', () => {
  const { firsts, given } = kept();
  firsts.keep(3, 30);
  assert.equal(firsts.take(3), 30);
  assert.equal(firsts.take(3), -1);
  firsts.keep(3, 31);
  firsts.drop(3);
  firsts.drop(3);
  assert.deepEqual(given, [31]);
});

test('a full ring gives back the datagram that is kept longest, and no other', () => {
  const { firsts, given } = kept();
  for (let session = 0; session < 4; session++) firsts.keep(session, 10 + session);
  assert.deepEqual(given, []);
  firsts.keep(4, 14);
  assert.deepEqual(given, [10]);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((session) => firsts.take(session)),
    [-1, 11, 12, 13, 14],
  );
});

test('the place of a taken datagram is free: nothing is given back for it', () => {
  const { firsts, given } = kept();
  for (let session = 0; session < 4; session++) firsts.keep(session, 10 + session);
  firsts.drop(0);
  firsts.keep(5, 15);
  assert.deepEqual(given, [10]);
  assert.equal(firsts.take(5), 15);
});
