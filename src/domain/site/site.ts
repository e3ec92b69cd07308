/** A place with entry addresses: one machine, or several that hold the same pool. Record key: `site/<id>`. */
import type { Area } from '../l4-proxy/l4-proxy.ts';

export interface Site {
  readonly id: string;
  /** CIDRs and single addresses, v4 and v6, in the operator's order. */
  readonly pool: readonly string[];
  /** Which parts of the world the site serves; an instance of area `global` is served by every site. */
  readonly areas: readonly Area[];
}

/** A global instance is everywhere, and a site that serves `global` serves every area. */
export function serves(site: Site, area: Area): boolean {
  return area === 'global' || site.areas.includes(area) || site.areas.includes('global');
}

/** An edge that has joined. Record key: `edge/<id>`. Whether it is alive is a fact, not state. */
export interface Edge {
  readonly id: string;
  readonly site: string;
}

/** An instance, as a claim names it: its record's key. */
export interface Holder {
  readonly zone: string;
  readonly name: string;
}

/** Who holds an entry address. Record key: `address/<site>/v4/<ip>`, `address/<site>/v6/<ip>`. */
export interface AddressClaim {
  /** The instances on this address; more than one only where the pool ran short. */
  readonly proxies: readonly Holder[];
  /** A StaticIp instance never shares. */
  readonly exclusive: boolean;
}
