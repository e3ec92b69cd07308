/**
 * The health of origins on its way to control, in reports of bounded size: changes soon after they happen, everything after a new
 * stream, numbers that only grow now and then. One report at a time, again where one was not taken. It decides nothing about
 * origins. Made by reporter.ts, which knows when the link is up.
 */
import {
  type CheckFact,
  type CheckId,
  type HealthReport,
  type HealthTimes,
  type OriginFact,
} from '../../domain/fact/health.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { LinkClient } from '../../link/client.ts';
import { LINK_PATHS } from '../../link/contract.ts';
import { type FactSource, Untold } from './untold.ts';

/** As edge/health tells it. */
export interface HealthSource {
  readonly checks: FactSource<string, CheckFact>;
  readonly origins: FactSource<number, OriginFact>;
  /** Rules all of whose origins are down. */
  failOpen(): number;
  times(): HealthTimes;
}

interface HealthParts {
  readonly link: Pick<LinkClient, 'post'>;
  readonly health: HealthSource;
  readonly edge: string;
  readonly site: string;
  readonly clock: Clock;
}

/** Changes that come together make one report; an edge that takes a verdict from it must have it within a second. */
const SOON_MS = 50;
const AGAIN_MS = 250;
const GROWN_MS = 30_000;
/** limit: about 800 kB in as long; more than so many origins take turns. */
const GROWN_AT_ONCE = 2_000;
/** limit: characters of the facts of one report; MAX_HEALTH has room for as much again and letters of two bytes. */
const PART = 256 * 1024;
const GROWING: ReadonlySet<string> = new Set<keyof OriginFact>(['dials', 'probe']);

export class HealthSender {
  readonly #parts: HealthParts;
  readonly #checks: Untold<string, CheckFact, CheckId>;
  readonly #origins: Untold<number, OriginFact, string>;
  readonly #aging: Timer;
  /** Counts streams. */
  #stream = 0;
  /** Of everything, the part that is due; undefined: all of it was told. */
  #part: number | undefined;
  #isOpen = false;
  #soon: Timer | undefined;
  #isSending = false;
  /** Times are told although nothing else is. */
  #isTimesDue = false;

  constructor(parts: HealthParts) {
    const { health, clock } = parts;
    this.#parts = parts;
    this.#checks = new Untold(health.checks, { idOf: idOfCheck, growing: new Set() });
    this.#origins = new Untold(health.origins, { idOf: ({ key }) => key, growing: GROWING });
    for (const { changed } of [health.checks, health.origins]) changed.listen(() => this.#sendIn(SOON_MS));
    this.#aging = clock.every(GROWN_MS, () => {
      this.#isTimesDue = true;
      this.#origins.age(GROWN_AT_ONCE);
      this.#sendIn(SOON_MS);
    });
  }

  /** A new stream: control may know nothing of this edge. */
  open(): void {
    this.#isOpen = true;
    this.#stream += 1;
    this.#part = 0;
    this.#checks.restart();
    this.#origins.restart();
    this.#sendIn(0);
  }

  /** Sends nothing until it is opened again. May be called twice. */
  close(): void {
    this.#isOpen = false;
  }

  /** For good. */
  stop(): void {
    this.close();
    this.#soon?.cancel();
    this.#aging.cancel();
  }

  get #isDue(): boolean {
    return this.#part !== undefined || this.#isTimesDue || !this.#checks.isEmpty || !this.#origins.isEmpty;
  }

  #sendIn(ms: number): void {
    if (!this.#isOpen || this.#isSending) return;
    this.#soon ??= this.#parts.clock.after(ms, () => {
      this.#soon = undefined;
      if (!this.#isSending) void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    let isTaken = true;
    while (isTaken && this.#isOpen && this.#isDue) isTaken = await this.#sendOne();
    this.#isSending = false;
    if (this.#isDue) this.#sendIn(isTaken ? SOON_MS : AGAIN_MS);
  }

  /** False: it was not taken. */
  async #sendOne(): Promise<boolean> {
    const { link, health, edge, site } = this.#parts;
    const stream = this.#stream;
    const part = this.#part;
    const checks = this.#checks.next(PART);
    const origins = this.#origins.next(checks.room);
    const isLast = this.#checks.isEmpty && this.#origins.isEmpty;
    const isNews = [checks, origins].some(({ facts, gone }) => facts.length + gone.length > 0);
    const isTimesDue = this.#isTimesDue;
    this.#isTimesDue = false;
    const report: HealthReport = {
      edge,
      site,
      ...(part !== undefined && { whole: { part, isLast } }),
      checks: checks.facts,
      origins: origins.facts,
      gone: { checks: checks.gone, origins: origins.gone },
      failOpen: health.failOpen(),
      times: health.times(),
    };
    const isDue = isNews || isTimesDue || part !== undefined;
    const status = isDue ? await link.post(LINK_PATHS.health, report).catch(() => 0) : 204;
    const isTaken = status === 204;
    for (const told of [checks, origins]) told.settle(isTaken);
    // order: another stream may have begun meanwhile, and is owed everything.
    if (stream !== this.#stream) return true;
    if (isTaken && part !== undefined) this.#part = isLast ? undefined : part + 1;
    this.#isTimesDue ||= isTimesDue && !isTaken;
    // Control is older, or can't read this and won't the next time.
    if (status >= 400 && status < 500) this.close();
    return isTaken;
  }
}

function idOfCheck({ owner, group, host, address, check }: CheckFact): CheckId {
  return { owner, group, host, address, check };
}
