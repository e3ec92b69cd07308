/**
 * The states of targets that an engine has been told, so that one that is made later, or again, starts with them. Pure;
 * lazy-engine.ts and worker-calls.ts have one each.
 */
import type { TargetState } from '../engine.ts';
import type { Call } from './forward.ts';

export class KnownStates {
  readonly #states = new Map<number, TargetState>();

  note(call: Call): void {
    if (call.method !== 'states') return;
    for (const change of call.args[0])
      if (change.state === 'up' && change.share === undefined) this.#states.delete(change.target);
      else this.#states.set(change.target, change);
  }

  /** Those that are not up, or not whole; undefined: all are. */
  get call(): Call | undefined {
    return this.#states.size === 0 ? undefined : { method: 'states', args: [[...this.#states.values()]] };
  }
}
