/**
 * What one edge says of its checks and origins, as it said it last. It takes reports, changes or parts of everything, and judges
 * nothing. Used by health-book.ts.
 */
import { hostKey } from '../../domain/origin-group/origin-state.ts';
import type { CheckFact, CheckId, HealthReport, HealthTimes, OriginFact } from '../../domain/fact/health.ts';

/** Undefined: there was none, or is none any more. */
export interface CheckChange {
  readonly before: CheckFact | undefined;
  readonly after: CheckFact | undefined;
}

/** Everything as it arrives: the names that its parts so far have told. */
interface Arriving {
  next: number;
  readonly checks: Set<string>;
  readonly origins: Set<string>;
}

/** limit: of checks and of origins each, per edge; 20 MB at the length that they usually have. */
const MOST_FACTS = 50_000;

export class EdgeHealth {
  readonly id: string;
  site: string;
  isAlive = false;
  readonly #origins = new Map<string, OriginFact>();
  /** The same by zone and host, then by key. */
  readonly #places = new Map<string, Map<string, OriginFact>>();
  failOpen = 0;
  times: HealthTimes | undefined;
  readonly #checks = new Map<string, CheckFact>();
  #arriving: Arriving | undefined;

  constructor(id: string, site: string) {
    this.id = id;
    this.site = site;
  }

  checks(): Iterable<CheckFact> {
    return this.#checks.values();
  }

  /** All, or those that records of the zone name so. */
  origins(zone?: string, host?: string): Iterable<OriginFact> {
    if (zone === undefined || host === undefined) return this.#origins.values();
    return this.#places.get(placeOf({ zone, host }))?.values() ?? [];
  }

  /** The checks that are different, and how many facts there was no room for. */
  take({ whole, checks, origins, gone, failOpen, times }: HealthReport) {
    const changes: CheckChange[] = [];
    let left = 0;
    if (whole?.part === 0) this.#arriving = { next: 0, checks: new Set(), origins: new Set() };
    // A part whose predecessor never came ends nothing: the edge will tell everything again.
    const arriving = whole && this.#arriving?.next === whole.part ? this.#arriving : undefined;
    for (const after of checks) {
      const name = nameOf(after);
      if (!putWithin(this.#checks, name, after, (before) => changes.push({ before, after }))) left += 1;
      arriving?.checks.add(name);
    }
    for (const origin of origins) {
      if (!this.#putOrigin(origin)) left += 1;
      arriving?.origins.add(origin.key);
    }
    for (const id of gone.checks) this.#drop(nameOf(id), changes);
    for (const key of gone.origins) this.#dropOrigin(key);
    if (arriving) this.#arrived(arriving, whole?.isLast === true, changes);
    this.failOpen = failOpen;
    this.times = times;
    return { changes, left };
  }

  #arrived(arriving: Arriving, isLast: boolean, changes: CheckChange[]): void {
    arriving.next += 1;
    if (!isLast) return;
    this.#arriving = undefined;
    for (const name of this.#checks.keys()) if (!arriving.checks.has(name)) this.#drop(name, changes);
    for (const key of this.#origins.keys()) if (!arriving.origins.has(key)) this.#dropOrigin(key);
  }

  #putOrigin(origin: OriginFact): boolean {
    const place = placeOf(origin);
    const before = this.#origins.get(origin.key);
    if (before && placeOf(before) !== place) this.#dropOrigin(origin.key);
    if (!putWithin(this.#origins, origin.key, origin)) return false;
    const there = this.#places.get(place) ?? new Map<string, OriginFact>();
    this.#places.set(place, there.set(origin.key, origin));
    return true;
  }

  #dropOrigin(key: string): void {
    const origin = this.#origins.get(key);
    if (!origin) return;
    this.#origins.delete(key);
    const place = placeOf(origin);
    const there = this.#places.get(place);
    there?.delete(key);
    if (there?.size === 0) this.#places.delete(place);
  }

  #drop(name: string, changes: CheckChange[]): void {
    const before = this.#checks.get(name);
    if (this.#checks.delete(name)) changes.push({ before, after: undefined });
  }
}

function nameOf({ owner, group, host, address, check }: CheckId): string {
  return [owner, group, host, address, check].join('\n');
}

function placeOf({ zone, host }: Pick<OriginFact, 'zone' | 'host'>): string {
  return `${zone}\n${hostKey(host)}`;
}

/** False: it is one too many. */
function putWithin<T>(
  facts: Map<string, T>,
  name: string,
  fact: T,
  instead: (before: T | undefined) => void = () => {},
): boolean {
  const before = facts.get(name);
  if (before === undefined && facts.size >= MOST_FACTS) return false;
  facts.set(name, fact);
  instead(before);
  return true;
}
