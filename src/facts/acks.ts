/**
 * How far the edges are, and which of them are alive: from it domain/status.ts derives every status (it implements AckView),
 * DNS leaves out what is silent, and `edgefour status` shows placements and edges. Decides which edges count; the life of an
 * edge is drawn in LIFECYCLE.md beside this file. A report costs the same however many edges there are. The control end of
 * the link feeds it; ack-file.ts keeps what must survive a restart of control.
 */
import { type Area, AREAS, type L4Proxy } from '../domain/l4-proxy/l4-proxy.ts';
import type { AckView } from '../domain/status.ts';
import type { Clock } from '../lib/clock.ts';
import { blank, type EdgeState, hasFailed, HOUR_MS, markOf, NOWHERE } from './edge-state.ts';
import { Least } from './least.ts';
import { type Listening, openListening } from './listening.ts';

/** The same as AckReport (link/contract.ts). */
export interface EdgeReport {
  readonly edge: string;
  readonly site: string;
  readonly version: string;
  readonly applied: number;
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  readonly unresolved?: readonly { readonly id: string; readonly names: readonly string[] }[];
  readonly placed: readonly { readonly rule: string; readonly engine: string; readonly why: string }[];
  readonly fresh: boolean;
  readonly engines: readonly { readonly name: string; readonly unavailable?: string }[];
  readonly alarms: readonly string[];
  readonly lost?: readonly string[];
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

/** An edge that has not been heard of for this long is silent: three beats (BEAT_MS of link/contract.ts) have not come. */
const SILENT_MS = 6_000;
/** limit: a silent edge is shown for a week, then it was taken out of service. */
const FORGET_MS = 7 * 24 * HOUR_MS;

interface SiteState {
  /** Those it serves; an instance of area `global` is served by every site. */
  areas: readonly Area[];
  readonly edges: Set<EdgeState>;
  readonly alive: Set<EdgeState>;
}

export class Acks implements AckView {
  readonly #clock: Clock;
  readonly #listening: Listening;
  readonly #edges = new Map<string, EdgeState>();
  /** The one that was heard of longest ago first. */
  readonly #alive = new Set<EdgeState>();
  readonly #silent = new Set<EdgeState>();
  readonly #sites = new Map<string, SiteState>();
  readonly #least: Readonly<Record<Area, Least>> = {
    mainland: new Least(),
    overseas: new Least(),
    global: new Least(),
  };
  /** Per area the highest value that `applied` ever had: edges that come or go take nothing back. */
  readonly #floors = new Map<Area, number>();
  /** Rule or instance → the edges that could not apply it, and why. */
  readonly #failed = new Map<string, Map<EdgeState, string>>();
  readonly #changed: () => void;

  /** `changed` is called when what kept() gives may be different. */
  constructor(clock: Clock, kept?: Kept, changed: () => void = () => {}) {
    this.#clock = clock;
    this.#listening = openListening(clock);
    this.#changed = changed;
    for (const [area, floor] of Object.entries(kept?.floors ?? {})) this.#floors.set(area as Area, floor);
    for (const edge of kept?.edges ?? []) {
      if (clock.now() - edge.seenAt > FORGET_MS) continue;
      const state = this.#edge(edge.id, edge.site, edge.version);
      // Control was away, not the edge: one that was alive gets the usual time to say so.
      if (edge.alive) this.#hear(state);
      else this.#silent.add(state);
      state.applied = edge.applied;
      state.seenAt = edge.seenAt;
      state.reported = true;
      this.#fail(state, edge.failed);
      this.#count(state);
    }
  }

  close(): void {
    this.#listening.close();
  }

  /** A site's record was written (areas) or deleted (undefined). */
  site(id: string, areas: readonly Area[] | undefined): void {
    const site = this.#site(id);
    site.areas = areas
      ? AREAS.filter((area) => area === 'global' || areas.includes(area) || areas.includes('global'))
      : NOWHERE;
    for (const edge of site.edges) this.#count(edge);
    this.#raise();
  }

