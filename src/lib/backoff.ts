/** How long to wait before trying again: doubling, with jitter, so that many who failed together don't return together. */
import type { Rng } from './rng.ts';

export interface Backoff {
  /** Milliseconds until the next try: between half of the current step and all of it; the step then doubles. */
  next(): number;
  /** It worked: the next failure starts from the first step again. */
  reset(): void;
}

export function createBackoff(firstMs: number, maxMs: number, rng: Rng): Backoff {
  let step = firstMs;
  return {
    next() {
      const half = Math.ceil(step / 2);
      step = Math.min(step * 2, maxMs);
      return half + rng.below(half + 1);
    },
    reset() {
      step = firstMs;
    },
  };
}
