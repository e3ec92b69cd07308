/**
 * What an edge is to do, compiled from the records it follows: one planned rule per rule that should forward here.
 * Types only; compile.ts makes it. Engines see the same thing with origin names already resolved (engines/engine.ts).
 */
import type { Mode, Protocol } from '../domain/l4-rule/modes.ts';
import type { Checker } from '../domain/load-balancer/checker.ts';
import type { Limits } from '../domain/limit/limit.ts';
import type { PortSpan } from '../lib/net/ports.ts';

/** Milliseconds and seconds as the names say. Every field is set: defaults are filled in here, once. */
export interface PlannedOptions {
  /** Until an origin that does not answer is given up; default 5,000. */
  readonly connectTimeoutMs: number;
  /** TCP connection without a byte either way, default 600; UDP session without a datagram, default 120. */
  readonly idleSeconds: number;
  /** `seconds` counts for `drain` only; default drain, 30. */
  readonly drain: { readonly how: 'keep' | 'drain' | 'reset'; readonly seconds: number };
  /** PPV2's header goes in front of every datagram of a UDP session; absent: of its first. */
  readonly udpHeader?: 'each';
  /** One connection record in this many; 0 = none, 1 = all (default). */
  readonly recordOneIn: number;
  /** What happens to TCP connections with an origin that went down; `drain` waits as long as `drain` above. Default keep. */
  readonly unhealthy: 'keep' | 'drain' | 'reset';
  /** Dials that fail take an origin out of use; default true. */
  readonly passive: boolean;
  /** The kernel engine may have several origins that are not checked; default false. */
  readonly kernelUnchecked: boolean;
  /** An origin that came back gets its whole share after so long; default 0. */
  readonly slowStartSeconds: number;
}

/** `owner`: the id of the rule, balancer or group that asks for the check. */
export interface PlannedCheck {
  readonly owner: string;
  readonly checker: Checker;
}

/** An origin as the records name it: an IP address or a domain name. */
export interface PlannedOrigin {
  readonly host: string;
  /** Share of new connections relative to the others of its tier; 0 takes none. */
  readonly weight: number;
  /** Lower tiers are used first; a higher one only while no origin of the lower ones is usable. */
  readonly tier: number;
  /** The origin group that it is of; absent: the rule itself names it. */
  readonly group?: string;
  /** Absent: it is not checked. */
  readonly check?: PlannedCheck;
  /** An operator's word: it is in use, or out of use, until a time (milliseconds since 1970) or for good. */
  readonly override?: { readonly state: 'up' | 'down'; readonly until?: number };
}

/**
 * Origins that are checked whether a rule leads there or not, because people look before they bind: those of a balancer or a
 * group with a checker of its own.
 */
export interface PlannedPool {
  readonly check: PlannedCheck;
  readonly origins: readonly { readonly host: string; readonly group: string }[];
}

export interface PlannedRule {
  /** The rule id. */
  readonly id: string;
  readonly zone: string;
  readonly proxy: string;
  readonly protocol: Protocol;
  /** Entry addresses of this edge's site, v4 and v6. Empty: the plan's `failures` says why. */
  readonly entries: readonly string[];
  readonly ports: readonly PortSpan[];
  readonly origins: readonly PlannedOrigin[];
  /**
   * Where port p of `ports` goes: a single port takes all; a range is as long as all of `ports` together and maps by
   * offset, spans in the order written.
   */
  readonly originPorts: PortSpan;
  readonly mode: Mode;
  /** Seconds a client address keeps its origin; 0 = no session persistence. */
  readonly persistSeconds: number;
  /** Where a connection that could not be made is tried next: in another tier, or at another origin of the same one first. */
  readonly failover: 'tier' | 'origin';
  readonly options: PlannedOptions;
  /** `allow` and `deny`: keys of the lists' records. Absent: nothing is limited. Engines don't look at them. */
  readonly limits?: Limits;
}

export interface EdgePlan {
  readonly rules: ReadonlyMap<string, PlannedRule>;
  /** Rule or instance id → why nothing can be planned for it (no entry address, origin group missing …). */
  readonly failures: ReadonlyMap<string, string>;
  /** By the owner of their check. */
  readonly pools: ReadonlyMap<string, PlannedPool>;
}
