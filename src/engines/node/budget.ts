/**
 * The node engine's budget of descriptors. A connection that would not find one waits for its turn, unread bytes and all,
 * instead of failing; only where too many wait already is one refused. Pure; asked by everything here that opens a socket.
 */
export interface Waiting {
  /** True: it was still waiting and now never runs. */
  cancel(): boolean;
}

interface BudgetLimits {
  readonly descriptors: number;
  readonly waiting: number;
}

const DONE: Waiting = { cancel: () => false };

export class Budget {
  readonly #limits: BudgetLimits;
  readonly #waiting = new Set<() => void>();
  #held = 0;
  #others = 0;
  #waits = 0;
  #refusals = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Descriptors held through this budget. */
  get held(): number {
    return this.#held;
  }

  /** Descriptors that are left. */
  get room(): number {
    return this.#limits.descriptors - this.#held - this.#others;
  }

  /** How many had to wait so far. */
  get waits(): number {
    return this.#waits;
  }

  /** How many could not even do that. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Descriptors that the rest of the process holds, as last measured. */
  setOthers(count: number): void {
    this.#others = count;
    this.#wake();
  }

  /** Counts a descriptor that exists already, room or not. */
  hold(): void {
    this.#held++;
  }

  /** False: there is no room, and nothing was taken. Those that wait go first. */
  tryHold(): boolean {
    if (this.#waiting.size > 0 || this.room <= 0) return false;
    this.#held++;
    return true;
  }

  /** Calls back with a descriptor held, at once or later. Undefined: too many wait. */
  queue(run: () => void): Waiting | undefined {
    if (this.tryHold()) {
      run();
      return DONE;
    }
    if (this.#waiting.size >= this.#limits.waiting) {
      this.#refusals++;
      return undefined;
    }
    this.#waits++;
    const turn = (): void => run();
    this.#waiting.add(turn);
    return { cancel: () => this.#waiting.delete(turn) };
  }

  release(count = 1): void {
    this.#held -= count;
    this.#wake();
  }

  #wake(): void {
    for (const run of this.#waiting) {
      if (this.room <= 0) return;
      this.#waiting.delete(run);
      this.#held++;
      run();
    }
  }
}
