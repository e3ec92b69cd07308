import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROBE_VERDICTS, type ProbeResult } from '../../domain/fact/health.ts';
import { afterResult, type CheckVerdict, UNCHECKED } from './check-verdict.ts';

type Finding = ProbeResult['verdict'];
const RISE = 3;
const FALL = 2;
const after = (findings: readonly Finding[], from: CheckVerdict = UNCHECKED): CheckVerdict =>
  findings.reduce((verdict, found) => afterResult(verdict, found, RISE, FALL), from);
const WORDS: Readonly<Record<string, Finding>> = { '+': 'healthy', '-': 'unhealthy', '?': 'unknown' };
const read = (line: string): Finding[] => Array.from(line, (sign) => WORDS[sign] ?? 'unknown');

test('verdicts after each result, word by word', () => {
  const cases: readonly (readonly [results: string, verdicts: string])[] = [
    // The first result decides alone.
    ['+', '+'],
    ['-', '-'],
    ['?', '?'],
    // Two bad ones in a row make it ill, three good ones well.
    ['+--+++', '++---+'],
    ['+-+-+-', '++++++'],
    ['--++-++', '-------'],
    // Where nothing was known, one good result is enough, and bad ones are counted.
    ['?+', '?+'],
    ['?-', '??'],
    ['?--', '??-'],
    // A check that can no longer tell takes its word back, as slowly as it would change it.
    ['+??', '++?'],
    ['-???', '---?'],
    ['+-?-', '++++'],
  ];
  for (const [results, verdicts] of cases) {
    const got = read(results).map((_, i) => after(read(results).slice(0, i + 1)).verdict);
    assert.deepEqual(got, read(verdicts), results);
  }
});

test('with another check what is known stays until its first result, which decides alone', () => {
  const ill = { ...after(['unhealthy']), isFresh: true };
  assert.equal(ill.verdict, 'unhealthy');
  assert.equal(after(['healthy'], ill).verdict, 'healthy');
});

test('model: a verdict changes exactly where its last results are alike, contradict it, and are enough', () => {
  const findings = fc.array(fc.constantFrom(...PROBE_VERDICTS), { maxLength: 40 });
  fc.assert(
    fc.property(findings, fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 }), (results, rise, fall) => {
      let verdict = UNCHECKED;
      let since = 0;
      for (const [i, found] of results.entries()) {
        const next = afterResult(verdict, found, rise, fall);
        const past = results.slice(since, i + 1);
        const alike = past.length - 1 - past.findLastIndex((one) => one !== found);
        let needed = verdict.verdict === 'unhealthy' ? rise : fall;
        if (i === 0 || (verdict.verdict === 'unknown' && found === 'healthy')) needed = 1;
        const changes = found !== verdict.verdict && alike >= needed;
        assert.equal(next.verdict, changes ? found : verdict.verdict);
        if (changes || found === verdict.verdict) since = i + 1;
        verdict = next;
      }
    }),
  );
});
