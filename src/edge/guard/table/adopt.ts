/**
 * A table of limits that an earlier process has left, and which of its parts stay as they are. Chains, meters and counters
 * are named after what they hold, so one that has the right name is right, and its counts go on: how many connections a
 * source has open, how near it is to its rate. Pure. Called by written-table.ts at the start.
 */
import type { Element, ElementChange } from '../../../linux/nft/transaction.ts';
import { changesOf, type Difference } from '../contents/difference.ts';
import { hooks, MAPS, OF_EACH_TABLE, TABLE } from '../layout.ts';
import { digest } from '../contents/nft-text.ts';
import { leadKey, piecesOf } from '../contents/pieces.ts';

export interface Found {
  readonly chains: ReadonlySet<string>;
  readonly sets: ReadonlySet<string>;
  readonly counters: ReadonlySet<string>;
  /** Where its maps lead. */
  readonly leads: readonly Element[];
  readonly bans: readonly Element[];
}

/** `wanted`, which is the whole, less what is there; and the parts that are to go. */
export function remaining(wanted: Difference, found: Found): Difference {
  const sets = wanted.sets.filter(([name]) => !found.sets.has(name));
  const lists = wanted.lists.filter(({ name }) => !found.sets.has(name));
  const kept = new Set([
    ...OF_EACH_TABLE,
    ...wanted.sets.map(([name]) => name),
    ...wanted.lists.map(({ name }) => name),
  ]);
  const chains = new Set([...OF_EACH_TABLE, ...wanted.chains.map(([name]) => name)]);
  const isOwn = (name: string): boolean => !chains.has(name) && !/^(?:owner|edition)-/.test(name);
  return {
    counters: wanted.counters.filter((name) => !found.counters.has(name)),
    sets,
    lists,
    chains: wanted.chains.filter(([name]) => !found.chains.has(name)),
    swap: swapped(wanted.swap, found),
    gone: {
      // order: a jump goes before what it jumps to, and only lists of who may are jumped to.
      chains: [...found.chains].filter(isOwn).toSorted((a, b) => Number(isAllow(a)) - Number(isAllow(b))),
      sets: [...found.sets].filter((name) => !kept.has(name)),
      counters: [...found.counters].filter((name) => !wanted.counters.includes(name)),
    },
  };
}

const isAllow = (name: string): boolean => name.startsWith('allow-');

/** Bans are written anew, because the end of one may be another; a lead only where it leads somewhere else. */
function swapped(wanted: readonly ElementChange[], { leads, bans }: Found): ElementChange[] {
  const added = wanted.flatMap(({ elements }) => elements);
  const isLead = ({ set }: Element): boolean => MAPS.has(set);
  const before = new Map(leads.map((one) => [leadKey(one), one]));
  const after = new Map(added.map((one) => [leadKey(one), one]));
  const stays = (one: Element): boolean => isLead(one) && before.get(leadKey(one))?.data === one.data;
  const gone = leads.filter((one) => after.get(leadKey(one))?.data !== one.data);
  return [
    ...changesOf('delete', [...gone, ...bans]),
    ...changesOf(
      'add',
      added.filter((one) => !stays(one)),
    ),
  ];
}

/** Differs wherever a table of this program differs in something that no name says. `sources`: how many a meter remembers. */
export function editionOf(sources: number | undefined): string {
  const limits = {
    newPerSecond: 1,
    ruleNewPerSecond: 1,
    concurrent: 1,
    ruleConcurrent: 1,
    packetsPerSecond: 1,
    synProxy: 1,
    allow: ['a'],
    deny: ['d'],
  };
  const place = { id: 'r', proxy: 'p', entries: ['192.0.2.1', '2001:db8::1'], ports: [{ from: 1, to: 1 }], limits };
  const networks = { list: (key: string) => key, bans: () => [{ name: 'b', bits: 8 }] };
  const pieces = (['TCP', 'UDP'] as const).map((protocol) => piecesOf({ ...place, protocol }, networks, sources));
  const written = pieces.map((one) => [[...(one?.meters ?? [])], [...(one?.chains ?? [])]]);
  return digest(JSON.stringify([hooks(TABLE), [...MAPS], written]));
}
