/**
 * What the guard's table holds, and what it should: told which rules and records have changed, it looks at those alone and
 * says what to write. Pure. What it has said counts as written; where that did not come true, forget() and write the whole.
 */
import type { AddressList, AddressListPart } from '../../domain/limit/networks.ts';
import type { Element, ElementChange } from '../../linux/nft/transaction.ts';
import { keys } from '../../store/records.ts';
import { Bans, type BanSet } from './bans.ts';
import type { Family } from './layout.ts';
import { Claims, isSamePlace, joined, leftBehind } from './left-behind.ts';
import { digest, type LimitedRule, type Pieces, piecesOf, type SetsOfNetworks } from './pieces.ts';

export interface World {
  readonly rules: () => ReadonlyMap<string, LimitedRule>;
  readonly records: () => ReadonlyMap<string, { readonly value: unknown; readonly revision: number }>;
  /** Which world's revisions they are. */
  readonly world?: () => string;
}

/** A set of a list's networks of one family. */
export interface ListSet {
  readonly name: string;
  readonly family: Family;
  readonly parts: readonly (readonly string[])[];
}

/** In three steps: what is new is there before `swap` leads to it, in one transaction, and what is old goes after. */
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

interface Held {
  /** Where its engine is, or will be. */
  readonly rule: LimitedRule;
  readonly lists: readonly string[];
  /** All that it has in the table, with what it has left behind. */
  readonly pieces: Pieces;
  readonly left: Pieces | undefined;
}

type Change = readonly [before: Pieces | typeof NO_PIECES, after: Pieces | typeof NO_PIECES];

const NO_PIECES = { counters: new Set<string>(), meters: new Map(), chains: new Map(), leads: new Map() } as const;

export class Book {
  readonly #world: World;
  readonly #sources: number | undefined;
  readonly #bans = new Bans();
  readonly #rules = new Map<string, Held>();
  /** List → rules that use it. */
  readonly #users = new Map<string, Set<string>>();
  /** Set of networks → how many rules look into it. */
  readonly #readers = new Map<string, number>();
  /** Instance → its sets of bans as they are in force. */
  readonly #standing = new Map<string, { readonly sets: readonly BanSet[]; readonly nextEnd: number }>();
  /** Rules whose engines may still serve them as they were. */
  readonly #moving = new Set<string>();
  readonly #dirtyRules = new Set<string>();
  readonly #dirtyBans = new Set<string>();

  /** `sources`: what a meter remembers. */
  constructor(world: World, sources?: number) {
    this.#world = world;
    this.#sources = sources;
  }

  /** Nothing is limited. */
  get isEmpty(): boolean {
    return this.#rules.size === 0;
  }

  holds(id: string): boolean {
    return this.#rules.has(id);
  }

