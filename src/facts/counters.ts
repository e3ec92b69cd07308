/**
 * The last counters that each edge reported for each rule: what /metrics shows and `edgefour status` sums up. In memory
 * only: an edge tells its absolute counters again when control comes back. The control end of the link feeds it.
 */
export interface Counters {
  readonly rule: string;
  readonly connections: number;
  readonly active: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly ends: Readonly<Record<string, number | undefined>>;
  readonly unrecorded?: Readonly<Record<string, number>>;
  readonly unanswered?: number;
  readonly fastPackets?: number;
}

/** The same as FactReport (link/contract.ts), as far as it concerns counters. */
export interface CounterReport {
  readonly edge: string;
  readonly epoch: string;
  readonly counters: readonly Counters[];
  readonly gone: readonly string[];
  readonly recordsLost: number;
}

interface OfEdge {
  readonly epoch: string;
  readonly rules: Map<string, Counters>;
  lost: number;
}

export class CounterBook {
  readonly #edges = new Map<string, OfEdge>();

  report(report: CounterReport): void {
    let mine = this.#edges.get(report.edge);
    // An edge that restarted counts from 0; its old numbers say nothing about now.
    if (mine?.epoch !== report.epoch) mine = { epoch: report.epoch, rules: new Map(), lost: 0 };
    this.#edges.set(report.edge, mine);
    for (const counters of report.counters) mine.rules.set(counters.rule, counters);
    for (const rule of report.gone) mine.rules.delete(rule);
    mine.lost += report.recordsLost;
  }

  /** Each edge's counters of one rule. */
  ofRule(rule: string): { readonly edge: string; readonly counters: Counters }[] {
    return [...this.#edges].flatMap(([edge, { rules }]) => {
      const counters = rules.get(rule);
      return counters ? [{ edge, counters }] : [];
    });
  }

  /** What was given up of one rule, by reason, all edges together. */
  droppedOf(rule: string): Readonly<Record<string, number>> {
    const sum: Record<string, number> = {};
    for (const { counters } of this.ofRule(rule))
      for (const [reason, count] of Object.entries(counters.dropped)) sum[reason] = (sum[reason] ?? 0) + count;
    return sum;
  }

  /** Everything; for a metrics page. */
  *all(): Generator<{ readonly edge: string; readonly counters: Counters }> {
    for (const [edge, { rules }] of this.#edges) for (const counters of rules.values()) yield { edge, counters };
  }

  /** Connection records that an edge could not keep since it started. */
  recordsLost(): ReadonlyMap<string, number> {
    return new Map([...this.#edges].map(([edge, { lost }]) => [edge, lost]));
  }

  forget(edge: string): void {
    this.#edges.delete(edge);
  }
}
