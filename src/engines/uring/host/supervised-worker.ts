/**
 * The workers, as the agent's thread sees them: started at the first need, told what to do, and replaced when one dies.
 * The sockets outlive the worker that served them, so that while it is replaced connections wait in the kernel instead
 * of being refused; what the dead worker had open is reset.
 */
import type { Worker } from 'node:worker_threads';
import { close, eventfd, setsockopt, write } from '../../../linux/ffi/libc.ts';
import { startThread } from '../../../program/copy.ts';
import { systemRng } from '../../../lib/rng.ts';
import type { Inherited } from '../../../handoff/inherited.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK, SOL_SOCKET, SO_LINGER } from '../../../linux/abi.ts';
import type { FromWorker, RuleSpec, ToWorker, ToaHandles, WorkerSession, WorkerSettings } from '../worker/messages.ts';
import { closeRow } from '../worker/counters.ts';
import { estateMemory, settleEstate } from '../ring/estate.ts';
import { RecordReader, recordMemory } from '../worker/records.ts';

interface CrewEvents {
  log: (level: 'info' | 'warn' | 'error', message: string, facts?: Readonly<Record<string, unknown>>) => void;
  /** A worker died and its rules are about to be taken up by the next one; and then: they are. */
  died(worker: number): void;
  back(worker: number): void;
}

interface CrewShape {
  readonly slots: number;
  readonly descriptors: number;
  readonly buffers: number;
  readonly toa: ToaHandles | undefined;
  readonly sourcePorts?: SharedArrayBuffer | undefined;
  /** Where there is something inherited, workers serve nothing before it has begun. */
  readonly inherited?: Inherited | undefined;
}

/** limit: a worker that dies at once, for ever, costs a restart a second and no more. */
const RESTART_MS = 1000;
const ONE = BigUint64Array.of(1n);
const LINGER_ZERO = Int32Array.of(1, 0);
/**
 * limit: the worker's own heap is small (connections live outside it). New objects live in pages that are touched once
 * and then again and again: few of them, so that thousands of idle connections do not look like megabytes of garbage.
 */
const RESOURCES = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 128 };

type Order = ToWorker extends infer One ? (One extends { seq: number } ? Omit<One, 'seq'> : never) : never;

/** One seat: the worker in it may change. */
export class SupervisedWorker {
  readonly index: number;
  readonly #shape: CrewShape;
  readonly #events: CrewEvents;
  readonly #wakeFd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  /** What the worker is to serve, for the next one in this seat. */
  readonly #rules = new Map<number, RuleSpec>();
  readonly #waiting = new Map<number, (sessions?: readonly WorkerSession[]) => void>();
  #settings: WorkerSettings;
  #worker: Worker | undefined;
  #reader: RecordReader;
  readonly #ready = Promise.withResolvers<void>();
  #lives = 0;
  #seq = 0;
  #startedAt = 0;
  #ending = false;

  constructor(index: number, shape: CrewShape, events: CrewEvents) {
    this.index = index;
    this.#shape = shape;
    this.#events = events;
    this.#settings = this.#newSettings();
    this.#reader = new RecordReader(this.#settings.records, this.#settings.name);
    this.#start();
  }

  get reader(): RecordReader {
    return this.#reader;
  }

  /** Its first worker takes orders, or has died. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get lives(): number {
    return this.#lives;
  }

  /** Resolves when it is true in the worker, or in the one after it. */
  async command(order: Order): Promise<void> {
    if (order.kind === 'apply') this.#rules.set(order.rule.index, withoutSessions(order.rule));
    else if (order.kind === 'remove') this.#rules.delete(order.index);
    else if (order.kind === 'stop') this.#ending = true;
    await this.#send(order);
  }

