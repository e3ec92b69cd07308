/** How far strangers can make things grow: config/budgets.ts as findings of the doctor, one line each. */
import { type Budget, budgetCounter, BUDGETS } from '../../config/budgets.ts';
import { type Finding, ok } from '../../observe/finding.ts';

export function budgetFindings(): Finding[] {
  return Object.entries<Budget>(BUDGETS).map(([name, budget]) =>
    ok(
      'budget',
      `${name}: at most ${budget.most.toLocaleString('en-US')} ${budget.unit}; ${budgetCounter(name, budget)}`,
    ),
  );
}