  /** The edge has said that it is there. */
  heard(id: string, site: string, version: string): void {
    this.#expire();
    const edge = this.#edge(id, site, version);
    if (!edge.alive) this.#changed();
    this.#hear(edge);
    this.#count(edge);
    this.#raise();
  }

  report(report: EdgeReport): void {
    this.#expire();
    const before = markOf(this.#edges.get(report.edge));
    const edge = this.#edge(report.edge, report.site, report.version);
    this.#hear(edge);
    edge.applied = report.applied;
    edge.reported = true;
    edge.engines = report.engines;
    edge.alarms = report.alarms;
    edge.unresolved = new Map((report.unresolved ?? []).map(({ id, names }) => [id, names]));
    edge.lost = new Set(report.lost);
    const isNews = this.#fail(edge, report.failed);
    if (report.fresh) edge.placed.clear();
    for (const { rule, engine, why } of report.placed)
      if (engine === '') edge.placed.delete(rule);
      else edge.placed.set(rule, { engine, why });
    this.#count(edge);
    this.#raise();
    if (isNews || markOf(edge) !== before) this.#changed();
  }

  applied(area: Area): number {
    this.#expire();
    return this.#floors.get(area) ?? 0;
  }

  failures(id: string): readonly string[] {
    this.#expire();
    return [...(this.#failed.get(id) ?? [])].flatMap(([edge, reason]) =>
      edge.counts || this.#alive.size === 0 ? [`${edge.id}: ${reason}`] : [],
    );
  }

  isAlive(id: string): boolean {
    this.#expire();
    return this.#edges.get(id)?.alive === true;
  }

  /** Edges have joined, and all of them are silent. */
  get isSilent(): boolean {
    this.#expire();
    return this.#edges.size > 0 && this.#alive.size === 0;
  }

  silent(): string[] {
    this.#expire();
    return [...this.#silent].map(({ id }) => id);
  }

  /** Whether the site has a live edge that has not failed the instance; true as long as no edge of it was ever heard of. */
  serves(site: string, proxy: Pick<L4Proxy, 'id' | 'rules'>): boolean {
    this.#expire();
    const { edges, alive } = this.#sites.get(site) ?? {};
    if (!edges || !alive || edges.size === 0) return true;
    for (const edge of alive) if (!hasFailed(edge, proxy)) return true;
    return false;
  }

  /** Whether the entry address has left the site: no edge there has it, of the live ones, or of all while none is alive. */
  isLost(site: string, address: string): boolean {
    this.#expire();
    const { edges, alive } = this.#sites.get(site) ?? {};
    const asked = alive && alive.size > 0 ? alive : edges;
    if (!asked || asked.size === 0) return false;
    for (const { lost } of asked) if (!lost.has(address)) return false;
    return true;
  }

  placements(rules: readonly string[]) {
    this.#expire();
    return rules.flatMap((rule) =>
      [...this.#alive].flatMap(({ id, placed, failed, unresolved }) => {
        const at = placed.get(rule);
        const failure = failed.get(rule);
        if (!at && failure === undefined) return [];
        const names = unresolved.get(rule) ?? [];
        return {
          rule,
          edge: id,
          engine: at?.engine ?? '',
          why: at?.why ?? '',
          failure: failure ?? '',
          unresolved: names,
        };
      }),
    );
  }

  edges() {
    this.#expire();
    return [...this.#edges.values()].map((edge) => ({
      id: edge.id,
      site: edge.site,
      alive: edge.alive,
      applied: edge.applied,
      seenAt: edge.seenAt,
      version: edge.version,
      engines: edge.engines.filter(({ unavailable }) => unavailable === undefined).map(({ name }) => name),
      alarms: edge.alarms,
      failed: [...edge.failed].map(([id, reason]) => ({ id, reason })),
      unresolved: [...edge.unresolved].map(([id, names]) => ({ id, names })),
    }));
  }

