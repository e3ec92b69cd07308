/**
 * Counters of rules that are no more: told until they have been silent for a while, so that their last words are heard, and
 * then no longer. Engines keep them longer, because a rule that comes back goes on counting. Pure; the agent owns one, and
 * puts through it what is told to control.
 */
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import type { RuleCounters } from '../../domain/fact/fact.ts';
import { keys } from '../../store/records.ts';

/** limit: with the seconds until counters are read and told, a row is gone within five minutes. */
const SILENT_MS = 4 * 60_000;

type Counts = ReadonlyMap<string, RuleCounters>;

export class Departed {
  /** Rules that are no more → what they said last, and since when. */
  readonly #last = new Map<string, { readonly text: string; readonly since: number }>();

  /** Without those that have departed. `isThere`: the rule is, on or off. `now`: monotonic milliseconds. */
  without(all: Counts, isThere: (rule: string) => boolean, now: number): Counts {
    const told = new Map(all);
    for (const rule of this.#last.keys()) if (!all.has(rule)) this.#last.delete(rule);
    for (const [rule, counters] of all) {
      if (isThere(rule)) {
        this.#last.delete(rule);
        continue;
      }
      const text = JSON.stringify(counters);
      const known = this.#last.get(rule);
      if (known?.text !== text) this.#last.set(rule, { text, since: now });
      else if (now - known.since >= SILENT_MS && counters.active === 0) told.delete(rule);
    }
    return told;
  }
}

type Records = ReadonlyMap<string, { readonly value: unknown }>;

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
