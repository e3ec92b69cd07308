import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

const skip = process.platform !== 'linux' && 'needs Linux';

/** A pool of `count` buffers of `size` bytes with `headroom` in front, without a ring. */
function pool(count: number, size: number, headroom: number) {
  const free = Array.from({ length: count }, (_, i) => count - 1 - i);
  return {
    memory: new Uint8Array(count * (size + headroom)),
    start: new Int32Array(count),
    length: new Int32Array(count),
    next: new Int32Array(count).fill(-1),
    take: () => free.pop() ?? -1,
    offset: (buffer: number) => buffer * (size + headroom) + headroom,
  };
}

test(
  'a burst taken apart is its datagrams in order, each with the room that the burst had in front',
  { skip },
  async () => {
    const { datagramsOf, takeApart } = await import('./datagrams.ts');
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(8),
        (length, segment, buffers, room) => {
          const p = pool(buffers, 320, 8);
          const first = p.take();
          const payload = Uint8Array.from({ length }, (_, i) => i);
          p.start[first] = p.offset(first) + room;
          p.length[first] = length;
          p.memory.set(payload, p.start[first]);

          const lost = takeApart(p, first, segment);

          const parts: Uint8Array[] = [];
          for (let b = first; b >= 0; b = p.next[b]!) {
            assert.equal(p.start[b], p.offset(b) + room);
            parts.push(p.memory.slice(p.start[b], p.start[b]! + p.length[b]!));
          }
          assert.equal(parts.length + lost, datagramsOf(length, segment));
          assert.equal(parts.length, Math.min(buffers, datagramsOf(length, segment)));
          for (const [i, part] of parts.entries())
            assert.deepEqual(part, payload.subarray(i * segment, Math.min(length, (i + 1) * segment)));
        },
      ),
    );
  },
);

test('what is no burst is one datagram, an empty one too', { skip }, async () => {
  const { datagramsOf } = await import('./datagrams.ts');
  assert.deepEqual([datagramsOf(0, 0), datagramsOf(9000, 0), datagramsOf(0, 100)], [1, 1, 1]);
  assert.deepEqual([datagramsOf(100, 100), datagramsOf(101, 100), datagramsOf(200, 100)], [1, 2, 2]);
});
