/**
 * All rules of this engine: made by their first `apply`, known until they are removed and their last connection is gone;
 * what they counted outlives them. Calls about one rule run in their order. Made by engine.ts.
 */
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type { Mode } from '../../domain/l4-rule/modes.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Applied, Listener } from '../engine.ts';
import { STOP_POLL_MS } from '../flow/behaviour.ts';
import { createCounters, hasCounted, keepCounters, type LiveCounters, snapshot } from '../flow/counters.ts';
import { createKeyedQueue } from '../flow/keyed-queue.ts';
import type { NodeRule } from './rule.ts';

/** limit: connections that end at once because their origin is down; a few milliseconds. */
const MOST_ENDS = 64;

export class NodeRules {
  readonly #clock: Clock;
  readonly #modes: readonly Mode[];
  readonly #make: (listener: Listener, counters: LiveCounters) => NodeRule;
  /** Removed ones too, until their last connection is gone. */
  readonly #rules = new Map<string, NodeRule>();
  readonly #removed = new Set<string>();
  readonly #retired = new Map<string, LiveCounters>();
  readonly #calls = createKeyedQueue();
  #isStopping = false;

  /** `modes`: those that this engine can do. */
  constructor(clock: Clock, modes: readonly Mode[], make: (listener: Listener, counters: LiveCounters) => NodeRule) {
    this.#clock = clock;
    this.#modes = modes;
    this.#make = make;
  }

  get size(): number {
    return this.#rules.size;
  }

  apply(listener: Listener): Promise<Applied> {
    return this.#calls.run(listener.id, () => this.#applyNow(listener));
  }

  remove(id: string): Promise<void> {
    return this.#calls.run(id, () => {
      const rule = this.#rules.get(id);
      if (!rule) return;
      this.#removed.add(id);
      rule.close();
      this.#retire(id);
    });
  }

  async prune(keep: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#rules.keys()].filter((id) => !keep.has(id) && !this.#removed.has(id));
    await Promise.all(gone.map((id) => this.remove(id)));
  }

  counters(): Map<string, RuleCounters> {
    const all = new Map<string, RuleCounters>();
    for (const [id, counters] of this.#retired) all.set(id, snapshot(counters));
    for (const [id, { counters }] of this.#rules) if (hasCounted(counters)) all.set(id, snapshot(counters));
    return all;
  }

  /** Now and then. */
  sweep(): void {
    for (const rule of this.#rules.values()) rule.sweep();
    for (const id of this.#removed) this.#retire(id);
    this.leaveDown();
  }

  /** Connections whose origin is down end where their rule says so; the engine goes on between many. */
  leaveDown(): void {
    let left = MOST_ENDS;
    for (const rule of this.#rules.values()) left -= rule.leaveDown(left);
    if (left === 0) this.#clock.after(0, () => this.leaveDown());
  }

  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#calls.idle();
    for (const rule of this.#rules.values()) rule.unlisten('shutdown');
    const clock = this.#clock;
    const end = clock.monotonic() + drainMs;
    const isAlive = (): boolean => this.#rules.values().some((rule) => rule.connections > 0);
    while (isAlive() && clock.monotonic() < end) await clock.sleep(STOP_POLL_MS);
    for (const rule of this.#rules.values()) rule.endAll('shutdown');
  }

  async #applyNow(listener: Listener): Promise<Applied> {
    const { id } = listener;
    const reason = this.#refusal(listener);
    const known = this.#rules.get(id);
    if (reason !== undefined) {
      known?.close();
      return { ok: false, reason };
    }
    const rule = known ?? this.#make(listener, this.#retired.get(id) ?? createCounters());
    this.#rules.set(id, rule);
    this.#retired.delete(id);
    this.#removed.delete(id);
    return rule.apply(listener);
  }

  #refusal({ mode, entries }: Listener): string | undefined {
    if (this.#isStopping) return 'the engine is stopping';
    if (!this.#modes.includes(mode)) return `the node engine cannot do ${mode}`;
    return entries.length === 0 ? 'the rule has no entry address on this edge' : undefined;
  }

  /** Forgets a removed rule once nothing of it lives, but for what it counted. */
  #retire(id: string): void {
    const rule = this.#rules.get(id);
    if (!rule || rule.connections > 0) return;
    this.#rules.delete(id);
    this.#removed.delete(id);
    if (hasCounted(rule.counters)) keepCounters(this.#retired, id, rule.counters);
  }
}
