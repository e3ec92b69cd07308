/**
 * Which rules the table has, under which index, and which targets have which slot. Pure. An index is given again only
 * after its rule is gone with all its connections, because their marks carry it.
 */
import type { Listener } from '../engine.ts';
import { createCounters, hasCounted, keepCounters, type LiveCounters } from '../flow/counters.ts';
import { type CounterFile, openCounterFile } from './account/counter-file.ts';
import type { Flow } from '../../linux/netlink/conntrack.ts';
import { MOST_INDEX, pageOf } from './table/marks.ts';
import { NONE } from './table/contents.ts';
import { type Contents } from './table/sets.ts';
import type { Settings } from './table/settings.ts';

interface KernelCounters extends LiveCounters {
  /** Connections without a record: not in the sample, or ended without being heard of. */
  readonly unrecorded: { sampled: number; lost: number };
  fastPackets: number;
}

export interface KernelRule {
  readonly id: string;
  proxy: string;
  /** The first of its indices: marks.ts. */
  readonly index: number;
  /** Target address → slot, counted through all its indices. */
  slots: Map<string, number>;
  /** What it has in the table. */
  pieces: Contents;
  settings: Settings | undefined;
  /** As last applied; undefined: found in the table, not applied yet. */
  listener: Listener | undefined;
  /** New connections are led. */
  isUp: boolean;
  /** Connections that have to go → when, monotonic milliseconds. By conntrack id. */
  readonly leaving: Map<number, number>;
  /** UDP flows to a target that its name no longer says → what they had counted when they were last looked at. */
  readonly watched: Map<number, Pick<Flow, 'packetsIn' | 'packetsOut'>>;
  /** Connections may have to go that nobody has looked at. */
  mustJudge: boolean;
  readonly counted: KernelCounters;
  /** What each of the table's counters said last, and how many connections were seen to their end: books.ts. Of `index`. */
  readonly row: Float64Array;
  /** By index; all but the first have the table's counters alone. */
  readonly rows: Map<number, Float64Array>;
  /** What the last audit found: audit.ts. */
  audited: { readonly told: number; readonly alive: number; readonly missing: number };
  /** Entries in conntrack at the last survey, open or just closed. */
  flows: number;
}

export interface RuleSet {
  readonly rules: ReadonlyMap<string, KernelRule>;
  at(index: number): KernelRule | undefined;
  /** The rule of this id, new where there was none, with so many indices at least. undefined: the table is full. */
  take(id: string, proxy: string, pages?: number): KernelRule | undefined;
  /** One that was in the table before this engine. `indices`: one at least. */
  inherit(id: string, proxy: string, indices: readonly number[]): KernelRule;
  /** Its last connection is gone. */
  release(rule: KernelRule): void;
}

type Rows = Pick<CounterFile, 'row'>;

export function createRuleSet(
  books: Rows = openCounterFile(undefined, 0),
): RuleSet & { readonly retired: ReadonlyMap<string, KernelCounters> } {
  const rules = new Map<string, KernelRule>();
  const byIndex = new Map<number, KernelRule>();
  const retired = new Map<string, KernelCounters>();
  let last = 0;

  function add(id: string, proxy: string, indices: readonly number[]): KernelRule {
    const [index = 0] = indices;
    const rule: KernelRule = {
      id,
      proxy,
      index,
      slots: new Map(),
      pieces: NONE,
      settings: undefined,
      listener: undefined,
      isUp: false,
      leaving: new Map(),
      watched: new Map(),
      mustJudge: false,
      counted: retired.get(id) ?? { ...createCounters(), unrecorded: { sampled: 0, lost: 0 }, fastPackets: 0 },
      row: books.row(index),
      rows: new Map(),
      audited: { told: 0, alive: 0, missing: 0 },
      flows: 0,
    };
    retired.delete(id);
    rules.set(id, rule);
    return widen(rule, indices);
  }

  function widen(rule: KernelRule, indices: readonly number[]): KernelRule {
    for (const index of indices) {
      rule.rows.set(index, index === rule.index ? rule.row : books.row(index));
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
    rules,
    retired,
    at: (index) => byIndex.get(index),
    take(id, proxy, pages = 1) {
      const known = rules.get(id);
      const more = freeIndices(pages - (known?.rows.size ?? 0));
      for (const index of more ?? []) books.row(index).fill(0);
      return more && (known ? widen(known, more) : add(id, proxy, more));
    },
    inherit: add,
    release(rule) {
      rules.delete(rule.id);
      for (const index of rule.rows.keys()) byIndex.delete(index);
      // Nothing looks at it any more.
      rule.counted.active = 0;
      if (hasCounted(rule.counted)) keepCounters(retired, rule.id, rule.counted);
    },
  };
}

/** How many indices these slots take. */
export function pagesFor(slots: ReadonlyMap<string, number>): number {
  const last = slots.values().reduce((most, slot) => Math.max(most, slot), 1);
  return pageOf(last) + 1;
}

/** Gives every target a slot; those that were there keep theirs. */
export function assignSlots(slots: Map<string, number>, targets: Listener['targets']): void {
  const wanted = new Set(targets.map(({ address }) => address));
  for (const address of slots.keys()) if (!wanted.has(address)) slots.delete(address);
  const used = new Set(slots.values());
  let slot = 1;
  for (const address of wanted) {
    if (slots.has(address)) continue;
    while (used.has(slot)) slot++;
    used.add(slot);
    slots.set(address, slot);
  }
}

/** Its places are its own, though nobody knows yet which they are. */
export function isInherited(rule: KernelRule | undefined): boolean {
  return rule !== undefined && rule.isUp && !rule.listener;
}
