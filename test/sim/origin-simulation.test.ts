/** States, picker, schedule and kept file together, simulated; and that the simulation sees each way to break them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BREAKAGES } from './origin-breakages.ts';
import { INVARIANTS, Violation } from './origin-invariants.ts';
import { originSimulation } from './origin-simulation.ts';

const SEEDS = 64;
/** Only what is rare needs more than one or two. */
const MOST_TRIES = 16;

test(`origins under chaos, ${SEEDS} seeds, each twice: every invariant holds, and the traces are the same`, async (t) => {
  let lines = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const trace = await originSimulation(seed);
    lines += trace.split('\n').length;
    assert.ok(trace === (await originSimulation(seed)), `seed ${seed} went another way the second time`);
  }
  t.diagnostic(`${lines} events`);
  assert.ok(lines > 300 * SEEDS, 'otherwise it shows less than it says');
});

for (const [what, [invariant, parts]] of Object.entries(BREAKAGES))
  test(`seen red: ${what}`, async () => {
    for (let seed = 1; ; seed++) {
      const seen = await originSimulation(seed, parts).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!seen && seed < MOST_TRIES) continue;
      assert.ok(seen instanceof Violation, `nothing was noticed in ${seed} runs: ${String(seen)}`);
      return assert.equal(seen.invariant, invariant, seen.message);
    }
  });

test('every invariant was seen red', () => {
  const seen = new Set(Object.values(BREAKAGES).map(([invariant]) => invariant));
  assert.deepEqual([...seen].toSorted(), Object.keys(INVARIANTS).toSorted());
});
