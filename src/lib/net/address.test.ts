import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressFamily, formatAddress, isMapped, mappedBytes, parseAddress } from './address.ts';

test('text and bytes', () => {
  const table: [string, string][] = [
    ['127.0.0.1', '7f000001'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::', '20010db8000000000000000000000000'],
    ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['fe80::1:0:0:1', 'fe800000000000000001000000000001'],
  ];
  for (const [text, hex] of table) {
    const bytes = parseAddress(text);
    assert.ok(bytes, text);
    assert.equal(Buffer.from(bytes).toString('hex'), hex);
    assert.equal(formatAddress(bytes), text);
  }
});

test('what is not a plain address is refused', () => {
  const refused = ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4:80', 'a.b.c.d', ':', ':::', '1::2::3'];
  refused.push(
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'fe80::1%eth0',
    '1.2.3.4::',
    '::1.2.3',
    '1:2:3:4:5:6:7::8',
  );
  refused.push('[::1]', ' ::1', '::g', '1:', ':1');
  for (const text of refused) assert.equal(parseAddress(text), undefined, text);
});

test('every address survives the round trip, and Node reads the same text', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 0xff, 0x20), { minLength: 16, maxLength: 16 }).map((b) => Uint8Array.from(b)),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(bytes, (bytes) => {
      const text = formatAddress(bytes);
      assert.deepEqual(parseAddress(text), bytes);
      assert.equal(isIP(text), bytes.length === 4 ? 4 : 6);
      assert.equal(addressFamily(text), bytes.length === 4 ? 4 : 6);
    }),
  );
});

test('Node and this parser agree on any text', () => {
  const text = fc.oneof(fc.ipV4Extended(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,24}$/));
  fc.assert(
    fc.property(text, (text) => assert.equal(addressFamily(text) ?? 0, isIP(text), text)),
    { numRuns: 1000 },
  );
});

test('an IPv4 address has a 16-byte form', () => {
  const mapped = mappedBytes(Uint8Array.of(192, 0, 2, 1));
  assert.equal(formatAddress(mapped), '::ffff:192.0.2.1');
  assert.ok(isMapped(mapped));
  assert.ok(!isMapped(new Uint8Array(16)));
});
