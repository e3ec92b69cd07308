/**
 * What the edge tells control: acks soon after something changed and on a fixed timer, counters and connection records
 * every few seconds. Everything that waits is bounded; records that don't fit are counted, never waited for. The agent
 * owns one and tells it when the link is up.
 */
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Rng } from '../../lib/rng.ts';
import type { LinkClient } from '../../link/client.ts';
import { type AckReport, BEAT_MS, type FactReport, LINK_PATHS } from '../../link/contract.ts';
import type { Beat } from '../../domain/fact/ack.ts';
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type { Placed } from '../reconcile/placements.ts';
import type { RecordQueue } from './record-queue.ts';

export interface ReporterSource {
  /** All of an ack but what the reporter keeps track of itself. */
  ack(): Omit<AckReport, 'placed' | 'fresh'>;
  placements(): ReadonlyMap<string, Placed>;
  takeMoved(): ReadonlyMap<string, Placed | undefined>;
  counters(): Promise<ReadonlyMap<string, RuleCounters>>;
}

interface ReporterOptions {
  readonly link: Pick<LinkClient, 'post'>;
  readonly source: ReporterSource;
  readonly records: RecordQueue;
  readonly edge: string;
  readonly clock: Clock;
  readonly rng: Rng;
}

/** Changes that come together make one ack. */
const SOON_MS = 5;
const AGAIN_MS = 250;
const FACTS_MS = 5_000;
/** limit: reports stay well under 1 MiB (MAX_ACK, MAX_FACTS). */
const PLACED_AT_ONCE = 2_000;
const COUNTERS_AT_ONCE = 2_000;

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #epoch: string;
  readonly #timers: readonly Timer[];
  #connected = false;
  /** Control may still show what an epoch before this one counted. */
  #isNews = true;
  #draining = false;
  #fresh = true;
  readonly #moved = new Map<string, Placed | undefined>();
  #soon: Timer | undefined;
  #acking = false;
  #ackAgain = false;
  #telling: Promise<boolean> | undefined;
  readonly #told = new Map<string, string>();

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#epoch = options.rng.uuid();
    const { clock } = options;
    options.records.full.listen(() => void this.tell());
    this.#timers = [clock.every(BEAT_MS, () => this.#beat()), clock.every(FACTS_MS, () => void this.tell())];
  }

  /** A new stream: control may know nothing of this edge. */
  connected(): void {
    this.#connected = true;
    this.#fresh = true;
    this.#isNews = true;
    this.#told.clear();
    this.#ack();
  }

  disconnected(): void {
    this.#connected = false;
  }

  /** Something an ack says is different. */
  changed(): void {
    this.#ackIn(SOON_MS);
  }

  /** Sends counters that have changed and records that wait; false: control did not take all of them. */
  tell(): Promise<boolean> {
    if (!this.#connected && !this.#draining) return Promise.resolve(true);
    // order: not at once. It may have been a record that was just handed over, and its engine is asked for counters here.
    return (this.#telling ??= Promise.resolve()
      .then(() => this.#tell())
      .catch(() => false)
      .finally(() => {
        this.#telling = undefined;
      }));
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** The next process of this edge serves. This one says no more than what its last connections do. */
  drain(): void {
    this.#connected = false;
    this.#draining = true;
    void this.tell();
  }

  /** Tells what is left to tell; to a control that just changes as well, as long as `withinMs` lasts. */
  async stop(withinMs = 0): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + withinMs;
    this.#soon?.cancel();
    for (const timer of this.#timers) timer.cancel();
    // order: what is being told may have been asked before the last connection ended.
    await this.#telling;
    while (!(await this.tell()) && clock.monotonic() < deadline) await clock.sleep(AGAIN_MS);
    this.#connected = this.#draining = false;
  }

  #ackIn(ms: number): void {
    this.#soon ??= this.#options.clock.after(ms, () => {
      this.#soon = undefined;
      this.#ack();
    });
  }

  /** An ack is a beat as well; one that is still on its way, because it is long or got lost, is overtaken. */
  #beat(): void {
    if (this.#connected && this.#acking) {
      const { edge, site, version } = this.#options.source.ack();
      const beat: Beat = { edge, site, version };
      void this.#options.link.post(LINK_PATHS.beat, beat, BEAT_MS).catch(() => {});
    }
    this.#ack();
  }

  #ack(): void {
    if (!this.#connected) return;
    this.#ackAgain = true;
    if (!this.#acking) void this.#sendAcks();
  }

  async #sendAcks(): Promise<void> {
    this.#acking = true;
    while (this.#ackAgain && this.#connected) {
      this.#ackAgain = false;
      await this.#sendAck();
    }
    this.#acking = false;
  }

  async #sendAck(): Promise<void> {
    const { source, link } = this.#options;
    const fresh = this.#fresh;
    const moved = source.takeMoved();
    if (fresh) this.#moved.clear();
    for (const [rule, placed] of fresh ? source.placements() : moved) this.#moved.set(rule, placed);
    const part = [...this.#moved].slice(0, PLACED_AT_ONCE);
    const placed = part.map(([rule, at]) => ({ rule, engine: at?.engine ?? '', why: at?.why ?? '' }));
    // A report that fails is not news: the stream says when control is gone.
    // order: before the answer comes another stream may begin, and that one needs everything again.
    this.#fresh = false;
    const taken = await link
      .post(LINK_PATHS.ack, { ...source.ack(), placed, fresh } satisfies AckReport)
      .catch(() => 0);
    if (taken !== 204) {
      this.#fresh ||= fresh;
      this.#ackIn(AGAIN_MS);
      return;
    }
    for (const [rule, at] of part) if (this.#moved.get(rule) === at) this.#moved.delete(rule);
    if (this.#moved.size > 0) this.#ackAgain = true;
  }

  async #tell(): Promise<boolean> {
    const { source, records } = this.#options;
    const now = await source.counters();
    // Of one that drains all: no stream says when another control is there, and control must hear that it lives.
    const isNew = ([rule, counters]: [string, RuleCounters]): boolean =>
      this.#draining || this.#told.get(rule) !== JSON.stringify(counters);
    const changed = [...now].filter(isNew);
    const gone = [...this.#told.keys()].filter((rule) => !now.has(rule));
    while (this.#isNews || changed.length > 0 || gone.length > 0 || !records.isEmpty) {
      const counters = changed.splice(0, COUNTERS_AT_ONCE);
      const report: FactReport = {
        edge: this.#options.edge,
        at: this.#options.clock.now(),
        epoch: this.#epoch,
        ...(this.#draining && { draining: true }),
        counters: counters.map(([rule, values]) => ({ rule, ...values })),
        gone: gone.splice(0, COUNTERS_AT_ONCE),
        ...records.first(),
      };
      const status = await this.#options.link.post(LINK_PATHS.facts, report);
      if (status !== 204) return false;
      this.#isNews = false;
      for (const [rule, values] of counters) this.#told.set(rule, JSON.stringify(values));
      for (const rule of report.gone) this.#told.delete(rule);
      records.taken(report);
    }
    return true;
  }
}
