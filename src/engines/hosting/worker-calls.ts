/**
 * Calls to an engine's thread that may die before it answers. A new thread gets the listeners that the old one had, then
 * the unanswered calls, one by one: so it is known which one kills it, and a rule that does so is left out alone. Pure;
 * worker-engine.ts owns the thread.
 */
import type { Applied, Listener } from '../engine.ts';
import type { Call } from './forward.ts';
import { KnownStates } from './known-states.ts';
import { WantedListeners } from './wanted-listeners.ts';
import type { NumberedCall } from './worker-messages.ts';

interface Pending {
  readonly call: Call;
  resolve(value: unknown): void;
  reject(error: Error): void;
  isSent: boolean;
  /** Threads that died while this call was on its way. */
  deaths: number;
}

/** limit: once may be another's fault, as many calls are on their way at a time; after that they go one by one. */
const MOST_DEATHS = 2;
const KILLER: Applied = { ok: false, reason: "the engine's thread dies of this rule; it is left out" };

export class WorkerCalls {
  readonly #restored: (id: string, state: Applied) => void;
  readonly #wanted = new WantedListeners();
  readonly #states = new KnownStates();
  /** In the order in which a thread gets them. */
  #pending = new Map<number, Pending>();
  #numbers = 0;
  #send: ((call: NumberedCall) => void) | undefined;
  #isRecovering = false;
  #ended: ((call: Call) => unknown) | undefined;

  /** `restored`: what became of a listener that a new thread was given on its own account. */
  constructor(restored: (id: string, state: Applied) => void) {
    this.#restored = restored;
  }

  /** Resolves with the answer, from whichever thread gives it. */
  post(call: Call): Promise<unknown> {
    if (this.#ended) return Promise.resolve(this.#ended(call));
    if (this.#wanted.isLeftOut(call)) return Promise.resolve(KILLER);
    this.#wanted.note(call);
    this.#states.note(call);
    return new Promise((resolve, reject) => {
      const one: Pending = { call, resolve, reject, isSent: false, deaths: 0 };
      const number = ++this.#numbers;
      this.#pending.set(number, one);
      if (this.#send && !this.#isRecovering) this.#transmit(number, one);
    });
  }

  /** There is a thread that takes calls. */
  connect(send: (call: NumberedCall) => void): void {
    this.#send = send;
    const waiting = this.#pending;
    const coming = [...waiting.values()].flatMap(({ call }) => (call.method === 'apply' ? call.args[0].id : []));
    const missing = this.#wanted.without(new Set(coming));
    const restoring = missing.map((listener) => [++this.#numbers, this.#restore(listener)] as const);
    // order: states first, so that no rule leads to a target that is down.
    this.#pending = new Map([...this.#restoreStates(), ...restoring, ...waiting]);
    this.#isRecovering = true;
    this.#recover();
  }

  answer(number: number, value: unknown, error?: string): void {
    const one = this.#pending.get(number);
    this.#pending.delete(number);
    if (error === undefined) one?.resolve(value);
    else one?.reject(new Error(error));
    this.#recover();
  }

  /** The thread died: everything waits for the next one. Gives the ids of the listeners that are down now. */
  disconnect(): string[] {
    this.#send = undefined;
    for (const [number, one] of this.#pending) {
      if (!one.isSent) continue;
      one.isSent = false;
      if (++one.deaths < MOST_DEATHS || one.call.method !== 'apply') continue;
      this.#pending.delete(number);
      this.#wanted.leaveOut(one.call.args[0]);
      one.resolve(KILLER);
    }
    return this.#wanted.ids();
  }

  /** No thread will come any more: what is asked and will be asked gets this answer. */
  end(answer: (call: Call) => unknown): void {
    this.#ended = answer;
    for (const one of this.#pending.values()) one.resolve(answer(one.call));
    this.#pending.clear();
  }

  #transmit(number: number, one: Pending): void {
    one.isSent = true;
    this.#send?.({ number, call: one.call });
  }

  /** One call at a time, the next after the answer. */
  #recover(): void {
    if (!this.#send || !this.#isRecovering) return;
    const [head] = this.#pending;
    if (!head) this.#isRecovering = false;
    else if (!head[1].isSent) this.#transmit(...head);
  }

  *#restoreStates(): Generator<[number, Pending]> {
    const { call } = this.#states;
    if (call) yield [++this.#numbers, { call, resolve() {}, reject() {}, isSent: false, deaths: 0 }];
  }

  #restore(listener: Listener): Pending {
    const { id } = listener;
    return {
      call: { method: 'apply', args: [listener] },
      resolve: (applied) => this.#restored(id, applied as Applied),
      reject: (error) => this.#restored(id, { ok: false, reason: error.message }),
      isSent: false,
      deaths: 0,
    };
  }
}
