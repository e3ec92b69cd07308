/**
 * What an engine's threads have counted, one after the other: counters go on where a thread that died had got to. Pure;
 * worker-engine.ts has one.
 */
import type { RuleCounters } from '../../domain/fact/fact.ts';
import { addCounters } from '../flow/counters.ts';

export type Counts = ReadonlyMap<string, RuleCounters>;

export class ThreadCounters {
  /** Of threads that are gone, as far as they were asked. */
  #past: Counts = new Map();
  /** As this thread said when it was last asked. */
  #latest: Counts = new Map();

  note(counts: Counts): void {
    this.#latest = counts;
  }

  /** The thread died, and its connections with it. */
  close(): void {
    this.#past = sum(this.#past, this.#latest, { active: 0 });
    this.#latest = new Map();
  }

  all(): Counts {
    return sum(this.#past, this.#latest);
  }
}

function sum(past: Counts, present: Counts, change: Partial<RuleCounters> = {}): Counts {
  const both = new Map(past);
  for (const [id, counters] of present) {
    const before = past.get(id);
    both.set(id, { ...(before ? addCounters(before, counters) : counters), ...change });
  }
  return both;
}
