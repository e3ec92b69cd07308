/**
 * A call that asks for more than a budget of config/budgets.ts allows. Thrown by any part of the pipeline;
 * pipeline.ts counts it, so no other place has to.
 */
import { type Budget, type BudgetName, BUDGETS } from '../config/budgets.ts';
import type { FaultCode } from '../faults/catalogue.ts';
import { Fault } from '../faults/fault.ts';

export class OverBudget extends Fault {
  readonly budget: BudgetName;

  constructor(budget: BudgetName, code: FaultCode = 'RequestSizeLimitExceeded') {
    const { most, unit }: Budget = BUDGETS[budget];
    super(code, `At most ${most.toLocaleString('en-US')} ${unit}.`);
    this.budget = budget;
  }
}
