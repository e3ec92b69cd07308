/**
 * A worker as the agent's thread sees it: told what to do, and replaced when it dies. Its sockets outlive it, so that
 * connections wait in the kernel while it is replaced, instead of being refused; what it had open is reset. It refuses to
 * know listeners and points, and keeps of a rule what the next life must be told. worker-pool.ts has one per core.
 */
import type { ConnectionRecord } from '../../../domain/fact/fact.ts';
import type { Inherited } from '../../../handoff/inherited.ts';
import { close, eventfd, write } from '../../../linux/ffi/libc.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '../../../linux/abi.ts';
import type { EngineEvents } from '../../engine.ts';
import { closeRow } from '../worker/counters.ts';
import type { Command, FromWorker, RuleSpec, WorkerSession } from '../worker/messages.ts';
import type { RuleName } from '../worker/records.ts';
import { WorkerLife } from './worker-life.ts';
import type { WorkerShape } from './worker-life.ts';

export interface WorkerEvents {
  /** It has counted a target's first failure. */
  firstFailure(): void;
  log: EngineEvents['log'];
  /** Its connections are gone and its rules wait for the next life. order: its last records are taken now or never. */
  died(worker: number): void;
  /** The next life serves its rules. */
  back(worker: number): void;
}

/** limit: a worker that dies at once, for ever, costs a restart a second and no more. */
const RESTART_MS = 1000;
const ONE = BigUint64Array.of(1n);

type Answer = (sessions?: readonly WorkerSession[]) => void;

export class SupervisedWorker {
  readonly index: number;
  readonly #shape: WorkerShape;
  readonly #inherited: Inherited | undefined;
  readonly #events: WorkerEvents;
  readonly #wakeFd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  /** The rules that the next life is to serve. */
  readonly #rules = new Map<number, RuleSpec>();
  /** Commands under way, by `seq`. */
  #answers = new Map<number, Answer>();
  #life: WorkerLife;
  #isAlive = true;
  #lives = 0;
  #restart: NodeJS.Timeout | undefined;
  readonly #ready = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #seq = 0;
  #isEnding = false;

  /** `inherited`: until its sockets have begun here, each life is held. */
  constructor(index: number, shape: WorkerShape, events: WorkerEvents, inherited?: Inherited) {
    this.index = index;
    this.#shape = shape;
    this.#inherited = inherited;
    this.#events = events;
    this.#life = this.#start();
  }

  /** Its first life takes commands, or has died. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get lives(): number {
    return this.#lives;
  }

  takeRecords(nameOf: (rule: number) => RuleName | undefined): readonly ConnectionRecord[] {
    return this.#life.takeRecords(nameOf);
  }

  /** Resolves when it is true in the worker, or in its next life; with sessions where the command asks for them. */
  async command(command: Command): Promise<readonly WorkerSession[]> {
    if (command.kind === 'apply') this.#rules.set(command.rule.index, withoutSessions(command.rule));
    else if (command.kind === 'remove') this.#rules.delete(command.index);
    return (await this.#send(command)) ?? [];
  }

  /** Resolves when the worker has stopped; commands that come after it do nothing. */
  async end(drainMs: number): Promise<void> {
    this.#isEnding = true;
    if (this.#isAlive) {
      void this.#send({ kind: 'stop', drainMs });
      await this.#gone.promise;
    } else {
      clearTimeout(this.#restart);
      this.#answerAll();
    }
    close(this.#wakeFd);
  }

  #send(command: Command): Promise<readonly WorkerSession[] | void> {
    if (this.#isEnding && !this.#isAlive) return Promise.resolve();
    const seq = ++this.#seq;
    return new Promise((resolve) => {
      this.#answers.set(seq, resolve);
      if (!this.#isAlive) return;
      this.#life.post({ ...command, seq });
      write(this.#wakeFd, ONE, 8);
    });
  }

  #start(): WorkerLife {
    this.#isAlive = true;
    this.#lives++;
    return new WorkerLife(this.index, this.#shape, this.#wakeFd, this.#inherited?.hasBegun === false, {
      message: (message) => this.#hear(message),
      failed: (error) =>
        this.#events.log('error', 'a relay worker failed', { worker: this.index, error: String(error) }),
      ended: () => this.#ended(),
    });
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        return this.#ready.resolve();
      case 'firstFailure':
        return this.#events.firstFailure();
      case 'log':
        return this.#events.log(message.level, message.message, { worker: this.index, ...message.facts });
      case 'done':
        this.#answers.get(message.seq)?.(message.sessions);
        this.#answers.delete(message.seq);
        if (this.#answers.size === 0 && !this.#isEnding) this.#life.mayOutlive();
    }
  }

  #ended(): void {
    this.#isAlive = false;
    this.#ready.resolve();
    if (this.#isEnding) {
      this.#answerAll();
      this.#gone.resolve();
      return;
    }
    this.#life.cleanUp();
    for (const { row } of this.#rules.values()) closeRow(new Float64Array(row));
    this.#events.died(this.index);
    const wait = this.#life.ageMs < RESTART_MS ? RESTART_MS : 0;
    this.#restart = setTimeout(() => void this.#nextLife(), wait).unref();
  }

  /** Commands that the last life has not answered are answered once the next one serves the rules. */
  async #nextLife(): Promise<void> {
    const orphans = this.#answers;
    this.#answers = new Map();
    this.#life = this.#start();
    await Promise.all([...this.#rules.values()].map((rule) => this.#send({ kind: 'apply', rule })));
    for (const answer of orphans.values()) answer();
    this.#events.back(this.index);
  }

  #answerAll(): void {
    for (const answer of this.#answers.values()) answer();
    this.#answers.clear();
  }
}

/** Sessions change hands once: the next life has nothing of them. */
function withoutSessions(rule: RuleSpec): RuleSpec {
  return { ...rule, entries: rule.entries.map(({ sessions: _gone, ...entry }) => entry) };
}
