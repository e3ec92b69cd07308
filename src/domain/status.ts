/**
 * The state words and how they are derived. Handlers never store a status: they store what is wanted, edges report how
 * far they are, and this file puts the two together. Source of the words: spec section 4.
 */
import type { LoadBalancer } from './load-balancer/load-balancer.ts';
import type { Area, L4Proxy } from './l4-proxy/l4-proxy.ts';
import type { L4Rule } from './l4-rule/l4-rule.ts';
import type { Stamp } from './stamp.ts';

export const RULE_STATUSES = ['online', 'offline', 'progress', 'stopping', 'fail'] as const;
export type RuleStatus = (typeof RULE_STATUSES)[number];
export const PROXY_STATUSES = [...RULE_STATUSES, 'banned'] as const;
export type ProxyStatus = (typeof PROXY_STATUSES)[number];

/** The reports of edges so far; facts/acks/acks.ts implements it. */
export interface AckView {
  /** The revision that every live edge serving the area has applied; 0 where no edge has ever reported. */
  applied(area: Area): number;
  /** Why edges could not apply the rule or the instance, as `edge: reason`; empty where none failed. */
  failures(id: string): readonly string[];
}

/** The part of a zone that decides whether its instances run. */
export interface ZoneSwitch {
  readonly paused: boolean;
  readonly changed: Stamp;
}

export function proxyStatus(proxy: Omit<L4Proxy, 'rules'>, zone: ZoneSwitch, acks: AckView): ProxyStatus {
  if (proxy.banned) return 'banned';
  const done = acks.applied(proxy.area) >= Math.max(proxy.changed, zone.changed);
  if (zone.paused || proxy.want === 'offline') return done ? 'offline' : 'stopping';
  if (!done) return 'progress';
  return acks.failures(proxy.id).length > 0 ? 'fail' : 'online';
}

/**
 * A rule forwards only while its instance does, so an instance that is off shows its rules off. `origins` is the revision
 * that last changed the origin group or load balancer that the rule names; 0 where it names none.
 */
export function ruleStatus(proxy: L4Proxy, rule: L4Rule, zone: ZoneSwitch, acks: AckView, origins: Stamp): RuleStatus {
  const applied = acks.applied(proxy.area);
  const done = applied >= Math.max(rule.changed, proxy.changed, zone.changed);
  const off = zone.paused || proxy.banned || proxy.want === 'offline' || rule.want === 'offline';
  // A rule that an edge can't take down forwards on, also where it should not.
  if (off) return !done ? 'stopping' : acks.failures(rule.id).length > 0 ? 'fail' : 'offline';
  if (!done || applied < origins) return 'progress';
  // An instance that an edge cannot even read forwards none of its rules there.
  const failed = acks.failures(rule.id).length > 0 || acks.failures(proxy.id).length > 0;
  return failed ? 'fail' : 'online';
}

/**
 * `Deleting` is a word of the cloud's only: here a balancer goes in one commit.
 * not: waiting for its groups. A caller that changes a group and then its balancer, as Terraform does, would be refused.
 */
export const BALANCER_STATUSES = ['Pending', 'Deleting', 'Running'] as const;
type BalancerStatus = (typeof BALANCER_STATUSES)[number];

/** A balancer is wherever its zone's instances may be, so all edges have to know it. */
export function balancerStatus({ changed }: Pick<LoadBalancer, 'changed'>, acks: AckView): BalancerStatus {
  return acks.applied('global') >= changed ? 'Running' : 'Pending';
}
