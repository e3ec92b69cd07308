/**
 * How far the edges are: from it domain/status.ts derives every status (it implements AckView), and `edgefour status`
 * shows placements and edges. Decides which edges count; the life of an edge is drawn in LIFECYCLE.md beside this
 * file. The control end of the link feeds it; ack-file.ts keeps what must survive a restart of control.
 */
import type { Area } from '../domain/l4-proxy/l4-proxy.ts';
import type { AckView } from '../domain/status.ts';
import type { Clock } from '../lib/clock.ts';

/** The same as AckReport (link/contract.ts). */
export interface EdgeReport {
  readonly edge: string;
  readonly site: string;
  readonly version: string;
  readonly applied: number;
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  readonly placed: readonly { readonly rule: string; readonly engine: string; readonly why: string }[];
  readonly fresh: boolean;
  readonly engines: readonly { readonly name: string; readonly unavailable?: string }[];
  readonly alarms: readonly string[];
}

/** What is kept of an edge across a restart of control. */
export interface KeptEdge {
  readonly id: string;
  readonly site: string;
  readonly version: string;
  readonly applied: number;
  readonly seenAt: number;
  readonly alive: boolean;
  readonly failed: EdgeReport['failed'];
}

export interface Kept {
  readonly floors: Readonly<Partial<Record<Area, number>>>;
  readonly edges: readonly KeptEdge[];
}

const HOUR_MS = 3_600_000;
/** An edge without a stream that has not reported for this long is gone. */
export const GONE_MS = 10_000;
/** limit: a dead edge is shown for a week, then it was taken out of service. */
const FORGET_MS = 7 * 24 * HOUR_MS;

interface EdgeState {
  readonly id: string;
  site: string;
  version: string;
  applied: number;
  seenAt: number;
  /** On the monotonic clock. */
  heard: number;
  streams: number;
  /** It counts once it has applied this much: an edge that joins, or comes back, must not turn `online` back. */
  target: number;
  reported: boolean;
  failed: Map<string, string>;
  placed: Map<string, { readonly engine: string; readonly why: string }>;
  engines: EdgeReport['engines'];
  alarms: readonly string[];
}

export class Acks implements AckView {
  readonly #clock: Clock;
  readonly #edges = new Map<string, EdgeState>();
  readonly #sites = new Map<string, readonly Area[]>();
  readonly #floors = new Map<Area, number>();
  readonly #changed: () => void;

  /** `changed` is called when what kept() gives may be different. */
  constructor(clock: Clock, kept?: Kept, changed: () => void = () => {}) {
    this.#clock = clock;
    this.#changed = changed;
    for (const [area, floor] of Object.entries(kept?.floors ?? {})) this.#floors.set(area as Area, floor);
    for (const edge of kept?.edges ?? []) {
      if (clock.now() - edge.seenAt > FORGET_MS) continue;
      const state = this.#edge(edge.id, edge.site, edge.version);
      state.applied = edge.applied;
      state.seenAt = edge.seenAt;
      state.reported = true;
      state.failed = new Map(edge.failed.map(({ id, reason }) => [id, reason]));
      // Control was away, not the edge: one that was alive gets the usual time to say so.
      state.heard = edge.alive ? clock.monotonic() : -Infinity;
    }
  }

  /** A site's record was written (areas) or deleted (undefined). */
  site(id: string, areas: readonly Area[] | undefined): void {
    if (areas) this.#sites.set(id, areas);
    else this.#sites.delete(id);
  }

