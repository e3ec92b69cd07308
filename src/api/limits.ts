/**
 * The request rate: so many calls a second per account and action, as the cloud has it. Only authenticated accounts and
 * known actions get a bucket, so a stranger cannot fill memory. A step of the pipeline.
 */
import { Fault } from '../faults/fault.ts';
import type { Clock } from '../lib/clock.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import type { ApiContext, Call } from './call.ts';

/** limit: 1,000 accounts calling a few actions each; beyond it, idle buckets are dropped first. */
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

  /** How many accounts and actions are counted at the moment. */
  get size(): number {
    return this.#meters.size;
  }

  /** Throws RequestLimitExceeded when the account asks this too often. */
  admit(account: string, action: string): void {
    if (this.#perSecond === 0) return;
    const now = this.#clock.monotonic();
    const meter = this.#meter(`${account}/${action}`, now);
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

  #meter(key: string, now: number): Meter {
    let meter = this.#meters.get(key);
    if (!meter) {
      if (this.#meters.size >= SWEEP_ABOVE) this.#sweep(now);
      meter = { bucket: new TokenBucket(this.#perSecond, this.#perSecond, now), refused: 0 };
      this.#meters.set(key, meter);
    }
    return meter;
  }

  #sweep(now: number): void {
    for (const [key, meter] of this.#meters) if (meter.bucket.isFull(now)) this.#meters.delete(key);
  }
}

/** order: before the action is looked up, so unknown names share one bucket. */
export function limit(call: Call, api: ApiContext): void {
  const name = call.message.action;
  api.limiter.admit(call.caller.account, Object.hasOwn(api.actions, name) ? name : '');
}
