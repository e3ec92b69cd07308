/** Origins under chaos with seeds that nobody chose, 1,000 of them; `SEED` says where to begin, `RUNS` how many. */
import { env } from 'node:process';
import { test } from 'node:test';
import { originSimulation } from '../sim/origin-simulation.ts';

const runs = Number(env['RUNS'] ?? 1_000);
const first = Number(env['SEED'] ?? Date.now() % 1_000_000);

test(`${runs} simulations of origins from seed ${first}`, async () => {
  for (let seed = first; seed < first + runs; seed++)
    await originSimulation(seed).catch((error: Error) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
});
