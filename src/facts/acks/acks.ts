/**
 * How far the edges are, and which of them are alive: from it domain/status.ts derives every status, DNS leaves out what is
 * silent, and `edgefour status` shows placements and edges. Decides which edges count; the life of an edge is drawn in
 * ../LIFECYCLE.md. A report costs the same however many edges there are. The door (../facts.ts) passes reports in; ack-file.ts
 * keeps what must survive a restart of control.
 */
import type { Ack, Beat, Failure } from '../../domain/fact/ack.ts';
import { type Area, AREAS } from '../../domain/l4-proxy/l4-proxy.ts';
import type { Clock } from '../../lib/clock.ts';
import type { AckReader, EdgeFact, Placement } from '../readers.ts';
import {
  type EdgeState,
  HOUR_MS,
  type KnownEdges,
  markOf,
  newEdgeState,
  NOWHERE,
  type SiteState,
} from './edge-state.ts';
import { Failures } from './failures.ts';
import { Floors, type KeptFloors } from './floors.ts';
import { type Listening, openListening } from './listening.ts';
import { presenceOf } from './presence.ts';

/** An edge as it is kept across a restart of control. */
export interface KeptEdge {
  readonly id: string;
  readonly site: string;
  readonly version: string;
  readonly applied: number;
  readonly seenAt: number;
  readonly alive: boolean;
  readonly failed: readonly Failure[];
}

export interface Kept {
  readonly floors: KeptFloors;
  readonly edges: readonly KeptEdge[];
}

/** An edge that has not been heard of for this long is silent: three beats (BEAT_MS of link/contract.ts) have not come. */
const SILENT_MS = 6_000;
/** limit: a silent edge is shown for a week, then it was taken out of service. */
const FORGET_MS = 7 * 24 * HOUR_MS;

export class Acks implements AckReader {
  /** Which edges are there. */
  readonly presence = presenceOf(() => {
    this.#expire();
    return this.#known;
  });
  readonly #clock: Clock;
  readonly #listening: Listening;
  readonly #known: KnownEdges = { byId: new Map(), alive: new Set(), silent: new Set(), sites: new Map() };
  readonly #floors: Floors;
  readonly #failures = new Failures();
  readonly #changed: () => void;

