import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  afterEvent,
  bounded,
  openSince,
  type Traffic,
  TRAFFIC_EVENTS,
  TRAFFIC_PHASES,
  type TrafficEvent,
} from './traffic-phase.ts';

const CHECK = { intervalMs: 10_000, rise: 3 };
const phased = (phase: Traffic['phase']): Traffic => ({ ...openSince(0), phase, holds: 1, until: 5_000 });

test('the table of phases, whole', () => {
  const got = TRAFFIC_PHASES.map((phase) => [
    phase,
    ...TRAFFIC_EVENTS.map((event) => afterEvent(phased(phase), event, 5_000, CHECK).phase),
  ]);
  assert.deepEqual(
    [['', ...TRAFFIC_EVENTS], ...got],
    [
      ['', 'failing', 'ok', 'failed', 'over', 'over-checked', 'over-proven', 'well', 'ill', 'recovered'],
      ['open', 'held', 'open', 'open', 'open', 'open', 'open', 'open', 'open', 'open'],
      ['held', 'held', 'held', 'held', 'trial', 'awaiting', 'open', 'held', 'held', 'open'],
      ['awaiting', 'awaiting', 'awaiting', 'awaiting', 'trial', 'awaiting', 'awaiting', 'open', 'awaiting', 'open'],
      ['trial', 'trial', 'open', 'held', 'trial', 'trial', 'trial', 'open', 'trial', 'open'],
    ],
  );
});

test('holds double from 5 s to 60 s, through tries that fail and through short times in use', () => {
  const holds: number[] = [];
  let traffic = openSince(0);
  let at = 100_000;
  const step = (event: TrafficEvent): void => {
    traffic = afterEvent(traffic, event, at, undefined);
    if (event === 'over') assert.equal((traffic.until ?? 0) - at, holds.at(-1), 'a try is told again as long after');
    if (traffic.phase !== 'held') return;
    holds.push((traffic.until ?? 0) - at);
    at = traffic.until ?? 0;
  };
  for (const event of ['failing', 'over', 'failed', 'over', 'ok'] as const) step(event);
  at += 59_999;
  for (const event of ['failing', 'over', 'failed', 'over', 'failed', 'over', 'failed', 'over', 'ok'] as const)
    step(event);
  assert.deepEqual(holds, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  // A minute in use, and it starts from 5 s again.
  at += 60_000;
  step('failing');
  assert.equal(holds.at(-1), 5_000);
});

test('so many good findings in a row as its check asks for end a hold, however long', () => {
  const long = afterEvent({ ...openSince(0), holds: 9 }, 'failing', 1_000, CHECK);
  assert.equal(long.until, 61_000);
  const heard = (...events: readonly TrafficEvent[]): Traffic =>
    events.reduce((traffic, event) => afterEvent(traffic, event, 2_000, CHECK), long);
  assert.equal(heard('well', 'well').phase, 'held');
  assert.deepEqual(heard('well', 'well', 'well'), { ...openSince(2_000), holds: long.holds });
  assert.equal(heard('well', 'well', 'ill', 'well', 'well').phase, 'held');
  assert.equal(heard('well', 'well', 'ill', 'well', 'well', 'well').phase, 'open');
});

test('the newest finding during a hold counts; none counts before or after one', () => {
  const held = afterEvent(openSince(0), 'failing', 0, CHECK);
  const heard = (...events: readonly TrafficEvent[]): Traffic =>
    events.reduce((traffic, event) => afterEvent(traffic, event, 1_000, CHECK), held);
  assert.equal(heard('well').wells, 1);
  assert.equal(heard('well', 'ill').wells, 0);
  assert.equal(heard('ill', 'well').wells, 1);
  assert.equal(afterEvent(openSince(0), 'well', 0, CHECK).wells, 0);
  assert.equal(heard('well', 'over-proven', 'failing').wells, 0);
});

test('a check that is waited for and says nothing for three intervals is waited for no more', () => {
  const held = afterEvent(openSince(0), 'failing', 0, CHECK);
  const awaiting = afterEvent(held, 'over-checked', 5_000, CHECK);
  assert.deepEqual([awaiting.phase, awaiting.until], ['awaiting', 35_000]);
  assert.equal(afterEvent(awaiting, 'over', 35_000, CHECK).phase, 'trial');
});

test('model: only an open origin has no end of its time, and no hold is beyond its bounds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...TRAFFIC_EVENTS), fc.nat(70_000))), (events) => {
      let traffic = openSince(0);
      let at = 0;
      for (const [event, ms] of events) {
        at += ms;
        traffic = afterEvent(traffic, event, at, undefined);
        assert.equal(traffic.until === undefined, traffic.phase === 'open');
        if (traffic.phase === 'held' && traffic.since === at)
          assert.ok((traffic.until ?? 0) >= at && (traffic.until ?? 0) <= at + 60_000);
        assert.deepEqual(bounded(traffic, at), traffic);
      }
    }),
  );
});

test('what a file says is brought within bounds', () => {
  const far = { ...phased('held'), since: 9e9, until: 9e9, holds: 1e6 };
  assert.deepEqual(bounded(far, 1_000), { phase: 'held', since: 1_000, until: 61_000, holds: 5, wells: 0 });
  assert.equal(bounded({ ...phased('trial'), until: undefined }, 1_000).until, 1_000);
  assert.deepEqual(bounded({ ...phased('open'), holds: -3 }, 1_000), openSince(0));
});
