/** Hostile bytes and hostile frames, for long: readers never throw, a replica never shows what it was not told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checked } from '../../src/edge/last-good/line-checksum.ts';
import type { Frame } from '../../src/link/contract.ts';
import { decodeFrame, encodeFrame } from '../../src/link/frames.ts';
import { createLineSplitter } from '../../src/link/lines.ts';
import { Replica } from '../../src/link/replica.ts';
import { decodeAck, decodeFacts } from '../../src/link/reports.ts';

const small = fc.nat(6);
const record = fc.record({ key: fc.constantFrom('a', 'b', 'c'), revision: small, value: fc.option(small) });
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    link: fc.constantFrom(1, 1, 1, 2),
    version: fc.constant(''),
    world: fc.constantFrom('v', 'w', ''),
  }),
  fc.record({
    kind: fc.constant('snapshot' as const),
    revision: small,
    records: fc.array(record, { maxLength: 3 }),
    done: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('batch' as const), revision: small, changes: fc.array(record, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('beat' as const), revision: small, digest: small }),
);

test('half a million hostile inputs', () => {
  const mutated = fc.tuple(frame, fc.nat(), fc.nat(255), fc.nat(20)).map(([given, at, byte, cut]) => {
    const bytes = Buffer.from(encodeFrame(given));
    bytes[at % bytes.length] = byte;
    return bytes.subarray(0, bytes.length - cut);
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
      const splitter = createLineSplitter(100);
      for (const line of splitter.push(bytes) ?? []) assert.ok(line.length <= 100);
      assert.ok(splitter.pending <= 100);
      decodeFrame(bytes);
      decodeAck(bytes);
      decodeFacts(bytes);
      checked(bytes, 0);
    }),
    { numRuns: 500_000 },
  );
});

test('any sequence of frames', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 30 }), (frames) => {
      const replica = new Replica();
      for (const one of frames) {
        const before = { world: replica.world, revision: replica.revision, digest: replica.digest };
        const step = replica.accept(one);
        const after = { world: replica.world, revision: replica.revision, digest: replica.digest };
        if (step.kind === 'changed') assert.equal(after.revision, before.revision + 1);
        else if (step.kind === 'replaced')
          assert.equal(
            step.other,
            before.world !== '' && (before.world !== after.world || after.revision < before.revision),
          );
        else assert.deepEqual(after, before);
        if (step.kind === 'broken') replica.begin();
        for (const { revision, value } of replica.records.values())
          assert.ok(value !== null && revision <= after.revision);
      }
    }),
    { numRuns: 200_000 },
  );
});