  /** A stream of the edge began; closed() must follow once. */
  opened(id: string, site: string, version: string): void {
    const edge = this.#edge(id, site, version);
    if (!this.#alive(edge)) edge.target = this.#floorOf(edge);
    edge.streams += 1;
    this.#heard(edge);
  }

  closed(id: string): void {
    const edge = this.#edges.get(id);
    if (!edge) return;
    edge.streams -= 1;
    this.#heard(edge);
  }

  report(report: EdgeReport): void {
    const edge = this.#edge(report.edge, report.site, report.version);
    if (!this.#alive(edge)) edge.target = this.#floorOf(edge);
    edge.applied = report.applied;
    edge.reported = true;
    edge.failed = new Map(report.failed.map(({ id, reason }) => [id, reason]));
    edge.engines = report.engines;
    edge.alarms = report.alarms;
    if (report.fresh) edge.placed.clear();
    for (const { rule, engine, why } of report.placed)
      if (engine === '') edge.placed.delete(rule);
      else edge.placed.set(rule, { engine, why });
    this.#heard(edge);
    for (const area of ['mainland', 'overseas', 'global'] as const) this.#raise(area);
    this.#changed();
  }

  applied(area: Area): number {
    return this.#raise(area);
  }

  failures(id: string): readonly string[] {
    const failures: string[] = [];
    const anyAlive = this.#anyAlive();
    for (const edge of this.#edges.values()) {
      const reason = edge.failed.get(id);
      if (reason !== undefined && (this.#counts(edge) || !anyAlive)) failures.push(`${edge.id}: ${reason}`);
    }
    return failures;
  }

  /** Whether the site has an edge that is alive; true as long as no edge was ever heard of. */
  siteAlive(site: string): boolean {
    const edges = [...this.#edges.values()].filter((edge) => edge.site === site);
    return edges.length === 0 || edges.some((edge) => this.#alive(edge));
  }

  placements(rules: readonly string[]) {
    const alive = [...this.#edges.values()].filter((edge) => this.#alive(edge));
    return rules.flatMap((rule) =>
      alive.flatMap(({ id, placed, failed }) => {
        const at = placed.get(rule);
        const failure = failed.get(rule);
        if (!at && failure === undefined) return [];
        return { rule, edge: id, engine: at?.engine ?? '', why: at?.why ?? '', failure: failure ?? '' };
      }),
    );
  }

  edges() {
    return [...this.#edges.values()].map((edge) => ({
      id: edge.id,
      site: edge.site,
      alive: this.#alive(edge),
      applied: edge.applied,
      seenAt: edge.seenAt,
      version: edge.version,
      engines: edge.engines.filter(({ unavailable }) => unavailable === undefined).map(({ name }) => name),
      alarms: edge.alarms,
      failed: [...edge.failed].map(([id, reason]) => ({ id, reason })),
    }));
  }

  /** The world is at this revision, so nobody can have applied more: where an older copy of it was restored, forget. */
  reach(revision: number): void {
    for (const [area, floor] of this.#floors) this.#floors.set(area, Math.min(floor, revision));
    for (const edge of this.#edges.values()) edge.applied = Math.min(edge.applied, revision);
  }

  /** What ack-file.ts writes. Times are whole hours, so that a world at rest writes nothing. */
  kept(): Kept {
    const edges: KeptEdge[] = [];
    for (const edge of this.#edges.values()) {
      if (!edge.reported) continue;
      const { id, site, version, applied } = edge;
      const failed = [...edge.failed].map(([id, reason]) => ({ id, reason }));
      const seenAt = edge.seenAt - (edge.seenAt % HOUR_MS);
      edges.push({ id, site, version, applied, seenAt, alive: this.#alive(edge), failed });
    }
    return { floors: Object.fromEntries(this.#floors), edges };
  }

  /** What counts for the area, never less than it was: edges that come or go take nothing back. */
  #raise(area: Area): number {
    let least = Infinity;
    for (const edge of this.#edges.values())
      if (this.#serves(edge, area) && this.#counts(edge)) least = Math.min(least, edge.applied);
    const floor = this.#floors.get(area) ?? 0;
    if (least === Infinity || least <= floor) return floor;
    this.#floors.set(area, least);
    return least;
  }

  #counts(edge: EdgeState): boolean {
    return edge.reported && edge.applied >= edge.target && this.#alive(edge);
  }

  #serves(edge: EdgeState, area: Area): boolean {
    const areas = this.#sites.get(edge.site);
    return areas !== undefined && (area === 'global' || areas.includes(area) || areas.includes('global'));
  }

  #floorOf(edge: EdgeState): number {
    return Math.max(0, ...[...this.#floors].map(([area, floor]) => (this.#serves(edge, area) ? floor : 0)));
  }

  #anyAlive(): boolean {
    return [...this.#edges.values()].some((edge) => this.#alive(edge));
  }

  #alive(edge: EdgeState): boolean {
    return edge.streams > 0 || this.#clock.monotonic() - edge.heard <= GONE_MS;
  }

  #heard(edge: EdgeState): void {
    edge.heard = this.#clock.monotonic();
    edge.seenAt = this.#clock.now();
  }

  #edge(id: string, site: string, version: string): EdgeState {
    let edge = this.#edges.get(id);
    if (!edge) {
      edge = blank(id, this.#clock.now());
      this.#edges.set(id, edge);
    }
    edge.site = site;
    edge.version = version;
    return edge;
  }
}

function blank(id: string, now: number): EdgeState {
  return {
    id,
    site: '',
    version: '',
    applied: 0,
    seenAt: now,
    heard: -Infinity,
    streams: 0,
    target: 0,
    reported: false,
    failed: new Map(),
    placed: new Map(),
    engines: [],
    alarms: [],
  };
}
