/**
 * Properties of the client-address encoders and their readers, over generated and mutated headers: run short beside the
 * code and long by `npm run fuzz`.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { PASS_THROUGH } from '../../src/engines/pass-through/index.ts';
import { parsePpv1, parsePpv2, parseSpp, type Parsed } from './pass-through-parse.ts';
import type { Endpoint } from '../../src/engines/pass-through/pass-through.ts';
import { formatAddress } from '../../src/lib/net/address.ts';

const parsers = { PPV1: parsePpv1, PPV2: parsePpv2, SPP: parseSpp };
type Named = keyof typeof parsers;

const port = fc.integer({ min: 0, max: 65535 });
const pair = fc.constantFrom(4, 16).chain((size) => {
  const endpoint = fc.record(
    {
      // A mapped IPv6 address is an IPv4 client and never reaches an encoder as such.
      address: fc
        .uint8Array({ minLength: size, maxLength: size })
        .map(formatAddress)
        .filter((a) => !a.startsWith('::ffff:')),
      port,
    },
    { noNullPrototype: true },
  );
  return fc.tuple(endpoint, endpoint);
});
const sample = fc.record({
  mode: fc.constantFrom<Named>('PPV1', 'PPV2', 'SPP'),
  pair,
  payload: fc.uint8Array({ maxLength: 64 }),
});

function wire(mode: Named, [client, entry]: [Endpoint, Endpoint], payload: Uint8Array): Buffer {
  return Buffer.concat([PASS_THROUGH[mode].announce(mode === 'SPP' ? 'UDP' : 'TCP', client, entry), payload]);
}

export function passThroughProperties(runs: number): void {
  test('what the encoders write is read back, and the payload begins where it should', () => {
    fc.assert(
      fc.property(sample, ({ mode, pair, payload }) => {
        const bytes = wire(mode, pair, payload);
        const parsed = parsers[mode](bytes);
        assert.ok(parsed.kind === 'proxied');
        assert.deepEqual([parsed.client, parsed.entry], pair);
        assert.deepEqual(bytes.subarray(parsed.length), Buffer.from(payload));
      }),
      { numRuns: runs },
    );
  });

  test('a stream header split anywhere is incomplete, never wrong', () => {
    fc.assert(
      fc.property(sample, fc.nat(), ({ mode, pair }, at) => {
        const bytes = wire(mode, pair, new Uint8Array());
        const parsed = parsers[mode](bytes.subarray(0, at % bytes.length));
        assert.equal(parsed.kind, mode === 'SPP' ? 'invalid' : 'incomplete');
      }),
      { numRuns: runs },
    );
  });

  test('a mutated header is refused, or means exactly what its bytes say', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(sample, fc.array(change, { minLength: 1, maxLength: 4 }), ({ mode, pair, payload }, changes) => {
        const bytes = wire(mode, pair, payload);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const parsed = parsers[mode](bytes);
        if (parsed.kind === 'incomplete' || parsed.kind === 'invalid') return;
        assert.ok(parsed.length <= bytes.length);
        if (parsed.kind === 'proxied') assert.ok(agrees(mode, bytes, parsed), bytes.toString('hex'));
      }),
      { numRuns: runs * 2 },
    );
  });

  test('any bytes at all are judged without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const parse of Object.values(parsers)) assert.notEqual(parse(bytes).kind, 'proxied');
      }),
      { numRuns: runs },
    );
  });
}

/** The oracle: the accepted meaning, encoded again, is the accepted bytes (free text may only differ in letter case). */
function agrees(mode: Named, bytes: Buffer, parsed: Parsed & { kind: 'proxied' }): boolean {
  const again = Buffer.from(PASS_THROUGH[mode].announce(parsed.protocol, parsed.client, parsed.entry));
  if (mode === 'PPV1') {
    const second = parsePpv1(again);
    const fields = bytes.subarray(0, parsed.length).toString('latin1').trimEnd().split(' ');
    return second.kind === 'proxied' && fields.length === 6 && fields[4] === String(parsed.client.port);
  }
  if (mode === 'PPV2') {
    // Length and TLVs are the sender's own.
    const same = again.subarray(0, 14).equals(bytes.subarray(0, 14));
    return same && again.subarray(16).equals(bytes.subarray(16, again.length));
  }
  // SPP has two spellings of an IPv4 address only where the sender wrote a mapped one, which is the rule.
  return again.equals(bytes.subarray(0, parsed.length));
}
