/**
 * Makes placeholders for connections that a new count would miss, and looks after them until none is left. It counts
 * nothing. written-table.ts owns one.
 */
import type { Clock, Timer } from '../../../lib/clock.ts';
import type { LimitedRule } from '../contents/limited-rule.ts';
import type { Placeholders } from './placeholders.ts';

const TEND_MS = 1_000;
/** limit: a twentieth of the time, however many there are. */
const SHARE = 20;

export class PlaceholderCare {
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #isResting = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Finds the connections that are open now at these rules, whose counts begin anew: call the answer once they count. */
  prepare(placeholders: Placeholders, rules: readonly LimitedRule[]): () => void {
    if (rules.length === 0) return () => {};
    const open = placeholders.open(rules);
    return () => {
      placeholders.make(open);
      this.tend(placeholders);
    };
  }

  tend(placeholders: Placeholders): void {
    this.#timer?.cancel();
    if (this.#isResting) return;
    const start = this.#clock.now();
    if (placeholders.tend() === 0) return;
    const wait = Math.max(TEND_MS, SHARE * (this.#clock.now() - start));
    this.#timer = this.#clock.after(wait, () => this.tend(placeholders));
  }

  /** Another process looks after them. */
  rest(): void {
    this.#isResting = true;
    this.#timer?.cancel();
  }

  resume(): void {
    this.#isResting = false;
  }
}
