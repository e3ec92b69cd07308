/**
 * Which entry addresses an instance gets: one at every site that serves its area, an IPv6 one beside it where the
 * instance wants IPv6 and the site has any. Pure; api/handling/entry-addresses.ts writes the claims that this decides.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import type { Rng } from '../../lib/rng.ts';
import type { Area, EntryAddresses, OnOff } from '../l4-proxy/l4-proxy.ts';
import { type Site, serves } from '../site/site.ts';
import { type Claims, pickAddress, type Wish } from './pick.ts';
import { type Pool, poolOf } from './pool.ts';

export interface EntryWish {
  readonly area: Area;
  readonly ipv6: OnOff;
  readonly staticIp: OnOff;
  readonly fits: Wish['fits'];
  /** Where one site has no address left: no answer at all, or one without that site. */
  readonly ifNone: 'refuse' | 'skip';
}

/** The claims on one site's addresses of one family. */
export type ClaimsOf = (site: string, family: 4 | 6) => Claims;
type Entries = Readonly<Record<string, EntryAddresses>>;

type NoAddress = Fault<'OperationDenied.L4LackOfResources'>;

/**
 * The addresses of an instance, new or with what it has already (`kept`). An address stays while its site serves the area
 * and has it in the pool; what is missing is taken, what is no longer wanted is left out.
 */
export function entriesFor(
  kept: Entries,
  sites: readonly Site[],
  wish: EntryWish,
  claims: ClaimsOf,
  rng: Rng,
): Entries | NoAddress {
  const serving = sites.filter((site) => serves(site, wish.area));
  const isStrict = wish.ifNone === 'refuse';
  if (serving.length === 0) return lack(`No site serves the area ${wish.area}.`);
  const entries: Record<string, EntryAddresses> = {};
  for (const site of serving) {
    const has = kept[site.id] ?? {};
    const pool4 = poolOf(site, 4);
    const pool6 = poolOf(site, 6);
    // IPv6 turned off at a site that has nothing else keeps the instance reachable there.
    const wants6 = wish.ipv6 === 'on' || (pool4.size === 0 && has.v6 !== undefined);
    const v4 = keepOrTake(pool4, has.v4, wish, claims(site.id, 4), rng);
    const v6 = wants6 ? keepOrTake(pool6, has.v6, wish, claims(site.id, 6), rng) : undefined;
    if (isStrict && (v4 === null || v6 === null)) return noneLeft(site, v4 === null ? 4 : 6, wish);
    if (v4 || v6) entries[site.id] = { ...(v4 && { v4 }), ...(v6 && { v6 }) };
    else if (isStrict) return noneAtAll(site, pool6.size > 0);
  }
  const isEmpty = Object.keys(entries).length === 0;
  return isEmpty ? lack(`No site that serves the area ${wish.area} has an entry address left.`) : entries;
}

/** `undefined`: the site has no such addresses; `null`: none is left. */
function keepOrTake(
  pool: Pool,
  kept: string | undefined,
  { staticIp, fits }: EntryWish,
  claims: Claims,
  rng: Rng,
): string | null | undefined {
  if (kept !== undefined && pool.has(kept)) return kept;
  if (pool.size === 0) return undefined;
  return pickAddress(pool, claims, { exclusive: staticIp === 'on', fits }, rng) ?? null;
}

/** Every address with its site, in order of the sites' ids. */
export function addressesOf(entries: Entries): { readonly site: string; readonly ip: string }[] {
  return Object.entries(entries)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([site, { v4, v6 }]) => [v4, v6].flatMap((ip) => (ip === undefined ? [] : [{ site, ip }])));
}

function noneLeft(site: Site, family: 4 | 6, wish: EntryWish): NoAddress {
  const own = wish.staticIp === 'on' ? 'No IPv4 address of its own is' : `No IPv${family} entry address is`;
  return lack(`${own} left at site ${site.id}; delete an instance or add addresses.`);
}

function noneAtAll(site: Site, hasIpv6: boolean): NoAddress {
  const why = hasIpv6 ? 'has IPv6 entry addresses only; set Ipv6 to on' : 'has no entry addresses';
  return lack(`Site ${site.id} ${why}.`);
}

function lack(why: string): NoAddress {
  return refuse('OperationDenied.L4LackOfResources', why);
}
