/** One rule on this engine without its sockets: as it was planned last, what it counts, its targets and its sessions. Pure. */
import type { Listener } from '../engine.ts';
import type { EndCause } from '../../domain/fact/fact.ts';
import type { LiveCounters } from '../flow/counters.ts';
import { outcomeOf, type OutcomeTally } from '../flow/outcomes.ts';
import type { TargetStates } from '../flow/target-states.ts';
import { Sessions, type SessionDeps } from './sessions.ts';
import { RuleTargets } from './targets.ts';

export interface RuleStateDeps extends SessionDeps {
  readonly states: TargetStates;
  readonly outcomes: OutcomeTally;
}

export class RuleState {
  readonly counters: LiveCounters;
  readonly targets: RuleTargets;
  readonly sessions: Sessions;
  readonly #outcomes: OutcomeTally;
  #listener: Listener;

  constructor(listener: Listener, counters: LiveCounters, deps: RuleStateDeps) {
    this.#listener = listener;
    this.counters = counters;
    this.#outcomes = deps.outcomes;
    this.targets = new RuleTargets(listener, deps.states, () => deps.clock.monotonic());
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

  /** A dial to this origin, or a session with it, went so. */
  tell(address: string, how: 'ok' | EndCause): void {
    const number = this.targets.numberOf(address);
    const { protocol, originPorts } = this.#listener;
    const outcome = how === 'ok' ? how : outcomeOf(how, protocol, originPorts);
    if (number !== undefined && outcome) this.#outcomes.note(number, outcome);
  }
}
