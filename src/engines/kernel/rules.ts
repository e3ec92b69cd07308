/**
 * The rules that the table has, each under indices of its own: the numbers that the marks of its connections carry. An index
 * is given again only after its rule is gone with all its connections. Pure; open.ts makes the set, and the whole engine
 * looks rules up in it.
 */
import type { Listener } from '../engine.ts';
import { hasCounted, keepCounters } from '../flow/counters.ts';
import { createKernelCounters, type KernelCounters, type RuleAccount } from './account/balance.ts';
import { MOST_INDEX } from './table/marks.ts';
import { type Contents, NO_CONTENTS } from './table/sets.ts';
import type { Settings } from './table/settings.ts';

export interface KernelRule {
  readonly id: string;
  proxy: string;
  /** One at least; more where it has more targets than one can tell apart. The first is its name in the table. */
  readonly indices: number[];
  /** Target address → slot, counted through all its indices. */
  slots: Map<string, number>;
  /** What it has in the table. */
  contents: Contents;
  settings: Settings | undefined;
  /** As last applied; undefined: found in the table, not applied yet. */
  listener: Listener | undefined;
  /** New connections are led. */
  isUp: boolean;
  /** A change may have left connections without a place that were not looked at yet. */
  mustJudge: boolean;
  readonly account: RuleAccount;
  /** Its entries in conntrack at the last look, open or just closed. */
  flows: number;
}

/** A rule that the table had before this engine. */
export interface FoundRule extends Pick<KernelRule, 'id' | 'proxy' | 'slots' | 'contents' | 'settings' | 'isUp'> {
  readonly indices: readonly number[];
}

export interface RuleSet {
  readonly byId: ReadonlyMap<string, KernelRule>;
  /** What rules that are gone have counted. */
  readonly retired: ReadonlyMap<string, KernelCounters>;
  at(index: number): KernelRule | undefined;
  /** The rule of this id, new where there was none, with so many indices at least. undefined: the table is full. */
  take(id: string, proxy: string, pages?: number): KernelRule | undefined;
  inherit(found: FoundRule): void;
  /** Its last connection is gone. */
  release(rule: KernelRule): void;
}

/** `row`: where the numbers of an index are kept. */
export function createRuleSet(row: (index: number) => Float64Array): RuleSet {
  const byId = new Map<string, KernelRule>();
  const byIndex = new Map<number, KernelRule>();
  const retired = new Map<string, KernelCounters>();
  let last = 0;

  function add(found: FoundRule): KernelRule {
    const { id, indices } = found;
    const counted = retired.get(id) ?? createKernelCounters();
    retired.delete(id);
    const account = { counted, row: row(indices[0] ?? 0), rows: new Map(), found: { told: 0, alive: 0, missing: 0 } };
    const rule = { ...found, indices: [], listener: undefined, mustJudge: false, account, flows: 0 };
    byId.set(id, rule);
    return widen(rule, indices);
  }

  function widen(rule: KernelRule, indices: readonly number[]): KernelRule {
    const { rows, row: first } = rule.account;
    for (const index of indices) {
      rows.set(index, rows.size === 0 ? first : row(index));
      rule.indices.push(index);
      byIndex.set(index, rule);
    }
    return rule;
  }

  /** Going round, so that an index rests before it is used again. */
  function freeIndices(count: number): number[] | undefined {
    const free: number[] = [];
    for (let tried = 0; tried < MOST_INDEX && free.length < count; tried++) {
      last = (last % MOST_INDEX) + 1;
      if (!byIndex.has(last)) free.push(last);
    }
    return free.length < count ? undefined : free;
  }

  return {
    byId,
    retired,
    at: (index) => byIndex.get(index),
    take(id, proxy, pages = 1) {
      const known = byId.get(id);
      const more = freeIndices(pages - (known?.indices.length ?? 0));
      for (const index of more ?? []) row(index).fill(0);
      if (!more || known) return more && known && widen(known, more);
      return add({
        id,
        proxy,
        indices: more,
        slots: new Map(),
        contents: NO_CONTENTS,
        settings: undefined,
        isUp: false,
      });
    },
    inherit: (found) => void (add(found).mustJudge = true),
    release(rule) {
      byId.delete(rule.id);
      for (const index of rule.indices) byIndex.delete(index);
      const { counted } = rule.account;
      // Nothing looks at it any more.
      counted.active = 0;
      if (hasCounted(counted)) keepCounters(retired, rule.id, counted);
    },
  };
}

/** Its places are its own, though this engine does not know yet which they are. */
export function isInherited(rule: KernelRule | undefined): boolean {
  return rule !== undefined && rule.isUp && !rule.listener;
}
