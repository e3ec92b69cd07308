/**
 * Reports to control, and when each is due: acks soon after something changed and on a fixed timer (ack-sender.ts), counters and
 * connection records every few seconds (fact-sender.ts), the health of origins soon after it changed (health-sender.ts).
 * Everything that waits is bounded; records that don't fit are counted, never waited for. The agent owns one and tells it when
 * the link is up.
 */
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Rng } from '../../lib/rng.ts';
import type { LinkClient } from '../../link/client.ts';
import { BEAT_MS } from '../../link/contract.ts';
import { AckSender, type AckSource } from './ack-sender.ts';
import { FactSender } from './fact-sender.ts';
import { HealthSender, type HealthSource } from './health-sender.ts';
import type { RecordQueue } from './record-queue.ts';

export interface ReporterSource extends AckSource {
  counters(): Promise<ReadonlyMap<string, RuleCounters>>;
  readonly health: HealthSource;
}

interface ReporterOptions {
  readonly link: Pick<LinkClient, 'post'>;
  readonly source: ReporterSource;
  readonly records: RecordQueue;
  readonly edge: string;
  readonly site: string;
  readonly clock: Clock;
  readonly rng: Rng;
}

const FACTS_MS = 5_000;
const AGAIN_MS = 250;

export class Reporter {
  readonly #clock: Clock;
  readonly #acks: AckSender;
  readonly #facts: FactSender;
  readonly #health: HealthSender;
  readonly #timers: readonly Timer[];
  #isDraining = false;

  constructor(options: ReporterOptions) {
    const { clock, records, rng } = options;
    this.#clock = clock;
    this.#acks = new AckSender(options);
    this.#facts = new FactSender({ ...options, epoch: rng.uuid() });
    this.#health = new HealthSender({ ...options, health: options.source.health });
    records.full.listen(() => void this.tell());
    this.#timers = [clock.every(BEAT_MS, () => this.#acks.beat()), clock.every(FACTS_MS, () => void this.tell())];
  }

  get isConnected(): boolean {
    return this.#acks.isOpen;
  }

  /** A new stream: control may know nothing of this edge. */
  connected(): void {
    this.#facts.restart();
    this.#acks.open();
    this.#health.open();
  }

  disconnected(): void {
    this.#acks.close();
    this.#health.close();
  }

  /** Something an ack says is different. */
  changed(): void {
    this.#acks.changed();
  }

  /** Sends counters that have changed and records that wait; false: control did not take all of them. */
  tell(): Promise<boolean> {
    if (!this.isConnected && !this.#isDraining) return Promise.resolve(true);
    return this.#facts.send(() => this.#isDraining);
  }

  /** The next process of this edge serves. This one says no more than what its last connections do. */
  drain(): void {
    this.#acks.close();
    this.#health.close();
    this.#isDraining = true;
    void this.tell();
  }

  /** Tells what is left to tell; to a control that just changes as well, as long as `withinMs` lasts. */
  async stop(withinMs = 0): Promise<void> {
    const deadline = this.#clock.monotonic() + withinMs;
    this.#acks.cancel();
    this.#health.stop();
    for (const timer of this.#timers) timer.cancel();
    // order: what is being told may have been asked before the last connection ended.
    await this.#facts.settled();
    while (!(await this.tell()) && this.#clock.monotonic() < deadline) await this.#clock.sleep(AGAIN_MS);
    this.#acks.close();
    this.#isDraining = false;
  }
}
