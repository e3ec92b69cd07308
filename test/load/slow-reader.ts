/**
 * T2 at its full size (`npm run slow`): 1 GiB each way through an engine to readers that take SLOW_MIB_PER_SECOND, 4 by
 * default, and stall eight times; both engines at once. Five minutes; with 1, as the figure was set, eighteen.
 */
import { describe, test } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { slowReaders } from '../suites/engine/slow-reader.ts';

const skip = { node: false, uring: (await whyUnavailable()) ?? false };
const mebibytesPerSecond = Number(process.env['SLOW_MIB_PER_SECOND'] ?? 4);

describe('1 GiB each way to slow readers', { concurrency: true }, () => {
  for (const engine of ['node', 'uring'] as const)
    test(`${engine}: hashes are equal and the process does not grow`, { skip: skip[engine] }, (t) =>
      slowReaders(t, { engine, mebibytes: 1024, mebibytesPerSecond, stallMs: 3000 }),
    );
});
