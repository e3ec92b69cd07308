import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { type OthersVerdict, PROBE_VERDICTS } from '../../domain/fact/health.ts';
import type { VerdictsFrame } from '../../link/contract.ts';
import { dutyOf } from './duty.ts';
import { Others } from './others.ts';

const EDGES = Array.from({ length: 10 }, (_, n) => `e${n}`);
const INTERVAL_MS = 10_000;
/** A check that is for others to probe, and one that is for this edge. */
const [theirs, mine] = [false, true].map((isMine) => {
  for (let n = 0; ; n++) if (dutyOf('e0', EDGES)(`c${n}`) === isMine) return `c${n}`;
}) as [string, string];

function hearing() {
  const clock = new ManualClock();
  const others = new Others('e0', clock);
  let sequence = 0;
  const tell = (checks: readonly OthersVerdict[], more: Partial<VerdictsFrame> = {}) =>
    others.take({ kind: 'verdicts', sequence: ++sequence, whole: false, edges: EDGES, checks, ...more });
  const said = (verdict: OthersVerdict['verdict'], by: OthersVerdict['by'] = 'site', check = theirs) => ({
    check,
    verdict,
    by,
  });
  const probes = (check = theirs) => others.probes(check, INTERVAL_MS);
  const word = (check = theirs) => others.word(check, INTERVAL_MS);
  return { clock, others, tell, said, probes, word };
}

test('an edge probes everything until control tells of edges, then what is its own, and all again where control is silent', async () => {
  const { clock, others, tell, said, probes, word } = hearing();
  assert.deepEqual([probes(theirs), probes(mine)], [true, true]);
  tell([said('healthy')], { whole: true });
  assert.deepEqual([probes(theirs), probes(mine), word()], [false, true, { verdict: 'healthy', overrules: false }]);
  others.disconnected();
  await clock.advance(3 * INTERVAL_MS);
  assert.deepEqual([probes(theirs), word()?.verdict], [false, 'healthy']);
  await clock.advance(1);
  assert.deepEqual([probes(theirs), word()], [true, undefined]);
  tell([said('unhealthy', 'fleet')], { whole: true });
  assert.deepEqual([probes(theirs), word()], [false, { verdict: 'unhealthy', overrules: true }]);
  others.close();
  assert.equal(clock.waiting, 0);
});

test('a check of which nobody says anything waits for three intervals, whether it is new, was lost, or is not told again', async () => {
  for (const lose of [
    () => {},
    ({ tell, said }: ReturnType<typeof hearing>) => tell([said('unknown', 'fleet')]),
    ({ tell }: ReturnType<typeof hearing>) => tell([], { whole: true }),
  ]) {
    const world = hearing();
    const { clock, tell, said, probes, word } = world;
    tell(lose.length > 0 ? [said('unhealthy')] : [], { whole: true });
    assert.equal(probes(), false);
    lose(world);
    await clock.advance(3 * INTERVAL_MS);
    assert.deepEqual([probes(), word()?.verdict], [false, lose.length > 0 ? 'unhealthy' : undefined]);
    await clock.advance(1);
    assert.deepEqual([probes(), word()], [true, undefined]);
    tell([said('healthy')]);
    assert.deepEqual([probes(), word()?.verdict], [false, 'healthy']);
  }
});

test('others who cannot tell are no reason to probe as well', async () => {
  const { clock, tell, said, probes, word } = hearing();
  tell([said('unknown')], { whole: true });
  await clock.advance(10 * INTERVAL_MS);
  assert.deepEqual([probes(), word()], [false, { verdict: 'unknown', overrules: false }]);
});

test('changes are told of: what a frame names, all where edges are others, what waits as time passes', async () => {
  const { clock, others, tell, said, probes } = hearing();
  const told: (readonly string[] | undefined)[] = [];
  others.changed.listen((news) => told.push(news));
  tell([said('healthy')], { whole: true });
  tell([said('unhealthy')]);
  tell([], { edges: [...EDGES, 'e10'] });
  assert.deepEqual(told.splice(0), [undefined, [theirs], undefined]);
  // An older frame, and one without news.
  tell([said('healthy')], { sequence: 1 });
  await clock.advance(60_000);
  assert.deepEqual(told, []);
  tell([said('unknown', 'fleet')]);
  told.splice(0);
  await clock.advance(4_000);
  assert.deepEqual(told.splice(0), [[theirs], [theirs]]);
  others.forget(theirs);
  others.disconnected();
  await clock.advance(2_000);
  assert.deepEqual(told, [undefined]);
  assert.equal(probes(mine), true);
  others.close();
});

test('however many checks control tells of, so many are remembered', () => {
  const { others, tell, said } = hearing();
  tell([], { whole: true });
  for (let part = 0; part < 11; part++)
    tell(Array.from({ length: 10_000 }, (_, n) => said('healthy', 'site', `${part} ${n}`)));
  const known = [0, 9, 10].map((part) => others.word(`${part} 9999`, INTERVAL_MS)?.verdict);
  assert.deepEqual(known, ['healthy', 'healthy', undefined]);
});

test('whatever control tells, in whatever order: no word is older than its latest, and an edge that probes alone has none', async () => {
  const verdicts = fc.record({
    check: fc.constantFrom('a', 'b', 'c'),
    verdict: fc.constantFrom(...PROBE_VERDICTS),
    by: fc.constantFrom('site' as const, 'fleet' as const),
  });
  const step = fc.oneof(
    fc.record({ checks: fc.array(verdicts, { maxLength: 3 }), whole: fc.boolean() }),
    fc.record({ wait: fc.nat(40_000) }),
    fc.constant('disconnected' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { clock, others, tell, word, probes } = hearing();
      const last = new Map<string, OthersVerdict>();
      for (const one of steps) {
        if (one === 'disconnected') others.disconnected();
        else if ('wait' in one) await clock.advance(one.wait);
        else {
          tell(one.checks, { whole: one.whole });
          for (const told of one.checks)
            if (told.verdict !== 'unknown' || told.by === 'site') last.set(told.check, told);
        }
        for (const check of ['a', 'b', 'c']) {
          const found = word(check);
          if (!probes(check)) assert.equal(found?.verdict, last.get(check)?.verdict);
          if (found) assert.equal(found.verdict, last.get(check)?.verdict);
        }
      }
      others.close();
      assert.equal(clock.waiting, 0);
    }),
    { numRuns: 200 },
  );
});
