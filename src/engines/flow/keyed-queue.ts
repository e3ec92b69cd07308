/**
 * Calls about one rule run one after the other; those about different ones, side by side. Pure. Engines whose calls wait for
 * something use it.
 */
interface KeyedQueue {
  /** Runs it when the earlier calls with this key are done. */
  run<T>(key: string, call: () => T | Promise<T>): Promise<T>;
  /** Resolves when the calls that have come until now are done. */
  idle(): Promise<unknown>;
}

export function createKeyedQueue(): KeyedQueue {
  const last = new Map<string, Promise<unknown>>();
  return {
    run<T>(key: string, call: () => T | Promise<T>): Promise<T> {
      const mine = (last.get(key) ?? Promise.resolve()).then(call);
      last.set(key, mine);
      return mine.finally(() => {
        if (last.get(key) === mine) last.delete(key);
      });
    },
    idle: () => Promise.all(last.values()),
  };
}
