/**
 * Acks on their way to control: soon after something changed, on each beat of the timer, and again where one was not taken; one at
 * a time. Placements are told as they change, and all of them on a new stream. Made by reporter.ts, which knows when the link is up.
 */
import type { Beat } from '../../domain/fact/ack.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { LinkClient } from '../../link/client.ts';
import { type AckReport, BEAT_MS, LINK_PATHS } from '../../link/contract.ts';
import type { Placed } from '../reconcile/placements.ts';

export interface AckSource {
  /** All of an ack but what the sender keeps track of itself. */
  ack(): Omit<AckReport, 'placed' | 'fresh'>;
  placements(): ReadonlyMap<string, Placed>;
  takeMoved(): ReadonlyMap<string, Placed | undefined>;
}

interface AckParts {
  readonly link: Pick<LinkClient, 'post'>;
  readonly source: AckSource;
  readonly clock: Clock;
}

/** Changes that come together make one ack. */
const SOON_MS = 5;
const AGAIN_MS = 250;
/** limit: an ack stays well under 1 MiB (MAX_ACK). */
const PLACED_AT_ONCE = 2_000;

export class AckSender {
  readonly #parts: AckParts;
  /** The link is up. */
  #isOpen = false;
  /** The next ack tells all placements: control may know none. */
  #fresh = true;
  /** Placements that control has not taken yet. */
  readonly #moved = new Map<string, Placed | undefined>();
  #soon: Timer | undefined;
  #isSending = false;
  #again = false;

  constructor(parts: AckParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** A new stream: control may know nothing of this edge. */
  open(): void {
    this.#isOpen = true;
    this.#fresh = true;
    this.#send();
  }

  /** Sends none until it is opened again. May be called twice. */
  close(): void {
    this.#isOpen = false;
  }

  /** Something an ack says is different. */
  changed(): void {
    this.#sendIn(SOON_MS);
  }

  /** An ack is a beat as well; one that is still on its way, because it is long or got lost, is overtaken. */
  beat(): void {
    if (this.#isOpen && this.#isSending) {
      const { edge, site, version } = this.#parts.source.ack();
      const beat: Beat = { edge, site, version };
      void this.#parts.link.post(LINK_PATHS.beat, beat, BEAT_MS).catch(() => {});
    }
    this.#send();
  }

  /** No ack that is due is sent any more. */
  cancel(): void {
    this.#soon?.cancel();
  }

  #sendIn(ms: number): void {
    this.#soon ??= this.#parts.clock.after(ms, () => {
      this.#soon = undefined;
      this.#send();
    });
  }

  #send(): void {
    if (!this.#isOpen) return;
    this.#again = true;
    if (!this.#isSending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#again && this.#isOpen) {
      this.#again = false;
      await this.#sendOne();
    }
    this.#isSending = false;
  }

  async #sendOne(): Promise<void> {
    const { source, link } = this.#parts;
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
      this.#sendIn(AGAIN_MS);
      return;
    }
    for (const [rule, at] of part) if (this.#moved.get(rule) === at) this.#moved.delete(rule);
    if (this.#moved.size > 0) this.#again = true;
  }
}
