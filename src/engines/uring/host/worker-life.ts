/**
 * One life of a worker: its thread, the memory that it shares with the agent's thread, and what is to be cleaned up when it
 * dies. It refuses to know what the worker was told: supervised-worker.ts starts one life after the other, and tells each.
 */
import type { Worker } from 'node:worker_threads';
import type { ConnectionRecord } from '../../../domain/fact/fact.ts';
import { systemRng } from '../../../lib/rng.ts';
import { close, setsockopt } from '../../../linux/ffi/libc.ts';
import { startThread } from '../../../program/copy.ts';
import { SOL_SOCKET, SO_LINGER } from '../../../linux/abi.ts';
import { leftoversMemory, freeLeftovers } from '../ring/leftovers.ts';
import type { FromWorker, ToWorker, WorkerSettings } from '../worker/messages.ts';
import { RecordReader, recordMemory } from '../worker/records.ts';
import type { RuleName } from '../worker/records.ts';

/** What all workers of an engine are given. */
export type WorkerShape = Pick<
  WorkerSettings,
  'slots' | 'descriptors' | 'buffers' | 'states' | 'outcomes' | 'toa' | 'sourcePorts'
>;

interface LifeEvents {
  message(message: FromWorker): void;
  failed(error: Error): void;
  ended(): void;
}

const LINGER_ZERO = Int32Array.of(1, 0);
/**
 * limit: the worker's own heap is small (connections live outside it). New objects live in pages that are touched once
 * and then again and again: few of them, so that thousands of idle connections do not look like megabytes of garbage.
 */
const RESOURCES = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 128 };

export class WorkerLife {
  readonly #settings: WorkerSettings;
  readonly #records: RecordReader;
  readonly #thread: Worker;
  readonly #startedAt = performance.now();

  /** `isHeld`: it serves nothing before it is told to begin. */
  constructor(index: number, shape: WorkerShape, wakeFd: number, isHeld: boolean, events: LifeEvents) {
    this.#settings = newSettings(shape, wakeFd, isHeld);
    this.#records = new RecordReader(this.#settings.records, this.#settings.name);
    this.#thread = startThread(new URL('../worker/worker.ts', import.meta.url), {
      workerData: this.#settings,
      name: `uring-${index}`,
      resourceLimits: RESOURCES,
    });
    this.#thread.on('message', (message: FromWorker) => events.message(message));
    this.#thread.on('error', (error: Error) => events.failed(error));
    this.#thread.on('exit', () => events.ended());
    this.mayOutlive();
  }

  get ageMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** The worker reads it when its eventfd wakes it. */
  post(message: ToWorker): void {
    this.#thread.ref();
    this.#thread.postMessage(message);
  }

  /** The process need not live for it: no command is under way. */
  mayOutlive(): void {
    this.#thread.unref();
  }

  /** The records since the last call. */
  takeRecords(nameOf: (rule: number) => RuleName | undefined): readonly ConnectionRecord[] {
    return this.#records.take(nameOf);
  }

  /** After it died: its ring and its buffers are given back, and its connections are reset. */
  cleanUp(): void {
    const { leftovers, slotFds, flowFds } = this.#settings;
    freeLeftovers(leftovers);
    for (const fd of new Int32Array(slotFds)) {
      if (fd <= 0) continue;
      setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_ZERO, 8);
      close(fd);
    }
    for (const fd of new Int32Array(flowFds)) if (fd > 0) close(fd);
  }
}

function newSettings(shape: WorkerShape, wakeFd: number, isHeld: boolean): WorkerSettings {
  const { slots, descriptors, buffers, states, outcomes, toa, sourcePorts } = shape;
  return {
    // It begins the id of every record, so it is unlike any other on any machine and at any time.
    name: systemRng.uuid().replaceAll('-', ''),
    slots,
    descriptors,
    buffers,
    wakeFd,
    leftovers: leftoversMemory(),
    slotFds: words(2 * slots),
    flowFds: words(descriptors),
    records: recordMemory(),
    states,
    outcomes,
    toa,
    sourcePorts,
    isHeld,
  };
}

function words(count: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * count);
}
