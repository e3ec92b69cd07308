/**
 * The contents of the guard's table, as they are and as they should be: told which rules and records have changed, it looks
 * at those alone and gives the difference. Pure; it writes nothing. A difference that was given counts as written; where
 * that did not come true, forget() gives the whole the next time. guard.ts owns one.
 */
import type { AddressList, AddressListPart } from '../../../domain/limit/networks.ts';
import type { Element } from '../../../linux/nft/transaction.ts';
import { keys } from '../../../store/records.ts';
import { Bans, type BanSet } from './bans.ts';
import { type Change, changedPieces, changesOf, type Difference, type ListSet } from './difference.ts';
import { formerPieces, isSamePlace, joined, UsedPlaces } from './former-places.ts';
import { FAMILIES } from '../layout.ts';
import type { LimitedRule, SetsOfNetworks } from './limited-rule.ts';
import { digest } from './nft-text.ts';
import { type Pieces, piecesOf } from './pieces.ts';

export interface World {
  readonly rules: () => ReadonlyMap<string, LimitedRule>;
  readonly records: () => ReadonlyMap<string, { readonly value: unknown; readonly revision: number }>;
  /** Which world's revisions they are. */
  readonly world?: () => string;
}

/** A rule in the table. */
interface Kept {
  /** Where its engine is, or will be. */
  readonly rule: LimitedRule;
  readonly lists: readonly string[];
  /** All that it has in the table, at former places too. */
  readonly pieces: Pieces;
  readonly former: Pieces | undefined;
}

export class Contents {
  readonly #world: World;
  readonly #sources: number | undefined;
  readonly #bans = new Bans();
  readonly #rules = new Map<string, Kept>();
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

  /** These may be different. False: nothing of the table depends on them. */
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
    if (!this.#moving.delete(id) || !this.#rules.get(id)?.former) return false;
    this.#dirtyRules.add(id);
    return true;
  }

