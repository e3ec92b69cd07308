/**
 * The three state words of a zone. They say different things: `Status` is about name servers, `CnameStatus` about proof
 * of ownership, and only `ActiveStatus` tells whether L4 proxies can run. Source: spec section 6.2.
 */
import type { Zone } from './zone.ts';

export const ZONE_STATUSES = ['active', 'pending', 'moved', 'deactivated', 'initializing'] as const;
type ZoneStatus = (typeof ZONE_STATUSES)[number];

/**
 * wire: `pending` for a new zone with a plan: name servers are never moved to EdgeFour, and Terraform waits after creating a
 * zone for exactly this word. One that was paused and enabled again is `active`.
 */
export function zoneStatus(zone: Zone): ZoneStatus {
  if (zone.planId === undefined) return 'initializing';
  return zone.enabledAt !== undefined && !zone.paused ? 'active' : 'pending';
}

/** No proof of a name's ownership is asked for: that is between operator and users. With NS access there is none to give. */
export function cnameStatus(zone: Zone): 'finished' | 'pending' {
  return zone.planId === undefined || zone.type === 'full' ? 'pending' : 'finished';
}

export type ActiveStatus = 'active' | 'inactive' | 'paused';

/**
 * wire: `inactive` until an instance of the zone is online (`isLive`), which is what Terraform waits for after it has
 * enabled a zone again.
 */
export function activeStatus(zone: Zone, isLive: boolean): ActiveStatus {
  if (zone.paused) return 'paused';
  return zone.planId !== undefined && isLive ? 'active' : 'inactive';
}
