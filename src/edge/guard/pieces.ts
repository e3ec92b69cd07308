/**
 * What one rule with its limits is in the guard's table: chains, meters, counters, and the elements that lead to its
 * chains. Pure. Chains and meters are named after what they hold: another limit is another name, and whatever stays the
 * same keeps its state. Networks of lists and bans are sets of their own (networks.ts) that rules share.
 */
import type { Element } from '../../linux/nft/transaction.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import { FAMILIES, type Family, IP, type MapKind, type MapName, NOT_CARRIED, SYN, WIDTH } from './layout.ts';

/** Why a packet was given up: the words of `dropped` in counters. `syn-cookie`: answered with a cookie instead. */
type Reason =
  | 'ban'
  | 'deny'
  | 'allow'
  | 'packets'
  | 'rate'
  | 'rule-rate'
  | 'concurrent'
  | 'rule-concurrent'
  /** Of a source that a full meter has no room for. */
  | 'crowd'
  | 'syn-cookie';

export interface Pieces {
  readonly counters: ReadonlySet<string>;
  /** Name → how nft declares it. */
  readonly meters: ReadonlyMap<string, string>;
  /** order: what is jumped to is there before the jump. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** By map and key. */
  readonly leads: ReadonlyMap<string, Element<MapName>>;
  /** Names of sets of networks that its chains look into. */
  readonly reads: ReadonlySet<string>;
}

export type LimitedRule = Pick<PlannedRule, 'id' | 'proxy' | 'protocol' | 'entries' | 'ports' | 'limits'>;

/** Sets of networks that a rule may need. */
export interface SetsOfNetworks {
  /** `key`: as in the rule's limits. */
  readonly list: (key: string, family: Family) => string;
  /** One for each length of prefix among the bans of the instance. */
  readonly bans: (proxy: string, family: Family) => readonly { readonly name: string; readonly bits: number }[];
}

/** limit: sources that a meter remembers, 6 MB at most; those beyond share what CROWD of them may have. */
const MOST_SOURCES = 65_536;
const CROWD = 64;
/** limit: connections of the crowd are counted by looking through them, a few hundred times a second at most. */
const MOST_OF_CROWD = 1024;
const SYNPROXY = 'synproxy mss 1460 wscale 7 timestamp sack-perm';

function counterName(rule: string, reason: Reason): string {
  return `${rule}.${reason}`;
}

/** FNV-1a: short, and only names depend on it. */
export function digest(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(text.length - 1 - i), 0x85ebca6b);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

/** `undefined`: nothing is limited. `sources`: what a meter remembers; tests fill a small one. */
export function piecesOf(rule: LimitedRule, networks: SetsOfNetworks, sources = MOST_SOURCES): Pieces | undefined {
  const { lines, ...rest } = linesOf(rule, networks, sources);
  const chains = new Map<string, readonly string[]>();
  const leads = new Map<string, Element<MapName>>();
  for (const [kind, own] of lines) {
    if (own.length === 0) continue;
    const name = chainName(kind, rule.id, own);
    chains.set(name, own);
    if (kind === 'allow') continue;
    for (const lead of leadsTo(rule, kind, name)) leads.set(`${lead.set} ${lead.key}`, lead);
  }
  return chains.size === 0 ? undefined : { ...rest, chains, leads };
}

function chainName(kind: MapKind | 'allow', rule: string, lines: readonly string[]): string {
  return `${kind}-${rule}-${digest(lines.join('\n'))}`;
}

/** Its counts of open connections begin with nothing. */
export function isCountedAnew(
  { id, limits }: LimitedRule,
  { chains }: { chains: readonly (readonly [string, unknown])[] },
) {
  const counts = limits?.concurrent !== undefined || limits?.ruleConcurrent !== undefined;
  return counts && chains.some(([name]) => name.startsWith(`hold-${id}-`));
}

function leadsTo({ entries, ports, protocol }: LimitedRule, kind: MapKind, chain: string): Element<MapName>[] {
  return entries.flatMap((entry) =>
    ports.map(({ from, to }): Element<MapName> => {
      const set: MapName = `${kind}${from === to ? '' : '-span'}${entry.includes(':') ? 6 : 4}`;
      const span = from === to ? `${from}` : `${from}-${to}`;
      return { set, key: `${entry} . ${protocol.toLowerCase()} . ${span}`, data: `goto ${chain}` };
    }),
  );
}

interface Lines extends Pick<Pieces, 'counters' | 'meters' | 'reads'> {
  readonly lines: ReadonlyMap<MapKind | 'allow', string[]>;
}

