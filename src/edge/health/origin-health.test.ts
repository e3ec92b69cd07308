import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DialCounts, ProbeResult } from '../../domain/fact/health.ts';
import { type OriginChange, OriginHealth } from './origin-health.ts';

const CHECK = { key: 'tcp 80', intervalMs: 10_000, rise: 3, fall: 2 };
const FAILING: DialCounts = { refused: 3 };

/** One origin, and what is told of it as `second: from → to (by)`. */
function watched(check?: typeof CHECK, health = new OriginHealth()) {
  const told: string[] = [];
  const tell = (at: number, changes: readonly OriginChange[]): void => {
    for (const { from, state, cause, flaps } of changes)
      told.push(`${at / 1_000}: ${from} → ${state} (${cause.by})${flaps ? ' flaps' : ''}`);
  };
  tell(0, health.use({ target: 7, name: 'a', check }, 0));
  return {
    health,
    told: () => told.splice(0),
    dials: (at: number, counts: DialCounts) => tell(at, health.outcomes(7, counts, at)),
    found: (at: number, verdict: ProbeResult['verdict']) =>
      tell(at, health.probe(7, { verdict, reason: 'as found' }, at)),
    others: (at: number, ...[told]: [Parameters<OriginHealth['others']>[1]]) => tell(at, health.others(7, told, at)),
    byHand: (at: number, word: Parameters<OriginHealth['override']>[1]) => tell(at, health.override(7, word, at)),
    /** Lets time pass until then. */
    until: (end: number): void => {
      for (let at = health.nextDue(); at !== undefined && at <= end; at = health.nextDue()) tell(at, health.due(at));
    },
  };
}

test('without a check: failed dials hold it out of use, and one connection that is tried decides', () => {
  const { dials, told, until } = watched();
  dials(1_000, { refused: 2 });
  assert.deepEqual(told(), []);
  dials(1_100, { 'timed-out': 1 });
  // Dials that began before say nothing.
  dials(1_200, { refused: 50 });
  dials(1_200, { ok: 50 });
  until(6_099);
  assert.deepEqual(told(), ['1.1: up → down (traffic)']);
  until(6_100);
  dials(6_200, { refused: 1 });
  until(16_200);
  dials(16_300, { ok: 1 });
  until(99_000);
  assert.deepEqual(told(), [
    '6.1: down → try (traffic)',
    '6.2: try → down (traffic)',
    '16.2: down → try (traffic)',
    '16.3: try → up (traffic)',
  ]);
});

test('a try that has no outcome is told again after as long as the hold was', () => {
  const { dials, told, until } = watched();
  dials(0, FAILING);
  until(20_000);
  assert.deepEqual(told(), [
    '0: up → down (traffic)',
    '5: down → try (traffic)',
    '10: try → try (traffic)',
    '15: try → try (traffic)',
    '20: try → try (traffic)',
  ]);
});

test('nobody has checked it: it takes traffic; one failed probe is enough then, later it takes the number that is asked for', () => {
  const { found, told, health } = watched(CHECK);
  assert.equal(health.view(7)?.told.state, 'up');
  found(100, 'unhealthy');
  assert.deepEqual(told(), ['0.1: up → down (probe)']);
  for (const at of [10_000, 20_000]) found(at, 'healthy');
  assert.deepEqual(told(), []);
  found(30_000, 'healthy');
  found(40_000, 'unhealthy');
  found(50_000, 'healthy');
  found(60_000, 'unhealthy');
  assert.deepEqual(told(), ['30: down → up (probe) flaps']);
  found(61_000, 'unhealthy');
  assert.deepEqual(told(), ['61: up → down (probe)']);
});

test('traffic cannot lift what the check finds ill', () => {
  const { found, dials, told, until } = watched(CHECK);
  found(0, 'unhealthy');
  dials(1_000, { ok: 1_000 });
  dials(2_000, FAILING);
  until(9_000);
  dials(9_000, { ok: 1_000 });
  until(500_000);
  dials(500_000, { ok: 1 });
  assert.deepEqual(told(), ['0: up → down (probe)']);
});

test('traffic cannot hold down what the check finds well for longer than rise × interval', () => {
  for (const rise of [1, 2, 3]) {
    const { found, dials, told, until, health } = watched({ ...CHECK, rise, intervalMs: 1_000 });
    found(0, 'healthy');
    for (let at = 1_000; at <= 60_000; at += 1_000) {
      until(at);
      found(at, 'healthy');
      if (health.view(7)?.told.state === 'up' && health.view(7)?.own.riseFactor === 1) dials(at + 1, FAILING);
    }
    assert.deepEqual(told(), ['1.001: up → down (traffic)', `${rise + 1}: down → up (probe) flaps`], `${rise}`);
  }
});

test('with a check, a hold ends through one good probe, a bad one in between included', () => {
  const { found, dials, told, until } = watched(CHECK);
  found(0, 'healthy');
  dials(1_000, FAILING);
  until(9_999);
  assert.deepEqual(told(), ['1: up → down (traffic)']);
  found(10_000, 'healthy');
  assert.deepEqual(told(), ['10: down → up (probe) flaps']);
  dials(11_000, FAILING);
  found(14_000, 'healthy');
  found(15_000, 'unhealthy');
  until(21_000);
  assert.deepEqual(told(), ['11: up → down (traffic)']);
  found(21_001, 'healthy');
  assert.deepEqual(told(), ['21.001: down → up (probe)']);
});

