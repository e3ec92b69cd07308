/** One edge as acks.ts remembers it: what it said last, and what follows from when it did. Plain data; only acks.ts changes it. */
import type { EngineState } from '../../domain/fact/ack.ts';
import type { Area, L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';

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
  /** It counts once it has applied this much: an edge that joins, or comes back, must not turn `online` back. */
  target: number;
  reported: boolean;
  counts: boolean;
  /** The areas it holds up, at this revision. */
  holds: { readonly areas: readonly Area[]; readonly at: number };
  failed: Map<string, string>;
  unresolved: ReadonlyMap<string, readonly string[]>;
  placed: Map<string, { readonly engine: string; readonly why: string }>;
  engines: readonly EngineState[];
  alarms: readonly string[];
  /** Entry addresses that are not on its machine. */
  lost: ReadonlySet<string>;
}

/** The edge could not apply the instance, or none of the rules that it is to have. */
export function hasFailed({ failed }: EdgeState, { id, rules }: Pick<L4Proxy, 'id' | 'rules'>): boolean {
  if (failed.size === 0) return false;
  const wanted = rules.filter(({ want }) => want === 'online');
  return failed.has(id) || (wanted.length > 0 && wanted.every((rule) => failed.has(rule.id)));
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
    target: 0,
    reported: false,
    counts: false,
    holds: { areas: NOWHERE, at: 0 },
    failed: new Map(),
    unresolved: new Map(),
    placed: new Map(),
    engines: [],
    alarms: [],
    lost: new Set(),
  };
}
