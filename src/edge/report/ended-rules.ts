/**
 * Counters of rules that have ended: told until they have not changed for a while, so that their last connections are
 * counted, and then no longer. Engines keep them longer, because a rule that comes back goes on counting. Pure; meter.ts
 * owns one.
 */
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import type { RuleCounters } from '../../domain/fact/fact.ts';
import { keys } from '../../store/records.ts';

/** limit: with the seconds until counters are read and told, a row is gone within five minutes. */
const UNCHANGED_MS = 4 * 60_000;

type Counts = ReadonlyMap<string, RuleCounters>;

export class EndedRules {
  /** Rule that has ended → its counters as they were told last, and since when. */
  readonly #last = new Map<string, { readonly text: string; readonly since: number }>();

  /** Without those that ended a while ago. `isRule`: the rule is there, on or off. `now`: monotonic milliseconds. */
  without(all: Counts, isRule: (rule: string) => boolean, now: number): Counts {
    const told = new Map(all);
    for (const rule of this.#last.keys()) if (!all.has(rule)) this.#last.delete(rule);
    for (const [rule, counters] of all) {
      if (isRule(rule)) {
        this.#last.delete(rule);
        continue;
      }
      const text = JSON.stringify(counters);
      const known = this.#last.get(rule);
      if (known?.text !== text) this.#last.set(rule, { text, since: now });
      else if (now - known.since >= UNCHANGED_MS && counters.active === 0) told.delete(rule);
    }
    return told;
  }
}

export type Records = ReadonlyMap<string, { readonly value: unknown }>;

/** Of all rules that there are, on or off. */
export function ruleIds(records: Records): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const [key, { value }] of records) {
    if (!key.startsWith(keys.allProxies())) continue;
    // A record that makes no sense has no rules.
    const { rules } = (value ?? {}) as Partial<L4Proxy>;
    for (const rule of Array.isArray(rules) ? rules : []) if (typeof rule?.id === 'string') ids.add(rule.id);
  }
  return ids;
}
