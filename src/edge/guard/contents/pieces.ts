/**
 * What one rule with its limits is in the guard's table: chains, meters, counters, and the elements that lead to its
 * chains. Pure. Chains and meters are named after what they hold: another limit is another name, and a limit that
 * stays the same keeps its state. Networks of lists and bans are sets of their own that rules share. Called by contents.ts.
 */
import type { Element } from '../../../linux/nft/transaction.ts';
import { type ChainKind, ChainLines, chainName } from './chain-lines.ts';
import type { MapKind, MapName } from '../layout.ts';
import type { LimitedRule, SetsOfNetworks } from './limited-rule.ts';

export interface Pieces {
  readonly counters: ReadonlySet<string>;
  /** Name → how nft declares it. */
  readonly meters: ReadonlyMap<string, string>;
  /** order: a chain that is jumped to comes before the jump. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** By leadKey(). */
  readonly leads: ReadonlyMap<string, Element<MapName>>;
  /** Names of sets of networks that its chains look into. */
  readonly reads: ReadonlySet<string>;
}

/** limit: sources that a meter remembers, 6 MB at most; those beyond are the crowd. */
const MOST_SOURCES = 65_536;

/** `undefined`: nothing is limited. `sources`: how many a meter remembers; tests fill a small one. */
export function piecesOf(rule: LimitedRule, networks: SetsOfNetworks, sources = MOST_SOURCES): Pieces | undefined {
  const lines = new ChainLines(rule, networks, sources);
  lines.networks();
  lines.rates();
  lines.openConnections();
  lines.cookies();
  const { counters, meters, reads } = lines;
  const chains = new Map<string, readonly string[]>();
  const leads = new Map<string, Element<MapName>>();
  for (const [kind, own] of Object.entries(lines.chains) as [ChainKind, string[]][]) {
    if (own.length === 0) continue;
    const name = chainName(kind, rule.id, own);
    chains.set(name, own);
    if (kind === 'allow') continue;
    for (const lead of leadsTo(rule, kind, name)) leads.set(leadKey(lead), lead);
  }
  return chains.size === 0 ? undefined : { counters, meters, reads, chains, leads };
}

/** Its counts of open connections begin with nothing. */
export function isCountedAnew(
  { id, limits }: LimitedRule,
  { chains }: { chains: readonly (readonly [string, unknown])[] },
): boolean {
  const counts = limits?.concurrent !== undefined || limits?.ruleConcurrent !== undefined;
  return counts && chains.some(([name]) => name.startsWith(`hold-${id}-`));
}

export function leadKey({ set, key }: Pick<Element, 'set' | 'key'>): string {
  return `${set} ${key}`;
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
