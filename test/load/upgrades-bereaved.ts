/**
 * Thirty upgrades whose old `up` is killed at a random moment, each phase hit three times and more; then the same with the
 * old control and the old edge alone (`npm run upgrades:bereaved`). Three minutes. SEED repeats a run.
 */
import { test } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { seededRng } from '../../src/lib/rng.ts';
import { bereave, type Blow, type Phase, PHASES } from '../world/bereaved.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const rng = seededRng(seed);
const phases = Object.keys(PHASES) as Phase[];

/** In turn over the phases, up to 150 ms into each. */
const blows = (victim: Blow['victim'], count: number): Blow[] =>
  Array.from({ length: count }, (_, i) => ({ victim, phase: phases[i % phases.length]!, afterMs: rng.below(150) }));

const skip = { node: process.platform !== 'linux' && 'Linux only', uring: (await whyUnavailable()) ?? false };
for (const [engine, victim, count] of [
  ['uring', 'up', 30],
  ['uring', 'control', 8],
  ['uring', 'edge', 8],
  ['node', 'up', 8],
] as const)
  test(`${engine}: ${count} upgrades, and the old ${victim} killed in each`, { skip: skip[engine] }, async (t) => {
    t.diagnostic(`SEED=${seed}; phases: ${phases.map((phase) => `${phase} (${PHASES[phase]})`).join('; ')}`);
    await bereave(t, engine, blows(victim, count));
  });
