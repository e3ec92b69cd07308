/**
 * The rules of the engine, as the agent's thread knows them: the sockets and the shared memory of each, and what it has
 * counted. A removed rule stays until its last connection has ended; its counters stay longer, because a rule that comes
 * back must not count from 0. It refuses to bind anything and to talk to workers: uring-engine.ts does both.
 */
import type { RuleCounters } from '../../../domain/fact/fact.ts';
import type { Listener } from '../../engine.ts';
import { addCounters, hasCounted, keepCounters } from '../../flow/counters.ts';
import { newRow, sumRows } from '../worker/counters.ts';
import type { Row } from '../worker/counters.ts';
import { persistenceMemory } from '../worker/persistence.ts';
import type { RuleName } from '../worker/records.ts';
import { placeMemory } from '../worker/schedule.ts';
import type { BoundPoint } from './listening-sockets.ts';

export interface ServedRule {
  /** The number by which workers know it. */
  readonly index: number;
  listener: Listener;
  /** By the point's key. */
  readonly points: Map<string, BoundPoint>;
  /** `closing`: workers have been told to close its sockets; `removed`: they have. */
  state: 'served' | 'closing' | 'removed';
  /** Counters by worker. */
  readonly rows: readonly Row[];
  /** Shared by all workers: the places in the schedule of targets; the clients and their targets. */
  readonly position: SharedArrayBuffer;
  persistence: SharedArrayBuffer | undefined;
  /** Its counters from before it was removed and came back. */
  readonly past: RuleCounters | undefined;
}

export class ServedRules {
  readonly #workers: number;
  readonly #rules = new Map<string, ServedRule>();
  readonly #byIndex = new Map<number, ServedRule>();
  /** Counters of rules that are gone, oldest first. */
  readonly #retired = new Map<string, RuleCounters>();
  #nextIndex = 0;

  constructor(workers: number) {
    this.#workers = workers;
  }

  get ids(): string[] {
    return [...this.#rules.keys()];
  }

  get served(): ServedRule[] {
    return [...this.#rules.values()].filter(({ state }) => state === 'served');
  }

  get(id: string): ServedRule | undefined {
    return this.#rules.get(id);
  }

  /** The rule of this listener, which is new where the engine does not know it. */
  open(listener: Listener): ServedRule {
    const known = this.#rules.get(listener.id);
    if (known) return known;
    const rule: ServedRule = {
      index: this.#nextIndex++,
      listener,
      points: new Map(),
      state: 'served',
      rows: Array.from({ length: this.#workers }, newRow),
      position: placeMemory(),
      persistence: undefined,
      past: this.#retired.get(listener.id),
    };
    this.#byIndex.set(rule.index, rule);
    this.#rules.set(listener.id, rule);
    this.#retired.delete(listener.id);
    return rule;
  }

  nameOf(index: number): RuleName | undefined {
    return this.#byIndex.get(index)?.listener;
  }

  /** Sockets that rules with more than `few` of them have together. */
  boundBeyond(few: number): number {
    let bound = 0;
    for (const { points } of this.#rules.values()) bound += points.size > few ? points.size : 0;
    return bound;
  }

  /** The removed rules that have no connection left. */
  ended(): ServedRule[] {
    return [...this.#rules.values()].filter((rule) => rule.state === 'removed' && countersOf(rule).active === 0);
  }

  /** Forgets an ended rule but for its counters. */
  retire(rule: ServedRule): void {
    const { id } = rule.listener;
    this.#rules.delete(id);
    this.#byIndex.delete(rule.index);
    keepCounters(this.#retired, id, countersOf(rule));
  }

  /** Of all rules that have counted something, gone ones too. */
  counters(): Map<string, RuleCounters> {
    const all = new Map(this.#retired);
    for (const [id, rule] of this.#rules) {
      const counters = countersOf(rule);
      // A session that came from another process was counted there.
      if (hasCounted(counters)) all.set(id, counters);
    }
    return all;
  }
}

/** The rule is served as this listener says. */
export function update(rule: ServedRule, listener: Listener): void {
  rule.listener = listener;
  rule.state = 'served';
  rule.persistence = listener.persistSeconds > 0 ? (rule.persistence ?? persistenceMemory()) : undefined;
}

function countersOf({ rows, past }: ServedRule): RuleCounters {
  const sums = sumRows(rows);
  return past ? addCounters(past, sums) : sums;
}
