/**
 * A table of limits that an earlier life has left: what of it stays as it is. Chains, meters and counters are named after what they
 * hold, so one that has the right name is right, and what it has counted goes on: how many connections a source has open, how
 * near it is to its rate. Pure. Called by guard.ts at the start.
 */
import type { Element, ElementChange } from '../../linux/nft/transaction.ts';
import type { Difference } from './book.ts';
import { hooks, MAPS, OF_EACH_TABLE, TABLE } from './layout.ts';
import { digest, piecesOf } from './pieces.ts';

export interface Found {
  readonly chains: ReadonlySet<string>;
  readonly sets: ReadonlySet<string>;
  readonly counters: ReadonlySet<string>;
  /** What its maps lead to. */
  readonly leads: readonly Element[];
  readonly bans: readonly Element[];
}

/** What of `wanted`, which is all there should be, is still to be written, and what is to go. */
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
  const keyOf = ({ set, key }: Element): string => `${set} ${key}`;
  const [before, after] = [
    new Map(leads.map((one) => [keyOf(one), one])),
    new Map(added.map((one) => [keyOf(one), one])),
  ];
  const stays = (one: Element): boolean => isLead(one) && before.get(keyOf(one))?.data === one.data;
  const gone = leads.filter((one) => after.get(keyOf(one))?.data !== one.data);
  return [
    ...grouped('delete', [...gone, ...bans]),
    ...grouped(
      'add',
      added.filter((one) => !stays(one)),
    ),
  ];
}

function grouped(verb: ElementChange['verb'], elements: readonly Element[]): ElementChange[] {
  return [...Map.groupBy(elements, ({ set }) => set)].map(([set, elements]) => ({ verb, set, elements }));
}

/** Changes with whatever a table of this program looks like beside what its names say. `sources`: what a meter remembers. */
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
