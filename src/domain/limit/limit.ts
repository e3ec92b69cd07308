/**
 * Limits of a rule or of all rules of an instance: how much one client address may do, and which addresses may connect at
 * all. Pure. A rule's own limit goes before its instance's, field by field. Edges keep them in the kernel (edge/guard), in
 * front of every engine; docs/decisions/limits.md says what is dropped and what is refused.
 */

/** Absent: no such limit. */
export interface Limits {
  /** New connections (UDP: sessions) per second from one source. */
  readonly newPerSecond?: number;
  /** Open connections from one source. */
  readonly concurrent?: number;
  /** Datagrams per second from one source; UDP only. */
  readonly packetsPerSecond?: number;
  /** New connections per second of a rule, from everybody together. */
  readonly ruleNewPerSecond?: number;
  /** Open connections of a rule, from everybody together. */
  readonly ruleConcurrent?: number;
  /** TCP SYNs per second of a rule above which clients have to prove that they exist before a connection is made. */
  readonly synProxy?: number;
  /** The size of one source: bits of an IPv4 and of an IPv6 address; default 32 and 64. */
  readonly prefix4?: number;
  readonly prefix6?: number;
  /** Names of address lists of the zone: only addresses on one of the first come in, none on one of the second. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** Absent stays as it is; 0 and an empty list take the limit away. */
export type LimitsChange = { readonly [K in keyof Limits]?: Limits[K] | undefined };

/** `undefined` where nothing is limited any more. */
export function changedLimits(before: Limits | undefined, change: LimitsChange): Limits | undefined {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  const after = Object.entries({ ...before, ...Object.fromEntries(given) });
  const left = after.filter(([, value]) => value !== 0 && !(Array.isArray(value) && value.length === 0));
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

/** The limits that hold for a rule. */
export function limitsOf(instance: Limits | undefined, rule: Limits | undefined): Limits | undefined {
  return instance || rule ? { ...instance, ...rule } : undefined;
}
