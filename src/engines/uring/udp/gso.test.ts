import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyUnavailable } from '../ring/probe.ts';

const missing = await whyUnavailable(1);

/** Chains over a real pool; `datagram` makes a buffer with so many bytes in it. */
async function chains() {
  const [{ Ring }, { BufferPool }, { GsoChains }] = await Promise.all([
    import('../ring/ring.ts'),
    import('../ring/buffers.ts'),
    import('./gso.ts'),
  ]);
  const ring = Ring.create(8);
  assert.ok(typeof ring !== 'number');
  const pool = BufferPool.create({ group: 7, size: 65_536, headroom: 0, count: 256 });
  assert.ok(typeof pool !== 'number');
  const gso = new GsoChains(pool, 2);
  return {
    gso,
    datagram: (length: number): number => {
      const buffer = pool.take();
      pool.length[buffer] = length;
      pool.start[buffer] = pool.offset(buffer);
      return buffer;
    },
    chainOf: (first: number): number[] => {
      const chain: number[] = [];
      for (let b = first; b >= 0; b = pool.next[b]!) chain.push(b);
      return chain;
    },
    release: (): void => {
      ring.close();
      pool.release();
    },
  };
}

test(
  'datagrams of one size join, a shorter one ends the chain, a longer or empty one does not fit',
  { skip: missing },
  async () => {
    const { gso, datagram, chainOf, release } = await chains();
    const [a, b, short] = [datagram(100), datagram(100), datagram(40)];
    assert.equal(gso.join(0, a, 0), false);
    gso.start(0, a, 0);
    assert.equal(gso.join(0, datagram(101), 0), false);
    assert.equal(gso.join(0, datagram(0), 0), false);
    assert.equal(gso.join(0, b, 0), true);
    assert.equal(gso.join(0, short, 0), true);
    assert.equal(gso.join(0, datagram(40), 0), false);
    assert.equal(gso.count(0), 3);
    assert.equal(gso.nextWaiting(), 0);
    assert.equal(gso.nextWaiting(), -1);
    assert.deepEqual(chainOf(gso.take(0)), [a, b, short]);
    assert.equal(gso.take(0), -1);
    release();
  },
);

test(
  'a burst joins datagrams of its size, and a chain holds no more than the other side takes at once',
  { skip: missing },
  async () => {
    const { gso, datagram, release } = await chains();
    const mostOf = (k: number): number => {
      gso.start(k, datagram(100), 0);
      while (gso.join(k, datagram(100), 0));
      return gso.count(k);
    };
    assert.deepEqual([mostOf(0), mostOf(1)], [28, 64]);
    gso.start(2, datagram(100), 0);
    assert.equal(gso.join(2, datagram(350), 100), true);
    assert.equal(gso.count(2), 5);
    assert.equal(gso.join(2, datagram(100), 0), false);
    gso.start(3, datagram(100), 0);
    assert.equal(gso.join(3, datagram(300), 150), false);
    release();
  },
);

test(
  'a path that refuses segments, or cannot have them, has chains of one; until its session ends',
  { skip: missing },
  async () => {
    const { gso, datagram, release } = await chains();
    gso.start(0, datagram(1473), 0);
    assert.equal(gso.join(0, datagram(1473), 0), false);
    gso.start(1, datagram(100), 0);
    gso.refused(1);
    assert.equal(gso.takes(1, 100), false);
    assert.equal(gso.join(1, datagram(100), 0), false);
    gso.drop(0);
    assert.equal(gso.take(1), -1);
    assert.equal(gso.takes(1, 100), true);
    release();
  },
);
