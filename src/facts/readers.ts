/**
 * Facts as readers see them, in small interfaces: each part of the program names the one it needs. Types only; the classes
 * in acks/, counters/ and health/ implement them.
 */
import type { EngineState, Failure } from '../domain/fact/ack.ts';
import type { CountersOfRule } from '../domain/fact/fact.ts';
import type { HealthTimes, OriginFact } from '../domain/fact/health.ts';
import type { L4Proxy } from '../domain/l4-proxy/l4-proxy.ts';
import type { HealthView } from '../domain/load-balancer/health.ts';
import type { AckView } from '../domain/status.ts';

/** Where an edge has a rule, or why it has not. */
export interface Placement {
  readonly rule: string;
  readonly edge: string;
  readonly engine: string;
  readonly why: string;
  readonly failure: string;
  /** Names of its origins without an address there. */
  readonly unresolved: readonly string[];
}

export interface EdgeFact {
  readonly id: string;
  readonly site: string;
  readonly alive: boolean;
  readonly applied: number;
  readonly seenAt: number;
  readonly version: string;
  /** Those that its host allows. */
  readonly engines: readonly EngineState['name'][];
  /** Troubles of the edge itself, one line each. */
  readonly alarms: readonly string[];
  readonly failed: readonly Failure[];
  readonly unresolved: readonly { readonly id: string; readonly names: readonly string[] }[];
}

/** How far edges are: for handlers. */
export interface AckReader extends AckView {
  /** Per rule and live edge: engine, why this engine, state. */
  placements(rules: readonly string[]): Placement[];
  edges(): EdgeFact[];
}

/** Which edges are there: for DNS, readiness and metrics. */
export interface PresenceReader {
  isAlive(edge: string): boolean;
  aliveAt(site: string): readonly string[];
  silent(): readonly string[];
  /** Edges have joined, and all of them are silent. */
  readonly isSilent: boolean;
  /** Whether the site has a live edge that has not failed the instance; true as long as no edge of it was ever heard of. */
  serves(site: string, proxy: Pick<L4Proxy, 'id' | 'rules'>): boolean;
  /** Whether the entry address has left the site: no edge there has it, of the live ones, or of all while none is alive. */
  isLost(site: string, address: string): boolean;
}

export interface CounterReader {
  /** Of the rule, by reason, all edges together: given up by limits and engines. */
  dropped(rule: string): Readonly<Record<string, number>>;
  /** Each rule of each edge. */
  all(): Iterable<{ readonly edge: string; readonly counters: CountersOfRule }>;
  /** Connection records that an edge could not keep. */
  recordsLost(): ReadonlyMap<string, number>;
}

/** An origin as an edge told it last. */
export interface FoundOrigin {
  readonly edge: string;
  readonly site: string;
  readonly isAlive: boolean;
  readonly origin: OriginFact;
}

/** What an edge says of all its origins together. */
interface EdgeOrigins {
  readonly edge: string;
  /** Rules all of whose origins are down. */
  readonly failOpen: number;
  readonly times: HealthTimes;
}

export interface OriginFilter {
  readonly zone?: string;
  readonly group?: string;
  readonly host?: string;
}

export interface OriginReader {
  /** Of all edges; as the records name them, absent: any. */
  find(wanted?: OriginFilter): FoundOrigin[];
  edges(): EdgeOrigins[];
}

export interface FactReader {
  readonly acks: AckReader;
  readonly presence: PresenceReader;
  readonly counters: CounterReader;
  readonly health: HealthView;
  readonly origins: OriginReader;
}
