/** A clock that stands still until the test moves it; timers run in order, and what they started gets its turn. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, Timer } from '../../src/lib/clock.ts';

interface Due {
  at: number;
  readonly every?: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #now = Date.UTC(2026, 0, 2, 3, 4, 5);
  readonly #start = this.#now;
  readonly #due = new Set<Due>();

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#start;
  }

  after(ms: number, run: () => void): Timer {
    return this.#add({ at: this.#now + ms, run });
  }

  every(ms: number, run: () => void): Timer {
    return this.#add({ at: this.#now + ms, every: ms, run });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const timer = this.after(ms, resolve);
      signal?.addEventListener('abort', () => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** How many timers wait; for tests that nothing is left behind. */
  get waiting(): number {
    return this.#due.size;
  }

  /** Moves on by `ms`, running what falls due on the way. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turn();
    for (;;) {
      const next = this.#next();
      if (!next || next.at > end) break;
      this.#now = next.at;
      if (next.every === undefined) this.#due.delete(next);
      else next.at += next.every;
      next.run();
      await turn();
    }
    this.#now = end;
    await turn();
  }

  /** The earliest; of those, the one that was added first. */
  #next(): Due | undefined {
    let next: Due | undefined;
    for (const due of this.#due) if (!next || due.at < next.at) next = due;
    return next;
  }

  #add(due: Due): Timer {
    this.#due.add(due);
    return { cancel: () => this.#due.delete(due) };
  }
}
