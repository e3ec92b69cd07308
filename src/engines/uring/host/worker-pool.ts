/**
 * The workers of one engine, told together: one per core, started at the first need. It refuses to know rules: the caller
 * (uring-engine.ts) says what to tell each.
 */
import type { ConnectionRecord } from '../../../domain/fact/fact.ts';
import type { Inherited } from '../../../handoff/inherited.ts';
import type { Command, WorkerSession } from '../worker/messages.ts';
import type { RuleName } from '../worker/records.ts';
import { SupervisedWorker } from './supervised-worker.ts';
import type { WorkerEvents } from './supervised-worker.ts';
import type { WorkerShape } from './worker-life.ts';

export class WorkerPool {
  readonly size: number;
  readonly #shape: WorkerShape;
  readonly #events: WorkerEvents;
  readonly #inherited: Inherited | undefined;
  #workers: readonly SupervisedWorker[] = [];

  constructor(size: number, shape: WorkerShape, events: WorkerEvents, inherited: Inherited | undefined) {
    this.size = size;
    this.#shape = shape;
    this.#events = events;
    this.#inherited = inherited;
  }

  /** May be called twice. */
  start(): void {
    if (this.#workers.length > 0) return;
    this.#workers = Array.from(
      { length: this.size },
      (_, index) => new SupervisedWorker(index, this.#shape, this.#events, this.#inherited),
    );
  }

  /** Resolves when all that were started take commands. */
  async ready(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.ready));
  }

  /** Resolves when it is true in all workers, with their answers; at once before the first start. */
  async tell(commandFor: (worker: number) => Command): Promise<readonly WorkerSession[]> {
    const answers = this.#workers.map((worker) => worker.command(commandFor(worker.index)));
    return (await Promise.all(answers)).flat();
  }

  /** The records since the last call, worker by worker. */
  *takeRecords(nameOf: (rule: number) => RuleName | undefined): Generator<ConnectionRecord> {
    for (const worker of this.#workers) yield* worker.takeRecords(nameOf);
  }

  livesOf(worker: number): number {
    return this.#workers[worker]?.lives ?? 0;
  }

  /** Resolves when all have stopped. */
  async end(drainMs: number): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end(drainMs)));
  }
}
