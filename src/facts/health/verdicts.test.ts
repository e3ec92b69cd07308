import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROBE_VERDICTS, type ProbeResult } from '../../domain/fact/health.ts';
import { Verdicts } from './verdicts.ts';

type Finding = ProbeResult['verdict'];
const SITES = ['berlin', 'lima', 'paris'];
const said = (verdict: Finding, by: 'site' | 'fleet', check = 'c') => ({ check, verdict, by });

/** Verdicts where each site has one edge that says this. */
function sites(...findings: Finding[]) {
  const verdicts = new Verdicts();
  for (const [i, finding] of findings.entries()) verdicts.replace('c', SITES[i]!, undefined, finding);
  return verdicts;
}

test('a site has its own word, and the others’ where more than half of several find it ill', () => {
  const one = sites('unhealthy', 'healthy', 'healthy');
  assert.deepEqual(
    SITES.map((site) => one.of(site, 'c')),
    [said('unhealthy', 'site'), said('healthy', 'site'), said('healthy', 'site')],
  );
  const two = sites('unhealthy', 'unhealthy', 'healthy');
  assert.deepEqual(
    SITES.map((site) => two.of(site, 'c')),
    SITES.map(() => said('unhealthy', 'fleet')),
  );
  assert.deepEqual(sites('unhealthy').of('berlin', 'c'), said('unhealthy', 'site'));
  assert.deepEqual(sites('unhealthy').of('paris', 'c'), said('unhealthy', 'fleet'));
  assert.deepEqual(sites('unhealthy', 'healthy').of('lima', 'c'), said('healthy', 'site'));
  assert.deepEqual(sites('unhealthy', 'healthy', 'unknown').of('paris', 'c'), said('healthy', 'fleet'));
  assert.deepEqual(sites('unknown').of('berlin', 'c'), said('unknown', 'site'));
  assert.deepEqual(sites('unknown').of('lima', 'c'), said('unknown', 'fleet'));
  assert.deepEqual(sites().of('berlin', 'another'), said('unknown', 'fleet', 'another'));
});

test('verdicts are those of all words that stand, whatever came and went, and each change is told to the sites it concerns', () => {
  const step = fc.tuple(fc.nat(5), fc.nat(1), fc.option(fc.constantFrom(...PROBE_VERDICTS), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const verdicts = new Verdicts();
      const words = new Map<string, Finding>();
      const known = new Map<string, string>();
      const show = (site: string, check: string) => JSON.stringify(verdicts.of(site, check));
      verdicts.changed.listen(({ check, site }) => {
        for (const one of site === undefined ? SITES : [site]) known.set(`${one} ${check}`, show(one, check));
      });
      for (const [edge, c, finding] of steps) {
        const site = SITES[edge % SITES.length]!;
        const key = `${edge} ${c}`;
        verdicts.replace(`c${c}`, site, words.get(key), finding);
        if (finding === undefined) words.delete(key);
        else words.set(key, finding);
      }
      for (const c of [0, 1]) {
        const of = (site: number): Finding | undefined => {
          const all = new Set([site, site + 3].map((edge) => words.get(`${edge} ${c}`)));
          if (all.size === 1 && all.has(undefined)) return undefined;
          return all.has('healthy') ? 'healthy' : all.has('unhealthy') ? 'unhealthy' : 'unknown';
        };
        const found = SITES.map((_, site) => of(site));
        const sitesThat = (word: Finding): number => found.filter((it) => it === word).length;
        const ill = sitesThat('unhealthy');
        const well = sitesThat('healthy');
        const fleet = ill + well === 0 ? 'unknown' : ill > well ? 'unhealthy' : 'healthy';
        for (const [i, site] of SITES.entries()) {
          const isOfFleet = (found[i] ?? 'unknown') === 'unknown' && (fleet !== 'unknown' || !found[i]);
          const isOutvoted = fleet === 'unhealthy' && ill + well > 1;
          const expected = isOfFleet || isOutvoted ? said(fleet, 'fleet', `c${c}`) : said(found[i]!, 'site', `c${c}`);
          assert.deepEqual(verdicts.of(site, `c${c}`), expected);
          assert.deepEqual(
            known.get(`${site} c${c}`) ?? JSON.stringify(said('unknown', 'fleet', `c${c}`)),
            show(site, `c${c}`),
          );
        }
      }
      const named = new Set([...words.keys()].map((key) => `c${key.split(' ')[1]}`));
      assert.deepEqual(new Set(verdicts.checks()), named);
    }),
  );
});
