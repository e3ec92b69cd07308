/** Edges as acks.ts remembers them: what each said last, and what follows from when it did. Plain data; only acks.ts changes it. */
import type { EngineState } from '../../domain/fact/ack.ts';
import type { Area } from '../../domain/l4-proxy/l4-proxy.ts';

export const HOUR_MS = 3_600_000;
export const NOWHERE: readonly Area[] = [];

export interface EdgeState {
  readonly id: string;
  site: string;
  version: string;
  applied: number;
  seenAt: number;
  /** In listening time. */
  heard: number;
  alive: boolean;
  reported: boolean;
  readonly counting: Counting;
  /** Rule or instance → why it could not be applied. */
  failed: ReadonlyMap<string, string>;
  said: Said;
}

interface Counting {
  isOn: boolean;
  /** Counting begins when it has applied this much: an edge that joins, or comes back, must not turn `online` back. */
  target: number;
  /** The areas it holds up, at this revision. */
  areas: readonly Area[];
  at: number;
}

/** The rest of its last report. */
interface Said {
  readonly unresolved: ReadonlyMap<string, readonly string[]>;
  /** Grows from report to report until a fresh one. */
  readonly placed: Map<string, { readonly engine: string; readonly why: string }>;
  readonly engines: readonly EngineState[];
  readonly alarms: readonly string[];
  /** Entry addresses that are not on its machine. */
  readonly lost: ReadonlySet<string>;
}

export interface SiteState {
  /** Those it serves; an instance of area `global` is served by every site. */
  areas: readonly Area[];
  readonly edges: Set<EdgeState>;
  readonly alive: Set<EdgeState>;
}

export interface KnownEdges {
  readonly byId: Map<string, EdgeState>;
  /** The one that was heard of longest ago first. */
  readonly alive: Set<EdgeState>;
  readonly silent: Set<EdgeState>;
  readonly sites: Map<string, SiteState>;
}

/** All that a restart of control must find of the edge beside failures: while the text stays, there is nothing to write. */
export function markOf(edge: EdgeState | undefined): string | undefined {
  if (!edge?.reported) return undefined;
  const { alive, applied, site, version, seenAt } = edge;
  return `${alive} ${applied} ${Math.floor(seenAt / HOUR_MS)} ${site} ${version}`;
}

export function newEdgeState(id: string, now: number): EdgeState {
  return {
    id,
    site: '',
    version: '',
    applied: 0,
    seenAt: now,
    heard: 0,
    alive: false,
    reported: false,
    counting: { isOn: false, target: 0, areas: NOWHERE, at: 0 },
    failed: new Map(),
    said: { unresolved: new Map(), placed: new Map(), engines: [], alarms: [], lost: new Set() },
  };
}