function linesOf(
  { id, proxy, protocol, entries, limits = {} }: LimitedRule,
  sets: SetsOfNetworks,
  size: number,
): Lines {
  const [gate, hold, cookie, allow] = [[], [], [], []] as [string[], string[], string[], string[]];
  const [meters, reads, counters] = [new Map<string, string>(), new Set<string>(), new Set<string>()];
  const families = FAMILIES.filter((family) => entries.some((entry) => entry.includes(':') === (family === 6)));
  const isTcp = protocol === 'TCP';
  const count = (reason: Reason): string => {
    counters.add(counterName(id, reason));
    return `counter name "${counterName(id, reason)}"`;
  };
  const source = (family: Family): string =>
    masked(family, (family === 4 ? limits.prefix4 : limits.prefix6) ?? { 4: 32, 6: 64 }[family]);
  const meter = (what: Reason, number: number | string, family: Family, flags: string): string => {
    const name = `${what}-${id}-${digest(`${number} ${source(family)}`)}-${family}`;
    meters.set(name, `{ type ipv${family}_addr; size ${size}; flags ${flags}; }`);
    return name;
  };
  const perSource = (chain: string[], when: string, reason: Reason, number: number): void => {
    for (const family of families) {
      const name = meter(reason, number, family, 'dynamic,timeout; timeout 10s');
      chain.push(
        `${when}update @${name} { ${source(family)} ${over(number)} } ${count(reason)} drop`,
        `${when}${source(family)} != @${name} ${over(CROWD * number)} ${count('crowd')} drop`,
      );
    }
  };
  const read = (name: string): string => {
    reads.add(name);
    return `@${name}`;
  };
  const inList = (key: string, family: Family): string => `${IP[family]} saddr ${read(sets.list(key, family))}`;

  for (const family of families) {
    for (const { name, bits } of sets.bans(proxy, family))
      gate.push(`${masked(family, bits)} ${read(name)} ${count('ban')} drop`);
    for (const key of limits.deny ?? []) gate.push(`${inList(key, family)} ${count('deny')} drop`);
    for (const key of limits.allow ?? []) allow.push(`${inList(key, family)} return`);
  }
  if (allow.length > 0) {
    allow.push(`${count('allow')} drop`);
    gate.push(`jump ${chainName('allow', id, allow)}`);
  }
  const { newPerSecond, ruleNewPerSecond, packetsPerSecond, concurrent, ruleConcurrent, synProxy } = limits;
  if (packetsPerSecond && !isTcp) perSource(gate, '', 'packets', packetsPerSecond);
  const opening = isTcp ? gate : hold;
  const when = isTcp ? `${SYN} ` : `${NOT_CARRIED} `;
  if (newPerSecond) perSource(opening, when, 'rate', newPerSecond);
  if (ruleNewPerSecond) opening.push(`${when}${over(ruleNewPerSecond)} ${count('rule-rate')} drop`);
  const refuse = (reason: Reason): string =>
    `${NOT_CARRIED} ${count(reason)} ${isTcp ? 'reject with tcp reset' : 'drop'}`;
  // All counts of a rule are new together, so that what is open is carried into each of them once.
  const together = JSON.stringify([
    concurrent,
    ruleConcurrent,
    families,
    ...(isTcp ? [] : [newPerSecond, ruleNewPerSecond]),
  ]);
  if (concurrent)
    for (const family of families) {
      const name = meter('concurrent', together, family, 'dynamic');
      const ofCrowd = Math.max(concurrent, Math.min(CROWD * concurrent, MOST_OF_CROWD));
      hold.push(
        `add @${name} { ${source(family)} ct count over ${concurrent} } ${refuse('concurrent')}`,
        `${source(family)} != @${name} ct count over ${ofCrowd} ${refuse('crowd')}`,
      );
    }
  if (ruleConcurrent) hold.push(`ct count over ${ruleConcurrent} ${refuse('rule-concurrent')}`);
  if (synProxy && isTcp)
    for (const family of families) {
      const ip = IP[family];
      const syn = `meta nfproto ipv${family} iif != lo ${SYN} ${over(synProxy)}`;
      gate.push(`${syn} update @attacked${family} { ${ip} daddr . tcp dport } ${count('syn-cookie')} notrack`);
      const bearer = `ct state new,invalid tcp flags & (fin | syn | rst | ack) == ack`;
      cookie.push(`ct state untracked ${SYN} ${SYNPROXY}`);
      cookie.push(`${ip} daddr . tcp dport @attacked${family} ${bearer} ${SYNPROXY}`);
    }
  const lines = new Map<MapKind | 'allow', string[]>([
    ['allow', allow],
    ['gate', gate],
    ['hold', hold],
    ['cookie', cookie],
  ]);
  return { lines, meters, reads, counters };
}

function over(number: number): string {
  return `limit rate over ${number}/second burst ${number} packets`;
}

/** The first `bits` of the source address. */
function masked(family: Family, bits: number): string {
  return `${IP[family]} saddr${bits === WIDTH[family] ? '' : ` & ${maskOf(bits, family)}`}`;
}

/** As an address: /24 → 255.255.255.0. */
function maskOf(bits: number, family: Family): string {
  const width = family === 4 ? 4 : 16;
  const bytes = Array.from({ length: width }, (_, i) => (0xff << (8 - Math.max(0, Math.min(8, bits - 8 * i)))) & 0xff);
  if (family === 4) return bytes.join('.');
  const word = (i: number): string => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16);
  return Array.from({ length: 8 }, (_, i) => word(i)).join(':');
}
