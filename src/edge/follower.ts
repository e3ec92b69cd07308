/**
 * Follows control over the link, from `start` to `stop` and again: each step of the world goes to the plan's feed, verdicts of
 * other edges to the checks, the reporter hears when control is there, and a control that is missed is told in the log. It
 * decides nothing about records. The agent owns one.
 */
import type { Clock } from '../lib/clock.ts';
import type { LinkClient } from '../link/client.ts';
import type { VerdictsFrame } from '../link/contract.ts';
import type { Replica, Step } from '../link/replica.ts';
import type { Log } from '../observe/log.ts';
import type { Others } from './health/others.ts';
import type { PlanFeed } from './plan-feed.ts';
import type { Reporter } from './report/reporter.ts';

interface FollowerOptions {
  readonly link: Pick<LinkClient, 'follow'>;
  /** As the setting has it, for the log. */
  readonly join: string;
  readonly replica: Replica;
  readonly reporter: Pick<Reporter, 'connected' | 'disconnected' | 'isConnected'>;
  readonly feed: Pick<PlanFeed, 'take'>;
  readonly others: Pick<Others, 'take' | 'disconnected'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A control that starts beside this edge takes a moment; later its absence is news. */
const PATIENCE_MS = 5_000;

export class Follower {
  readonly #options: FollowerOptions;
  #ending = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#ending = new AbortController();
    this.#ended = this.#follow(this.#ending.signal);
  }

  /** Resolves when no step comes any more. May be called twice. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#ended;
  }

  #follow(signal: AbortSignal): Promise<void> {
    const { link, join, replica, reporter, feed, others, clock, log } = this.#options;
    /** Since when control is missed; undefined: it is there, or its absence has been told. */
    let missedSince: number | undefined = clock.monotonic();
    const sink = {
      connected(): void {
        missedSince = undefined;
        log.info('connected to control', { join, revision: replica.revision });
        reporter.connected();
      },
      step: (step: Step) => feed.take(step),
      verdicts: (frame: VerdictsFrame) => others.take(frame),
      disconnected(reason: string, resync: boolean): void {
        const facts = { reason, resync, revision: replica.revision };
        if (reporter.isConnected) log.warn('the link to control is gone; serving on', facts);
        else if (missedSince !== undefined && clock.monotonic() - missedSince > PATIENCE_MS) {
          missedSince = undefined;
          log.warn('control cannot be reached; trying on', { join, ...facts });
        }
        reporter.disconnected();
        others.disconnected();
      },
    };
    return link.follow(replica, sink, signal);
  }
}
