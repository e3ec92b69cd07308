/** The Authorization header's grammar. Signatures themselves: test/conformance/signatures.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAuthorization } from './tc3.ts';

const GOOD =
  'TC3-HMAC-SHA256 Credential=AKID/2023-11-14/teo/tc3_request, SignedHeaders=content-type;host, Signature=ab12';

test('reads the parts, wherever blanks are', () => {
  const parts = {
    secretId: 'AKID',
    date: '2023-11-14',
    service: 'teo',
    signedHeaders: ['content-type', 'host'],
    signature: 'ab12',
  };
  assert.deepEqual(parseAuthorization(GOOD), parts);
  assert.deepEqual(parseAuthorization(GOOD.replaceAll(', ', ',')), parts);
  assert.deepEqual(parseAuthorization(GOOD.replaceAll(', ', ' ,  ')), parts);
  assert.equal(parseAuthorization(GOOD.replace('teo', 'localhost:7400'))?.service, 'localhost:7400');
});

test('refuses what it cannot read', () => {
  for (const text of [
    '',
    'SKIP',
    'TC3-HMAC-SHA256',
    'TC3-HMAC-SHA256 ',
    GOOD.replace('TC3', 'TC4'),
    GOOD.replace('tc3_request', 'tc4_request'),
    GOOD.replace('AKID/', '/'),
    GOOD.replace('/2023-11-14/teo', ''),
    GOOD.replace('host', 'hast'),
    GOOD.replace('content-type;', ''),
    GOOD.replace('Signature=ab12', 'Signature='),
    GOOD.replace(', Signature=ab12', ''),
    GOOD.replace(', ', '; '),
    `${GOOD}${' '.repeat(5000)}`,
  ]) {
    assert.equal(parseAuthorization(text), undefined, text.slice(0, 90));
  }
});

test('any text and any mutation of a good header gets a verdict', () => {
  const mutated = fc
    .tuple(fc.nat(GOOD.length), fc.nat(8), fc.string({ maxLength: 8 }))
    .map(([at, cut, put]) => GOOD.slice(0, at) + put + GOOD.slice(at + cut));
  fc.assert(
    fc.property(fc.oneof(fc.string(), mutated), (text) => {
      const read = parseAuthorization(text);
      if (read) assert.ok(read.secretId !== '' && read.signature !== '' && read.signedHeaders.includes('host'));
    }),
    { numRuns: 1000 },
  );
});
