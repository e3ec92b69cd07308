/**
 * Which rules have no origin left: all of theirs are out of use, so that engines use them as if all were up. It decides
 * nothing and tells nobody. OriginWatch has one.
 */
import type { NumberedOrigin, TargetNumbers } from '../../origins/numbers.ts';

export class FailOpen {
  readonly #numbers: Pick<TargetNumbers, 'servingOf'>;
  readonly #down = new Map<number, NumberedOrigin>();

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

  /** As their origins are now. */
  rules(): Set<string> {
    const rules = new Set<string>();
    for (const origin of this.#down.values()) for (const rule of origin.rules) rules.add(rule);
    const isDown = ({ number }: NumberedOrigin): boolean => this.#down.has(number);
    return new Set([...rules].filter((rule) => this.#numbers.servingOf(rule).every(isDown)));
  }
}
