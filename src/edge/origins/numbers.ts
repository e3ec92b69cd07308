/**
 * The number of each origin that rules lead to, by which engines tell of it and are told its state. An origin is an address
 * with the ports and the protocol that rules of one zone dial there; rules that share one share its number. Zones share none:
 * their operators know nothing of each other. Pure; origins.ts owns one.
 */
import type { Listener, Target } from '../../engines/engine.ts';
import { formatPortSpan } from '../../lib/net/ports.ts';
import { Signal } from '../../lib/signal.ts';

export interface NumberedOrigin {
  readonly number: number;
  /** The same over restarts, and no other origin's. */
  readonly key: string;
  /** As an operator reads it: `TCP 198.51.100.1:443`. */
  readonly origin: string;
  readonly zone: string;
  readonly address: string;
  readonly rules: ReadonlySet<string>;
}

type Leading = Pick<Listener, 'id' | 'zone' | 'protocol' | 'originPorts'>;
interface Kept extends NumberedOrigin {
  readonly rules: Set<string>;
}

/** The origins of a rule; `serving`: without those that take nothing new. */
interface Led {
  readonly all: ReadonlySet<Kept>;
  readonly serving: readonly Kept[];
}

/**
 * limit: an engine may still have connections of the origin that had a number before; a number is given again only when so
 * many others are free, the longest free one first.
 */
const RESTING = 4_096;

export class TargetNumbers {
  /** An origin has a number since now, or has it no more. */
  readonly taken = new Signal<NumberedOrigin>();
  readonly freed = new Signal<NumberedOrigin>();
  readonly #byKey = new Map<string, Kept>();
  readonly #byNumber = new Map<number, Kept>();
  readonly #byRule = new Map<string, Led>();
  readonly #free: number[] = [];
  #next = 0;

  /** The rule leads to these targets from now on, and to no others. */
  give(rule: Leading, targets: readonly Omit<Target, 'number'>[]): Target[] {
    const origins = targets.map(({ address }) => this.#take(rule, address));
    const all = new Set(origins);
    for (const origin of this.#byRule.get(rule.id)?.all ?? []) if (!all.has(origin)) this.#leave(rule.id, origin);
    this.#byRule.set(rule.id, { all, serving: origins.filter((_, i) => targets[i]!.weight > 0) });
    return targets.map((target, i) => ({ number: origins[i]!.number, ...target }));
  }

  /** The rule leads nowhere. */
  release(rule: string): void {
    for (const origin of this.#byRule.get(rule)?.all ?? []) this.#leave(rule, origin);
    this.#byRule.delete(rule);
  }

  /** Those that take the rule's connections. */
  servingOf(rule: string): readonly NumberedOrigin[] {
    return this.#byRule.get(rule)?.serving ?? [];
  }

  get(number: number): NumberedOrigin | undefined {
    return this.#byNumber.get(number);
  }

  #take({ id, zone, protocol, originPorts }: Leading, address: string): Kept {
    const host = address.includes(':') ? `[${address}]` : address;
    const origin = `${protocol} ${host}:${formatPortSpan(originPorts)}`;
    const key = `${zone} ${origin}`;
    const known = this.#byKey.get(key);
    known?.rules.add(id);
    if (known) return known;
    const number = (this.#free.length > RESTING ? this.#free.shift() : undefined) ?? this.#next++;
    const taken = { number, key, origin, zone, address, rules: new Set([id]) };
    this.#byKey.set(key, taken);
    this.#byNumber.set(number, taken);
    this.taken.tell(taken);
    return taken;
  }

  #leave(rule: string, origin: Kept): void {
    origin.rules.delete(rule);
    if (origin.rules.size > 0) return;
    this.#byKey.delete(origin.key);
    this.#byNumber.delete(origin.number);
    this.#free.push(origin.number);
    this.freed.tell(origin);
  }
}
