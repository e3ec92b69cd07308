/**
 * The counters that control hears: those of all engines and those of the guard, added up by rule, without rules that ended
 * a while ago. It counts nothing itself. source.ts owns one.
 */
import type { RuleCounters } from '../../domain/fact/fact.ts';
import { addCounters } from '../../engines/flow/counters.ts';
import type { EngineSet } from '../../engines/hosting/engine-set.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Guard } from '../guard/guard.ts';
import type { EdgePorts } from '../source-ports.ts';
import { EndedRules, type Records, ruleIds } from './ended-rules.ts';

interface MeterSources {
  readonly engines: Pick<EngineSet, 'counters'>;
  readonly guard: Pick<Guard, 'counters'>;
  /** Hears of connections that found no source port. */
  readonly ports: Pick<EdgePorts, 'note'>;
  /** Of the plan, which has no rule that is off. */
  readonly rules: () => ReadonlyMap<string, unknown>;
  readonly records: () => Records;
  readonly clock: Clock;
}

type Counters = ReadonlyMap<string, RuleCounters>;

export class Meter {
  readonly #sources: MeterSources;
  readonly #ended = new EndedRules();

  constructor(sources: MeterSources) {
    this.#sources = sources;
  }

  async read(): Promise<Counters> {
    const { engines, guard, ports, clock } = this.#sources;
    const [forwarded, limited] = await Promise.all([engines.counters(), guard.counters()]);
    ports.note(forwarded.values(), clock.monotonic());
    const sums = new Map(forwarded);
    for (const [rule, counters] of limited) {
      const before = sums.get(rule);
      sums.set(rule, before ? addCounters(before, counters) : counters);
    }
    return this.#ended.without(sums, this.#isRule(sums), clock.monotonic());
  }

  /** On or off. All instances are searched only where one of these rules is not in the plan. */
  #isRule(counted: Counters): (rule: string) => boolean {
    const rules = this.#sources.rules();
    if (counted.keys().every((rule) => rules.has(rule))) return () => true;
    const ids = ruleIds(this.#sources.records());
    return (rule) => ids.has(rule);
  }
}
