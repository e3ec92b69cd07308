/** Hostile bytes (T40): whatever comes in, nothing throws, no answer is ten times the question, every answer decodes. */
import { test } from 'node:test';
import fc from 'fast-check';
import { holds, hostile } from './hostile.fixture.ts';

test('2,000 hostile packets', async () => {
  await fc.assert(fc.asyncProperty(hostile, holds), { numRuns: 2000 });
});
