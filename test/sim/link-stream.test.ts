/** Following is ordered, gap-free, whole per revision and never goes back, whatever happens to the wire. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runLinkStream } from './link-stream.ts';

for (const seed of [1, 2, 3]) {
  test(`a replica over a bad wire, seed ${seed}`, async () => {
    const { steps, snapshots, breaks } = await runLinkStream(seed, 150);
    // Otherwise the run has proved less than it says.
    assert.ok(steps >= 30 && snapshots >= 2 && breaks >= 4, `${steps} steps, ${snapshots} snapshots, ${breaks} breaks`);
  });
}
