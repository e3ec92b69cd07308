/** Golden files: testdata/<case>.in.json compiles to testdata/<case>.out.json. `UPDATE=1` writes what comes out. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PlanSite } from './compile.ts';
import { compilePlan, type PlanRecord } from './planner.ts';

const FOLDER = new URL('testdata/', import.meta.url);

interface Case {
  readonly site: PlanSite;
  /** Key → value. */
  readonly records: Readonly<Record<string, unknown>>;
}

function records(of: Case['records']): PlanRecord[] {
  return Object.entries(of).map(([key, value]) => ({ key, value }));
}

function compiled({ site, records: of }: Case): unknown {
  const plan = compilePlan(records(of), site);
  const pools = plan.pools.size > 0 && { pools: Object.fromEntries(plan.pools) };
  return { rules: [...plan.rules.values()], failures: Object.fromEntries(plan.failures), ...pools };
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.in.json'))) {
  test(`compiles ${file}`, () => {
    const given = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Case;
    const golden = new URL(file.replace('.in.', '.out.'), FOLDER);
    const actual = `${JSON.stringify(compiled(given), undefined, 2)}\n`;
    if (env['UPDATE'] === '1') writeFileSync(golden, actual);
    assert.equal(actual, readFileSync(golden, 'utf8'));
  });
}

test('a record of any form at all breaks no other instance', () => {
  const good = JSON.parse(readFileSync(new URL('forwards.in.json', FOLDER), 'utf8')) as Case;
  const wanted = compilePlan(records(good.records), good.site);
  assert.ok(wanted.rules.size > 0);
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom(
        'proxy/zone-a/odd',
        'proxy/',
        'origin-group/zone-a/og-odd',
        'load-balancer/zone-a/lb-odd',
        'origin-state/zone-a/198.51.100.1',
      ),
      (value, key) => {
        const plan = compilePlan([{ key, value }, ...records(good.records)], good.site);
        for (const [id, rule] of wanted.rules) assert.deepEqual(plan.rules.get(id), rule);
      },
    ),
  );
});

test('a rule with any field of any form fails alone', () => {
  const good = JSON.parse(readFileSync(new URL('forwards.in.json', FOLDER), 'utf8')) as Case;
  const wanted = compilePlan(records(good.records), good.site);
  const key = 'proxy/zone-a/web';
  const proxy = good.records[key] as { readonly rules: readonly Record<string, unknown>[] };
  const field = fc.constantFrom(...Object.keys(proxy.rules[0] ?? {}), 'options', 'mode', 'sessionPersistTime');
  fc.assert(
    fc.property(field, fc.jsonValue(), (name, value) => {
      const rules = [{ ...proxy.rules[0], id: 'rule-odd', [name]: value }, ...proxy.rules];
      const plan = compilePlan(records({ ...good.records, [key]: { ...proxy, rules } }), good.site);
      for (const [id, rule] of wanted.rules) if (id !== value) assert.deepEqual(plan.rules.get(id), rule);
    }),
  );
});
