/**
 * Which rules the table has, under which index, and which targets have which slot. Pure. An index is given again only
 * after its rule is gone with all its connections, because their marks carry it.
 */
import type { Listener } from '../../engine.ts';
import { createCounters, type LiveCounters } from '../../flow/counters.ts';
import type { Counted } from '../../../lib/nft/elements.ts';
import { MOST_INDEX } from './marks.ts';
import { NONE, type Pieces } from './pieces.ts';
import type { Settings } from './settings.ts';

export interface KernelRule {
  readonly id: string;
  proxy: string;
  readonly index: number;
  /** Target address → slot. */
  readonly slots: Map<string, number>;
  /** What it has in the table. */
  pieces: Pieces;
  settings: Settings | undefined;
  /** As last applied; undefined: found in the table, not applied yet. */
  listener: Listener | undefined;
  /** New connections are led. */
  isUp: boolean;
  /** Connections that have to go → when, monotonic milliseconds. By conntrack id. */
  readonly leaving: Map<number, number>;
  /** Connections may have to go that nobody has looked at. */
  mustJudge: boolean;
  readonly counted: LiveCounters;
  /** What each of the table's counters said last: counts.ts. */
  readonly read: Map<string, Counted>;
  /** Entries in conntrack at the last survey, open or just closed. */
  flows: number;
}

export interface Registry {
  readonly rules: ReadonlyMap<string, KernelRule>;
  at(index: number): KernelRule | undefined;
  /** The rule of this id, new where there was none. undefined: the table is full. */
  take(id: string, proxy: string): KernelRule | undefined;
  /** One that was in the table before this engine. */
  inherit(id: string, proxy: string, index: number): KernelRule;
  /** Its last connection is gone. */
  release(rule: KernelRule): void;
}

/** limit: 3 MB; counters of rules that are gone, kept because a rule that comes back must not count from 0. */
const MOST_RETIRED = 10_000;

export function createRegistry(): Registry & { readonly retired: ReadonlyMap<string, LiveCounters> } {
  const rules = new Map<string, KernelRule>();
  const byIndex = new Map<number, KernelRule>();
  const retired = new Map<string, LiveCounters>();
  let last = 0;

  function add(id: string, proxy: string, index: number): KernelRule {
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
      mustJudge: false,
      counted: retired.get(id) ?? createCounters(),
      read: new Map(),
      flows: 0,
    };
    retired.delete(id);
    rules.set(id, rule);
    byIndex.set(index, rule);
    return rule;
  }

  /** Going round, so that an index rests before it is used again. */
  function freeIndex(): number | undefined {
    for (let tried = 0; tried < MOST_INDEX; tried++) {
      last = (last % MOST_INDEX) + 1;
      if (!byIndex.has(last)) return last;
    }
    return undefined;
  }

  return {
    rules,
    retired,
    at: (index) => byIndex.get(index),
    take(id, proxy) {
      const known = rules.get(id);
      if (known) return known;
      const index = freeIndex();
      return index === undefined ? undefined : add(id, proxy, index);
    },
    inherit: add,
    release(rule) {
      rules.delete(rule.id);
      byIndex.delete(rule.index);
      const { connections, dropped } = rule.counted;
      if (connections > 0 || Object.keys(dropped).length > 0) retired.set(rule.id, rule.counted);
      for (const oldest of retired.keys()) {
        if (retired.size <= MOST_RETIRED) break;
        retired.delete(oldest);
      }
    },
  };
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
