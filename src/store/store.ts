/**
 * The door to the desired state: a key-value world with one dense revision. A backend knows keys, JSON values and
 * revisions, nothing of what they mean (records.ts does). Every backend passes test/suites/store-suite.ts.
 */

/** 0 is the empty world; each commit that changes anything adds exactly 1. */
export type Revision = number;

/** A record as stored: its value and the revision of the commit that last wrote it. */
export interface Stored<T = unknown> {
  readonly key: string;
  readonly value: T;
  readonly revision: Revision;
}

/** A record that was written (value) or deleted (undefined). Keys within one commit are unique. */
export interface Change {
  readonly key: string;
  readonly value: unknown;
}

/** The commit goes through only while the key still has this revision; 0 means "does not exist". */
export interface Guard {
  readonly key: string;
  readonly revision: Revision;
}

/** A record without its lists, as View.heads gives it: for a page of many records with long lists. */
export type Head<T> = { readonly [K in keyof T]: T[K] extends readonly unknown[] ? number : T[K] };

export interface Page {
  /** Skip this many keys; default 0. */
  readonly offset?: number;
  /** At most this many; default all. */
  readonly limit?: number;
}

/** The world at one revision. Synchronous: a handler reads from what is already here. Not valid after read() ends. */
export interface View {
  readonly revision: Revision;
  get(key: string): Stored | undefined;
  /** Records whose key starts with the prefix, in byte order of their keys. A prefix ends with `/`. */
  list(prefix: string, page?: Page): Stored[];
  /** The same, each value that is an object without its lists: in their places is how many items they have. */
  heads(prefix: string, page?: Page): Stored[];
  /** Does not read the values: O(log n) at worst. */
  count(prefix: string): number;
}

/** One commit as a watcher sees it: all its changes under the watched prefixes, never a part of them. */
export interface Batch {
  readonly revision: Revision;
  readonly changes: readonly Change[];
}

/** The batch that a watcher receives; see Store.watch. */
export type WatchEvent =
  | {
      readonly kind: 'snapshot';
      readonly revision: Revision;
      readonly records: readonly Stored[];
      readonly done: boolean;
    }
  | { readonly kind: 'batch'; readonly revision: Revision; readonly changes: readonly Change[] };

export type Committed =
  | { readonly ok: true; readonly revision: Revision }
  /** A guard did not hold; nothing was written. The caller reads again and decides again. */
  | { readonly ok: false };

/** A world whose file is damaged: not all of it is here, so no edge may take it for the whole. */
export interface Partial {
  /** The damage. */
  readonly reason: string;
  /** Commits are refused from now on; until then they are kept in memory. */
  readonly seal: () => void;
}

/** The copy that an edge beside this process keeps of the records it follows, all of one revision. */
export interface EdgeCopy {
  readonly world: string;
  readonly revision: Revision;
  readonly records: readonly Stored[];
}

export interface EdgeCopySource {
  /** How far it is; costs little. */
  position(): Promise<Pick<EdgeCopy, 'world' | 'revision'> | undefined>;
  /** All of it, proven. undefined where there is none. */
  read(): Promise<EdgeCopy | undefined>;
}

export interface Store {
  /** The world's id: a uuid made with the store's files. Another id means another world: all earlier knowledge is void. */
  readonly world: string;
  readonly partial?: Partial | undefined;
  /** Why nothing can be written, one line each; empty while all is well. */
  readonly alarms?: readonly string[];
  /**
   * Runs `fn` on a view that holds every commit answered before the call. Resolves with its result. `fn` may be
   * asynchronous; the view then still shows the revision it started with, or a newer one (guards make that safe).
   */
  read<T>(fn: (view: View) => T | Promise<T>): Promise<T>;
  /**
   * Keys are printable ASCII. Deleting what is not there is no change.
   * All or nothing, and durable once resolved with ok. Commits that wait together share one fsync. No changes at all
   * with guards that hold: ok, with the current revision. Rejects only when the medium fails (nothing is then promised).
   */
  commit(changes: readonly Change[], guards: readonly Guard[]): Promise<Committed>;
  /**
   * Everything after revision `from` under the prefixes: ordered, gap-free, atomic per revision, resumable. Where
   * `from` is 0, already compacted or not yet reached (an older copy was restored), it starts with a snapshot (in
   * parts, all of one revision; the last says done) and goes on from there.
   * Revisions that touch none of the prefixes appear as batches with no changes, so a watcher always knows how far it is.
   * Ends when the signal aborts or the store closes. A watcher that falls too far behind is dropped (the iteration
   * throws) and resumes from its revision.
   */
  watch(prefixes: readonly string[], from: Revision, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** Forgets the history up to and including this revision; records stay. May be called twice. */
  compact(upTo: Revision): Promise<void>;
  /** Waits for commits under way. May be called twice. */
  close(): Promise<void>;
}
