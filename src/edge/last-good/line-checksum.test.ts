import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHAIN_START, checked, withChecksum } from './line-checksum.ts';

const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\n', ' '));

function lined(texts: readonly string[]): Buffer[] {
  let chain = CHAIN_START;
  return texts.map((one) => {
    const { line, chain: next } = withChecksum(one, chain);
    chain = next;
    return Buffer.from(line.slice(0, -1));
  });
}

/** How many lines are proven, from the first on. */
function proven(lines: readonly Uint8Array[]): string[] {
  let chain = CHAIN_START;
  const bodies: string[] = [];
  for (const line of lines) {
    const found = checked(line, chain);
    if (!found) break;
    chain = found.chain;
    bodies.push(Buffer.from(found.body).toString());
  }
  return bodies;
}

test('each line that was written is proven', () => {
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      assert.deepEqual(
        proven(lined(texts)),
        texts.map((one) => Buffer.from(one).toString()),
      );
    }),
  );
});

test('a flipped bit, a lost line, lines in another order: proven up to there and no further', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 2 }), fc.nat(), fc.nat(), fc.nat(7), (texts, which, where, bit) => {
      const lines = lined(texts.map((one, i) => `${i} ${one}`));
      const at = which % lines.length;
      const flipped = lines.with(at, Buffer.from(lines[at] ?? ''));
      const line = flipped[at] as Buffer;
      line[where % line.length] = (line[where % line.length] ?? 0) ^ (1 << bit);
      assert.equal(proven(flipped).length, at);
      assert.equal(proven(lines.toSpliced(at, 1)).length, at === lines.length - 1 ? at : at);
      assert.equal(proven(lines.toReversed()).length, 0);
    }),
  );
});
