/**
 * Which rules lead to each target: by the number under which the edge knows it, and by the place where its connections
 * arrive. Pure. changes.ts notes what rules lead to; origins.ts asks.
 */
import type { Listener, Target } from '../../engine.ts';
import type { KernelRule } from '../rules.ts';

interface Used {
  readonly number: number;
  readonly address: string;
  /** With the listener in which each names it. */
  readonly rules: Map<KernelRule, Listener>;
}

export class TargetUses {
  readonly #byNumber = new Map<number, Used>();
  readonly #byAddress = new Map<string, Set<Used>>();
  readonly #ofRule = new Map<KernelRule, readonly Used[]>();

  /** The rule leads there from now on; undefined: nowhere. */
  set(rule: KernelRule, listener: Listener | undefined): void {
    const before = this.#ofRule.get(rule) ?? [];
    const after = listener?.targets.map((target) => this.#use(target)) ?? [];
    for (const used of before) used.rules.delete(rule);
    if (listener) for (const used of after) used.rules.set(rule, listener);
    for (const used of before) if (used.rules.size === 0) this.#drop(used);
    if (after.length > 0) this.#ofRule.set(rule, after);
    else this.#ofRule.delete(rule);
  }

  rulesOf(number: number): Iterable<KernelRule> {
    return this.#byNumber.get(number)?.rules.keys() ?? [];
  }

  /** Targets that connections or sessions with this place are about, each with a listener that leads there. */
  *at(
    address: string,
    port: number,
    of: Listener['protocol'],
  ): Generator<readonly [number: number, listener: Listener]> {
    for (const { number, rules } of this.#byAddress.get(address) ?? [])
      for (const listener of rules.values()) {
        const { protocol, originPorts } = listener;
        if (protocol !== of || port < originPorts.from || port > originPorts.to) continue;
        yield [number, listener];
        break;
      }
  }

  #use({ number, address }: Target): Used {
    const known = this.#byNumber.get(number);
    if (known) return known;
    const used: Used = { number, address, rules: new Map() };
    this.#byNumber.set(number, used);
    const there = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, there.add(used));
    return used;
  }

  #drop(used: Used): void {
    const there = this.#byAddress.get(used.address);
    there?.delete(used);
    if (there?.size === 0) this.#byAddress.delete(used.address);
    this.#byNumber.delete(used.number);
  }
}
