/** The one assertion of the house tests: a rule holds when its list of violations is empty; each says what to do. */
import assert from 'node:assert/strict';

export function holds(violations: readonly string[]): void {
  if (violations.length > 0) assert.fail(`\n  ${[...new Set(violations)].join('\n  ')}\n`);
}
