/**
 * Connection records that wait for control: bounded, and those that don't fit are counted. It sends nothing. Pure; engines
 * fill it (records.ts), the reporter empties it.
 */
import type { ConnectionRecord } from '../../domain/fact/fact.ts';
import { Signal } from '../../lib/signal.ts';

/** limit: a report stays well under 1 MiB (MAX_FACTS). */
const AT_ONCE = 2_000;
/** limit: about 10 MB; an hour without control is longer than any bound, so files have all and this has the latest. */
const MOST_WAITING = 20_000;

interface Part {
  readonly records: readonly ConnectionRecord[];
  readonly recordsLost: number;
}

export class RecordQueue {
  /** As many wait as one report takes. */
  readonly full = new Signal();
  #records: ConnectionRecord[] = [];
  #lost = 0;

  get isEmpty(): boolean {
    return this.#records.length === 0 && this.#lost === 0;
  }

  add(record: ConnectionRecord): void {
    if (this.#records.length < MOST_WAITING) this.#records.push(record);
    else this.#lost += 1;
    if (this.#records.length === AT_ONCE) this.full.tell();
  }

  /** So many were lost on their way to somewhere else: control counts those too. */
  lose(records: number): void {
    this.#lost += records;
  }

  /** What one report takes; it goes on waiting until taken(). */
  first(): Part {
    return { records: this.#records.slice(0, AT_ONCE), recordsLost: this.#lost };
  }

  taken({ records, recordsLost }: Part): void {
    this.#records = this.#records.slice(records.length);
    this.#lost -= recordsLost;
  }
}
