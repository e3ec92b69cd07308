/**
 * The number of each origin that rules lead to, by which engines tell of it and are told its state. An origin is an address
 * with the ports and the protocol that rules of one zone dial there, the host that they name, and how it is watched; rules that
 * share all of this share its number. Zones share none: their operators know nothing of each other. Pure; origins.ts owns one.
 */
import type { Listener, Target } from '../../engines/engine.ts';
import { formatPortSpan } from '../../lib/net/ports.ts';
import { Signal } from '../../lib/signal.ts';
import type { PlannedCheck, PlannedOrigin } from '../../plan/plan.ts';
import type { Resolved } from './targets.ts';

export interface NumberedOrigin {
  readonly number: number;
  /** The same over restarts, and no other origin's. */
  readonly key: string;
  /** As an operator reads it: `TCP 198.51.100.1:443`. */
  readonly origin: string;
  readonly zone: string;
  /** As its record names it: the address, or a name that has it. */
  readonly host: string;
  readonly address: string;
  /** Its origin group; empty: none. */
  readonly group: string;
  /** Undefined: it is not checked, as an address that its name no longer says. */
  readonly check: PlannedCheck | undefined;
  /** An operator's word about its host. */
  readonly override?: PlannedOrigin['override'] | undefined;
  /** Dials that fail take it out of use. */
  readonly passive: boolean;
  readonly slowStartSeconds: number;
  readonly rules: ReadonlySet<string>;
}

type Leading = Pick<Listener, 'id' | 'zone' | 'protocol' | 'originPorts' | 'options'>;
interface Kept extends NumberedOrigin {
  check: PlannedCheck | undefined;
  override?: PlannedOrigin['override'] | undefined;
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
  /** An origin has a number since now, or is checked in another way from now on, or an operator says another word. */
  readonly taken = new Signal<NumberedOrigin>();
  /** It has its number no more. */
  readonly freed = new Signal<NumberedOrigin>();
  readonly #byKey = new Map<string, Kept>();
  readonly #byNumber = new Map<number, Kept>();
  readonly #byRule = new Map<string, Led>();
  readonly #free: number[] = [];
  #next = 0;

  /** The rule leads to these targets from now on, and to no others. */
  give(rule: Leading, found: readonly Resolved[]): Target[] {
    const origins = found.map((one) => this.#take(rule, one));
    const all = new Set(origins);
    for (const origin of this.#byRule.get(rule.id)?.all ?? []) if (!all.has(origin)) this.#leave(rule.id, origin);
    this.#byRule.set(rule.id, { all, serving: origins.filter((_, i) => found[i]!.target.weight > 0) });
    return found.map(({ target }, i) => ({ number: origins[i]!.number, ...target }));
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

  /** Every origin that has a number. */
  all(): Iterable<NumberedOrigin> {
    return this.#byNumber.values();
  }

  #take(rule: Leading, { target, of }: Resolved): Kept {
    const { address, left } = target;
    const { id, zone, protocol, originPorts, options } = rule;
    const origin = `${protocol} ${address.includes(':') ? `[${address}]` : address}:${formatPortSpan(originPorts)}`;
    const key = `${origin} ${watching(rule, of)}`;
    const { host, group = '', override } = of;
    const check = left ? undefined : of.check;
    const said = { check, override };
    const known = this.#byKey.get(key);
    if (known) {
      known.rules.add(id);
      const before = { check: known.check, override: known.override };
      if (JSON.stringify(before) !== JSON.stringify(said)) this.taken.tell(Object.assign(known, said));
      return known;
    }
    const number = (this.#free.length > RESTING ? this.#free.shift() : undefined) ?? this.#next++;
    const { passive, slowStartSeconds } = options;
    const taken: Kept = {
      number,
      key,
      origin,
      zone,
      host,
      address,
      group,
      ...said,
      passive,
      slowStartSeconds,
      rules: new Set([id]),
    };
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

/**
 * What its records say and how it is watched, as a part of its name over restarts. An operator's word is about a host, so that
 * two hosts at one address are two origins. Of the check not all: another checker of the same owner is the same
 * origin, checked in another way. What the check announces is a part, because rules of one balancer may differ in it.
 */
function watching({ zone, options }: Leading, { host, group, check }: PlannedOrigin): string {
  const announced = check && 'proxy' in check.checker ? check.checker.proxy : undefined;
  return JSON.stringify([zone, host, group, check?.owner, announced, options.passive, options.slowStartSeconds]);
}
