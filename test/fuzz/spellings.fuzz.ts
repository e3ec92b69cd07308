/** Three million texts that may be addresses, against this system's getaddrinfo. The seed is printed on failure and replays it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { agrees, spelling } from '../../src/lib/net/spellings.fixture.ts';

test('3,000,000 spellings of addresses', (t) => {
  let addresses = 0;
  fc.assert(
    fc.property(spelling, (text) => {
      if (agrees(text)) addresses++;
    }),
    { numRuns: 3_000_000 },
  );
  t.diagnostic(`${addresses} were addresses`);
  assert.ok(addresses > 100_000);
});
