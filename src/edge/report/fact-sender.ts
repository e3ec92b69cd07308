/**
 * Counters and connection records on their way to control, in reports of bounded size: what changed since
 * control took it, records that wait. Decides nothing about when; made and asked by reporter.ts.
 */
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type { Clock } from '../../lib/clock.ts';
import type { LinkClient } from '../../link/client.ts';
import { type FactReport, LINK_PATHS } from '../../link/contract.ts';
import type { RecordQueue } from './record-queue.ts';

interface FactParts {
  readonly link: Pick<LinkClient, 'post'>;
  readonly source: { counters(): Promise<ReadonlyMap<string, RuleCounters>> };
  readonly records: RecordQueue;
  readonly edge: string;
  /** Names this process. */
  readonly epoch: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** limit: a report stays well under 1 MiB (MAX_FACTS). */
const COUNTERS_AT_ONCE = 2_000;

export class FactSender {
  readonly #parts: FactParts;
  /** Control may still show what an epoch before this one counted. */
  #isNews = true;
  /** Rule → its counters as control took them last. */
  readonly #told = new Map<string, string>();
  #sending: Promise<boolean> | undefined;

  constructor(parts: FactParts) {
    this.#parts = parts;
  }

  /** A new stream: control may know nothing of this edge. */
  restart(): void {
    this.#isNews = true;
    this.#told.clear();
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  /** `isDraining`: the next process of this edge serves. False: control did not take all. Called again while it sends, it joins. */
  send(isDraining: () => boolean): Promise<boolean> {
    // order: not at once. It may have been a record that was just handed over, and its engine is asked for counters here.
    return (this.#sending ??= Promise.resolve()
      .then(() => this.#sendAll(isDraining))
      .catch(() => false)
      .finally(() => {
        this.#sending = undefined;
      }));
  }

  async #sendAll(isDraining: () => boolean): Promise<boolean> {
    const { source, records, link, edge, epoch, clock } = this.#parts;
    const now = await source.counters();
    // Of one that drains all: no stream says when another control is there, and control must hear that it lives.
    const isNew = ([rule, counters]: [string, RuleCounters]): boolean =>
      isDraining() || this.#told.get(rule) !== JSON.stringify(counters);
    const changed = [...now].filter(isNew);
    const gone = [...this.#told.keys()].filter((rule) => !now.has(rule));
    while (this.#isNews || changed.length > 0 || gone.length > 0 || !records.isEmpty) {
      const counters = changed.splice(0, COUNTERS_AT_ONCE);
      const report: FactReport = {
        edge,
        at: clock.now(),
        epoch,
        ...(isDraining() && { draining: true }),
        counters: counters.map(([rule, values]) => ({ rule, ...values })),
        gone: gone.splice(0, COUNTERS_AT_ONCE),
        ...records.first(),
      };
      const status = await link.post(LINK_PATHS.facts, report);
      if (status !== 204) return false;
      this.#isNews = false;
      for (const [rule, values] of counters) this.#told.set(rule, JSON.stringify(values));
      for (const rule of report.gone) this.#told.delete(rule);
      records.taken(report);
    }
    return true;
  }
}
