/**
 * What the edges of this site and of others find of checks, as control tells it, and which checks are this edge's to probe.
 * Where control, or those that probe, are silent for three intervals of a check, it is: so nothing depends on any of them. It
 * dials nothing and decides no state (origin-health.ts does). OriginWatch owns one; the follower feeds it, checks.ts asks it.
 */
import type { ProbeResult } from '../../domain/fact/health.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { Signal } from '../../lib/signal.ts';
import type { VerdictsFrame } from '../../link/contract.ts';
import { dutyOf } from './duty.ts';

/** `unknown`: they can't tell. `overrules`: most sites find it ill, whatever this edge finds. */
export interface OthersWord {
  readonly verdict: ProbeResult['verdict'];
  readonly overrules: boolean;
}

interface Said {
  /** Undefined: nobody ever said anything. */
  readonly word: OthersWord | undefined;
  /** Since when nobody says anything any more; undefined: it stands. */
  readonly lostAt: number | undefined;
}

/** limit: silent for so many intervals of the check, others are not waited for. */
const SILENT_INTERVALS = 3;
/** limit: verdicts that are remembered, about 15 MB. */
const MOST_SAID = 100_000;
const LOOK_MS = 2_000;

export class Others {
  /** Checks with another word, or another edge to probe them, perhaps; undefined: any. */
  readonly changed = new Signal<readonly string[] | undefined>();
  readonly #edge: string;
  readonly #clock: Clock;
  readonly #said = new Map<string, Said>();
  /** Those of #said that do not stand. */
  readonly #lost = new Set<string>();
  /** Whether a check is this edge's, as reckoned for #edges. */
  readonly #mine = new Map<string, boolean>();
  /** Empty: control has never told. */
  #edges: readonly string[] = [];
  #duty: (check: string) => boolean;
  #sequence = 0;
  /** Control has told nothing since; undefined: it is there. */
  #silentSince: number | undefined;
  #looking: Timer | undefined;

  constructor(edge: string, clock: Clock) {
    this.#edge = edge;
    this.#clock = clock;
    this.#duty = dutyOf(edge, this.#edges);
  }

  take({ sequence, whole, edges, checks }: VerdictsFrame): void {
    if (!whole && sequence <= this.#sequence) return;
    const now = this.#clock.monotonic();
    const isOtherEdges = edges.join() !== this.#edges.join();
    this.#sequence = sequence;
    this.#silentSince = undefined;
    this.#edges = edges;
    if (isOtherEdges) {
      this.#duty = dutyOf(this.#edge, edges);
      this.#mine.clear();
    }
    if (whole) for (const [check, { word }] of this.#said) this.#lose(check, word, now);
    for (const { check, verdict, by } of checks) {
      const known = this.#said.get(check);
      if (!known && this.#said.size >= MOST_SAID) continue;
      const isFleet = by === 'fleet';
      if (verdict === 'unknown' && isFleet) this.#lose(check, known?.word, now);
      else {
        this.#said.set(check, { word: { verdict, overrules: isFleet && verdict === 'unhealthy' }, lostAt: undefined });
        this.#lost.delete(check);
      }
    }
    this.#lookOn();
    this.changed.tell(isOtherEdges ? undefined : checks.map(({ check }) => check));
  }

  /** The link to control is gone. May be called twice. */
  disconnected(): void {
    this.#silentSince ??= this.#clock.monotonic();
    this.#lookOn();
  }

  /** Of a check with this interval; undefined: none that counts. */
  word(check: string, intervalMs: number): OthersWord | undefined {
    return this.#isSilent(check, intervalMs) ? undefined : this.#said.get(check)?.word;
  }

  /** Whether this edge probes the check, which has this interval. */
  probes(check: string, intervalMs: number): boolean {
    if (this.#edges.length === 0) return true;
    const isMine = this.#mine.get(check) ?? this.#duty(check);
    this.#mine.set(check, isMine);
    // Those that probe have as long to say something of a check that is new.
    if (!isMine && !this.#said.has(check)) this.#lose(check, undefined, this.#clock.monotonic());
    return isMine || this.#isSilent(check, intervalMs);
  }

  /** Nobody asks for the check any more. */
  forget(check: string): void {
    this.#mine.delete(check);
    if (!this.#said.get(check)?.word) this.#said.delete(check);
    if (!this.#said.has(check)) this.#lost.delete(check);
    this.#lookOn();
  }

  close(): void {
    this.#looking?.cancel();
  }

  #isSilent(check: string, intervalMs: number): boolean {
    const since = Math.min(this.#silentSince ?? Infinity, this.#said.get(check)?.lostAt ?? Infinity);
    return this.#clock.monotonic() - since > SILENT_INTERVALS * intervalMs;
  }

  /** Its last word goes on for a while. */
  #lose(check: string, word: OthersWord | undefined, at: number): void {
    const lostAt = this.#said.get(check)?.lostAt ?? at;
    this.#said.set(check, { word, lostAt });
    this.#lost.add(check);
    this.#lookOn();
  }

  /** As long as time alone may change anything. */
  #lookOn(): void {
    const isSilent = this.#silentSince !== undefined;
    if (this.#edges.length === 0 || (!isSilent && this.#lost.size === 0)) {
      this.#looking?.cancel();
      this.#looking = undefined;
    } else
      this.#looking ??= this.#clock.every(LOOK_MS, () => {
        this.changed.tell(this.#silentSince === undefined ? [...this.#lost] : undefined);
      });
  }
}