  /** Any rule and any record may be different. */
  noteAll(): void {
    this.#bans.clear();
    for (const proxy of this.#standing.keys()) this.#dirtyBans.add(proxy);
    for (const id of [...this.#rules.keys(), ...this.#world.rules().keys()]) this.#dirtyRules.add(id);
    for (const [key, { value }] of this.#world.records())
      if (key.startsWith(keys.allBans())) this.#dirtyBans.add(this.#bans.put(key, value));
  }

  /** The table is not there, or its contents are not known. */
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

  /** The next take() looks at bans that have ended by now. */
  end(now: number): void {
    for (const [proxy, { nextEnd }] of this.#standing) if (nextEnd <= now) this.#dirtyBans.add(proxy);
  }

  /** The difference that all notes since the last take() make. */
  take(now: number): Difference {
    const bansBefore = this.#updateBans(now);
    const setsBefore = new Set(this.#readers.keys());
    const { counters, meters, chains, leads } = changedPieces(this.#updateRules());
    const bans = this.#changedBans(bansBefore, setsBefore, now);
    return {
      counters: counters.fresh,
      sets: [...meters.fresh, ...this.#freshBanSets(setsBefore)],
      lists: this.#freshLists(setsBefore),
      chains: chains.fresh,
      swap: [
        ...changesOf('delete', leads.gone),
        ...changesOf('delete', bans.gone),
        ...changesOf('add', leads.fresh),
        ...changesOf('add', bans.fresh),
      ],
      gone: {
        // order: a jump goes before what it jumps to.
        chains: chains.gone.map(([name]) => name).toReversed(),
        sets: [...meters.gone.map(([name]) => name), ...[...setsBefore].filter((name) => !this.#readers.has(name))],
        counters: counters.gone,
      },
    };
  }

  /** Gives the sets of bans of the instances in question as they were before. */
  #updateBans(now: number): ReadonlyMap<string, BanSet> {
    const before = new Map<string, BanSet>();
    for (const proxy of this.#dirtyBans) {
      const old = this.#standing.get(proxy)?.sets ?? [];
      for (const set of old) before.set(set.name, set);
      const standing = this.#bans.standing(proxy, now);
      if (standing.sets.length > 0) this.#standing.set(proxy, standing);
      else this.#standing.delete(proxy);
      if (namesOf(old) === namesOf(standing.sets)) continue;
      for (const { id, proxy: its } of this.#world.rules().values()) if (its === proxy) this.#dirtyRules.add(id);
      // not: sets of bans are kept as they stand, not as the chains of a former place would read them.
      for (const [id, { rule, former }] of this.#rules) if (former && rule.proxy === proxy) this.settled(id);
    }
    this.#dirtyBans.clear();
    return before;
  }

  #updateRules(): Change[] {
    for (const [id, { former }] of this.#rules) if (former) this.#dirtyRules.add(id);
    const used = new UsedPlaces();
    const wanted = [...this.#dirtyRules].map((id) => {
      const rule = this.#world.rules().get(id);
      const own = rule && piecesOf(rule, this.#networks, this.#sources);
      if (own) used.add(own.leads.values());
      return { id, rule, own };
    });
    this.#dirtyRules.clear();
    return wanted.map(({ id, rule, own }) => this.#updateRule(id, rule, own, used));
  }

  #updateRule(id: string, rule: LimitedRule | undefined, own: Pieces | undefined, used: UsedPlaces): Change {
    const old = this.#rules.get(id);
    const stays = old && rule && isSamePlace(old.rule, rule);
    const leaves = this.#moving.has(id) ? (stays ? old.former : old?.pieces) : undefined;
    const former = leaves && formerPieces(leaves, used);
    const pieces = joined(former, own);
    for (const list of old?.lists ?? []) remove(this.#users, list, id);
    const at = rule ?? old?.rule;
    if (at && pieces) {
      const lists = own ? [...(at.limits?.allow ?? []), ...(at.limits?.deny ?? [])] : [];
      for (const list of lists) this.#users.set(list, (this.#users.get(list) ?? new Set()).add(id));
      this.#rules.set(id, { rule: at, lists, pieces, former });
    } else this.#rules.delete(id);
    for (const name of pieces?.reads ?? []) this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1);
    for (const name of old?.pieces.reads ?? []) this.#readNoMore(name);
    return [old?.pieces, pieces];
  }

  #readNoMore(set: string): void {
    const readers = (this.#readers.get(set) ?? 1) - 1;
    if (readers > 0) this.#readers.set(set, readers);
    else this.#readers.delete(set);
  }

  readonly #networks: SetsOfNetworks = {
    // Another content is another set: the one in use stays whole until the chains that use the new one are led to.
    list: (key, family) =>
      `list-${digest(`${this.#world.world?.() ?? ''}${key}`)}-${this.#world.records().get(key)?.revision ?? 0}-${family}`,
    bans: (proxy, family) => this.#standing.get(proxy)?.sets.filter((set) => set.family === family) ?? [],
  };

  #freshBanSets(before: ReadonlySet<string>): (readonly [name: string, spec: string])[] {
    return [...this.#standing.values()]
      .flatMap(({ sets }) => sets)
      .filter(({ name }) => this.#readers.has(name) && !before.has(name))
      .map(({ name, family }) => [name, `{ type ipv${family}_addr; flags timeout; }`]);
  }

  #freshLists(before: ReadonlySet<string>): ListSet[] {
    return [...this.#users.keys()].flatMap((key) =>
      FAMILIES.flatMap((family) => {
        const name = this.#networks.list(key, family);
        return before.has(name) || !this.#readers.has(name) ? [] : [{ name, family, parts: this.#partsOf(key) }];
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

  #changedBans(before: ReadonlyMap<string, BanSet>, setsBefore: ReadonlySet<string>, now: number) {
    const [gone, fresh] = [[], []] as [Element[], Element[]];
    for (const { sets } of this.#standing.values())
      for (const { name: set, elements } of sets) {
        if (!this.#readers.has(set)) continue;
        const old = setsBefore.has(set) ? (before.get(set)?.elements ?? elements) : undefined;
        if (old === elements) continue;
        for (const [key, until] of old ?? [])
          // The kernel has removed bans that have ended.
          if ((until === undefined || until > now) && !isSameBan(elements, key, until))
            gone.push({ set, key, data: '' });
        for (const [key, until] of elements)
          if (!old || !isSameBan(old, key, until)) {
            const timeout = until === undefined ? {} : { timeoutMs: Math.max(1, until - now) };
            fresh.push({ set, key, data: '', ...timeout });
          }
      }
    return { gone, fresh };
  }
}

function isSameBan(bans: BanSet['elements'], key: string, until: number | undefined): boolean {
  return bans.has(key) && bans.get(key) === until;
}

function namesOf(sets: readonly BanSet[]): string {
  return sets.map(({ name }) => name).join(' ');
}

function remove(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  set?.delete(value);
  if (set?.size === 0) map.delete(key);
}