test('a check that cannot tell leaves the decision to traffic; one that falls silent is waited for three intervals', () => {
  const unknown = watched(CHECK);
  unknown.found(0, 'unknown');
  unknown.dials(1_000, FAILING);
  unknown.until(6_000);
  unknown.dials(6_000, { ok: 1 });
  assert.deepEqual(unknown.told(), [
    '1: up → down (traffic)',
    '6: down → try (traffic)',
    '6: try → up (traffic) flaps',
  ]);
  const silent = watched(CHECK);
  silent.found(0, 'healthy');
  silent.dials(1_000, FAILING);
  silent.until(36_000);
  assert.deepEqual(silent.told(), ['1: up → down (traffic)', '36: down → try (traffic)']);
});

test('a flap doubles the good results that are asked for, up to eightfold; it is told once, until ten quiet intervals', () => {
  const { found, told, health } = watched({ ...CHECK, intervalMs: 1_000, rise: 1, fall: 1 });
  let at = 0;
  const goodOnes: number[] = [];
  const goesDown = (): void => {
    found((at += 1_000), 'unhealthy');
    let good = 0;
    while (health.view(7)?.told.state === 'down') {
      good++;
      found((at += 1_000), 'healthy');
    }
    goodOnes.push(good);
  };
  found(at, 'healthy');
  for (let i = 0; i < 6; i++) goesDown();
  assert.deepEqual(goodOnes, [1, 2, 4, 8, 8, 8]);
  assert.equal(told().filter((line) => line.endsWith('flaps')).length, 1);
  at += 9_000;
  goesDown();
  at += 8_000;
  goesDown();
  assert.deepEqual(goodOnes.slice(6), [1, 2]);
});

test('up and down each second for a minute: at most twelve changes, with a check and without', () => {
  for (const check of [undefined, { ...CHECK, intervalMs: 1_000, rise: 1, fall: 1 }]) {
    const { found, dials, told, until } = watched(check);
    for (let at = 0; at < 60_000; at += 100) {
      const isUp = Math.floor(at / 1_000) % 2 === 0;
      until(at);
      dials(at, isUp ? { ok: 10 } : { refused: 10 });
      if (check && at % 1_000 === 500) found(at, isUp ? 'healthy' : 'unhealthy');
    }
    const { length } = told();
    assert.ok(length > 0 && length <= 12, `${length} changes`);
  }
});

test('the word of an operator stands above all, ends by itself, and what was found meanwhile counts then', () => {
  const { byHand, found, told, until } = watched(CHECK);
  byHand(1_000, { state: 'down', until: 61_000 });
  found(2_000, 'healthy');
  until(60_999);
  assert.deepEqual(told(), ['1: up → down (operator)']);
  until(61_000);
  byHand(62_000, { state: 'up' });
  found(63_000, 'unhealthy');
  found(64_000, 'unhealthy');
  until(9e9);
  assert.deepEqual(told(), ['61: down → up (operator)']);
  byHand(70_000, undefined);
  assert.deepEqual(told(), ['70: up → down (operator)']);
});

test('why: who decided, and in words', () => {
  const health = new OriginHealth();
  health.use({ target: 1, name: 'a', check: CHECK }, 0);
  const [byTraffic] = health.outcomes(1, { refused: 4 }, 0);
  assert.deepEqual(byTraffic?.cause, { by: 'traffic', reason: '4 dials in a row failed (refused)' });
  const [byProbe] = health.probe(1, { verdict: 'healthy', reason: 'HTTP 204' }, 5_000);
  assert.equal(byProbe, undefined);
  assert.deepEqual(health.view(1)?.told.cause, byTraffic?.cause);
  health.use({ target: 2, name: 'b', check: CHECK }, 0);
  const [ill] = health.probe(2, { verdict: 'unhealthy', reason: 'HTTP 503' }, 0);
  assert.deepEqual([ill?.target, ill?.name, ill?.cause], [2, 'b', { by: 'probe', reason: 'HTTP 503' }]);
});

test('origins do not touch each other; unknown numbers are nothing', () => {
  const health = new OriginHealth();
  for (const target of [1, 2]) health.use({ target, name: `${target}` }, 0);
  health.outcomes(1, FAILING, 0);
  assert.deepEqual([health.view(1)?.told.state, health.view(2)?.told.state], ['down', 'up']);
  assert.deepEqual(health.outcomes(3, FAILING, 0), []);
  assert.deepEqual(health.probe(1, { verdict: 'unhealthy', reason: '' }, 0), [], 'it has no check');
  assert.deepEqual(health.override(3, { state: 'down' }, 0), []);
  health.release(3);
});

