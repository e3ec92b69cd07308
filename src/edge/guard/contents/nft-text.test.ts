import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digest, masked, over } from './nft-text.ts';

test('a whole address has no mask; a prefix has its bits', () => {
  assert.equal(masked(4, 32), 'ip saddr');
  assert.equal(masked(4, 24), 'ip saddr & 255.255.255.0');
  assert.equal(masked(4, 9), 'ip saddr & 255.128.0.0');
  assert.equal(masked(6, 128), 'ip6 saddr');
  assert.equal(masked(6, 64), 'ip6 saddr & ffff:ffff:ffff:ffff:0:0:0:0');
  assert.equal(masked(6, 20), 'ip6 saddr & ffff:f000:0:0:0:0:0:0');
});

test('a rate bursts as high as it is', () => {
  assert.equal(over(5), 'limit rate over 5/second burst 5 packets');
});

test('a digest depends on every letter and on their order', () => {
  const digests = ['ab', 'ba', 'aa', 'b', ''].map(digest);
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(digest('ab'), digest('ab'));
});