  /** The world is at this revision, so nobody can have applied more: where an older copy of it was restored, forget. */
  reach(revision: number): void {
    for (const [area, floor] of this.#floors) this.#floors.set(area, Math.min(floor, revision));
    for (const edge of this.#edges.values()) {
      edge.applied = Math.min(edge.applied, revision);
      this.#count(edge);
    }
    this.#raise();
  }

  /** What ack-file.ts writes. Times are whole hours, so that a world at rest writes nothing. */
  kept(): Kept {
    const edges: KeptEdge[] = [];
    for (const edge of this.#edges.values()) {
      if (!edge.reported) continue;
      const { id, site, version, applied, alive } = edge;
      const failed = [...edge.failed].map(([id, reason]) => ({ id, reason }));
      const seenAt = edge.seenAt - (edge.seenAt % HOUR_MS);
      edges.push({ id, site, version, applied, seenAt, alive, failed });
    }
    return { floors: Object.fromEntries(this.#floors), edges };
  }

  /** Edges that have become silent hold nothing up any more. Looked at whenever something depends on it. */
  #expire(): void {
    const now = this.#listening.now();
    let isAny = false;
    for (const edge of this.#alive) {
      if (now - edge.heard <= SILENT_MS) break;
      this.#alive.delete(edge);
      this.#site(edge.site).alive.delete(edge);
      this.#silent.add(edge);
      edge.alive = false;
      this.#count(edge);
      isAny = true;
    }
    if (!isAny) return;
    // order: when all have, so that of edges that went together none counts as the one that stayed.
    this.#raise();
    this.#changed();
  }

  #hear(edge: EdgeState): void {
    edge.heard = this.#listening.now();
    edge.seenAt = this.#clock.now();
    if (!edge.alive) {
      edge.alive = true;
      this.#silent.delete(edge);
      edge.target = Math.max(0, ...this.#site(edge.site).areas.map((area) => this.#floors.get(area) ?? 0));
      this.#site(edge.site).alive.add(edge);
    }
    this.#alive.delete(edge);
    this.#alive.add(edge);
  }

  /** Something that decides whether it counts, where or at which revision, is different. Raises no floor. */
  #count(edge: EdgeState): void {
    edge.counts = edge.reported && edge.alive && edge.applied >= edge.target;
    const areas = edge.counts ? this.#site(edge.site).areas : NOWHERE;
    const { holds } = edge;
    if (holds.areas === areas && holds.at === edge.applied) return;
    for (const area of holds.areas) this.#least[area].remove(holds.at);
    for (const area of areas) this.#least[area].add(edge.applied);
    edge.holds = { areas, at: edge.applied };
  }

  #raise(): void {
    for (const area of AREAS) {
      const least = this.#least[area].value ?? 0;
      if (least > (this.#floors.get(area) ?? 0)) this.#floors.set(area, least);
    }
  }

  /** True: something is different. */
  #fail(edge: EdgeState, failed: EdgeReport['failed']): boolean {
    const before = edge.failed;
    edge.failed = new Map(failed.map(({ id, reason }) => [id, reason]));
    for (const id of before.keys()) if (!edge.failed.has(id)) this.#unfail(edge, id);
    let isNews = before.size !== edge.failed.size;
    for (const [id, reason] of edge.failed) {
      if (before.get(id) === reason) continue;
      isNews = true;
      const edges = this.#failed.get(id);
      if (edges) edges.set(edge, reason);
      else this.#failed.set(id, new Map([[edge, reason]]));
    }
    return isNews;
  }

  #unfail(edge: EdgeState, id: string): void {
    const edges = this.#failed.get(id);
    edges?.delete(edge);
    if (edges?.size === 0) this.#failed.delete(id);
  }

  #edge(id: string, site: string, version: string): EdgeState {
    let edge = this.#edges.get(id);
    if (!edge) {
      edge = blank(id, this.#clock.now());
      this.#edges.set(id, edge);
    }
    edge.version = version;
    if (edge.site !== site) {
      const [from, to] = [this.#site(edge.site), this.#site(site)];
      edge.site = site;
      from.edges.delete(edge);
      if (from.alive.delete(edge)) to.alive.add(edge);
      to.edges.add(edge);
    }
    return edge;
  }

  #site(id: string): SiteState {
    let site = this.#sites.get(id);
    if (!site) this.#sites.set(id, (site = { areas: NOWHERE, edges: new Set(), alive: new Set() }));
    return site;
  }
}