  *limited(): Generator<LimitedRule> {
    for (const { rule } of this.#rules.values()) yield rule;
  }

  /** These may be different. False: not for the table. */
  note(rules: Iterable<string>, records: Iterable<string>): boolean {
    for (const id of rules) {
      this.#moving.add(id);
      const rule = this.#world.rules().get(id);
      if (this.#rules.has(id) || rule?.limits || (rule && this.#standing.has(rule.proxy))) this.#dirtyRules.add(id);
    }
    for (const key of records)
      if (key.startsWith(keys.allBans()))
        this.#dirtyBans.add(this.#bans.put(key, this.#world.records().get(key)?.value));
      else for (const id of this.#users.get(key) ?? []) this.#dirtyRules.add(id);
    return this.#dirtyRules.size + this.#dirtyBans.size > 0;
  }

  /** A change of this rule is not to reach its engine before the table has it: it is limited, or is about to be. */
  isLimited(id: string): boolean {
    const rule = this.#world.rules().get(id);
    if (!rule) return false;
    return rule.limits !== undefined || this.#standing.has(rule.proxy) || this.#dirtyBans.has(rule.proxy);
  }

  /** Its engine serves it as it is wanted now, and nowhere else. True: something goes from the table. */
  settled(id: string): boolean {
    if (!this.#moving.delete(id) || !this.#rules.get(id)?.left) return false;
    this.#dirtyRules.add(id);
    return true;
  }

  /** Everything may be different. */
  noteAll(): void {
    this.#bans.clear();
    for (const proxy of this.#standing.keys()) this.#dirtyBans.add(proxy);
    for (const id of [...this.#rules.keys(), ...this.#world.rules().keys()]) this.#dirtyRules.add(id);
    for (const [key, { value }] of this.#world.records())
      if (key.startsWith(keys.allBans())) this.#dirtyBans.add(this.#bans.put(key, value));
  }

  /** The table is not there, or nobody knows what is in it. */
  forget(): void {
    this.#moving.clear();
    this.#rules.clear();
    this.#users.clear();
    this.#readers.clear();
    this.#standing.clear();
    this.noteAll();
  }

  /** When the next ban ends, which is when end() is to be called; undefined: none does. */
  get nextEnd(): number | undefined {
    let end = Infinity;
    for (const { nextEnd } of this.#standing.values()) end = Math.min(end, nextEnd);
    return Number.isFinite(end) ? end : undefined;
  }

  /** What has ended by now is looked at in the next take(). */
  end(now: number): void {
    for (const [proxy, { nextEnd }] of this.#standing) if (nextEnd <= now) this.#dirtyBans.add(proxy);
  }

  /** What is to be written for all that was noted. */
  take(now: number): Difference {
    const before = this.#turnBans(now);
    const had = new Set(this.#readers.keys());
    const changes = this.#turnRules();
    const only = <T>(
      of: (pieces: Pieces | typeof NO_PIECES) => Iterable<T>,
      has: (pieces: Pieces | typeof NO_PIECES, one: T) => boolean,
    ) => ({
      fresh: changes.flatMap(([old, now]) => [...of(now)].filter((one) => !has(old, one))),
      gone: changes.flatMap(([old, now]) => [...of(old)].filter((one) => !has(now, one))),
    });
    const counters = only(
      ({ counters }) => counters,
      ({ counters }, name) => counters.has(name),
    );
    const meters = only(
      ({ meters }) => meters,
      ({ meters }, [name]) => meters.has(name),
    );
    const chains = only(
      ({ chains }) => chains,
      ({ chains }, [name]) => chains.has(name),
    );
    const leads = only(
      ({ leads }) => leads.entries(),
      ({ leads }, [key, { data }]) => leads.get(key)?.data === data,
    );
    const bans = [...this.#standing.values()].flatMap(({ sets }) => sets).filter(({ name }) => this.#readers.has(name));
    const banChanges = this.#changedBans(before, had, now);
    return {
      counters: counters.fresh,
      sets: [
        ...meters.fresh,
        ...bans.flatMap(({ name, family }): [string, string][] =>
          had.has(name) ? [] : [[name, `{ type ipv${family}_addr; flags timeout; }`]],
        ),
      ],
      lists: this.#freshLists(had),
      chains: chains.fresh,
      swap: [
        ...changesOf(
          'delete',
          leads.gone.map(([, lead]) => lead),
        ),
        ...changesOf('delete', banChanges.gone),
        ...changesOf(
          'add',
          leads.fresh.map(([, lead]) => lead),
        ),
        ...changesOf('add', banChanges.fresh),
      ],
      gone: {
        // order: a jump goes before what it jumps to.
        chains: chains.gone.map(([name]) => name).toReversed(),
        sets: [...meters.gone.map(([name]) => name), ...[...had].filter((name) => !this.#readers.has(name))],
        counters: counters.gone,
      },
    };
  }

  /** Gives the sets of bans of the instances in question as they were before. */
  #turnBans(now: number): ReadonlyMap<string, BanSet> {
    const before = new Map<string, BanSet>();
    for (const proxy of this.#dirtyBans) {
      const old = this.#standing.get(proxy)?.sets ?? [];
      for (const set of old) before.set(set.name, set);
      const standing = this.#bans.standing(proxy, now);
      if (standing.sets.length > 0) this.#standing.set(proxy, standing);
      else this.#standing.delete(proxy);
      if (namesOf(old) === namesOf(standing.sets)) continue;
      for (const { id, proxy: its } of this.#world.rules().values()) if (its === proxy) this.#dirtyRules.add(id);
      // not: sets of bans are kept as they stand, not as a place that was left would read them.
      for (const [id, { rule, left }] of this.#rules) if (left && rule.proxy === proxy) this.settled(id);
    }
    this.#dirtyBans.clear();
    return before;
  }

  #turnRules(): Change[] {
    for (const [id, { left }] of this.#rules) if (left) this.#dirtyRules.add(id);
    const claims = new Claims();
    const turns = [...this.#dirtyRules].map((id) => {
      const rule = this.#world.rules().get(id);
      const own = rule && piecesOf(rule, this.#networks, this.#sources);
      if (own) claims.add(own.leads.values());
      return { id, rule, own };
    });
    this.#dirtyRules.clear();
    return turns.map(({ id, rule, own }) => this.#turnRule(id, rule, own, claims));
  }

  #turnRule(id: string, rule: LimitedRule | undefined, own: Pieces | undefined, claims: Claims): Change {
    const old = this.#rules.get(id);
    const stays = old && rule && isSamePlace(old.rule, rule);
    const before = this.#moving.has(id) ? (stays ? old.left : old?.pieces) : undefined;
    const left = before && leftBehind(before, claims);
    const pieces = joined(left, own);
    for (const list of old?.lists ?? []) remove(this.#users, list, id);
    const at = rule ?? old?.rule;
    if (at && pieces) {
      const lists = own ? [...(at.limits?.allow ?? []), ...(at.limits?.deny ?? [])] : [];
      for (const list of lists) this.#users.set(list, (this.#users.get(list) ?? new Set()).add(id));
      this.#rules.set(id, { rule: at, lists, pieces, left });
    } else this.#rules.delete(id);
    for (const name of pieces?.reads ?? []) this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1);
    for (const name of old?.pieces.reads ?? []) {
      const left = (this.#readers.get(name) ?? 1) - 1;
      if (left > 0) this.#readers.set(name, left);
      else this.#readers.delete(name);
    }
    return [old?.pieces ?? NO_PIECES, pieces ?? NO_PIECES];
  }

  readonly #networks: SetsOfNetworks = {
    // Another content is another set: the one in use stays whole until the chains that use the new one are led to.
    list: (key, family) =>
      `list-${digest(`${this.#world.world?.() ?? ''}${key}`)}-${this.#world.records().get(key)?.revision ?? 0}-${family}`,
    bans: (proxy, family) => this.#standing.get(proxy)?.sets.filter((set) => set.family === family) ?? [],
  };

  #freshLists(had: ReadonlySet<string>): ListSet[] {
    return [...this.#users.keys()].flatMap((key) =>
      ([4, 6] as const).flatMap((family) => {
        const name = this.#networks.list(key, family);
        return had.has(name) || !this.#readers.has(name) ? [] : [{ name, family, parts: this.#partsOf(key) }];
      }),
    );
  }

  #partsOf(key: string): (readonly string[])[] {
    const records = this.#world.records();
    const list = records.get(key)?.value as AddressList | undefined;
    const [, zone = '', name = ''] = key.split('/');
    return Array.from({ length: list?.parts ?? 0 }, (_, part) => {
      const found = records.get(keys.addressListPart(zone, name, list?.side ?? 'a', part));
      return (found?.value as AddressListPart | undefined)?.networks ?? [];
    });
  }

  #changedBans(before: ReadonlyMap<string, BanSet>, had: ReadonlySet<string>, now: number) {
    const [gone, fresh] = [[], []] as [Element[], Element[]];
    for (const { sets } of this.#standing.values())
      for (const set of sets) {
        if (!this.#readers.has(set.name)) continue;
        const isNew = !had.has(set.name);
        const old = isNew ? undefined : (before.get(set.name)?.elements ?? set.elements);
        if (old === set.elements) continue;
        for (const [key, until] of old ?? [])
          // The kernel has removed what has ended.
          if ((until === undefined || until > now) && (!set.elements.has(key) || set.elements.get(key) !== until))
            gone.push({ set: set.name, key, data: '' });
        for (const [key, until] of set.elements)
          if (!old?.has(key) || old.get(key) !== until)
            fresh.push({
              set: set.name,
              key,
              data: '',
              ...(until !== undefined && { timeoutMs: Math.max(1, until - now) }),
            });
      }
    return { gone, fresh };
  }
}

function namesOf(sets: readonly BanSet[]): string {
  return sets.map(({ name }) => name).join(' ');
}

function remove(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  set?.delete(value);
  if (set?.size === 0) map.delete(key);
}

function changesOf(verb: ElementChange['verb'], elements: readonly Element[]): ElementChange[] {
  return [...Map.groupBy(elements, ({ set }) => set)].map(([set, elements]) => ({ verb, set, elements }));
}
