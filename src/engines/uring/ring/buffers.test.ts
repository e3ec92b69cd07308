import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyUnavailable } from './probe.ts';

const missing = await whyUnavailable(1);
const SHAPE = { group: 7, size: 16_384, headroom: 128, count: 1024 } as const;
/** More than relax() waits for. */
const TICKS = 41;

test(
  'what a peak has touched goes back to the machine when the peak is over, and what is in use stays',
  { skip: missing },
  async () => {
    const [{ Ring }, { BufferPool, ProvidedBuffers }] = await Promise.all([
      import('./ring.ts'),
      import('./buffers.ts'),
    ]);
    const ring = Ring.create(8);
    assert.ok(typeof ring !== 'number');
    const pool = BufferPool.create(SHAPE);
    assert.ok(typeof pool !== 'number');
    const provided = ProvidedBuffers.create(ring, pool, SHAPE);
    assert.ok(typeof provided !== 'number');
    // The first byte shares its page with the buffer before.
    const isTouched = (buffer: number): boolean => pool.memory[pool.offset(buffer)] === 1;

    const peak = Array.from({ length: 600 }, () => pool.take());
    for (const buffer of peak) pool.memory[pool.offset(buffer)] = 1;
    const [kept, ...given] = peak.toReversed();
    for (const buffer of given) pool.give(buffer);
    // The first look still sees the peak.
    for (let tick = 0; tick < TICKS; tick++) provided.relax();
    assert.equal(given.filter(isTouched).length, given.length);
    // One that comes and goes all the time stays warm.
    const warm = pool.take();
    pool.memory[pool.offset(warm)] = 1;
    pool.give(warm);
    for (let tick = 0; tick < 4 * TICKS; tick++) {
      provided.relax();
      assert.equal(pool.take(), warm);
      pool.give(warm);
    }
    // Neighbours of what is in use keep the page that they share with it.
    const shared = new Set([warm, warm + 1, (kept ?? -1) + 1]);
    assert.deepEqual(
      given.filter((buffer) => isTouched(buffer) && !shared.has(buffer)),
      [],
    );
    assert.deepEqual([isTouched(warm), isTouched(kept ?? -1)], [true, true]);
    ring.close();
    provided.release();
    pool.release();
  },
);
