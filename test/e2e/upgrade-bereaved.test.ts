/**
 * `up --upgrade` while the old `up`, its control or its edge is killed on the way: the next one serves, alone if need be. All
 * phases many times are test/load/upgrades-bereaved.ts.
 */
import { test } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { bereave, type Phase, PHASES } from '../world/bereaved.ts';

const skip = (await whyUnavailable()) ?? false;
const TIMEOUT_MS = 300_000;

test(
  'whatever phase of an upgrade the old `up` is killed in, the next one serves',
  { skip, timeout: TIMEOUT_MS },
  (t) =>
    bereave(
      t,
      'uring',
      (Object.keys(PHASES) as Phase[]).map((phase, i) => ({ phase, victim: 'up', afterMs: (i * 37) % 60 })),
    ),
);
