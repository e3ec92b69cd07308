/**
 * When the dials to an origin have failed too often: so many in a row, or too big a share of those of the last seconds.
 * Fixed memory, however many dials there are. It decides nothing else. Called by origin-health.ts.
 */
import { DIAL_OUTCOMES, type DialCounts, type DialOutcome } from '../../domain/fact/health.ts';

/** limit: two may be an accident on the way; a third in a row seldom is. */
const ROW = 3;
/** limit: of fewer dials a share means nothing. */
const SMALLEST_SAMPLE = 20;
const FAILED_SHARE = 0.5;
const WINDOW_MS = 2_000;
const SLOTS = 8;
const SLOT_MS = WINDOW_MS / SLOTS;

const FAILURES: readonly DialOutcome[] = DIAL_OUTCOMES.filter((kind) => kind !== 'ok');

export class DialWindow {
  #row = 0;
  #slot = 0;
  // not: typed arrays. Of so few numbers they are mostly overhead, and each origin has two.
  readonly #dials = zeros();
  readonly #failures = zeros();

  /**
   * Counts dials that ended about now, and says in words why they are too many failures, where they are. `failedInRow`: how
   * many failures came after the last success that the engine has seen; 0 where that is not known.
   */
  add(counts: DialCounts, at: number, failedInRow = 0): string | undefined {
    const { ok, failed } = totals(counts);
    this.#moveTo(Math.floor(at / SLOT_MS));
    const place = this.#slot % SLOTS;
    this.#dials[place] = (this.#dials[place] ?? 0) + ok + failed;
    this.#failures[place] = (this.#failures[place] ?? 0) + failed;
    // not: the engine's count alone. It is older than the batch where no success is in it, and may be older than a recovery.
    this.#row = ok > 0 ? Math.min(failedInRow, failed) : this.#row + failed;
    if (this.#row >= ROW) return `${this.#row} dials in a row failed (${wordsOf(counts)})`;
    const dials = sum(this.#dials);
    const failures = sum(this.#failures);
    if (dials < SMALLEST_SAMPLE || failures < dials * FAILED_SHARE) return undefined;
    return `${failures} of ${dials} dials within ${WINDOW_MS / 1_000} s failed (${wordsOf(counts)})`;
  }

  clear(): void {
    this.#row = 0;
    this.#dials.fill(0);
    this.#failures.fill(0);
  }

  #moveTo(slot: number): void {
    const passed = Math.min(Math.max(slot - this.#slot, 0), SLOTS);
    for (let i = 1; i <= passed; i++) {
      this.#dials[(slot - passed + i) % SLOTS] = 0;
      this.#failures[(slot - passed + i) % SLOTS] = 0;
    }
    this.#slot = Math.max(slot, this.#slot);
  }
}

/** Of dials that ended. */
export function totals(counts: DialCounts): { readonly ok: number; readonly failed: number } {
  return { ok: counts.ok ?? 0, failed: sum(FAILURES.map((kind) => counts[kind] ?? 0)) };
}

/** The kinds of failures among them: `refused, timed-out`. */
const wordsOf = (counts: DialCounts): string => FAILURES.filter((kind) => (counts[kind] ?? 0) > 0).join(', ');

const zeros = (): number[] => Array.from({ length: SLOTS }, () => 0);

function sum(numbers: Iterable<number>): number {
  let all = 0;
  for (const number of numbers) all += number;
  return all;
}
