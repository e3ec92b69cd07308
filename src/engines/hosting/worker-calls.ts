/**
 * Calls to an engine's thread that may die before it answers. A new thread gets the listeners that the old one had, then
 * the unanswered calls, one by one: so it is known which one kills it, and a rule that does so is left out alone. Pure;
 * worker-engine.ts owns the thread.
 */
import type { Applied, Listener } from '../engine.ts';
import type { Call } from './forward.ts';
import type { NumberedCall } from './worker-messages.ts';

interface Calls {
  /** Resolves with the answer, from whichever thread gives it. */
  post(call: Call): Promise<unknown>;
  /** There is a thread that takes calls. */
  connect(send: (call: NumberedCall) => void): void;
  answer(number: number, value: unknown, error?: string): void;
  /** The thread died: everything waits for the next one. Gives the ids of the listeners that are down now. */
  disconnect(): string[];
  /** No thread will come any more: what is asked and will be asked gets this answer. */
  end(answer: (call: Call) => unknown): void;
}

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

/** `restored`: what became of a listener that a new thread was given on its own account. */
export function createCalls(restored: (id: string, state: Applied) => void): Calls {
  /** What a thread must have. */
  const wanted = new Map<string, Listener>();
  /** Rules that killed threads, as they were then: the same again would take all other rules down again. */
  const killers = new Map<string, string>();
  /** In the order in which a thread gets them. */
  let pending = new Map<number, Pending>();
  let numbers = 0;
  let send: ((call: NumberedCall) => void) | undefined;
  let isRecovering = false;
  let ended: ((call: Call) => unknown) | undefined;

  function want(call: Call): void {
    if (call.method === 'apply') wanted.set(call.args[0].id, call.args[0]);
    if (call.method === 'remove') {
      wanted.delete(call.args[0]);
      killers.delete(call.args[0]);
    }
    if (call.method === 'prune') for (const id of wanted.keys()) if (!call.args[0].has(id)) wanted.delete(id);
  }

  function isKiller(call: Call): boolean {
    if (call.method !== 'apply') return false;
    const [listener] = call.args;
    return killers.get(listener.id) === JSON.stringify(listener);
  }

  function transmit(number: number, one: Pending): void {
    one.isSent = true;
    send?.({ number, call: one.call });
  }

  /** While recovering: one call at a time, the next after the answer. */
  function step(): void {
    if (!send || !isRecovering) return;
    const [head] = pending;
    if (!head) isRecovering = false;
    else if (!head[1].isSent) transmit(...head);
  }

  function restore(listener: Listener): Pending {
    const { id } = listener;
    return {
      call: { method: 'apply', args: [listener] },
      resolve: (applied) => restored(id, applied as Applied),
      reject: (error) => restored(id, { ok: false, reason: error.message }),
      isSent: false,
      deaths: 0,
    };
  }

  return {
    post(call) {
      if (ended) return Promise.resolve(ended(call));
      if (isKiller(call)) return Promise.resolve(KILLER);
      want(call);
      return new Promise((resolve, reject) => {
        const one: Pending = { call, resolve, reject, isSent: false, deaths: 0 };
        pending.set(++numbers, one);
        if (send && !isRecovering) transmit(numbers, one);
      });
    },
    connect(to) {
      send = to;
      const waiting = pending;
      const applies = new Set([...waiting.values()].map(({ call }) => call.method === 'apply' && call.args[0].id));
      const missing = [...wanted.values()].filter(({ id }) => !applies.has(id));
      pending = new Map([...missing.map((listener) => [++numbers, restore(listener)] as const), ...waiting]);
      isRecovering = true;
      step();
    },
    answer(number, value, error) {
      const one = pending.get(number);
      pending.delete(number);
      if (error === undefined) one?.resolve(value);
      else one?.reject(new Error(error));
      step();
    },
    disconnect() {
      send = undefined;
      for (const [number, one] of pending) {
        if (!one.isSent) continue;
        one.isSent = false;
        if (++one.deaths < MOST_DEATHS || one.call.method !== 'apply') continue;
        const [listener] = one.call.args;
        pending.delete(number);
        wanted.delete(listener.id);
        killers.set(listener.id, JSON.stringify(listener));
        one.resolve(KILLER);
      }
      return [...wanted.keys()];
    },
    end(answer) {
      ended = answer;
      for (const { call, ...one } of pending.values()) one.resolve(answer(call));
      pending.clear();
    },
  };
}
