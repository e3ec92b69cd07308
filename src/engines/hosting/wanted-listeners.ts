/**
 * What an engine's thread must have, as the calls to it say, so that the next thread gets the same; and the rules that kill
 * threads, which are left out until they change. Pure; worker-calls.ts asks it.
 */
import type { Listener } from '../engine.ts';
import type { Call } from './forward.ts';

export class WantedListeners {
  readonly #wanted = new Map<string, Listener>();
  /** As they were when they killed: the same again would take all other rules down again. */
  readonly #killers = new Map<string, string>();

  note(call: Call): void {
    if (call.method === 'apply') this.#wanted.set(call.args[0].id, call.args[0]);
    if (call.method === 'remove') {
      this.#wanted.delete(call.args[0]);
      this.#killers.delete(call.args[0]);
    }
    if (call.method === 'prune')
      for (const id of this.#wanted.keys()) if (!call.args[0].has(id)) this.#wanted.delete(id);
  }

  /** The listener kills threads. */
  leaveOut(listener: Listener): void {
    this.#wanted.delete(listener.id);
    this.#killers.set(listener.id, JSON.stringify(listener));
  }

  /** Whether the call brings a listener that is left out, and has not changed. */
  isLeftOut(call: Call): boolean {
    if (call.method !== 'apply') return false;
    const [listener] = call.args;
    return this.#killers.get(listener.id) === JSON.stringify(listener);
  }

  ids(): string[] {
    return [...this.#wanted.keys()];
  }

  /** Those that no call on its way brings. */
  without(ids: ReadonlySet<string>): Listener[] {
    return [...this.#wanted.values()].filter(({ id }) => !ids.has(id));
  }
}
