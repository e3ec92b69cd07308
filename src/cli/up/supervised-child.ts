/**
 * One child process that is kept alive: started, started again when it dies, asked to stop. The supervisor has one per
 * role. Knows nothing of what the child does.
 */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import { type FromChild, TO_CHILD, type ToChild } from '../run/ipc.ts';

interface ChildOptions<F> {
  readonly role: string;
  /** Already started, with an IPC channel. */
  readonly first: ChildProcess;
  /** Another one after a death; `last` is what the last ready child told. undefined: not now, asked again later. */
  readonly spawn: (last: F | undefined) => ChildProcess | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Each time a child is ready. */
  readonly ready: (facts: F) => void;
  /** The first child is told to start after it. */
  readonly after?: Promise<unknown>;
  /** Whether another process serves until this one has begun: a child that ends before is not started again then. */
  readonly goesBack?: () => boolean;
  /** No child has ever been ready, and this one says that it can't be: it is not started again. */
  readonly refused: (message: string) => void;
}

/** order: the first restart is quick, and none is slow, because a killed control must be back within two seconds. */
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 1_000;

export class SupervisedChild<F> {
  readonly #options: ChildOptions<F>;
  #child: ChildProcess | undefined;
  #facts: F | undefined;
  #delay = FIRST_DELAY_MS;
  #mustBegin = false;
  #hasBegun: boolean;
  #isStopping = false;
  #isResting = false;
  /** It ended while it rested. */
  #isMissing = false;
  readonly #begun = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(options: ChildOptions<F>) {
    this.#options = options;
    this.#hasBegun = options.goesBack === undefined;
    this.#adopt(options.first, options.after);
  }

  /** The child takes over now. Resolves when it has; not at all where it ends before. */
  begin(): Promise<void> {
    this.#mustBegin = true;
    if (this.#child) tell(this.#child, { kind: TO_CHILD.begin });
    return this.#begun.promise;
  }

  /** Another process is about to take over: a child that ends is not started again, until `resume`. */
  rest(): void {
    this.#isResting = true;
  }

  resume(): void {
    this.#isResting = false;
    if (this.#isMissing && !this.#isStopping) this.#startAgain();
    this.#isMissing = false;
  }

  /** Asks the child to end by itself and resolves when it has. May be called twice. */
  stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child) tell(this.#child, { kind: TO_CHILD.stop });
    else this.#ended.resolve();
    return this.#ended.promise;
  }

  /** Ends it at once. */
  kill(): void {
    this.#isStopping = true;
    this.#child?.kill('SIGKILL');
  }

  #adopt(child: ChildProcess, after?: Promise<unknown>): void {
    let refusal: string | undefined;
    this.#child = child;
    child.on('message', (message: FromChild<F>) => {
      if (message.kind === 'refused') refusal = message.message;
      else this.#hear(message, child);
    });
    const isOver = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    if (isOver) return this.#died(refusal, child);
    child.once('close', () => this.#died(refusal, child));
    if (!after) tell(child, { kind: TO_CHILD.start, last: this.#facts });
    else void after.then(() => tell(child, { kind: TO_CHILD.start }));
  }

  #hear(message: Exclude<FromChild<F>, { kind: 'refused' }>, child: ChildProcess): void {
    if (message.kind === 'committed') {
      this.#hasBegun = true;
      return this.#begun.resolve();
    }
    this.#facts = message.facts;
    this.#delay = FIRST_DELAY_MS;
    this.#options.ready(message.facts);
    if (this.#mustBegin) tell(child, { kind: TO_CHILD.begin });
  }

  #died(refusal: string | undefined, { exitCode: code, signalCode: signal }: ChildProcess): void {
    const { role, log, goesBack, refused } = this.#options;
    this.#child = undefined;
    if (this.#isStopping) return this.#ended.resolve();
    if ((!this.#hasBegun && goesBack?.()) || (this.#facts === undefined && refusal !== undefined)) {
      this.#ended.resolve();
      return refused(refusal ?? `${role} ended before it could take over (${signal ?? `exit code ${code}`}).`);
    }
    this.#isMissing = this.#isResting;
    if (this.#isResting) return;
    const facts = { code, signal, ...(refusal && { reason: refusal }), inMs: this.#delay };
    log.warn(`${role} ended, starting it again`, facts);
    this.#startLater();
  }

  #startLater(): void {
    this.#options.clock.after(this.#delay, () => {
      if (this.#isStopping) this.#ended.resolve();
      else this.#startAgain();
    });
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MS);
  }

  #startAgain(): void {
    const child = this.#options.spawn(this.#facts);
    if (child) this.#adopt(child);
    else this.#startLater();
  }
}

/** One that is just ending can't be told; its end is what will be heard of. */
function tell(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => {});
}
