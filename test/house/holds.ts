/** The assertions of the house tests: a rule holds when its list of violations is empty; each says what to do. */
import assert from 'node:assert/strict';
import { KNOWN } from './known.ts';

export function holds(violations: readonly string[]): void {
  if (violations.length > 0) assert.fail(`\n  ${[...new Set(violations)].join('\n  ')}\n`);
}

/** As long as not all of the house complies: violations by name, but for those in known.ts, all of which must be there. */
export function holdsBut(rule: keyof typeof KNOWN, violations: ReadonlyMap<string, string>): void {
  const known: readonly string[] = KNOWN[rule];
  const fresh = [...violations].filter(([name]) => !known.includes(name)).map(([, violation]) => violation);
  const stale = known.filter((name) => !violations.has(name));
  holds([...fresh, ...stale.map((name) => `${name} complies now: take it out of ${rule} in test/house/known.ts`)]);
}
