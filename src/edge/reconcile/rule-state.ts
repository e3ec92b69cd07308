/** The reconciler's state of one rule: what is wanted, what is under way, what failed. Plain data; only reconcile.ts changes it. */
import type { Backoff } from '../../lib/backoff.ts';
import type { Timer } from '../../lib/clock.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import type { Pending } from './watermark.ts';

export interface RuleState {
  readonly id: string;
  want: PlannedRule | undefined;
  /** Its limits are being written: the engine hears of the rule after that. */
  limits: Promise<void> | undefined;
  /** Something is to be done that the step under way does not know of. */
  isDirty: boolean;
  isWorking: boolean;
  /** The engine has not answered in time: no revision waits for this rule until it does. */
  isLate: boolean;
  /** Revisions that wait for the next step. */
  next: Pending[];
  /** Revisions that wait for the step under way. */
  current: Pending[];
  /** '': all is as wanted. */
  failure: string;
  /** Names of origins without an address when it was applied last. */
  unresolved: readonly string[];
  /** While it fails. */
  backoff: Backoff | undefined;
  retry: Timer | undefined;
}

export function newState(id: string): RuleState {
  return {
    id,
    want: undefined,
    limits: undefined,
    isDirty: false,
    isWorking: false,
    isLate: false,
    next: [],
    current: [],
    failure: '',
    unresolved: [],
    backoff: undefined,
    retry: undefined,
  };
}
