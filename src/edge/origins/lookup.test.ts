import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSystemLookup } from './lookup.ts';

test('localhost resolves without any DNS server; what does not exist rejects', async () => {
  const lookup = createSystemLookup();
  const { addresses, ttlSeconds } = await lookup('localhost');
  assert.ok(
    addresses.some((address) => address === '127.0.0.1' || address === '::1'),
    addresses.join(),
  );
  assert.ok(ttlSeconds > 0);
  await assert.rejects(lookup('no-such-origin.invalid'));
});
