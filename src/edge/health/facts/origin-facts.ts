/**
 * What is told of each origin that rules lead to, by its number: its state and why, and what was counted since the edge's
 * process began. It decides nothing. OriginWatch has one; control hears it through report/.
 */
import type { OriginFact } from '../../../domain/fact/health.ts';
import type { Clock } from '../../../lib/clock.ts';
import { Signal } from '../../../lib/signal.ts';
import type { TargetNumbers } from '../../origins/numbers.ts';
import type { Checks } from '../checks.ts';
import type { OriginHealth } from '../origin-health.ts';

interface Sources {
  readonly numbers: Pick<TargetNumbers, 'all' | 'get'>;
  readonly health: Pick<OriginHealth, 'view'>;
  readonly checks: Pick<Checks, 'times'>;
  readonly clock: Clock;
}

interface Counted {
  /** Left or came back. */
  changes: number;
  /** Dials that went well. */
  dials: number;
}

export class OriginFacts {
  /** The number of an origin that is new, in another state, or no more. */
  readonly changed = new Signal<number>();
  readonly #sources: Sources;
  /** Of those that have something to count. */
  readonly #counted = new Map<number, Counted>();

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  *keys(): Generator<number> {
    for (const { number } of this.#sources.numbers.all()) yield number;
  }

  /** None: no rule leads there. */
  facts(number: number): OriginFact[] {
    const { numbers, health, checks, clock } = this.#sources;
    const numbered = numbers.get(number);
    const told = health.view(number)?.told;
    if (!numbered || !told) return [];
    const { key, zone, origin, host, group, passive, slowStartSeconds, rules } = numbered;
    const names = { key, zone, origin, host, group, check: numbered.check?.owner ?? '', passive, slowStartSeconds };
    const since = Math.round(clock.now() - clock.monotonic() + told.since);
    const { changes = 0, dials = 0 } = this.#counted.get(number) ?? {};
    const times = checks.times(number);
    const probe = times && { p50Ms: times.quantile(0.5), p99Ms: times.quantile(0.99), tries: times.tries };
    const counts = { changes, rules: rules.size, dials, ...(probe && { probe }) };
    return [{ ...names, state: told.state, since, ...told.cause, ...counts }];
  }

  /** It went out of use, or came back. */
  countChange(number: number): void {
    this.#of(number).changes += 1;
  }

  countDials(number: number, wentWell: number): void {
    if (wentWell > 0) this.#of(number).dials += wentWell;
  }

  /** Its number is another origin's from now on. */
  forget(number: number): void {
    this.#counted.delete(number);
    this.changed.tell(number);
  }

  #of(number: number): Counted {
    const counted = this.#counted.get(number) ?? { changes: 0, dials: 0 };
    this.#counted.set(number, counted);
    return counted;
  }
}
