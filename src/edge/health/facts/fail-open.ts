/**
 * Which rules have no origin left: all of theirs are out of use, so that engines use them as if all were up. It decides
 * nothing and tells nobody. OriginWatch has one.
 */
import type { NumberedOrigin, TargetNumbers } from '../../origins/numbers.ts';

export class FailOpen {
  readonly #numbers: Pick<TargetNumbers, 'servingOf'>;
  readonly #down = new Map<number, NumberedOrigin>();
  /** Rules without one, as they were when they were looked at last. */
  readonly #without = new Set<string>();

  constructor(numbers: Pick<TargetNumbers, 'servingOf'>) {
    this.#numbers = numbers;
  }

  /** False: it was as much out of use before. */
  set(origin: NumberedOrigin, isDown: boolean): boolean {
    if (isDown === this.#down.has(origin.number)) return false;
    if (isDown) this.#down.set(origin.number, origin);
    else this.#down.delete(origin.number);
    return true;
  }

  /** Its rules may have one again. */
  gained(origin: NumberedOrigin): void {
    for (const rule of origin.rules) this.#without.delete(rule);
  }

  /** Of the rules of these origins, those that have had one left until now. */
  lost(origins: Iterable<NumberedOrigin>): ReadonlySet<string> {
    const lost = new Set<string>();
    for (const rule of rulesOf(origins)) {
      if (!this.#isWithout(rule)) this.#without.delete(rule);
      else if (!this.#without.has(rule)) lost.add(rule);
    }
    for (const rule of lost) this.#without.add(rule);
    return lost;
  }

  /** As their origins are now. */
  rules(): Set<string> {
    return new Set([...rulesOf(this.#down.values())].filter((rule) => this.#isWithout(rule)));
  }

  #isWithout(rule: string): boolean {
    return this.#numbers.servingOf(rule).every(({ number }) => this.#down.has(number));
  }
}

function rulesOf(origins: Iterable<NumberedOrigin>): Set<string> {
  const rules = new Set<string>();
  for (const origin of origins) for (const rule of origin.rules) rules.add(rule);
  return rules;
}
