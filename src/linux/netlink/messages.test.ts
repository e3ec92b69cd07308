import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  attribute,
  type Attribute,
  eachAttribute,
  eachMessage,
  encode,
  HEADER_BYTES,
  NLMSG,
  text,
  u16,
  u32,
} from './messages.ts';

test('a message as the kernel wants it', () => {
  const message = {
    type: 0x0a0c,
    flags: 5,
    family: 1,
    attributes: [attribute(1, text('ab')), attribute(2, [attribute(3, u16(258))])],
  };
  assert.equal(
    Buffer.from(encode(message, 7)).toString('hex'),
    '28000000' +
      '0c0a' +
      '0500' +
      '07000000' +
      '00000000' +
      '01000000' +
      '0700010061620000' +
      '0c000280' +
      '0600030001020000',
  );
  assert.deepEqual([...u32(0xe0000400)], [0xe0, 0, 4, 0]);
});

test('attributes come back as they went, at any depth', () => {
  const leaf = fc.tuple(fc.integer({ min: 0, max: 0x3fff }), fc.uint8Array({ maxLength: 40 }));
  fc.assert(
    fc.property(fc.array(leaf, { maxLength: 8 }), fc.array(leaf, { maxLength: 8 }), (outer, inner) => {
      const flat = (list: typeof outer): Attribute[] => list.map(([type, value]) => attribute(type, value));
      const bytes = encode({ type: 1, flags: 0, family: 0, attributes: [...flat(outer), attribute(9, flat(inner))] });
      const view = new DataView(bytes.buffer);
      const seen: [number, number[]][] = [];
      const nested: [number, number[]][] = [];
      const take =
        (to: typeof seen) =>
        (type: number, at: number, end: number): void =>
          void to.push([type, [...bytes.subarray(at, end)]]);
      let last: [number, number] = [0, 0];
      eachAttribute(view, HEADER_BYTES, bytes.length, (type, at, end) => {
        take(seen)(type, at, end);
        last = [at, end];
      });
      eachAttribute(view, ...last, take(nested));
      assert.deepEqual(
        seen.slice(0, -1),
        outer.map(([type, value]) => [type, [...value]]),
      );
      assert.deepEqual(
        nested,
        inner.map(([type, value]) => [type, [...value]]),
      );
    }),
  );
});

test('errors carry their code, and lengths that lie end the walk', () => {
  const bytes = encode({ type: NLMSG.ERROR, flags: 0, family: 0, attributes: [] });
  const view = new DataView(bytes.buffer);
  view.setInt32(16, -17, true);
  const codes: number[] = [];
  eachMessage(view, bytes.length, ({ code }) => codes.push(code));
  assert.deepEqual(codes, [-17]);
  view.setUint32(0, 1000, true);
  eachMessage(view, bytes.length, () => assert.fail('longer than what is there'));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const view = new DataView(Uint8Array.from(bytes).buffer);
      eachMessage(view, bytes.length, ({ body, end }) => {
        assert.ok(body <= end && end <= bytes.length);
        eachAttribute(view, body, end, (_, at, to) => assert.ok(at <= to && to <= end));
      });
    }),
  );
});
