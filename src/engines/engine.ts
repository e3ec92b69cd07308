/**
 * The door of a data-plane engine. The agent hands it listeners (rules with resolved origins); it forwards, and
 * reports events. Implementations live in engines/<name>/; test/suites/engine-suite.ts holds each to what it claims.
 */
import type { Mode, Protocol } from '../domain/l4-rule/modes.ts';
import type { ConnectionRecord, RuleCounters } from '../domain/fact/fact.ts';
import type { DialCounts, OriginState } from '../domain/fact/health.ts';
import type { Inherited } from '../handoff/inherited.ts';
import type { PortSpan } from '../lib/net/ports.ts';
import type { PlannedRule } from '../plan/plan.ts';
import type { Endpoint } from './pass-through/pass-through.ts';

/** One origin address. */
export interface Target {
  /**
   * The edge's number of the origin: small; the same in all rules that lead to this address, port and protocol and watch it
   * alike. A target that has another number in the rule's next listener is the same target.
   */
  readonly number: number;
  /** IPv4 or IPv6, no port. */
  readonly address: string;
  /** 0: takes nothing new; what is open goes on. */
  readonly weight: number;
  readonly tier: number;
  /** It is not dialled, and where nothing else can be, connections end with this cause. */
  readonly barred?: Bar;
  /** Its name no longer says it (weight 0): what is open goes on, a UDP session as long as it is answered. */
  readonly left?: true;
}

/** Why a target is not dialled; `ports`: at these of its ports only (its weight is what it would be). */
export interface Bar {
  readonly cause: 'denied' | 'loop';
  readonly ports?: readonly PortSpan[];
}

/** A planned rule whose origin names are resolved. Empty targets: connections are refused, nothing else. */
export interface Listener extends Omit<PlannedRule, 'origins'> {
  readonly targets: readonly Target[];
}

export interface Capabilities {
  /** Absent: the engine works here. Otherwise one line: what is missing and what to change. */
  readonly unavailable?: string;
  readonly modes: readonly Mode[];
  /** Modes that the engine has but not on this host, and why in a line. */
  readonly lacking?: Readonly<Partial<Record<Mode, string>>>;
  readonly protocols: readonly Protocol[];
  readonly ipv6: boolean;
  /** Tries the next target when one refuses or times out, before the client sees a failure. */
  readonly nextOrigin: boolean;
  /** It rewrites packets instead of relaying streams: TCP bytes are counted as whole IP packets, and a client dials for itself. */
  readonly translates?: boolean;
}

/** `target`: its number. */
export interface TargetState {
  readonly target: number;
  readonly state: OriginState;
  /**
   * Of one that is up: it takes this part of its turns, 1 to 255 of 256, as if its weight were so much smaller, by counting and
   * not by chance. Absent: whole. Where no other target of its tier takes its whole share, it takes all of its own too.
   */
  readonly share?: number;
}

/** How dials to a target went since the batch before. */
export interface TargetOutcomes {
  readonly target: number;
  readonly counts: DialCounts;
  /** Failures since the last `ok`, at the end of the batch: so where that `ok` is in the batch, those that came after it. */
  readonly failedInRow: number;
}

/** `note`: how the listener is served, for an operator, where that is not as one would expect. */
export type Applied = { readonly ok: true; readonly note?: string } | { readonly ok: false; readonly reason: string };

export interface EngineEvents {
  record(record: ConnectionRecord): void;
  /** A listener that was up went down by itself or came back (worker restart, address gone). */
  listener(id: string, state: Applied): void;
  /** How dials went since the last batch, per target; 100 ms late at most, a first failure in a row at once. */
  outcomes(batch: readonly TargetOutcomes[]): void;
  log(level: 'info' | 'warn' | 'error', message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface Engine {
  /** As its row in registry.ts. */
  readonly name: string;
  /** May be called any time, twice too; the answer does not change while the engine lives. */
  capabilities(): Capabilities;
  /**
   * Makes the listener so. Idempotent. Resolves with ok once new connections are accepted as described; with a reason
   * where the system refuses (that listener is then down, all others untouched). A change of targets, weights, persist
   * or options touches no socket and no connection whose target remains. A change of entries, ports, protocol or mode
   * re-binds only what differs; what is no longer bound drains as the rule's options say. `beside`: the
   * rule as another engine of this edge serves it until now: its places are taken by that engine alone.
   */
  apply(listener: Listener, beside?: Listener): Promise<Applied>;
  /** Closes its sockets at once and drains its connections. Unknown ids are fine. Resolves when the sockets are closed. */
  remove(id: string): Promise<void>;
  /** Removes every listener not in `keep`. */
  prune(keep: ReadonlySet<string>): Promise<void>;
  /**
   * Targets are in these states from now on, in every rule; a target of which nothing is said is up. When it resolves, new
   * connections and sessions avoid a target that is down while another one of their rule can take them, and a UDP session
   * with it moves on at its next datagram. Where all targets of a rule are down, they are used as if all were up.
   * A TCP connection with a target that is down ends as its rule's `unhealthy` says, with the cause of that name and within a
   * second of its time (flow/verdict.ts, leavesAt), where another target of the rule is up; else it stays.
   * Numbers without a target are fine, and so is the same state twice (`try` allows one more connection).
   */
  states(changes: readonly TargetState[]): Promise<void>;
  /** Counters of every listener that the engine has had connections for. */
  counters(): Promise<ReadonlyMap<string, RuleCounters>>;
  /** Closes all sockets, waits up to `drainMs` for connections, resets the rest. May be called twice. */
  stop(drainMs: number): Promise<void>;
  readonly succession: Succession;
}

/**
 * One process hands over to the next. The words are the same on every level (docs/explanation/upgrade.md has the table):
 * the old one hears `handOver`, `pause`, then `stop`, or `resume` where the next one fails; the next one hears `begin`.
 * Each may be called twice.
 */
export interface Succession {
  /**
   * Another process has the sockets too and is about to serve them. Connections go on, new ones are accepted still; from
   * clients no datagram is received any more, and the answer is the sessions that they belong to. After it, `stop` leaves
   * what waits in a socket to the other process, and what outlives a process (a table in the kernel) as it is.
   */
  handOver(): Promise<readonly HandedSession[]>;
  /**
   * Before the other process takes its first connection: none is accepted any more, and when it resolves nothing of this
   * engine waits for one. Those that come meanwhile stay in the sockets.
   */
  pause(): Promise<void>;
  /** The other process is gone: connections and datagrams are taken back, and everything is as it was before `handOver`. */
  resume(): Promise<void>;
  /** Takes over: the first connection and datagram of an engine that was made with an inheritance come after it. */
  begin(): Promise<void>;
}

/** A UDP session on its way from one process to the next. */
export interface HandedSession {
  /** Its own socket, connected to the origin. */
  readonly fd: number;
  /** The socket that its client speaks to (handoff/listeners.ts, `number`). */
  readonly entry: number;
  readonly client: Endpoint;
  readonly origin: Endpoint;
}

/** What the previous process handed over. Each engine takes its own, and serves it only once `sockets.hasBegun`. */
export interface Inheritance {
  readonly sockets: Inherited;
  /** By `entry`. */
  readonly sessions: Map<number, readonly HandedSession[]>;
}

/** How an engine is made; the composition root (agent.ts) calls it with where events go. */
export type EngineFactory = (events: EngineEvents, inheritance?: Inheritance) => Promise<Engine>;
