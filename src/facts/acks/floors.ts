/**
 * Per area the revision that all edges counting for it have applied, which never goes back: edges that come or go take nothing
 * from it. Keeps each area's least revision sorted (least.ts). Only acks.ts uses it, and decides which edges count.
 */
import { type Area, AREAS } from '../../domain/l4-proxy/l4-proxy.ts';
import { Least } from './least.ts';

export type KeptFloors = Readonly<Partial<Record<Area, number>>>;

export class Floors {
  readonly #least: Readonly<Record<Area, Least>> = {
    mainland: new Least(),
    overseas: new Least(),
    global: new Least(),
  };
  /** The highest value that each area ever had. */
  readonly #floors = new Map<Area, number>();

  constructor(kept: KeptFloors = {}) {
    for (const [area, floor] of Object.entries(kept)) this.#floors.set(area as Area, floor);
  }

  of(area: Area): number {
    return this.#floors.get(area) ?? 0;
  }

  /** The highest of these areas. */
  highest(areas: readonly Area[]): number {
    return Math.max(0, ...areas.map((area) => this.of(area)));
  }

  /** An edge holds these areas at this revision. Raises nothing yet. */
  hold(areas: readonly Area[], at: number): void {
    for (const area of areas) this.#least[area].add(at);
  }

  /** It no longer does. */
  release(areas: readonly Area[], at: number): void {
    for (const area of areas) this.#least[area].remove(at);
  }

  raise(): void {
    for (const area of AREAS) {
      const least = this.#least[area].value ?? 0;
      if (least > this.of(area)) this.#floors.set(area, least);
    }
  }

  /** No edge can have applied more than this revision: an older copy of the world was restored. */
  lower(revision: number): void {
    for (const [area, floor] of this.#floors) this.#floors.set(area, Math.min(floor, revision));
  }

  kept(): KeptFloors {
    return Object.fromEntries(this.#floors);
  }
}
