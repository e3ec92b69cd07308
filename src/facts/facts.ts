/**
 * Reports of edges, behind one door: the control end of the link reports, the rest of control reads. Facts are not part of
 * the desired state and never decide what is wanted; two small files take them across a restart of control. Opened by
 * control's composition root (control/services.ts).
 */
import type { Ack, Beat } from '../domain/fact/ack.ts';
import type { CounterReport } from '../domain/fact/fact.ts';
import type { HealthReport } from '../domain/fact/health.ts';
import type { Area } from '../domain/l4-proxy/l4-proxy.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observe/log.ts';
import { openAcks } from './acks/ack-file.ts';
import type { Acks } from './acks/acks.ts';
import type { CounterBook } from './counters/counter-book.ts';
import { openCounters } from './counters/counter-file.ts';
import { HealthBook } from './health/health-book.ts';
import type { Verdicts } from './health/verdicts.ts';
import type { FactReader } from './readers.ts';

/** Reports, checked for their form. The same one twice changes nothing, but for records that were lost. */
interface FactReports {
  beat(beat: Beat): void;
  ack(ack: Ack): void;
  counters(report: CounterReport): void;
  /** How many checks and origins there was no room for. */
  health(report: HealthReport): number;
}

/** The parts of the desired state that facts depend on. */
export interface FactWorld {
  /** A site's record was written (areas) or deleted (undefined). */
  site(id: string, areas: readonly Area[] | undefined): void;
  /** The world is at this revision: no edge can have applied more. */
  reach(revision: number): void;
  /**
   * Forgets all counters and origins of an edge that was last heard of an hour ago: should it come back, it tells them again. And
   * what ended processes counted for rules that are no more: a running edge says itself which of its rules go. `rules` gives
   * those that there are, and is asked only where there are ended processes.
   */
  sweep(rules: () => Promise<ReadonlySet<string>>): Promise<void>;
}

export interface Facts {
  readonly report: FactReports;
  readonly read: FactReader;
  readonly world: FactWorld;
  readonly verdicts: VerdictView;
  /** Writes what is due. May be called twice. */
  close(): Promise<void>;
}

/** What edges are told of each other's checks. */
interface VerdictView extends Pick<Verdicts, 'changed' | 'of' | 'checks'> {
  /** Words of edges that are silent count no more from now on. */
  look(): void;
}

/** limit: counters of so many edges as come and go within it. */
const FORGET_MS = 3_600_000;

export function factsOf(acks: Acks, counters: CounterBook, clock: Pick<Clock, 'now'>): Omit<Facts, 'close'> {
  const health = new HealthBook(acks.presence);
  return {
    report: {
      beat: (beat) => acks.heard(beat),
      ack: (ack) => acks.report(ack),
      counters: (report) => counters.report(report),
      health: (report) => health.report(report),
    },
    read: {
      acks,
      presence: acks.presence,
      counters,
      health,
      origins: health,
    },
    verdicts: {
      changed: health.verdicts.changed,
      of: (site, check) => health.verdicts.of(site, check),
      checks: () => health.verdicts.checks(),
      look: () => health.look(),
    },
    world: {
      site: (id, areas) => acks.site(id, areas),
      reach: (revision) => acks.reach(revision),
      async sweep(rules) {
        const heard = new Map(acks.edges().map(({ id, alive, seenAt }) => [id, alive ? Infinity : seenAt]));
        const isKept = (edge: string): boolean => clock.now() - (heard.get(edge) ?? 0) <= FORGET_MS;
        for (const edge of counters.edges()) if (!isKept(edge)) counters.forget(edge);
        health.forget(isKept);
        if (!counters.hasPast()) return;
        const ids = await rules();
        counters.forgetRules((rule) => ids.has(rule));
      },
    },
  };
}

/** Starts from what the files say of this world, and keeps them up to date. */
export async function openFacts(
  files: { readonly acks: string; readonly counters: string },
  world: string,
  tools: { readonly clock: Clock; readonly log: Log },
): Promise<Facts> {
  const acks = await openAcks(files.acks, world, tools);
  const counters = await openCounters(files.counters, world, tools);
  return {
    ...factsOf(acks.acks, counters.counters, tools.clock),
    async close() {
      await Promise.all([acks.close(), counters.close()]);
    },
  };
}
