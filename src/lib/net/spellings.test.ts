/** egress.ts against the resolver of this machine: a short run of what test/fuzz/spellings.fuzz.ts does at length. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

const skip = process.platform === 'linux' ? false : 'the layout of struct addrinfo is that of Linux';

test('A5: what getaddrinfo takes for a number is that address, whatever it looks like', { skip }, async (t) => {
  const { agrees, askPlatform, spelling } = await import('./spellings.fixture.ts');
  assert.deepEqual(askPlatform('0x7f.1'), Uint8Array.of(127, 0, 0, 1));
  let addresses = 0;
  fc.assert(
    fc.property(spelling, (text) => {
      if (agrees(text)) addresses++;
    }),
    { numRuns: 20_000 },
  );
  t.diagnostic(`${addresses} of 20,000 texts were addresses`);
  assert.ok(addresses > 1_000, `${addresses}`);
});
