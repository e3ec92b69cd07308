/**
 * Everything that a stranger can make grow, once: how far, and what counts the refusals. `edgefour doctor` and
 * docs/reference/budgets.md are this table printed; who enforces one reads its number here. Pure data.
 */
export interface Budget {
  readonly most: number;
  readonly unit: string;
  /** What it bounds, and what happens beyond it. */
  readonly help: string;
}

const MiB = 1 << 20;

export const BUDGETS = {
  'unverified-bodies': {
    most: 64 * MiB,
    unit: 'bytes',
    help: 'API request bodies in memory whose signature has not been checked, all connections together.',
  },
} as const satisfies Record<string, Budget>;

export type BudgetName = keyof typeof BUDGETS;
