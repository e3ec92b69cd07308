/**
 * The budget of descriptors. A connection that would not find one waits for its turn, unread bytes and all, instead of
 * failing; only where too many wait already is one refused. Pure.
 */
export interface Budget {
  /** Descriptors held through this budget. */
  readonly held: number;
  /** Descriptors that are left. */
  readonly room: number;
  /** How many had to wait so far, and how many of all could not even do that. */
  readonly waits: number;
  readonly refusals: number;
  /** Descriptors that the rest of the process holds, as last measured. */
  setOthers(count: number): void;
  /** A descriptor that exists already, room or not. */
  hold(): void;
  /** False: there is no room, and nothing was taken. */
  tryHold(): boolean;
  /** Calls back with a descriptor held, at once or later. Undefined: too many wait. */
  queue(run: () => void): Waiting | undefined;
  release(count?: number): void;
}

export interface Waiting {
  /** True: it was still waiting and now never runs. */
  cancel(): boolean;
}

interface BudgetLimits {
  readonly descriptors: number;
  readonly waiting: number;
}

const DONE: Waiting = { cancel: () => false };

export function createBudget(limits: BudgetLimits): Budget {
  const waiting = new Set<() => void>();
  let held = 0;
  let others = 0;
  let waits = 0;
  let refusals = 0;

  const room = (): number => limits.descriptors - held - others;
  const hasRoom = (): boolean => room() > 0;

  function wake(): void {
    for (const run of waiting) {
      if (!hasRoom()) return;
      waiting.delete(run);
      held++;
      run();
    }
  }

  function tryHold(): boolean {
    // Those that wait go first.
    if (waiting.size > 0 || !hasRoom()) return false;
    held++;
    return true;
  }

  return {
    get held() {
      return held;
    },
    get room() {
      return room();
    },
    get waits() {
      return waits;
    },
    get refusals() {
      return refusals;
    },
    setOthers(count) {
      others = count;
      wake();
    },
    hold() {
      held++;
    },
    tryHold,
    queue(run) {
      if (tryHold()) {
        run();
        return DONE;
      }
      if (waiting.size >= limits.waiting) {
        refusals++;
        return undefined;
      }
      waits++;
      const turn = (): void => run();
      waiting.add(turn);
      return { cancel: () => waiting.delete(turn) };
    },
    release(count = 1) {
      held -= count;
      wake();
    },
  };
}
