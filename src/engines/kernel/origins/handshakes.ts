/**
 * Handshakes that wait for an answer, by the place of their origin: known by number alone, because the table counts them and
 * names none. An answer ends the one that has waited longest, so those left over are as many as were not answered; their age
 * is what it is at most too young. Pure; origins.ts has one.
 */
interface Begun {
  readonly at: number;
  count: number;
}

export class Handshakes {
  /** Oldest first. */
  readonly #waiting = new Map<string, Begun[]>();

  begin(place: string, count: number, at: number): void {
    const begun = this.#waiting.get(place);
    if (begun) begun.push({ at, count });
    else this.#waiting.set(place, [{ at, count }]);
  }

  /** More answers than handshakes, as where an answer is sent twice, are no matter. */
  end(place: string, count: number): void {
    this.#take(place, count, Infinity);
  }

  /** Takes those that began by then out, and gives how many they are. */
  late(place: string, by: number): number {
    return this.#take(place, Infinity, by);
  }

  places(): string[] {
    return [...this.#waiting.keys()];
  }

  #take(place: string, most: number, by: number): number {
    const begun = this.#waiting.get(place) ?? [];
    let taken = 0;
    for (let first = begun[0]; first && first.at <= by && taken < most; first = begun[0]) {
      const count = Math.min(first.count, most - taken);
      first.count -= count;
      taken += count;
      if (first.count === 0) begun.shift();
    }
    if (begun.length === 0) this.#waiting.delete(place);
    return taken;
  }
}
