import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLineSplitter } from './lines.ts';

const texts = (lines: readonly Uint8Array[] | undefined) => lines?.map((line) => Buffer.from(line).toString());

test('lines come whole, however the bytes are cut', () => {
  const line = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\n', ' '));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(7)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const splitter = createLineSplitter(1_000);
      const found: string[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        found.push(...(texts(splitter.push(bytes.subarray(at, at + cut))) ?? ['refused']));
        at += cut;
      }
      assert.deepEqual(
        found,
        lines.map((text) => Buffer.from(text).toString()),
      );
      assert.equal(splitter.pending, 0);
    }),
  );
});

test('a line over the limit is refused, and all that follows, without being kept', () => {
  const splitter = createLineSplitter(4);
  assert.deepEqual(texts(splitter.push(Buffer.from('1234\n12'))), ['1234']);
  assert.equal(splitter.pending, 2);
  assert.equal(splitter.push(Buffer.from('345')), undefined);
  assert.equal(splitter.push(Buffer.from('\n1\n')), undefined);
  assert.equal(splitter.pending, 0);
});
