/** What the reconciler remembers of one rule: what is wanted, what is done, where it is. Plain data; only reconcile.ts changes it. */
import type { Backoff } from '../../lib/backoff.ts';
import type { Timer } from '../../lib/clock.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import type { Listener } from '../../engines/engine.ts';
import type { EngineName } from '../../engines/registry.ts';
import type { Mark } from './ledger.ts';

export interface Placed {
  readonly engine: EngineName;
  readonly why: string;
}

export interface Slot {
  readonly id: string;
  want: PlannedRule | undefined;
  /** What its engine has to wait for. */
  first: Promise<void> | undefined;
  /** Something is to be done that no step under way knows of; `marks` wait for it. */
  dirty: boolean;
  marks: Mark[];
  working: boolean;
  /** What waits for the step under way. */
  held: Mark[];
  /** The engine has not answered in time: nothing waits for this rule until it does. */
  late: boolean;
  placed: Placed | undefined;
  /** What the engine there has done last. */
  served: Listener | undefined;
  /** What is different since it came from another engine. */
  changes: readonly string[];
  failure: string;
  /** Names of origins without an address when it was applied last. */
  unresolved: readonly string[];
  /** While it fails. */
  backoff: Backoff | undefined;
  retry: Timer | undefined;
}

/** Why this engine, and what there is to say of how it serves the rule. */
export function withNotes({ engine, why }: Placed, notes: readonly string[]): Placed {
  return { engine, why: [why, ...notes].join('; ') };
}

export function blank(id: string): Slot {
  const nothing = {
    want: undefined,
    first: undefined,
    placed: undefined,
    served: undefined,
    backoff: undefined,
    retry: undefined,
  };
  return {
    id,
    ...nothing,
    dirty: false,
    marks: [],
    working: false,
    held: [],
    late: false,
    changes: [],
    failure: '',
    unresolved: [],
  };
}
