/**
 * News from one part to those that listen, without the teller knowing them: data flows one way, and what is made first
 * needs no callback to what is made later. Synchronous; it keeps nothing, so a late listener misses earlier news.
 */
export class Signal<T = void> {
  readonly #listeners: ((news: T) => void)[] = [];

  /** Calls back with everything told from now on, in the order in which parts began to listen. */
  listen(hear: (news: T) => void): void {
    this.#listeners.push(hear);
  }

  tell(news: T): void {
    for (const hear of this.#listeners) hear(news);
  }
}