  /** Receives no datagram any more; resolves with its sessions. */
  async hold(): Promise<readonly WorkerSession[]> {
    return (await this.#send({ kind: 'hold' })) ?? [];
  }

  /** The worker has stopped, or never ran. */
  async end(drainMs: number): Promise<void> {
    if (!this.#worker) return;
    const gone = new Promise((resolve) => this.#worker?.once('exit', resolve));
    await this.command({ kind: 'stop', drainMs });
    await gone;
    close(this.#wakeFd);
  }

  #send(order: Order): Promise<readonly WorkerSession[] | void> {
    const seq = ++this.#seq;
    return new Promise((resolve) => {
      this.#waiting.set(seq, resolve);
      this.#worker?.ref();
      this.#worker?.postMessage({ ...order, seq });
      write(this.#wakeFd, ONE, 8);
    });
  }

  #newSettings(): WorkerSettings {
    const { slots, descriptors, buffers, toa, sourcePorts, inherited } = this.#shape;
    const words = (count: number): SharedArrayBuffer => new SharedArrayBuffer(4 * count);
    return {
      // Nobody else has it, on any machine and at any time: it begins the id of every record.
      name: systemRng.uuid().replaceAll('-', ''),
      slots,
      descriptors,
      buffers,
      wakeFd: this.#wakeFd,
      estate: estateMemory(),
      slotFds: words(2 * slots),
      flowFds: words(descriptors),
      records: recordMemory(),
      toa,
      sourcePorts,
      isHeld: inherited ? !inherited.hasBegun : false,
    };
  }

  #start(): void {
    this.#lives++;
    this.#startedAt = performance.now();
    const worker = startThread(new URL('../worker/worker.ts', import.meta.url), {
      workerData: this.#settings,
      name: `uring-${this.index}`,
      resourceLimits: RESOURCES,
    });
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#hear(message));
    worker.on('error', (error) =>
      this.#events.log('error', 'a relay worker failed', { worker: this.index, error: String(error) }),
    );
    worker.on('exit', () => this.#exited());
    // The agent decides how long the process lives; a worker holds it only while an order is under way.
    worker.unref();
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'log')
      this.#events.log(message.level, message.message, { worker: this.index, ...message.facts });
    else if (message.kind === 'ready') this.#ready.resolve();
    else {
      this.#waiting.get(message.seq)?.(message.sessions);
      this.#waiting.delete(message.seq);
      if (this.#waiting.size === 0 && !this.#ending) this.#worker?.unref();
    }
  }

  #exited(): void {
    this.#worker = undefined;
    this.#ready.resolve();
    if (this.#ending) {
      for (const resolve of this.#waiting.values()) resolve();
      this.#waiting.clear();
      return;
    }
    this.#bury();
    this.#events.died(this.index);
    const early = performance.now() - this.#startedAt < RESTART_MS;
    setTimeout(() => void this.#restart(), early ? RESTART_MS : 0).unref();
  }

  /** What a dead worker leaves: its ring, its connections, and counters that say they are open. */
  #bury(): void {
    const { estate, slotFds, flowFds } = this.#settings;
    settleEstate(estate);
    for (const fd of new Int32Array(slotFds)) {
      if (fd <= 0) continue;
      setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_ZERO, 8);
      close(fd);
    }
    for (const fd of new Int32Array(flowFds)) if (fd > 0) close(fd);
    for (const rule of this.#rules.values()) closeRow(new Float64Array(rule.row));
  }

  async #restart(): Promise<void> {
    const orphans = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#settings = this.#newSettings();
    this.#reader = new RecordReader(this.#settings.records, this.#settings.name);
    this.#start();
    await Promise.all([...this.#rules.values()].map((rule) => this.#send({ kind: 'apply', rule })));
    for (const resolve of orphans) resolve();
    this.#events.back(this.index);
  }
}

/** What changes hands does so once: a worker after this one has nothing of it. */
function withoutSessions(rule: RuleSpec): RuleSpec {
  return { ...rule, entries: rule.entries.map(({ sessions: _gone, ...entry }) => entry) };
}
