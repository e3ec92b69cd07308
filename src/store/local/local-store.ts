/**
 * The store on one machine, with any medium for its rows: keys, revisions and history are held here in memory, values stay in
 * the medium. One loop does all writing, so commits that arrive while the medium is busy become durable together.
 */
import { Broken } from '../../faults/fault.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import { NotWritable } from '../errors.ts';
import type { Batch, Change, Committed, Guard, Revision, Store, Stored, View, WatchEvent } from '../store.ts';
import { decide, type Proposal, propose } from './group.ts';
import { History } from './history.ts';
import { type Entry, KeyIndex } from './key-index.ts';
import { RecentValues } from './recent.ts';
import { type Medium, type Opened, revisionOf, type Row, rowId, type RowId, ROWS_PER_REVISION } from './rows.ts';
import { Tail } from './tail.ts';
import { fromText, headFromText } from './text.ts';
import { watch, type Watched } from './watch.ts';

export interface LocalOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How many revisions stay for watchers to resume from; default 10,000. */
  readonly watchHistory?: number;
}

interface Waiting {
  readonly proposal: Proposal;
  resolve(answer: Committed): void;
  reject(error: unknown): void;
}

/** limit: commits a watcher is handed at a time when it catches up. */
const CATCH_UP = 16;
/** limit: sites, zones, policies: what calls list to decide, not to show. */
const SHORT = 8;
const LAST_REFUSED = 'the last change could not be written: the disk of the data folder is full or fails';
/** limit: beyond this, a person would call the disk stuck. */
const SLOW_MS = 1_000;

export class LocalStore implements Store {
  readonly world: string;
  readonly partial: Store['partial'];
  readonly #medium: Medium;
  readonly #options: LocalOptions;
  readonly #index = new KeyIndex();
  readonly #values = new RecentValues();
  readonly #tail = new Tail();
  readonly #history: History;
  readonly #watched: Watched;
  readonly #moved = new Set<() => void>();
  #revision: Revision;
  #waiting: Waiting[] = [];
  #compactTo: Revision;
  #writing: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #isRefused = false;

  constructor(medium: Medium, opened: Opened, options: LocalOptions) {
    this.world = opened.world;
    this.partial = opened.partial;
    this.#medium = medium;
    this.#options = options;
    this.#history = new History(opened.compacted, options.watchHistory ?? 10_000);
    this.#revision = opened.compacted;
    this.#compactTo = opened.compacted;
    medium.scan((id, key, bytes) => this.#add(id, key, bytes));
    this.#watched = this.#asWatched();
  }

  get alarms(): readonly string[] {
    const damage = this.partial && `the desired state on disk is damaged: ${this.partial.reason}`;
    const refusal = this.#medium.refusal?.() ?? (this.#isRefused && !damage && LAST_REFUSED);
    return [damage, refusal].filter((alarm) => typeof alarm === 'string');
  }

  async read<T>(fn: (view: View) => T | Promise<T>): Promise<T> {
    return fn({
      revision: this.#revision,
      get: (key) => {
        const id = this.#index.get(key);
        return id === undefined ? undefined : this.#stored(key, id);
      },
      list: (prefix, page = {}) => {
        const entries = this.#index.under(prefix, page.offset, page.limit);
        // A long list goes past the recent values: it would push out what every call needs.
        if (entries.length <= SHORT) return entries.map(({ key, id }) => this.#stored(key, id));
        return this.#many(entries, fromText);
      },
      heads: (prefix, page = {}) => this.#many(this.#index.under(prefix, page.offset, page.limit), headFromText),
      count: (prefix) => this.#index.count(prefix),
    });
  }

  async commit(changes: readonly Change[], guards: readonly Guard[]): Promise<Committed> {
    const proposal = propose(changes, guards);
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new Error('the store is closed');
      this.#waiting.push({ proposal, resolve, reject });
      void this.#write();
    });
  }

