/**
 * A token bucket: a steady rate with room for a burst. Time comes in from the caller (monotonic milliseconds), so the
 * bucket is pure and cheap enough to have one per account, per client address or per rule.
 */
export class TokenBucket {
  readonly perSecond: number;
  readonly burst: number;
  #tokens: number;
  #at: number;

  /** Starts full. */
  constructor(perSecond: number, burst: number, now: number) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes the cost and says true, or takes nothing and says false. */
  take(now: number, cost = 1): boolean {
    this.#refill(now);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  /** A full bucket can be forgotten: a new one would behave the same. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.burst;
  }

  #refill(now: number): void {
    const gained = (Math.max(0, now - this.#at) * this.perSecond) / 1000;
    this.#tokens = Math.min(this.burst, this.#tokens + gained);
    this.#at = Math.max(this.#at, now);
  }
}
