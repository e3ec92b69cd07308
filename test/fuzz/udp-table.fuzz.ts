/** The UDP session table under chaos for long: 1,000 seeds of 10,000 steps. */
import { test } from 'node:test';
import { udpSimulation } from '../sim/udp-simulation.ts';

test('1,000 seeds × 10,000 steps keep every invariant', () => {
  for (let seed = 0; seed < 1000; seed++) udpSimulation(seed, 10_000);
});
