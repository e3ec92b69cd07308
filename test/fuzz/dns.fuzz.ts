/** A million hostile DNS packets (T40). The seed is printed on failure and replays it. */
import { test } from 'node:test';
import fc from 'fast-check';
import { holds, hostile } from '../../src/control/dns/hostile.fixture.ts';

test('1,000,000 hostile packets', async () => {
  await fc.assert(fc.asyncProperty(hostile, holds), { numRuns: 1_000_000 });
});
