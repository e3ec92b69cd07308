/** Origins that die, at a pace that a busy machine keeps; whole, with the figures that are promised: test/load/dying-origins.ts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { whyNoNamespaces, type Namespaces } from '../engines/kernel-namespaces.ts';
import { takeStage } from '../engines/kernel-stage.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { dropOne, killOne } from './dying-origins.ts';

const missing = whyNoNamespaces();
const noUring = await whyUnavailable();
if (missing === undefined) describe('dying origins', () => dying(takeStage()));
else describe('dying origins', () => test('is not available here', { skip: missing }, () => {}));

const PACE = { perSecond: 60, seconds: 4 };
/** limit: a look of the kernel engine, twenty times over. */
const SOON_MS = 2_000;
/** limit: no client of an origin that is there waits so long, on a busy machine either. */
const CONNECT_MS = 2_000;

function dying(world: Namespaces): void {
  for (const engine of ['node', 'uring', 'kernel']) {
    const skip = (engine === 'uring' && noUring) || false;

    test(
      `${engine}: one of three is killed, and clients ${engine === 'kernel' ? 'notice for a moment' : 'notice nothing'}`,
      { skip },
      async (t) => {
        const { all, failed } = await killOne(world, engine, PACE);
        t.diagnostic(`${failed.length} of ${all} clients failed: ${failed.join(', ')} ms after`);
        assert.ok(all >= PACE.perSecond);
        if (engine === 'kernel')
          assert.deepEqual(
            failed.filter((at) => at > SOON_MS),
            [],
          );
        else assert.deepEqual(failed, []);
      },
    );

    test(`${engine}: packets to one of three are dropped, and few clients wait`, { skip }, async (t) => {
      // No longer than until it is tried.
      const { all, slow } = await dropOne(world, engine, { ...PACE, seconds: 6 }, CONNECT_MS);
      t.diagnostic(`${slow.length} of ${all} clients were slow: ${slow.join(', ')} ms after`);
      assert.ok(slow.length >= 3);
      assert.deepEqual(
        slow.filter((at) => at > CONNECT_MS + SOON_MS),
        [],
      );
    });
  }
}
