/**
 * The table `inet edgefour_guard` with no rule in it: limits in front of every engine. contents/pieces.ts has the parts that a rule adds. Pure.
 * A packet's way:
 *
 *  prerouting, output  -300  bans, deny and allow lists, UDP packets, new TCP connections; SYNs above the threshold untracked
 *  prerouting, output  -180  new UDP sessions and open connections, of packets that conntrack has just seen first
 *  input, forward         0  untracked SYNs are answered with a cookie, and its bearers are let through
 *
 * All of that is before the kernel engine's address translation (-100), so it sees what clients asked for. One look-up by
 * entry address, protocol and port leads to the chain of the rule: a packet costs the same with one limited rule and with
 * thousands, and one of no limited rule costs that look-up.
 */
import { PLACEHOLDER } from '../../engines/packet-marks.ts';
import { OWNER_CHAIN } from '../../linux/nft/whole-tables.ts';

export const GUARD_NAME = 'edgefour_guard';
export const TABLE = `inet ${GUARD_NAME}`;
/** Stands beside it, with the same content, while it is replaced. */
export const STAND_IN = `${TABLE}_stand_in`;
export type TableName = typeof TABLE | typeof STAND_IN;

export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];
export const IP = { 4: 'ip', 6: 'ip6' } as const;
export const WIDTH = { 4: 32, 6: 128 } as const;

/** Where a map leads to: one look-up for single ports, and one for ranges. */
const MAP_KINDS = ['gate', 'hold', 'cookie'] as const;
export type MapKind = (typeof MAP_KINDS)[number];
export type MapName = `${MapKind}${'' | '-span'}${Family}`;

const key = (family: Family): string => `ipv${family}_addr . inet_proto . inet_service`;
const mapsOf = (kind: MapKind, family: Family): [MapName, string][] => [
  [`${kind}${family}`, `{ type ${key(family)} : verdict; }`],
  [`${kind}-span${family}`, `{ type ${key(family)} : verdict; flags interval; }`],
];
/** By name, as nft declares them. */
export const MAPS: ReadonlyMap<string, string> = new Map(
  FAMILIES.flatMap((family) => MAP_KINDS.flatMap((kind) => mapsOf(kind, family))),
);

/** A single SYN, and the answer to a cookie: what opens a connection. */
export const SYN = 'tcp flags & (fin | syn | rst | ack) == syn';
/** The way back from a cookie is open as long after the last SYN above the threshold. */
const ATTACKED = (family: Family): string =>
  `{ type ipv${family}_addr . inet_service; size 65535; flags dynamic,timeout; timeout 1m; }`;

const NEWCOMER = 'ct state new ct status & confirmed == 0';
const BY_ENTRY = (map: MapKind): string[] =>
  FAMILIES.flatMap((family) =>
    ['', '-span'].map((kind) => `${IP[family]} daddr . meta l4proto . th dport vmap @${map}${kind}${family}`),
  );
const IS_PLACEHOLDER = `meta mark ${PLACEHOLDER.mark}`;
export const NOT_PLACEHOLDER = `meta mark != ${PLACEHOLDER.mark}`;
/** What the machine says to itself: a client of its own. Not a SYN that a cookie's bearer has earned. */
const OWN = 'oif != lo return';
const HOOKED: readonly (readonly [name: string, hook: string, lines: readonly string[]])[] = [
  ['gates', '', BY_ENTRY('gate')],
  ['holds', '', BY_ENTRY('hold')],
  ['cookies', '', BY_ENTRY('cookie')],
  [
    'gate-in',
    'type filter hook prerouting priority -300',
    [`iif lo ${IS_PLACEHOLDER} drop`, 'iif lo return', 'goto gates'],
  ],
  [
    'gate-out',
    'type filter hook output priority -300',
    [OWN, `${IS_PLACEHOLDER} ct zone set ${PLACEHOLDER.zone} return`, 'fib saddr type != local return', 'goto gates'],
  ],
  ['hold-in', 'type filter hook prerouting priority -180', ['iif lo return', `${NEWCOMER} goto holds`]],
  [
    'hold-out',
    'type filter hook output priority -180',
    [OWN, `${IS_PLACEHOLDER} ct mark set ${PLACEHOLDER.mark}`, `${NEWCOMER} goto holds`],
  ],
  ['cookie-in', 'type filter hook input priority 0', ['ct state untracked,new,invalid goto cookies']],
  ['cookie-on', 'type filter hook forward priority 0', ['ct state untracked,new,invalid goto cookies']],
];
/** A chain that always has rules: without them another program has flushed the table. */
export const CANARY = 'gates';

/** Names of chains, maps and sets that are there with any limits. */
export const OF_EACH_TABLE: ReadonlySet<string> = new Set([
  ...HOOKED.map(([name]) => name),
  ...MAPS.keys(),
  ...FAMILIES.map((family) => `attacked${family}`),
]);

/** Names a chain without a rule, which says to the next process how the table was written. */
export const EDITION_CHAIN = 'edition-';

/** Whose the table is, and how it was written. */
export interface Signed {
  readonly owner: string;
  readonly edition: string;
}

/** In the place of a table of that name. The parts of rules come after it, and then hooks(). */
export function frame(table: TableName, { owner, edition }: Signed): string[] {
  return [
    ...without(table),
    `add table ${table} { comment "${owner}"; }`,
    `add chain ${table} ${OWNER_CHAIN}${owner}`,
    `add chain ${table} ${EDITION_CHAIN}${edition}`,
    ...FAMILIES.map((family) => `add set ${table} attacked${family} ${ATTACKED(family)}`),
  ];
}

export function hooks(table: TableName): string[] {
  return HOOKED.flatMap(([name, hook, lines]) => [
    `add chain ${table} ${name}${hook && ` { ${hook}; policy accept; }`}`,
    ...lines.map((line) => `add rule ${table} ${name} ${line}`),
  ]);
}

/** Gone, whether it was there or not. */
export function without(...tables: readonly TableName[]): string[] {
  return tables.flatMap((table) => [`add table ${table}`, `delete table ${table}`]);
}
