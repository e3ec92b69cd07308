/**
 * How dials to targets went, on its way to the edge: added up per target and told in batches, the first failures in a row at once. It
 * judges nothing (edge/health does). The node engine has one.
 */
import type { DialOutcome } from '../../domain/fact/health.ts';
import type { EndCause } from '../../domain/fact/fact.ts';
import type { Clock } from '../../lib/clock.ts';
import { type PortSpan, spanSize } from '../../lib/net/ports.ts';
import type { EngineEvents, TargetOutcomes } from '../engine.ts';
import { FAILURES_AT_ONCE, OUTCOMES_MS } from './behaviour.ts';

interface Tally {
  counts: Partial<Record<DialOutcome, number>>;
  failedInRow: number;
}

export class OutcomeTally {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #events: Pick<EngineEvents, 'outcomes'>;
  readonly #tallies = new Map<number, Tally>();
  /** Failures in a row, of targets whose last outcome was one. */
  readonly #failing = new Map<number, number>();
  #isDue = false;

  constructor(clock: Pick<Clock, 'after'>, events: Pick<EngineEvents, 'outcomes'>) {
    this.#clock = clock;
    this.#events = events;
  }

  /** `count`: so many went so, one after the other. */
  note(target: number, kind: DialOutcome, count = 1): void {
    const before = this.#failing.get(target) ?? 0;
    const failedInRow = kind === 'ok' ? 0 : before + count;
    if (failedInRow > 0) this.#failing.set(target, failedInRow);
    else if (before > 0) this.#failing.delete(target);
    const tally = this.#tallies.get(target) ?? { counts: {}, failedInRow };
    tally.counts[kind] = (tally.counts[kind] ?? 0) + count;
    tally.failedInRow = failedInRow;
    this.#tallies.set(target, tally);
    if (failedInRow > 0 && before < FAILURES_AT_ONCE) this.tell();
    else if (!this.#isDue) {
      this.#isDue = true;
      this.#clock.after(OUTCOMES_MS, () => {
        this.#isDue = false;
        this.tell();
      });
    }
  }

  /** What waits is told now; an engine that ends says so. */
  tell(): void {
    if (this.#tallies.size === 0) return;
    const batch = [...this.#tallies].map(([target, tally]): TargetOutcomes => ({ target, ...tally }));
    this.#tallies.clear();
    this.#events.outcomes(batch);
  }
}

/**
 * The outcome of a dial or a UDP session that ended with this cause; undefined: it says nothing about the target. A refusal
 * at one port of a range says that no program has this port, not that the origin is down.
 */
export function outcomeOf(cause: EndCause, protocol: 'TCP' | 'UDP', originPorts: PortSpan): DialOutcome | undefined {
  switch (cause) {
    case 'origin-refused':
      if (spanSize(originPorts) > 1) return undefined;
      return protocol === 'UDP' ? 'port-unreachable' : 'refused';
    case 'origin-timeout':
      return 'timed-out';
    case 'origin-unreachable':
      return 'unreachable';
    case 'origin-reset':
      return 'reset';
    default:
      return undefined;
  }
}
