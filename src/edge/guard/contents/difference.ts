/**
 * The difference between two contents of the guard's table: what has to be written, in an order in which no packet meets
 * half of it. Pure. contents.ts makes it, adopt.ts makes it less, script.ts puts it into words for nft.
 */
import type { Element, ElementChange } from '../../../linux/nft/transaction.ts';
import type { Family } from '../layout.ts';
import { leadKey, type Pieces } from './pieces.ts';

/** A set of a list's networks of one family. */
export interface ListSet {
  readonly name: string;
  readonly family: Family;
  readonly parts: readonly (readonly string[])[];
}

/** In three steps: new parts are there before `swap` leads to them, in one transaction, and old ones go after. */
export interface Difference {
  readonly counters: readonly string[];
  /** Meters and sets of bans: name → how nft declares it. */
  readonly sets: readonly (readonly [name: string, spec: string])[];
  readonly lists: readonly ListSet[];
  readonly chains: readonly (readonly [name: string, lines: readonly string[]])[];
  readonly swap: readonly ElementChange[];
  readonly gone: {
    readonly chains: readonly string[];
    readonly sets: readonly string[];
    readonly counters: readonly string[];
  };
}

/** What one rule has in the table, before and after. */
export type Change = readonly [before: Pieces | undefined, after: Pieces | undefined];

interface Changed<T> {
  readonly fresh: readonly T[];
  readonly gone: readonly T[];
}

interface ChangedPieces {
  readonly counters: Changed<string>;
  readonly meters: Changed<readonly [name: string, spec: string]>;
  readonly chains: Changed<readonly [name: string, lines: readonly string[]]>;
  readonly leads: Changed<Element>;
}

export function changedPieces(changes: readonly Change[]): ChangedPieces {
  return {
    counters: changed(
      changes,
      ({ counters }) => counters,
      ({ counters }, name) => counters.has(name),
    ),
    meters: changed(
      changes,
      ({ meters }) => meters,
      ({ meters }, [name]) => meters.has(name),
    ),
    chains: changed(
      changes,
      ({ chains }) => chains,
      ({ chains }, [name]) => chains.has(name),
    ),
    leads: changed(
      changes,
      ({ leads }) => leads.values(),
      ({ leads }, lead) => leads.get(leadKey(lead))?.data === lead.data,
    ),
  };
}

/** `of`: the pieces of one kind; `has`: whether this one is among them, as it is. */
function changed<T>(
  changes: readonly Change[],
  of: (pieces: Pieces) => Iterable<T>,
  has: (pieces: Pieces, one: T) => boolean,
): Changed<T> {
  const only = (here: Pieces | undefined, there: Pieces | undefined): T[] =>
    here ? [...of(here)].filter((one) => !there || !has(there, one)) : [];
  return {
    fresh: changes.flatMap(([before, after]) => only(after, before)),
    gone: changes.flatMap(([before, after]) => only(before, after)),
  };
}

export function changesOf(verb: ElementChange['verb'], elements: readonly Element[]): ElementChange[] {
  return [...Map.groupBy(elements, ({ set }) => set)].map(([set, elements]) => ({ verb, set, elements }));
}
