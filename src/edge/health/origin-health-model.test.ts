import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROBE_VERDICTS, type ProbeResult } from '../../domain/fact/health.ts';
import { keep, readKept } from './kept-origins.ts';
import { type OriginChange, OriginHealth } from './origin-health.ts';

const CHECK = { key: 'tcp 80', intervalMs: 10_000, rise: 3, fall: 2 };
const ORIGIN = { target: 1, name: 'a' };

type Event =
  | { readonly kind: 'dials'; readonly counts: { readonly ok?: number; readonly refused?: number } }
  | { readonly kind: 'found'; readonly verdict: ProbeResult['verdict'] }
  | { readonly kind: 'by-hand'; readonly state: 'up' | 'down' | undefined; readonly ms: number | undefined };
type Step = readonly [waitMs: number, event: Event];

// Batches that decide alone, so that a restart, which forgets dials of the last two seconds, changes nothing.
const dials = fc.constantFrom({ ok: 1 }, { refused: 3 }).map((counts): Event => ({ kind: 'dials', counts }));
const found = fc.constantFrom(...PROBE_VERDICTS).map((verdict): Event => ({ kind: 'found', verdict }));
const byHand = fc
  .record({
    state: fc.constantFrom('up' as const, 'down' as const, undefined),
    ms: fc.option(fc.nat(99_000), { nil: undefined }),
  })
  .map((word): Event => ({ kind: 'by-hand', ...word }));
const stepsOf = (...events: readonly fc.Arbitrary<Event>[]): fc.Arbitrary<Step[]> =>
  fc.array(fc.tuple(fc.nat(15_000), fc.oneof(...events)), { maxLength: 60 });

class Run {
  health = new OriginHealth();
  at = 1_000;
  /** As an engine has it. */
  state = 'up';
  readonly states: string[] = [];
  readonly #check: typeof CHECK | undefined;

  constructor(check: typeof CHECK | undefined) {
    this.#check = check;
    this.hear(this.health.use({ ...ORIGIN, check }, this.at));
  }

  hear(changes: readonly OriginChange[]): void {
    for (const { from, state } of changes) {
      assert.equal(from, this.state, 'each change follows the one before');
      assert.ok(from !== state || state === 'try');
      this.state = state;
      this.states.push(`${this.at} ${state}`);
    }
    assert.equal(this.health.view(1)?.told.state, this.state);
  }

  wait(ms: number): void {
    const end = this.at + ms;
    for (let due = this.health.nextDue(); due !== undefined && due <= end; due = this.health.nextDue()) {
      this.at = Math.max(due, this.at);
      this.hear(this.health.due(this.at));
    }
    this.at = end;
  }

  take([ms, event]: Step): void {
    this.wait(ms);
    const { health, at } = this;
    if (event.kind === 'dials') this.hear(health.outcomes(1, event.counts, at));
    else if (event.kind === 'found') this.hear(health.probe(1, { verdict: event.verdict, reason: 'found' }, at));
    else {
      const { state, ms: length } = event;
      const word = state && { state, ...(length !== undefined && { until: at + length }) };
      this.hear(health.override(1, word, at));
    }
  }

  /** Another process goes on, `later` by its own clock, at the same moment. */
  restart(later: number): void {
    const kept = JSON.parse(JSON.stringify(keep(this.health.all(), { monotonic: this.at, wall: 0 }))) as unknown;
    this.at += later;
    this.health = new OriginHealth();
    this.health.restore(readKept(kept, { monotonic: this.at, wall: 0 }));
    const before = this.state;
    this.state = 'up';
    this.hear(this.health.use({ ...ORIGIN, check: this.#check }, this.at));
    assert.equal(this.state, before);
    // What the new engine was told is not news to the old one.
    if (before !== 'up') this.states.pop();
  }
}

test('what the check finds ill is down, whatever traffic says and time passes; what the operator says stands', () => {
  fc.assert(
    fc.property(stepsOf(dials, found, byHand), (steps) => {
      const run = new Run(CHECK);
      for (const step of steps) {
        run.take(step);
        const { override, verdict } = run.health.view(1) ?? {};
        if (override) assert.equal(run.state, override.state);
        else if (verdict?.verdict === 'unhealthy') assert.equal(run.state, 'down');
      }
    }),
  );
});

test('after any history, an origin that is well comes back and stays: by its check, and without one by a try', () => {
  fc.assert(
    fc.property(stepsOf(dials, found), (steps) => {
      const run = new Run(CHECK);
      for (const step of steps) run.take(step);
      // The most that a flap asks for, and one for the phase.
      for (let i = 0; i <= 3 * 8 + 1; i++) run.take([CHECK.intervalMs, { kind: 'found', verdict: 'healthy' }]);
      assert.equal(run.state, 'up');
    }),
  );
  fc.assert(
    fc.property(stepsOf(dials), (steps) => {
      const run = new Run(undefined);
      for (const step of steps) run.take(step);
      for (let second = 0; second <= 60; second++) {
        run.wait(1_000);
        if (run.state === 'try') run.take([0, { kind: 'dials', counts: { ok: 1 } }]);
      }
      assert.equal(run.state, 'up');
      run.wait(1_000_000);
      assert.equal(run.state, 'up');
    }),
  );
});

test('a dead origin without a check gets one try per hold: at most twenty-two in twenty minutes', () => {
  const run = new Run(undefined);
  run.take([0, { kind: 'dials', counts: { refused: 3 } }]);
  let tries = 0;
  for (let tenth = 0; tenth < 12_000; tenth++) {
    run.wait(100);
    if (run.state !== 'try') continue;
    tries++;
    run.take([0, { kind: 'dials', counts: { refused: 3 } }]);
  }
  assert.equal(tries, 22);
});

test('a restart at any moment changes nothing of what follows', () => {
  for (const check of [undefined, CHECK])
    fc.assert(
      fc.property(stepsOf(dials, found, byHand), fc.nat(60), fc.nat(1_000_000), (steps, moment, later) => {
        const [one, two] = [new Run(check), new Run(check)];
        const place = Math.min(moment, steps.length);
        for (const step of steps.slice(0, place)) for (const run of [one, two]) run.take(step);
        two.restart(later);
        one.states.length = 0;
        two.states.length = 0;
        for (const step of steps.slice(place)) for (const run of [one, two]) run.take(step);
        const moved = two.states.map((line) => line.replace(/^\d+/, (at) => String(Number(at) - later)));
        assert.deepEqual(moved, one.states);
      }),
    );
});
