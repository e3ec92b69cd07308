/** The counters of one rule, as engines count them: plain numbers, cheap to add to. domain/fact lists them. */
import {
  type CommonCounter,
  COUNTERS,
  type Counter,
  type DropReason,
  type RareCounter,
  type RuleCounters,
  type WordOf,
} from '../../domain/fact/fact.ts';
import { addNumbers } from '../../lib/add.ts';
import { MOST_RETIRED } from './behaviour.ts';

type Table<N extends CommonCounter> = Partial<Record<WordOf<N>, number>>;
type WholeTable<N extends RareCounter> = Record<WordOf<N>, number>;

export type LiveCounters = {
  -readonly [N in CommonCounter]: [WordOf<N>] extends [never] ? number : Table<N>;
} & { -readonly [N in RareCounter]?: [WordOf<N>] extends [never] ? number : WholeTable<N> };

export function createCounters(): LiveCounters {
  const common = Object.entries<Counter>(COUNTERS).filter(([, { rare }]) => !rare);
  return Object.fromEntries(common.map(([name, { words }]) => [name, words ? {} : 0])) as LiveCounters;
}

export function countDrop(counters: LiveCounters, reason: DropReason): void {
  counters.dropped[reason] = (counters.dropped[reason] ?? 0) + 1;
}

/** A copy that no longer changes. */
export function snapshot(counters: LiveCounters): RuleCounters {
  const copies = Object.entries(counters).map(([name, value]) => [
    name,
    typeof value === 'number' ? value : { ...value },
  ]);
  return Object.fromEntries(copies) as RuleCounters;
}

/** The sum of one rule's counters in two places, or in two lives of one place. */
export const addCounters = (a: RuleCounters, b: RuleCounters): RuleCounters => addNumbers(a, b);

/** Whether the rule has anything to tell. */
export function hasCounted({ connections, active, packetsIn, dropped }: RuleCounters): boolean {
  return connections + active + packetsIn > 0 || Object.keys(dropped).length > 0;
}

/** Keeps the counters of a rule that is gone; where there are too many, those of the rule that went first are forgotten. */
export function keepCounters<C>(retired: Map<string, C>, id: string, counters: C): void {
  retired.set(id, counters);
  for (const oldest of retired.keys()) {
    if (retired.size <= MOST_RETIRED) return;
    retired.delete(oldest);
  }
}
