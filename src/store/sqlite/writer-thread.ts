/** This side of the writing thread: one message there, one answer back, and a clear end when the thread dies. */
import { startThread } from '../../program/copy.ts';
import { NotWritable } from '../errors.ts';
import type { Revision } from '../store.ts';
import type { Row, RowId } from '../local/rows.ts';
import { adviceFor } from './held.ts';

/** One transaction. */
export interface Work {
  readonly rows: readonly Row[];
  readonly forget: readonly RowId[];
  readonly compacted?: Revision;
}

/** `disk`: nothing is wrong with the work. */
export type Answer = { readonly done: true } | { readonly failed: string; readonly disk: boolean };

export interface Writer {
  /** One at a time. Resolves once the work is durable; rejects with none of it done. */
  send(work: Work): Promise<void>;
  close(): Promise<void>;
}

function failureOf({ failed, disk }: Extract<Answer, { failed: string }>): Error {
  return disk ? new NotWritable(adviceFor(failed)) : new Error(failed);
}

/** Resolves once the thread has opened the file. */
export async function startWriter(path: string): Promise<Writer> {
  const worker = startThread(new URL('./writer.ts', import.meta.url), {
    workerData: path,
    name: 'store-writer',
    // limit: a writer holds one group of commits; a big nursery would only hold its dead text.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  let ended: Error | undefined;
  let waiting: { resolve(): void; reject(error: Error): void } | undefined;
  function settle(failure?: Error): void {
    // A thread that waits for work must not keep the process alive; one that does work must.
    worker.unref();
    const one = waiting;
    waiting = undefined;
    if (failure) one?.reject(failure);
    else one?.resolve();
  }
  const answered = (post: () => void): Promise<void> =>
    new Promise((resolve, reject) => {
      if (ended) throw ended;
      waiting = { resolve, reject };
      worker.ref();
      post();
    });
  worker.on('message', (answer: Answer) => settle('failed' in answer ? failureOf(answer) : undefined));
  worker.on('error', (error) => {
    ended = new Error(`the store's writer has failed: ${String(error)}`, { cause: error });
  });
  worker.on('exit', () => {
    ended ??= new Error("the store's writer has ended");
    settle(ended);
  });
  await answered(() => {});
  return {
    send: (work) => answered(() => worker.postMessage(work)),
    async close() {
      if (ended) return;
      const exited = new Promise<void>((resolve) => {
        worker.once('exit', () => resolve());
      });
      worker.ref();
      worker.postMessage(null);
      await exited;
    },
  };
}
