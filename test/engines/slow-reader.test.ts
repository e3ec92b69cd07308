/** T2, in brief, at the engines that hold streams in memory of their own; 1 GiB is `npm run slow`. */
import { test } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { slowReaders } from '../suites/engine/slow-reader.ts';

const skip = { node: false, uring: (await whyUnavailable()) ?? false };
const brief = { mebibytes: 128, mebibytesPerSecond: 40, stallMs: 100 };

for (const engine of ['node', 'uring'] as const)
  test(`${engine}: what slow readers do not take stays with the writers`, { skip: skip[engine] }, (t) =>
    slowReaders(t, { engine, ...brief }),
  );