  watch(prefixes: readonly string[], from: Revision, signal: AbortSignal): AsyncIterable<WatchEvent> {
    return watch(this.#watched, prefixes, from, signal);
  }

  async compact(upTo: Revision): Promise<void> {
    this.#compactTo = Math.max(this.#compactTo, Math.min(upTo, this.#revision));
    await this.#write();
  }

  close(): Promise<void> {
    this.#closed ??= this.#write().then(() => this.#medium.close());
    this.#wake();
    return this.#closed;
  }

  /** Sees to it that the writing loop runs; resolves when it has nothing left to do. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    // All who commit in this turn of the loop share the first fsync too.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#compactTo > this.#history.compacted) {
      const group = this.#waiting.splice(0);
      if (group.length > 0) await this.#writeGroup(group);
      const upTo = Math.max(this.#compactTo, this.#history.overdue() ?? 0);
      if (upTo > this.#history.compacted) await this.#forget(upTo);
    }
    // order: in the same turn as the last look at the queue, or a commit could be left in it.
    this.#writing = undefined;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const started = this.#options.clock.monotonic();
    try {
      const proposals = group.map((one) => one.proposal);
      const { rows, answers } = decide(proposals, this.#revision, (key) => this.#index.get(key));
      if (rows.length > 0) await this.#medium.persist(rows);
      if (rows.length > 0) this.#isRefused = false;
      this.#tail.add(rows);
      for (const row of rows) this.#add(row.id, row.key, row.text?.length);
      group.forEach((one, i) => one.resolve(answers[i]!));
      if (rows.length > 0) this.#wake();
    } catch (error) {
      // A disk that takes nothing is told of once, not with each try.
      if (!(this.#isRefused && error instanceof NotWritable))
        this.#options.log.error('commits could not be written', { commits: group.length, error: String(error) });
      this.#isRefused = error instanceof NotWritable;
      for (const one of group) one.reject(error);
    }
    const took = this.#options.clock.monotonic() - started;
    if (took > SLOW_MS) this.#options.log.warn('the disk is slow', { commits: group.length, ms: Math.round(took) });
  }

  async #forget(upTo: Revision): Promise<void> {
    const dead = this.#history.deadAt(upTo);
    // order: watchers must stop relying on these rows before they go.
    this.#history.compact(upTo);
    this.#compactTo = upTo;
    try {
      await this.#medium.forget(dead, upTo);
    } catch (error) {
      // They stay on disk as history that no reader asks for, until the next start finds them again.
      this.#options.log.warn('history could not be compacted', { upTo, error: String(error) });
    }
  }

  #add(id: RowId, key: string, bytes: number | undefined): void {
    this.#history.added(id, bytes, this.#index.get(key));
    if (bytes === undefined) this.#index.delete(key);
    else this.#index.set(key, id);
    this.#revision = Math.max(this.#revision, revisionOf(id));
  }

  #stored(key: string, id: RowId): Stored {
    const revision = revisionOf(id);
    const known = this.#values.get(id);
    if (known !== undefined) return { key, value: known, revision };
    const text = this.#tail.text(id) ?? this.#medium.text(id);
    if (text === undefined) throw missing(key, id);
    return { key, value: this.#values.parse(id, text), revision };
  }

  #many(entries: readonly Entry[], read: (text: string) => unknown): Stored[] {
    const texts = this.#medium.texts(entries.map(({ id }) => id));
    return entries.map(({ key, id }) => {
      const text = texts.get(id);
      if (text === undefined) throw missing(key, id);
      return { key, value: read(text), revision: revisionOf(id) };
    });
  }

  #after(revision: Revision): Batch[] {
    const to = Math.min(revision + CATCH_UP, this.#revision);
    const rows =
      this.#tail.rows(revision + 1, to) ?? this.#medium.rows(rowId(revision + 1, 0), rowId(to, ROWS_PER_REVISION - 1));
    const batches = Array.from({ length: to - revision }, (_, i) => ({
      revision: revision + 1 + i,
      changes: [] as Change[],
    }));
    for (const row of rows) batches[revisionOf(row.id) - revision - 1]!.changes.push(this.#change(row));
    const hole = batches.find((batch) => batch.changes.length === 0);
    if (hole) throw new Broken(`revision ${hole.revision} is missing from the history`);
    return batches;
  }

  #change({ id, key, text }: Row): Change {
    return { key, value: text === null ? undefined : (this.#values.get(id) ?? this.#values.parse(id, text)) };
  }

  #wake(): void {
    for (const resolve of this.#moved) resolve();
    this.#moved.clear();
  }

  #asWatched(): Watched {
    return {
      revision: () => this.#revision,
      compacted: () => this.#history.compacted,
      closed: () => this.#closed !== undefined,
      under: (prefix) => this.#index.under(prefix),
      values: (ids) => new Map([...this.#medium.texts(ids)].map(([id, text]) => [id, fromText(text)])),
      after: (revision) => this.#after(revision),
      moved: (signal) =>
        new Promise((resolve) => {
          const done = (): void => {
            signal.removeEventListener('abort', done);
            this.#moved.delete(done);
            resolve();
          };
          signal.addEventListener('abort', done, { once: true });
          this.#moved.add(done);
        }),
    };
  }
}

function missing(key: string, id: RowId): Broken {
  return new Broken(`the value of ${key} at revision ${revisionOf(id)} is missing`);
}
