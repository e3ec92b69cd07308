/** A million hostile API calls (T37), a fresh world every thousand. The seed is printed on failure and replays it. */
import { test } from 'node:test';
import fc from 'fast-check';
import { answers, hostileCalls, openHostileDesk } from '../conformance/hostile.ts';

test('1,000,000 hostile calls', async () => {
  for (let round = 0; round < 1000; round++) {
    await using desk = await openHostileDesk();
    const calls = await hostileCalls(desk);
    await fc.assert(
      fc.asyncProperty(calls, async (raw) => void (await answers(desk, raw))),
      { numRuns: 1000 },
    );
  }
});