  /** `changed` is called when what kept() gives may be different. */
  constructor(clock: Clock, kept?: Kept, changed: () => void = () => {}) {
    this.#clock = clock;
    this.#listening = openListening(clock);
    this.#changed = changed;
    this.#floors = new Floors(kept?.floors);
    for (const edge of kept?.edges ?? []) {
      if (clock.now() - edge.seenAt > FORGET_MS) continue;
      const state = this.#edge({ edge: edge.id, site: edge.site, version: edge.version });
      // Control was away, not the edge: one that was alive gets the usual time to say so.
      if (edge.alive) this.#hear(state);
      else this.#known.silent.add(state);
      state.applied = edge.applied;
      state.seenAt = edge.seenAt;
      state.reported = true;
      this.#failures.replace(state, edge.failed);
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
    this.#floors.raise();
  }

  /** The edge has said that it is there. */
  heard(beat: Beat): void {
    this.#expire();
    const edge = this.#edge(beat);
    if (!edge.alive) this.#changed();
    this.#hear(edge);
    this.#count(edge);
    this.#floors.raise();
  }

  report(report: Ack): void {
    this.#expire();
    const before = markOf(this.#known.byId.get(report.edge));
    const edge = this.#edge(report);
    this.#hear(edge);
    edge.applied = report.applied;
    edge.reported = true;
    const placed: typeof edge.said.placed = report.fresh ? new Map() : edge.said.placed;
    for (const { rule, engine, why } of report.placed)
      if (engine === '') placed.delete(rule);
      else placed.set(rule, { engine, why });
    edge.said = {
      unresolved: new Map((report.unresolved ?? []).map(({ id, names }) => [id, names])),
      placed,
      engines: report.engines,
      alarms: report.alarms,
      lost: new Set(report.lost),
    };
    const isNews = this.#failures.replace(edge, report.failed);
    this.#count(edge);
    this.#floors.raise();
    if (isNews || markOf(edge) !== before) this.#changed();
  }

  applied(area: Area): number {
    this.#expire();
    return this.#floors.of(area);
  }

  failures(id: string): readonly string[] {
    this.#expire();
    return [...this.#failures.of(id)].flatMap(([edge, reason]) =>
      edge.counting.isOn || this.#known.alive.size === 0 ? [`${edge.id}: ${reason}`] : [],
    );
  }

  placements(rules: readonly string[]): Placement[] {
    this.#expire();
    return rules.flatMap((rule) => [...this.#known.alive].flatMap((edge) => placementOf(edge, rule)));
  }

  edges(): EdgeFact[] {
    this.#expire();
    return [...this.#known.byId.values()].map(factOf);
  }

  /** The world is at this revision, so no edge can have applied more: where an older copy of it was restored, forget. */
  reach(revision: number): void {
    this.#floors.lower(revision);
    for (const edge of this.#known.byId.values()) {
      edge.applied = Math.min(edge.applied, revision);
      this.#count(edge);
    }
    this.#floors.raise();
  }

  /** For ack-file.ts. Times are whole hours, so that a world at rest writes nothing. */
  kept(): Kept {
    const edges: KeptEdge[] = [];
    for (const edge of this.#known.byId.values()) {
      if (!edge.reported) continue;
      const { id, site, version, applied, alive } = edge;
      const failed = [...edge.failed].map(([id, reason]) => ({ id, reason }));
      const seenAt = edge.seenAt - (edge.seenAt % HOUR_MS);
      edges.push({ id, site, version, applied, seenAt, alive, failed });
    }
    return { floors: this.#floors.kept(), edges };
  }

  /** Edges that have become silent hold nothing up any more. Looked at whenever something depends on it. */
  #expire(): void {
    const now = this.#listening.now();
    let isAny = false;
    for (const edge of this.#known.alive) {
      if (now - edge.heard <= SILENT_MS) break;
      this.#known.alive.delete(edge);
      this.#site(edge.site).alive.delete(edge);
      this.#known.silent.add(edge);
      edge.alive = false;
      this.#count(edge);
      isAny = true;
    }
    if (!isAny) return;
    // order: when all have, so that of edges that went together none counts as the one that stayed.
    this.#floors.raise();
    this.#changed();
  }

  #hear(edge: EdgeState): void {
    edge.heard = this.#listening.now();
    edge.seenAt = this.#clock.now();
    if (!edge.alive) {
      edge.alive = true;
      this.#known.silent.delete(edge);
      edge.counting.target = this.#floors.highest(this.#site(edge.site).areas);
      this.#site(edge.site).alive.add(edge);
    }
    this.#known.alive.delete(edge);
    this.#known.alive.add(edge);
  }

  /** Something that decides whether it counts, where or at which revision, is different. Raises no floor. */
  #count(edge: EdgeState): void {
    const { counting, applied } = edge;
    counting.isOn = edge.reported && edge.alive && applied >= counting.target;
    const areas = counting.isOn ? this.#site(edge.site).areas : NOWHERE;
    if (counting.areas === areas && counting.at === applied) return;
    this.#floors.release(counting.areas, counting.at);
    this.#floors.hold(areas, applied);
    counting.areas = areas;
    counting.at = applied;
  }

  #edge({ edge: id, site, version }: Beat): EdgeState {
    let edge = this.#known.byId.get(id);
    if (!edge) {
      edge = newEdgeState(id, this.#clock.now());
      this.#known.byId.set(id, edge);
    }
    edge.version = version;
    if (edge.site !== site) {
      const from = this.#site(edge.site);
      const to = this.#site(site);
      edge.site = site;
      from.edges.delete(edge);
      if (from.alive.delete(edge)) to.alive.add(edge);
      to.edges.add(edge);
    }
    return edge;
  }

  #site(id: string): SiteState {
    let site = this.#known.sites.get(id);
    if (!site) this.#known.sites.set(id, (site = { areas: NOWHERE, edges: new Set(), alive: new Set() }));
    return site;
  }
}

/** None where the edge says nothing of the rule. */
function placementOf({ id, failed, said }: EdgeState, rule: string): Placement[] {
  const placed = said.placed.get(rule);
  const failure = failed.get(rule);
  if (placed === undefined && failure === undefined) return [];
  const { engine, why } = placed ?? { engine: '', why: '' };
  return [{ rule, edge: id, engine, why, failure: failure ?? '', unresolved: said.unresolved.get(rule) ?? [] }];
}

function factOf({ id, site, alive, applied, seenAt, version, failed, said }: EdgeState): EdgeFact {
  return {
    id,
    site,
    alive,
    applied,
    seenAt,
    version,
    engines: said.engines.filter(({ unavailable }) => unavailable === undefined).map(({ name }) => name),
    alarms: said.alarms,
    failed: [...failed].map(([id, reason]) => ({ id, reason })),
    unresolved: [...said.unresolved].map(([id, names]) => ({ id, names })),
  };
}
