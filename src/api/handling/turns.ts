/**
 * Turns on record keys: a call that commits to a record waits for earlier calls of this process to the same one. Guards alone
 * would be correct; turns make a hundred parallel calls on one instance cost two handler runs each instead of fifty,
 * and let none of them starve. Used by run.ts only.
 */
interface Turn extends Disposable {
  /** Another call held one of the keys in between, so earlier reads are probably stale. */
  readonly waited: boolean;
}

export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** order: all keys are queued for in one synchronous step, so two holders never wait for each other. */
  async take(keys: readonly string[]): Promise<Turn> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = keys.flatMap((key) => this.#last.get(key) ?? []);
    for (const key of keys) this.#last.set(key, promise);
    await Promise.all(before);
    return {
      waited: before.length > 0,
      [Symbol.dispose]: () => {
        for (const key of keys) if (this.#last.get(key) === promise) this.#last.delete(key);
        resolve();
      },
    };
  }
}
