/** What limits gave up, by rule and reason, added up over the tables that one process has made. Pure. */
import type { RuleCounters } from '../../../domain/fact/fact.ts';
import { createCounters } from '../../../engines/flow/counters.ts';
import type { KernelTable } from './kernel-table.ts';

export class Dropped {
  readonly #counted = new Map<string, { last: number; sum: number }>();

  /** The counters of the table begin at zero again. */
  restart(): void {
    for (const known of this.#counted.values()) known.last = 0;
  }

  /** What the table has counted until now was told by another process. */
  adopt(table: Pick<KernelTable, 'counters'>): void {
    table.counters((name, packets) =>
      this.#counted.set(name, { last: packets, sum: this.#counted.get(name)?.sum ?? 0 }),
    );
  }

  /** Rules that are not there any more are forgotten. */
  read(table: Pick<KernelTable, 'counters'>, isThere: (rule: string) => boolean): void {
    table.counters((name, packets) => {
      const known = this.#counted.get(name) ?? { last: 0, sum: 0 };
      // A counter that went and came back has begun again too.
      known.sum += packets < known.last ? packets : packets - known.last;
      known.last = packets;
      this.#counted.set(name, known);
    });
    for (const name of this.#counted.keys()) if (!isThere(ruleOf(name))) this.#counted.delete(name);
  }

  byRule(): ReadonlyMap<string, RuleCounters> {
    const dropped = new Map<string, Record<string, number>>();
    for (const [name, { sum }] of this.#counted) {
      const of = dropped.get(ruleOf(name)) ?? {};
      if (sum > 0) of[name.slice(name.lastIndexOf('.') + 1)] = sum;
      dropped.set(ruleOf(name), of);
    }
    return new Map([...dropped].map(([rule, dropped]) => [rule, { ...createCounters(), dropped }]));
  }
}

/** A counter is named `<rule>.<reason>`. */
function ruleOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}
