import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../lib/net/address.ts';
import { addressSize, addressText, familyAt, familyOf, portAt, sockaddr, sockaddrOf, writeName } from './sockaddr.ts';

test("the kernel's layout, byte for byte", () => {
  assert.deepEqual([...sockaddr('192.0.2.1', 443)], [2, 0, 1, 187, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  const v6 = sockaddr('2001:db8::1', 53);
  assert.equal(v6.length, 28);
  assert.deepEqual([...v6.subarray(0, 10)], [10, 0, 0, 53, 0, 0, 0, 0, 0x20, 0x01]);
  assert.equal(v6[23], 1);
  assert.throws(() => sockaddr('localhost', 1), /not an address/);
});

test('what is written anywhere in memory is read back', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 65_535 }), fc.nat(64), (address, port, at) => {
      const memory = new Uint8Array(128).fill(0xaa);
      const size = writeName(memory, at, address, port);
      assert.equal(addressText(memory, at), formatAddress(address));
      assert.equal(portAt(memory, at), port);
      assert.equal(addressSize(memory, at), address.length);
      assert.equal(familyAt(memory, at), familyOf(address.length === 16 ? '::' : '0.0.0.0'));
      assert.deepEqual(memory.slice(at, at + size), sockaddrOf(address, port));
      assert.equal(memory[at + size], 0xaa);
    }),
  );
});
