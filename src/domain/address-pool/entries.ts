/**
 * Which entry addresses an instance gets: one at every site that serves its area, an IPv6 one beside it where the
 * instance wants IPv6 and the site has any. Pure; api/entry-addresses.ts writes the claims that this decides.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import type { Rng } from '../../lib/rng.ts';
import type { Area, EntryAddresses, OnOff } from '../l4-proxy/l4-proxy.ts';
import { type Site, serves } from '../site/site.ts';
import { type Claims, pickAddress, type Wish } from './pick.ts';
import { poolOf } from './pool.ts';

export interface EntryWish {
  readonly area: Area;
  readonly ipv6: OnOff;
  readonly staticIp: OnOff;
  readonly fits: Wish['fits'];
}

/** The claims on one site's addresses of one family. */
export type ClaimsOf = (site: string, family: 4 | 6) => Claims;
export type Entries = Readonly<Record<string, EntryAddresses>>;

type NoAddress = Fault<'OperationDenied.L4LackOfResources'>;

/** Addresses for a new instance. Where one site has none left, there is no instance: it would not be reachable there. */
export function newEntries(sites: readonly Site[], wish: EntryWish, claims: ClaimsOf, rng: Rng): Entries | NoAddress {
  const serving = sites.filter((site) => serves(site, wish.area));
  if (serving.length === 0) return refuse('OperationDenied.L4LackOfResources', `No site serves the area ${wish.area}.`);
  const entries: Record<string, EntryAddresses> = {};
  for (const site of serving) {
    const v4 = poolOf(site, 4).size > 0 ? take(site, 4, wish, claims, rng) : undefined;
    const v6 = wish.ipv6 === 'on' && poolOf(site, 6).size > 0 ? take(site, 6, wish, claims, rng) : undefined;
    if (v4 === null || v6 === null) return noneLeft(site, v4 === null ? 4 : 6, wish);
    if (v4 === undefined && v6 === undefined) return noneAtAll(site);
    entries[site.id] = { ...(v4 && { v4 }), ...(v6 && { v6 }) };
  }
  return entries;
}

/** IPv6 turned on: the IPv4 addresses stay, and each site that has IPv6 addresses adds one. */
export function entriesWithIpv6(
  entries: Entries,
  sites: readonly Site[],
  wish: EntryWish,
  claims: ClaimsOf,
  rng: Rng,
): Entries | NoAddress {
  const next: Record<string, EntryAddresses> = { ...entries };
  for (const site of sites) {
    const entry = entries[site.id];
    if (!entry || entry.v6 !== undefined || poolOf(site, 6).size === 0) continue;
    const v6 = take(site, 6, wish, claims, rng);
    if (v6 === null) return noneLeft(site, 6, wish);
    next[site.id] = { ...entry, v6 };
  }
  return next;
}

/** IPv6 turned off: what has an IPv4 address keeps that alone; at a site that has none, the IPv6 one stays. */
export function entriesWithoutIpv6(entries: Entries): Entries {
  return Object.fromEntries(
    Object.entries(entries).map(([site, { v4, v6 }]) => [site, v4 ? { v4 } : v6 ? { v6 } : {}]),
  );
}

/** Every address with its site, in order of the sites' ids. */
export function addressesOf(entries: Entries): { readonly site: string; readonly ip: string }[] {
  return Object.entries(entries)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([site, { v4, v6 }]) => [v4, v6].flatMap((ip) => (ip === undefined ? [] : [{ site, ip }])));
}

/** `null`: none left. */
function take(site: Site, family: 4 | 6, wish: EntryWish, claims: ClaimsOf, rng: Rng): string | null {
  const pool = poolOf(site, family);
  return (
    pickAddress(pool, claims(site.id, family), { exclusive: wish.staticIp === 'on', fits: wish.fits }, rng) ?? null
  );
}

function noneLeft(site: Site, family: 4 | 6, wish: EntryWish): NoAddress {
  const own = wish.staticIp === 'on' ? 'No IPv4 address of its own is' : `No IPv${family} entry address is`;
  return refuse(
    'OperationDenied.L4LackOfResources',
    `${own} left at site ${site.id}; delete an instance or add addresses.`,
  );
}

function noneAtAll(site: Site): NoAddress {
  const why = poolOf(site, 6).size > 0 ? 'has IPv6 entry addresses only; set Ipv6 to on' : 'has no entry addresses';
  return refuse('OperationDenied.L4LackOfResources', `Site ${site.id} ${why}.`);
}
