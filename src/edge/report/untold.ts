/**
 * Facts of one kind, and which of them control has not taken as they are now. It sends nothing: health-sender.ts asks for as many
 * as fit, and says whether they were taken. Facts lie under keys, because their owner knows changes by them.
 */
import type { Signal } from '../../lib/signal.ts';

/** As their owner tells them (edge/health). */
export interface FactSource<Key, Fact> {
  /** The key of facts that are other ones now. */
  readonly changed: Signal<Key>;
  keys(): Iterable<Key>;
  /** None where the key says nothing, or is no more. */
  facts(key: Key): readonly Fact[];
}

/** limit: of a reason in words; control takes no much longer one. */
const LONGEST_REASON = 256;

interface Reasoned {
  readonly reason: string;
}

/** How facts of a kind are told apart. */
interface Kind<Fact, Id> {
  idOf(fact: Fact): Id;
  /** Names of numbers that only grow; they alone make no fact another one. */
  readonly growing: ReadonlySet<string>;
}

/** A fact as control took it. */
interface Taken<Id> {
  readonly id: Id;
  /** Without what grows, and with it. */
  readonly firm: string;
  readonly whole: string;
}

interface Part<Fact, Id> {
  readonly facts: readonly Fact[];
  readonly gone: readonly Id[];
  /** Characters that are left of what it was given. */
  readonly room: number;
  /** Control has taken it, or not: then all of it is due again. */
  settle(isTaken: boolean): void;
}

/** The part that is being made. */
interface Making<Fact, Id> {
  readonly facts: Fact[];
  readonly gone: Id[];
  readonly notes: (() => void)[];
  room: number;
}

export class Untold<Key, Fact extends Reasoned, Id> {
  readonly #source: FactSource<Key, Fact>;
  readonly #kind: Kind<Fact, Id>;
  readonly #taken = new Map<Key, Map<string, Taken<Id>>>();
  readonly #changed = new Set<Key>();
  /** Keys whose numbers that grow are due. */
  readonly #grown = new Set<Key>();
  /** Those whose turn it is not yet. */
  #aging: Key[] = [];

  constructor(source: FactSource<Key, Fact>, kind: Kind<Fact, Id>) {
    this.#source = source;
    this.#kind = kind;
    source.changed.listen((key) => this.#changed.add(key));
  }

  get isEmpty(): boolean {
    return this.#changed.size === 0 && this.#grown.size === 0;
  }

  /** Control may know nothing: all is due. */
  restart(): void {
    this.#taken.clear();
    for (const key of this.#source.keys()) this.#changed.add(key);
  }

  /** What has grown is due, of the next so many keys. */
  age(most: number): void {
    if (this.#aging.length === 0) this.#aging = [...this.#source.keys()];
    for (const key of this.#aging.splice(0, most)) this.#grown.add(key);
  }

  /** What fits into `room` characters of JSON; where there is any, one fact always does. */
  next(room: number): Part<Fact, Id> {
    const making: Making<Fact, Id> = { facts: [], gone: [], notes: [], room };
    const keys: Key[] = [];
    for (const key of new Set([...this.#changed, ...this.#grown])) {
      if (making.room <= 0) break;
      keys.push(key);
      if (!this.#add(key, making)) break;
      // order: before it is sent, so that a change that comes meanwhile is told again.
      this.#changed.delete(key);
      this.#grown.delete(key);
    }
    return {
      facts: making.facts,
      gone: making.gone,
      room: making.room,
      settle: (isTaken) => {
        if (isTaken) for (const note of making.notes) note();
        else for (const key of keys) this.#changed.add(key);
      },
    };
  }

  /** False: not all of it fits. */
  #add(key: Key, making: Making<Fact, Id>): boolean {
    const taken = this.#taken.get(key) ?? new Map<string, Taken<Id>>();
    this.#taken.set(key, taken);
    const now = new Set<string>();
    for (const found of this.#source.facts(key)) {
      const fact = inBrief(found);
      const id = this.#kind.idOf(fact);
      const name = JSON.stringify(id);
      const { firm, whole } = this.#texts(fact);
      now.add(name);
      const before = taken.get(name);
      if (before && (this.#grown.has(key) ? before.whole === whole : before.firm === firm)) continue;
      if (!fits(making, whole)) return false;
      making.facts.push(fact);
      making.notes.push(() => taken.set(name, { id, firm, whole }));
    }
    for (const [name, { id }] of taken) {
      if (now.has(name)) continue;
      if (!fits(making, name)) return false;
      making.gone.push(id);
      making.notes.push(() => taken.delete(name));
    }
    if (taken.size === 0 && now.size === 0) this.#taken.delete(key);
    return true;
  }

  #texts(fact: Fact): { readonly firm: string; readonly whole: string } {
    const { growing } = this.#kind;
    const whole = JSON.stringify(fact);
    if (growing.size === 0) return { firm: whole, whole };
    const entries = Object.entries(fact).filter(([name]) => !growing.has(name));
    return { firm: JSON.stringify(entries), whole };
  }
}

function fits(making: Making<unknown, unknown>, text: string): boolean {
  const isFirst = making.facts.length + making.gone.length === 0;
  if (!isFirst && text.length > making.room) return false;
  making.room -= text.length;
  return true;
}

function inBrief<Fact extends Reasoned>(fact: Fact): Fact {
  return fact.reason.length <= LONGEST_REASON ? fact : { ...fact, reason: `${fact.reason.slice(0, LONGEST_REASON)}…` };
}
