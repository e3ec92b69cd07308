/** How long things of one kind took, counted up to each bound that /metrics shows. Fixed memory. OriginWatch has one per kind. */
import { TIME_BOUNDS_MS, type Times } from '../../../domain/fact/health.ts';

export class TimeCounts {
  readonly #counts = [...TIME_BOUNDS_MS, Infinity].map(() => 0);
  #sumMs = 0;

  add(ms: number): void {
    const place = TIME_BOUNDS_MS.findIndex((bound) => ms <= bound);
    this.#counts[place < 0 ? TIME_BOUNDS_MS.length : place]! += 1;
    this.#sumMs += ms;
  }

  get told(): Times {
    return { counts: [...this.#counts], sumMs: this.#sumMs };
  }
}
