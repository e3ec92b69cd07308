/**
 * Counters of edges, per rule, for /metrics and `edgefour limits`. An edge tells absolute counters of its
 * epoch, which is the life of one process; across an upgrade two processes tell, and what ended counts on, so the book adds
 * epochs up. The door (../facts.ts) passes reports in; counter-file.ts keeps what must survive a restart of control.
 */
import type { CounterReport, CountersOfRule } from '../../domain/fact/fact.ts';
import { addNumbers } from '../../lib/add.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CounterReader } from '../readers.ts';

/** An epoch as it is kept across a restart of control. */
export interface KeptEpoch {
  readonly edge: string;
  readonly epoch: string;
  readonly counters: readonly CountersOfRule[];
  readonly recordsLost: number;
}

interface Epoch {
  readonly rules: Map<string, CountersOfRule>;
  lost: number;
  /** Monotonic. Until when what it has open is believed to be; later the process is gone. */
  opensUntil: number;
}

/** limit: upgrades in a row whose old processes still drain; what is older is added up. */
const MOST_EPOCHS = 8;
/** limit: a process that drains tells every five seconds. */
const SILENT_MS = 20_000;
/** Stands for all epochs that were added up. */
const PAST = '';

export class CounterBook implements CounterReader {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #changed: () => void;
  /** Epochs of each edge, in the order in which they were first heard of. */
  readonly #edges = new Map<string, Map<string, Epoch>>();
  /** The epoch of each edge that serves. */
  readonly #serving = new Map<string, string>();

  /** `changed` is called when an epoch has changed that will not be told again after a restart of control. */
  constructor(clock: Pick<Clock, 'monotonic'>, kept: readonly KeptEpoch[] = [], changed: () => void = () => {}) {
    this.#clock = clock;
    this.#changed = changed;
    for (const { edge, epoch, counters, recordsLost } of kept)
      this.#epochs(edge).set(epoch, {
        rules: new Map(counters.map((of) => [of.rule, of])),
        lost: recordsLost,
        opensUntil: clock.monotonic() + SILENT_MS,
      });
  }

  report(report: CounterReport): void {
    const epochs = this.#epochs(report.edge);
    const isNew = !epochs.has(report.epoch);
    const mine = epochs.get(report.epoch) ?? { rules: new Map<string, CountersOfRule>(), lost: 0, opensUntil: 0 };
    epochs.set(report.epoch, mine);
    if (!report.draining) this.#serving.set(report.edge, report.epoch);
    mine.opensUntil = report.draining ? this.#clock.monotonic() + SILENT_MS : 0;
    for (const counters of report.counters) mine.rules.set(counters.rule, counters);
    // A rule that the edge no longer has is gone with its past; from one that drains it may just have been moved.
    for (const rule of report.gone)
      for (const { rules } of report.draining ? [mine] : epochs.values()) rules.delete(rule);
    mine.lost += report.recordsLost;
    if (isNew) this.#addUp(report.edge, epochs);
    if (isNew || report.draining) this.#changed();
  }

  /** Each edge's counters of one rule. */
  ofRule(rule: string): { readonly edge: string; readonly counters: CountersOfRule }[] {
    return [...this.#edges.keys()].flatMap((edge) => {
      const counters = this.#sum(edge, rule);
      return counters ? [{ edge, counters }] : [];
    });
  }

  dropped(rule: string): Readonly<Record<string, number>> {
    return this.ofRule(rule).reduce((sum, { counters }) => addNumbers(sum, counters.dropped), {});
  }

  *all(): Generator<{ readonly edge: string; readonly counters: CountersOfRule }> {
    for (const [edge, epochs] of this.#edges) {
      const rules = new Set([...epochs.values()].flatMap((epoch) => [...epoch.rules.keys()]));
      for (const rule of rules) yield { edge, counters: this.#sum(edge, rule)! };
    }
  }

  recordsLost(): ReadonlyMap<string, number> {
    return new Map(
      [...this.#edges].map(([edge, epochs]) => [edge, epochs.values().reduce((sum, { lost }) => sum + lost, 0)]),
    );
  }

  /** There are counters that no running process tells. */
  hasPast(): boolean {
    return this.#edges.values().some((epochs) => epochs.size > 1);
  }

  /** Forgets the past of rules that are no more, where the process that serves says nothing of them. */
  forgetRules(isRule: (rule: string) => boolean): void {
    for (const [edge, epochs] of this.#edges) {
      const told = epochs.get(this.#serving.get(edge) ?? PAST)?.rules;
      for (const [id, epoch] of epochs) {
        if (this.#isOpen(edge, id, epoch)) continue;
        for (const rule of epoch.rules.keys()) if (!isRule(rule) && !told?.has(rule)) epoch.rules.delete(rule);
      }
    }
  }

  edges(): string[] {
    return [...this.#edges.keys()];
  }

  forget(edge: string): void {
    this.#edges.delete(edge);
    this.#serving.delete(edge);
    this.#changed();
  }

  kept(): KeptEpoch[] {
    return [...this.#edges].flatMap(([edge, epochs]) =>
      [...epochs].map(([epoch, { rules, lost }]) => ({
        edge,
        epoch,
        counters: [...rules.values()],
        recordsLost: lost,
      })),
    );
  }

  #epochs(edge: string): Map<string, Epoch> {
    const epochs = this.#edges.get(edge) ?? new Map<string, Epoch>();
    this.#edges.set(edge, epochs);
    return epochs;
  }

  #sum(edge: string, rule: string): CountersOfRule | undefined {
    let sum: CountersOfRule | undefined;
    for (const [id, epoch] of this.#edges.get(edge) ?? []) {
      const counted = epoch.rules.get(rule);
      if (!counted) continue;
      const part = this.#isOpen(edge, id, epoch) ? counted : { ...counted, active: 0 };
      sum = sum ? addNumbers(sum, part) : part;
    }
    return sum;
  }

  #isOpen(edge: string, id: string, { opensUntil }: Epoch): boolean {
    return this.#serving.get(edge) === id || this.#clock.monotonic() < opensUntil;
  }

  /** The oldest of too many becomes part of the past. */
  #addUp(edge: string, epochs: Map<string, Epoch>): void {
    if (epochs.size <= MOST_EPOCHS) return;
    const [oldest] = [...epochs].find(([id, epoch]) => id !== PAST && !this.#isOpen(edge, id, epoch)) ?? [];
    if (oldest === undefined) return;
    const { rules, lost } = epochs.get(oldest)!;
    const past = epochs.get(PAST) ?? { rules: new Map<string, CountersOfRule>(), lost: 0, opensUntil: 0 };
    for (const [rule, counted] of rules) {
      const before = past.rules.get(rule);
      past.rules.set(rule, { ...(before ? addNumbers(before, counted) : counted), active: 0 });
    }
    past.lost += lost;
    epochs.delete(oldest);
    epochs.set(PAST, past);
  }
}
