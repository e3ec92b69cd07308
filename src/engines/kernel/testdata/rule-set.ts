/** Rules whose numbers last as long as the test. */
import { ROW_WIDTH } from '../account/balance.ts';
import { createRuleSet, type RuleSet } from '../rules.ts';

export function emptyRules(): RuleSet {
  const rows = new Map<number, Float64Array>();
  return createRuleSet((index) => {
    const row = rows.get(index) ?? new Float64Array(ROW_WIDTH);
    rows.set(index, row);
    return row;
  });
}
