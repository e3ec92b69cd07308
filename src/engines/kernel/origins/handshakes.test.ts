import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Handshakes } from './handshakes.ts';

test('an answer ends the one that has waited longest; what is left is late when its time is up, once', () => {
  const handshakes = new Handshakes();
  handshakes.begin('a', 3, 0);
  handshakes.begin('a', 2, 50);
  handshakes.begin('b', 1, 50);
  handshakes.end('a', 2);
  assert.equal(handshakes.late('a', -1), 0);
  assert.equal(handshakes.late('a', 0), 1);
  assert.equal(handshakes.late('a', 0), 0);
  assert.equal(handshakes.late('a', 50), 2);
  assert.deepEqual(handshakes.places(), ['b']);
  handshakes.end('b', 1);
  assert.deepEqual(handshakes.places(), []);
});

test('an answer that is sent twice is no matter to those that begin later', () => {
  const handshakes = new Handshakes();
  handshakes.begin('a', 1, 0);
  handshakes.end('a', 5);
  handshakes.end('nowhere', 1);
  handshakes.begin('a', 1, 10);
  assert.equal(handshakes.late('a', 10), 1);
});

test('every handshake is answered or late, never both', () => {
  const step = fc.record({ begun: fc.nat(5), ended: fc.nat(5), by: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const handshakes = new Handshakes();
      let open = 0;
      for (const [at, { begun, ended, by }] of steps.entries()) {
        if (begun > 0) handshakes.begin('a', begun, at);
        handshakes.end('a', ended);
        open = Math.max(0, open + begun - ended);
        const late = handshakes.late('a', at - by);
        assert.ok(late <= open);
        open -= late;
      }
      assert.equal(handshakes.late('a', Infinity), open);
    }),
  );
});
