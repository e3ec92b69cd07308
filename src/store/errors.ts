/** The errors that a store throws on purpose, with any backend. All others are the medium's own. */
import type { Revision } from './store.ts';

/**
 * The files can't be used: not ours, too new, damaged, out of reach. The message is one line that names the file and
 * what to do; nothing was changed. The CLI prints it and exits with 2.
 */
export class StoreUnusable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnusable';
  }
}

/** Nothing can be written now; reads go on. The message says why and what to do, for the caller of the API. */
export class NotWritable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NotWritable';
  }
}

/** A watcher fell behind what history holds. It watches again from its revision and gets a snapshot. */
export class WatchDropped extends Error {
  constructor(at: Revision, compacted: Revision) {
    super(`history up to revision ${compacted} is gone, the watcher was at ${at}`);
    this.name = 'WatchDropped';
  }
}
