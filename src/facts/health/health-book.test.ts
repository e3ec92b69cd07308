import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { healthReport, originFact } from '../../../test/world/quiet-health.ts';
import type { CheckFact, HealthReport } from '../../domain/fact/health.ts';
import type { OriginFilter } from '../readers.ts';
import { HealthBook } from './health-book.ts';

function check(host: string, verdict: CheckFact['verdict'], more: Partial<CheckFact> = {}): CheckFact {
  return { owner: 'lb', group: 'og', host, address: '10.0.0.1', check: 'k', verdict, reason: '', ...more };
}

function book() {
  const silent = new Set<string>();
  const health = new HealthBook({ isAlive: (edge) => !silent.has(edge) });
  return {
    silent,
    health,
    tell: (edge: string, site: string, more: Partial<HealthReport>) => health.report(healthReport(edge, site, more)),
    sites: (host = 'h') =>
      Object.fromEntries(health.reported('lb', 'og', host).map(({ site, isHealthy }) => [site, isHealthy])),
    keys: () => health.find().map(({ edge, origin: { key } }) => `${edge} ${key}`),
  };
}

test('a site finds an origin ill where all of its words on all addresses say so; no word is no word', () => {
  const { tell, sites, health } = book();
  tell('a', 'paris', { checks: [check('h', 'unhealthy'), check('h', 'healthy', { address: '10.0.0.2' })] });
  tell('b', 'lima', { checks: [check('h', 'unhealthy'), check('h', 'unknown', { address: '10.0.0.2' })] });
  tell('c', 'rome', { checks: [check('h', 'unknown')] });
  assert.deepEqual(sites(), { paris: true, lima: false });
  assert.deepEqual(health.reported('another', 'og', 'h'), []);
  tell('a', 'paris', { checks: [check('h', 'unhealthy', { address: '10.0.0.2' })] });
  assert.deepEqual(sites(), { paris: false, lima: false });
  tell('b', 'lima', { gone: { checks: [check('h', 'unhealthy')], origins: [] } });
  assert.deepEqual(sites(), { paris: false });
});

test('an edge that is silent says nothing until it is heard of again, and one that moved speaks for its site', () => {
  const { tell, sites, silent, health } = book();
  tell('a', 'paris', { checks: [check('h', 'unhealthy')], origins: [originFact('o')] });
  silent.add('a');
  assert.deepEqual([sites(), health.find()[0]?.isAlive], [{}, false]);
  assert.equal(health.verdicts.of('paris', '10.0.0.1 k').verdict, 'unknown');
  silent.clear();
  assert.deepEqual(sites(), { paris: false });
  tell('a', 'lima', {});
  assert.deepEqual(sites(), { lima: false });
  const word = { check: '10.0.0.1 k', verdict: 'unhealthy', by: 'site' };
  assert.deepEqual(health.verdicts.of('lima', '10.0.0.1 k'), word);
  health.forget(() => false);
  assert.deepEqual([sites(), health.find(), [...health.verdicts.checks()]], [{}, [], []]);
});

test('several that ask for one check are one word of the edge', () => {
  const { tell, health } = book();
  tell('a', 'paris', { checks: [check('h', 'unhealthy'), check('i', 'unhealthy')] });
  tell('b', 'paris', { checks: [check('h', 'unhealthy')] });
  tell('a', 'paris', { gone: { checks: [check('h', 'unhealthy')], origins: [] } });
  tell('b', 'paris', { gone: { checks: [check('h', 'unhealthy')], origins: [] } });
  assert.deepEqual([...health.verdicts.checks()], ['10.0.0.1 k']);
  tell('a', 'paris', { gone: { checks: [check('i', 'unhealthy')], origins: [] } });
  assert.deepEqual([...health.verdicts.checks()], []);
});

test('everything in parts: what none of them names is gone with the last, not before', () => {
  const { tell, keys, sites } = book();
  tell('a', 'paris', { checks: [check('old', 'healthy')], origins: [originFact('1'), originFact('2')] });
  tell('a', 'paris', { whole: { part: 0, isLast: false }, origins: [originFact('2')] });
  assert.deepEqual([keys(), sites('old')], [['a 1', 'a 2'], { paris: true }]);
  tell('a', 'paris', { whole: { part: 1, isLast: true }, origins: [originFact('3')] });
  assert.deepEqual([keys(), sites('old')], [['a 2', 'a 3'], {}]);
  // Of a whole whose beginning another control took, the end ends nothing.
  tell('a', 'paris', { whole: { part: 1, isLast: true }, origins: [originFact('4')] });
  assert.deepEqual(keys(), ['a 2', 'a 3', 'a 4']);
});

