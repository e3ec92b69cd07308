/**
 * What edges are told of each other: the verdicts of their site and of the fleet, and which edges of the site share its probes.
 * Each stream is owed everything, then what changes; it takes a frame when it has room. It decides nothing: facts/health counts the
 * verdicts. One for all streams; server.ts makes it.
 */
import { crc32 } from 'node:zlib';
import type { OthersVerdict } from '../../domain/fact/health.ts';
import type { Facts } from '../../facts/facts.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { encodeFrame } from '../../link/frames.ts';

/** Of one edge. */
export interface VerdictStream {
  /** A frame's line; undefined: nothing is owed. */
  next(): string | undefined;
  /** May be called twice. */
  close(): void;
}

interface Owed {
  readonly site: string;
  readonly wake: () => void;
  /** Of everything, the checks that were not told yet. */
  readonly all: Iterator<string>;
  readonly changed: Set<string>;
  told: 'nothing' | 'some' | 'all';
  /** As told last. */
  edges: readonly string[];
}

/** limit: a check's two probers have a second to be heard by all others. */
const SOON_MS = 20;
/** How often it looks which edges are alive. */
const LOOK_MS = 500;
/** limit: 200 kB of a frame. */
const CHECKS_AT_ONCE = 2_000;
/** limit: of a site with more edges than this, so many probe; else each edge that comes would be told to thousands. */
const MOST_SHARING = 64;

export class VerdictFeed {
  readonly #facts: Pick<Facts, 'verdicts' | 'read'>;
  readonly #clock: Clock;
  readonly #streams = new Set<Owed>();
  /** Of each site that has streams. */
  readonly #edges = new Map<string, readonly string[]>();
  readonly #looking: Timer;
  #soon: Timer | undefined;
  #sequence = 0;

  constructor(facts: Pick<Facts, 'verdicts' | 'read'>, clock: Clock) {
    this.#facts = facts;
    this.#clock = clock;
    facts.verdicts.changed.listen(({ check, site }) => {
      for (const stream of this.#streams) if (site === undefined || site === stream.site) stream.changed.add(check);
      this.#wakeSoon();
    });
    this.#looking = clock.every(LOOK_MS, () => this.#look());
  }

  /** `wake`: something is owed. The edge has been heard of before. */
  open(site: string, wake: () => void): VerdictStream {
    const { verdicts } = this.#facts;
    const owed: Owed = { site, wake, all: verdicts.checks(), changed: new Set(), told: 'nothing', edges: [] };
    this.#streams.add(owed);
    this.#lookAt(site);
    this.#wakeSoon();
    return { next: () => this.#next(owed), close: () => void this.#streams.delete(owed) };
  }

  close(): void {
    this.#looking.cancel();
    this.#soon?.cancel();
  }

  #next(owed: Owed): string | undefined {
    const { verdicts } = this.#facts;
    const edges = this.#edges.get(owed.site) ?? [];
    if (owed.told === 'all' && owed.changed.size === 0 && owed.edges === edges) return undefined;
    const whole = owed.told === 'nothing';
    const checks: OthersVerdict[] = [];
    owed.told = 'some';
    owed.edges = edges;
    while (checks.length < CHECKS_AT_ONCE && (owed.told === 'some' || owed.changed.size > 0)) {
      const next = owed.all.next();
      const [changed] = owed.changed;
      if (next.done) owed.told = 'all';
      if (!next.done) checks.push(verdicts.of(owed.site, next.value));
      else if (changed !== undefined && owed.changed.delete(changed)) checks.push(verdicts.of(owed.site, changed));
    }
    this.#sequence += 1;
    return encodeFrame({ kind: 'verdicts', sequence: this.#sequence, whole, edges, checks });
  }

  #wakeSoon(): void {
    this.#soon ??= this.#clock.after(SOON_MS, () => {
      this.#soon = undefined;
      for (const { wake } of this.#streams) wake();
    });
  }

  #look(): void {
    this.#facts.verdicts.look();
    const sites = new Set(Array.from(this.#streams, ({ site }) => site));
    for (const site of this.#edges.keys()) if (!sites.has(site)) this.#edges.delete(site);
    for (const site of sites) this.#lookAt(site);
  }

  #lookAt(site: string): void {
    const alive = this.#facts.read.presence.aliveAt(site);
    const sharing = alive.length <= MOST_SHARING ? alive.toSorted() : alive.toSorted(byLot).slice(0, MOST_SHARING);
    if (this.#edges.get(site)?.join() === sharing.join()) return;
    this.#edges.set(site, sharing);
    this.#wakeSoon();
  }
}

/** An order in which an edge that comes or goes moves no other. */
function byLot(a: string, b: string): number {
  return crc32(a) - crc32(b);
}