test('an origin that is released and used again is as it was, under any number; engines take a new one for up', () => {
  const health = new OriginHealth();
  health.use({ target: 1, name: 'a', check: CHECK }, 0);
  health.probe(1, { verdict: 'unhealthy', reason: 'HTTP 503' }, 0);
  health.release(1);
  assert.deepEqual([health.view(1), health.nextDue()], [undefined, undefined]);
  const [change] = health.use({ target: 9, name: 'a', check: CHECK }, 5_000);
  const cause = { by: 'probe', reason: 'HTTP 503' };
  assert.deepEqual(change, { target: 9, name: 'a', from: 'up', state: 'down', cause });
  assert.equal(health.view(9)?.told.since, 0);
  assert.deepEqual(health.use({ target: 9, name: 'a', check: CHECK }, 5_000), [], 'twice');
  // Another origin gets its number.
  assert.deepEqual(health.use({ target: 9, name: 'b', check: CHECK }, 5_000), []);
  assert.equal(health.view(9)?.told.state, 'up');
});

test('another check: what was known stays until its first result; no check: what the check said is gone', () => {
  const { found, health, told } = watched(CHECK);
  found(0, 'unhealthy');
  const other = { ...CHECK, key: 'tcp 81' };
  assert.deepEqual(health.use({ target: 7, name: 'a', check: other }, 1_000), []);
  found(1_000, 'healthy');
  assert.deepEqual(told(), ['0: up → down (probe)', '1: down → up (probe) flaps']);
  found(2_000, 'unhealthy');
  found(3_000, 'unhealthy');
  const [change] = health.use({ target: 7, name: 'a' }, 4_000);
  assert.deepEqual([change?.state, change?.cause.reason], ['up', 'it has another check now, or none']);
});

test('of origins out of use ten thousand are remembered, the newest', () => {
  const health = new OriginHealth();
  for (let i = 0; i < 10_002; i++) {
    health.use({ target: 1, name: `${i}` }, 0);
    health.release(1);
  }
  const names = Array.from(health.all(), ({ name }) => name);
  assert.deepEqual([names.length, names[0], names.at(-1)], [10_000, '2', '10001']);
});

const word = (verdict: ProbeResult['verdict'], overrules = false) => ({ verdict, overrules });

test('others alone: their verdict is settled at once, stays when they fall silent, and goes before the first result of its own', () => {
  const { others, found, told } = watched(CHECK);
  others(200_000, { word: word('unhealthy'), isOwn: false });
  others(400_000, { word: word('healthy'), isOwn: false });
  others(600_000, { word: word('unhealthy'), isOwn: false });
  assert.deepEqual(told(), ['200: up → down (fleet)', '400: down → up (fleet)', '600: up → down (fleet)']);
  others(800_000, { word: undefined, isOwn: true });
  assert.deepEqual(told(), []);
  found(1_000_000, 'healthy');
  assert.deepEqual(told(), ['1000: down → up (probe)']);
  // What this edge found itself is no longer its own word once it does not probe.
  found(1_200_000, 'unhealthy');
  found(1_300_000, 'unhealthy');
  others(1_400_000, { word: word('healthy'), isOwn: false });
  others(1_600_000, { word: word('unknown'), isOwn: false });
  assert.deepEqual(told(), ['1300: up → down (probe)', '1400: down → up (fleet)']);
});

test('its own check goes before its site, but not before most sites', () => {
  const { others, found, told } = watched(CHECK);
  found(0, 'healthy');
  others(200_000, { word: word('unhealthy'), isOwn: true });
  assert.deepEqual(told(), []);
  others(400_000, { word: word('unhealthy', true), isOwn: true });
  found(600_000, 'healthy');
  assert.deepEqual(told(), ['400: up → down (fleet)']);
  others(800_000, { word: word('healthy'), isOwn: true });
  found(1_000_000, 'unhealthy');
  found(1_200_000, 'unhealthy');
  others(1_400_000, { word: word('healthy'), isOwn: true });
  assert.deepEqual(told(), ['800: down → up (fleet)', '1200: up → down (probe)']);
});

test('a check that cannot tell here takes the word of others, and none where they cannot either', () => {
  const { others, found, told } = watched(CHECK);
  found(0, 'unknown');
  others(200_000, { word: word('unhealthy'), isOwn: true });
  found(400_000, 'unknown');
  others(600_000, { word: word('unknown'), isOwn: true });
  assert.deepEqual(told(), ['200: up → down (fleet)', '600: down → up (fleet)']);
});

test('the word of others is kept over a restart; another check forgets it', () => {
  const { health, others, told } = watched(CHECK);
  others(200_000, { word: word('unhealthy'), isOwn: false });
  health.release(7);
  assert.deepEqual(
    health.use({ target: 8, name: 'a', check: CHECK }, 2_000).map(({ state }) => state),
    ['down'],
  );
  assert.equal(health.others(8, { word: word('healthy', false), isOwn: false }, 3_000)[0]?.state, 'up');
  assert.deepEqual(health.others(8, { word: word('unhealthy', true), isOwn: true }, 4_000)[0]?.state, 'down');
  const other = { ...CHECK, key: 'tcp 81' };
  health.use({ target: 8, name: 'a', check: other }, 5_000);
  assert.equal(health.view(8)?.others, undefined);
  told();
});
