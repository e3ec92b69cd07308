/** Calls about one rule run one after the other; those about different ones, side by side. Pure. */
interface Turns {
  take<T>(id: string, run: () => T | Promise<T>): Promise<T>;
  /** Resolves when what has been asked until now is done. */
  all(): Promise<unknown>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    take<T>(id: string, run: () => T | Promise<T>): Promise<T> {
      const mine = (last.get(id) ?? Promise.resolve()).then(run);
      last.set(id, mine);
      return mine.finally(() => {
        if (last.get(id) === mine) last.delete(id);
      });
    },
    all: () => Promise.all(last.values()),
  };
}
