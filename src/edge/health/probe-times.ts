/**
 * How long the last probes of a check took: fixed memory, however many there were. It judges nothing. Each check of checks.ts
 * has one.
 */

/** limit: with fewer, the 99th of a hundred would be the slowest one. */
const KEPT = 100;
/** limit: the greatest number that fits; a minute. */
const LONGEST_MS = 65_504;

export class ProbeTimes {
  /** Since the edge's process began. */
  tries = 0;
  /** Milliseconds, to three digits; the newest in place of the oldest. Ten thousand checks have one each. */
  readonly #kept = new Float16Array(KEPT);

  add(ms: number): void {
    this.#kept[this.tries % KEPT] = Math.min(ms, LONGEST_MS);
    this.tries++;
  }

  /** The time in milliseconds that this share of the last probes took no longer than; 0: there were none. */
  quantile(share: number): number {
    const sorted = this.#kept.slice(0, this.tries).toSorted();
    return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? 0;
  }
}