test('origins are found by zone, group and host', () => {
  const { tell, health } = book();
  const origins = [originFact('1'), originFact('2', { group: '' }), originFact('3', { host: '1', zone: 'y' })];
  tell('a', 'paris', { origins });
  const found = (wanted: OriginFilter) => health.find(wanted).map(({ origin: { key } }) => key);
  assert.deepEqual(
    [found({}), found({ group: 'og' }), found({ host: '1' }), found({ group: '', host: '2' }), found({ zone: 'y' })],
    [['1', '2', '3'], ['1', '3'], ['1', '3'], ['2'], ['3']],
  );
});

test('of a zone, origins are found by any spelling of the host, where they are now', () => {
  const { tell, health } = book();
  const at = (host: string) => health.find({ zone: 'z', host }).map(({ origin: { key, state } }) => `${key} ${state}`);
  tell('a', 'paris', {
    origins: [originFact('1', { zone: 'z', host: '2001:db8::1' }), originFact('2', { zone: 'z', host: 'A' })],
  });
  tell('a', 'paris', { origins: [originFact('1', { zone: 'z', host: '2001:db8::1', state: 'down' })] });
  assert.deepEqual([at('2001:DB8:0::1'), at('a.'), at('b')], [['1 down'], ['2 up'], []]);
  tell('a', 'paris', { origins: [originFact('1', { zone: 'z', host: 'b' })], gone: { checks: [], origins: ['2'] } });
  assert.deepEqual([at('2001:db8::1'), at('a'), at('b')], [[], [], ['1 up']]);
});

test('an edge that tells of too many origins is told so, and the others stay', () => {
  const { tell, keys, health } = book();
  const many = Array.from({ length: 50_003 }, (_, i) => originFact(`${i}`));
  assert.equal(tell('a', 'paris', { origins: many }), 3);
  assert.equal(tell('a', 'paris', { origins: [originFact('7', { state: 'down' })] }), 0);
  assert.equal(tell('b', 'paris', { origins: [originFact('0')] }), 0);
  assert.deepEqual([keys().length, health.find({ host: '7' })[0]?.origin.state], [50_001, 'down']);
});

test('whatever edges tell, come and go, the verdicts are those of the live edges’ last words', () => {
  const EDGES = ['a', 'b', 'c', 'd'];
  const step = fc.oneof(
    fc.record({
      edge: fc.nat(3),
      host: fc.nat(2),
      verdict: fc.constantFrom('healthy', 'unhealthy', 'unknown', 'gone'),
    }),
    fc.record({ edge: fc.nat(3), isSilent: fc.boolean() }),
  );
  const siteOf = (edge: number): string => (edge % 2 === 0 ? 'paris' : 'lima');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const { tell, silent, health } = book();
      const last = new Map<string, string>();
      for (const one of steps) {
        const edge = EDGES[one.edge]!;
        if ('isSilent' in one) {
          if (one.isSilent) silent.add(edge);
          else silent.delete(edge);
          health.look();
          continue;
        }
        const fact = check(`h${one.host}`, one.verdict as CheckFact['verdict'], { check: `k${one.host}` });
        const isGone = one.verdict === 'gone';
        tell(edge, siteOf(one.edge), isGone ? { gone: { checks: [fact], origins: [] } } : { checks: [fact] });
        last.set(`${edge} ${one.host}`, one.verdict);
      }
      for (const host of [0, 1, 2])
        for (const site of ['paris', 'lima']) {
          const words = EDGES.filter((edge, i) => siteOf(i) === site && !silent.has(edge)).map((edge) =>
            last.get(`${edge} ${host}`),
          );
          const known = words.filter((word) => word === 'healthy' || word === 'unhealthy');
          const said = health.reported('lb', 'og', `h${host}`).find((report) => report.site === site);
          assert.equal(said?.isHealthy, known.length === 0 ? undefined : known.includes('healthy'));
          const { verdict, by } = health.verdicts.of(site, `10.0.0.1 k${host}`);
          const own = said ? (said.isHealthy ? 'healthy' : 'unhealthy') : 'unknown';
          if (by === 'site') assert.equal(verdict, own);
        }
    }),
  );
});
