import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeAsk, encodeReply, lineReader, LONGEST_LINE, mayFollow, PROTOCOL, readAsk, readReply } from './words.ts';

test('lines come whole, however the bytes are cut', () => {
  const line = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\n', ' '));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(7)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const read = lineReader();
      const found: string[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        found.push(...(read(bytes.subarray(at, at + cut)) ?? ['refused']));
        at += cut;
      }
      assert.deepEqual(
        found,
        lines.map((text) => Buffer.from(text).toString()),
      );
    }),
  );
});

test('the longest line is read, one byte more is refused, and so is all that follows', () => {
  const longest = 'x'.repeat(LONGEST_LINE - 1);
  assert.deepEqual(lineReader()(Buffer.from(`${longest}\n`)), [longest]);
  for (const tooLong of [`${longest}x\n`, `{}\n${longest}x`, `${longest}xx`]) {
    const read = lineReader();
    assert.equal(read(Buffer.from(tooLong)), undefined);
    assert.equal(read(Buffer.from('\n{}\n')), undefined);
  }
  const inPieces = lineReader();
  assert.deepEqual(inPieces(Buffer.from(longest)), []);
  assert.equal(inPieces(Buffer.from('x')), undefined);
});

test('a word is read as it was written', () => {
  for (const [word, wire] of [
    ['rest', 'take'],
    ['handOver', 'sessions'],
    ['pause', 'serving'],
  ] as const) {
    const ask = { word, protocol: PROTOCOL, version: '1.2.3' };
    const line = encodeAsk(ask).toString();
    // As earlier versions read and write it.
    assert.equal(line, `{"ask":"${wire}","protocol":1,"version":"1.2.3"}\n`);
    assert.deepEqual(readAsk(line.trimEnd()), ask);
  }
  for (const reply of [
    { kind: 'part', count: 128, facts: [{ entry: 7 }, 'é\n'] },
    { kind: 'done' },
    { kind: 'done', facts: { listen: '127.0.0.1:80' } },
    { kind: 'refused', reason: 'another\nupgrade' },
  ] as const) {
    const line = encodeReply(reply).toString();
    assert.equal(line.indexOf('\n'), line.length - 1);
    assert.deepEqual(readReply(line), reply);
  }
});

test('what is no word is none', () => {
  for (const line of [
    '',
    'x',
    'null',
    '7',
    '"take"',
    '[]',
    '{}',
    '{"ask":"give","protocol":1,"version":"1"}',
    '{"ask":"toString","protocol":1,"version":"1"}',
    '{"ask":["take"],"protocol":1,"version":"1"}',
    '{"ask":"take","protocol":-1,"version":"1"}',
    '{"ask":"take","protocol":"1","version":"1"}',
    '{"ask":"take","protocol":1}',
    '{"ask":"take","protocol":1,"version":"1"',
  ])
    assert.equal(readAsk(line), undefined, line);
  for (const line of [
    'null',
    '[]',
    '{}',
    '{"kind":"party"}',
    '{"kind":"toString"}',
    '{"kind":"__proto__"}',
    '{"kind":["done"]}',
    '{"kind":"part"}',
    '{"kind":"part","count":1.5}',
    '{"kind":"part","count":-1}',
    '{"kind":"refused"}',
    '{"kind":"refused","reason":""}',
  ])
    assert.equal(readReply(line), undefined, line);
});

test('any text may be asked about', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc
      .record({ kind: fc.constantFrom('part', 'done', 'refused', 'valueOf'), count: fc.jsonValue() })
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(text, (line) => {
      const ask = readAsk(line);
      if (ask) assert.ok(['rest', 'handOver', 'pause'].includes(ask.word));
      const reply = readReply(line);
      if (reply?.kind === 'part') assert.ok(Number.isSafeInteger(reply.count) && reply.count >= 0);
    }),
  );
});

test('each is asked once, and in its order', () => {
  const order = [undefined, 'rest', 'handOver', 'pause'] as const;
  const allowed = order.flatMap((before) =>
    (['rest', 'handOver', 'pause'] as const).filter((ask) => mayFollow(before, ask)).map((ask) => [before, ask]),
  );
  assert.deepEqual(allowed, [
    [undefined, 'rest'],
    ['rest', 'handOver'],
    ['rest', 'pause'],
    ['handOver', 'pause'],
  ]);
});
