/**
 * Names in the table `inet edgefour`: its own, those of the sets and maps that all rules share, and how nft declares them.
 * base.ts says what packets do with them, contents.ts what a rule puts into them. Pure.
 */
import { KERNEL_TABLE } from '../../table-owner.ts';
import { tableOf } from '../../../linux/nft/nf-tables.ts';
import type { Element as AnyElement, Pieces } from '../../../linux/nft/transaction.ts';

export const TABLE = `inet ${KERNEL_TABLE}`;
/** Sets and maps by name, as nft declares them. */
export const SETS = {
  rules: 'set rules { type mark; }',
  entry4: 'map entry4 { type ipv4_addr . inet_proto . inet_service : mark; }',
  entry6: 'map entry6 { type ipv6_addr . inet_proto . inet_service : mark; }',
  span4: 'map span4 { type ipv4_addr . inet_proto . inet_service : mark; flags interval; }',
  span6: 'map span6 { type ipv6_addr . inet_proto . inet_service : mark; flags interval; }',
  to4: 'map to4 { type mark : ipv4_addr . inet_service; }',
  to6: 'map to6 { type mark : ipv6_addr . inet_service; }',
  host4: 'map host4 { type mark : ipv4_addr; }',
  host6: 'map host6 { type mark : ipv6_addr; }',
  shift: 'map shift { type mark . inet_service : inet_service; }',
  counts4: 'map counts4 { type mark : mark; }',
  counts6: 'map counts6 { type mark : mark; }',
  more4: 'map more4 { type mark : verdict; }',
  more6: 'map more6 { type mark : verdict; }',
  settings: 'map settings { type mark : verdict; }',
  refused: 'set refused { type mark; counter; }',
  // Rules whose packets all go through conntrack: the fast path leaves them alone.
  slow: 'set slow { type mark; }',
  fresh: 'set fresh { type mark; counter; }',
  told: 'set told { type mark; counter; }',
  seen4: 'set seen4 { type mark . ct_dir; counter; }',
  seen6: 'set seen6 { type mark . ct_dir; counter; }',
} as const;
export type SetName = keyof typeof SETS;

/** limit: 10 MB at worst; of more origins that are dialled within five minutes, the rest is not counted. */
const COUNTING_DIALS = 'size 65535; flags dynamic,timeout; timeout 5m; counter;';
/**
 * Origins by address and port, entered by packets: how many handshakes have begun (original) and were answered (reply), and how
 * many were rejected; of UDP how many sessions there were and were answered, and how many datagrams no program was there for.
 */
export const DIAL_SETS = {
  dials4: `set dials4 { type ipv4_addr . inet_service . ct_dir; ${COUNTING_DIALS} }`,
  dials6: `set dials6 { type ipv6_addr . inet_service . ct_dir; ${COUNTING_DIALS} }`,
  rejected4: `set rejected4 { type ipv4_addr . inet_service; ${COUNTING_DIALS} }`,
  rejected6: `set rejected6 { type ipv6_addr . inet_service; ${COUNTING_DIALS} }`,
  sessions4: `set sessions4 { type ipv4_addr . inet_service . ct_dir; ${COUNTING_DIALS} }`,
  sessions6: `set sessions6 { type ipv6_addr . inet_service . ct_dir; ${COUNTING_DIALS} }`,
  // By the mark: nft has no word for the port of the connection that an error is about.
  unheard: `set unheard { type mark; ${COUNTING_DIALS} }`,
} as const;
export type DialSet = keyof typeof DIAL_SETS;

/** How the bytes of their elements are read and written. */
export const LAYOUT = tableOf<SetName | DialSet>(KERNEL_TABLE, { ...SETS, ...DIAL_SETS });
export type Element = AnyElement<SetName>;
/** What one rule has in the table. */
export type Contents = Pieces<SetName>;
export const NO_CONTENTS: Contents = { elements: new Map(), chains: new Map(), maps: new Map() };

/** The chain that base.ts adds where the engine itself has switched forwarding on. */
export const GUARD_CHAIN = 'guard';

export type Family = 4 | 6;

export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}
