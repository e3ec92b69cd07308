import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyOf, prefixesOf } from './prefixes.ts';
import { KEY } from './program.ts';

test('a range is the fewest prefixes that cover it and nothing else', () => {
  assert.deepEqual(prefixesOf({ from: 443, to: 443 }), [{ port: 443, bits: 16 }]);
  assert.deepEqual(prefixesOf({ from: 1024, to: 65_535 }), [
    { port: 1024, bits: 6 },
    { port: 2048, bits: 5 },
    { port: 4096, bits: 4 },
    { port: 8192, bits: 3 },
    { port: 16_384, bits: 2 },
    { port: 32_768, bits: 1 },
  ]);
  const port = fc.integer({ min: 1, max: 65_535 });
  fc.assert(
    fc.property(port, port, (a, b) => {
      const span = { from: Math.min(a, b), to: Math.max(a, b) };
      const prefixes = prefixesOf(span);
      let next = span.from;
      for (const { port, bits } of prefixes) {
        assert.equal(port, next);
        assert.equal(port % 2 ** (16 - bits), 0);
        next += 2 ** (16 - bits);
      }
      assert.equal(next, span.to + 1);
      assert.ok(prefixes.length <= 30);
    }),
  );
});

test('keys of IPv4 and IPv6 differ in family and place, and say how much of them counts', () => {
  const v4 = keyOf('192.0.2.1', { port: 0x1200, bits: 7 });
  const v6 = keyOf('2001:db8::1', { port: 0x1200, bits: 16 });
  assert.equal(v4.length, KEY.bytes);
  assert.deepEqual([...v4.subarray(0, 12)], [199, 0, 0, 0, 2, 0, 0, 0, 192, 0, 2, 1]);
  assert.deepEqual([...v4.subarray(12)], [...Array<number>(16).fill(0), 0x12, 0]);
  assert.deepEqual([...v6.subarray(0, 12)], [208, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...v6.subarray(12, 16), v6[27]], [0x20, 1, 0x0d, 0xb8, 1]);
});
