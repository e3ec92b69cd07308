/** One rule on this engine without its sockets: as it was planned last, what it counts, its targets and its sessions. Pure. */
import type { Listener } from '../engine.ts';
import type { LiveCounters } from '../flow/counters.ts';
import { Sessions, type SessionDeps } from './sessions.ts';
import { RuleTargets } from './targets.ts';

export class RuleState {
  readonly counters: LiveCounters;
  readonly targets: RuleTargets;
  readonly sessions: Sessions;
  #listener: Listener;

  constructor(listener: Listener, counters: LiveCounters, deps: SessionDeps) {
    this.#listener = listener;
    this.counters = counters;
    this.targets = new RuleTargets(listener, () => deps.clock.monotonic());
    this.sessions = new Sessions(listener, counters, deps);
  }

  get listener(): Listener {
    return this.#listener;
  }

  update(listener: Listener): void {
    this.#listener = listener;
    this.targets.update(listener);
    this.sessions.update(listener);
  }
}
