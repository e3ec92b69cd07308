/** The same as test/sim/link-stream.test.ts for longer: 50 seeds, 10,000 changes in all; `SEED=n` runs one of them. */
import { env } from 'node:process';
import { test } from 'node:test';
import { runLinkStream } from '../sim/link-stream.ts';

const seeds = env['SEED'] === undefined ? Array.from({ length: 50 }, (_, i) => 1_000 + i) : [Number(env['SEED'])];
for (const seed of seeds) {
  test(`a replica over a bad wire, seed ${seed}`, async () => {
    await runLinkStream(seed, 200);
  });
}
