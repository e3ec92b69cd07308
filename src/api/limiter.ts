/**
 * How many calls a second a key makes of one action, counted by a token bucket each; refuses those beyond it. Idle buckets
 * go when there are many. Asked by the pipeline's step (steps/limits.ts).
 */
import { Fault } from '../faults/fault.ts';
import type { Clock } from '../lib/clock.ts';
import { TokenBucket } from '../lib/token-bucket.ts';

/** limit: 1,000 keys calling a few actions each; beyond it, idle buckets are dropped first. */
const SWEEP_ABOVE = 4096;

interface Meter {
  readonly bucket: TokenBucket;
  /** Calls refused since the last one that was let through. */
  refused: number;
}

export class Limiter {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #meters = new Map<string, Meter>();

  /** 0 calls per second means no limit. */
  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** How many keys and actions are counted at the moment. */
  get size(): number {
    return this.#meters.size;
  }

  /** Throws RequestLimitExceeded when the key asks this too often. */
  admit(key: string, action: string): void {
    if (this.#perSecond === 0) return;
    const now = this.#clock.monotonic();
    const meter = this.#meter(`${key}/${action}`, now);
    if (meter.bucket.take(now)) {
      meter.refused = 0;
      return;
    }
    meter.refused += 1;
    throw new Fault('RequestLimitExceeded', undefined, {
      times: String(this.#perSecond + meter.refused),
      limit: String(this.#perSecond),
    });
  }

  #meter(name: string, now: number): Meter {
    let meter = this.#meters.get(name);
    if (!meter) {
      if (this.#meters.size >= SWEEP_ABOVE) this.#sweep(now);
      meter = { bucket: new TokenBucket(this.#perSecond, this.#perSecond, now), refused: 0 };
      this.#meters.set(name, meter);
    }
    return meter;
  }

  #sweep(now: number): void {
    for (const [key, meter] of this.#meters) if (meter.bucket.isFull(now)) this.#meters.delete(key);
  }
}
