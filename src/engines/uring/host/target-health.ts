/**
 * The health of targets on the agent's thread: hands what the edge says of them to the workers, and what workers count of
 * them to the edge. Both go through shared memory that outlives a worker. It refuses to judge. Used by uring-engine.ts.
 */
import { systemClock } from '../../../lib/clock.ts';
import type { EngineEvents, TargetState } from '../../engine.ts';
import { OUTCOMES_MS } from '../../flow/behaviour.ts';
import { TargetStates } from '../../flow/target-states.ts';
import { OutcomeReader, outcomeMemory } from '../worker/outcomes.ts';

export class TargetHealth {
  readonly #states = new TargetStates();
  /** For the workers. */
  readonly memory = { states: this.#states.memory, outcomes: outcomeMemory() };
  readonly #outcomes = new OutcomeReader(this.memory.outcomes);
  readonly #events: Pick<EngineEvents, 'outcomes'>;
  readonly #batches = systemClock.every(OUTCOMES_MS, () => this.#tell(true));

  constructor(events: Pick<EngineEvents, 'outcomes'>) {
    this.#events = events;
  }

  /** Each choice from now on obeys. */
  set(changes: readonly TargetState[]): void {
    // The workers' clock.
    const now = performance.timeOrigin + performance.now();
    for (const change of changes) this.#states.set(change, now);
  }

  /** A worker has seen a target's first failure. */
  firstFailure(): void {
    this.#tell(false);
  }

  /** All workers have ended: what they counted last is told. */
  stop(): void {
    this.#batches.cancel();
    this.#tell(true);
  }

  #tell(isDue: boolean): void {
    const batch = this.#outcomes.take(isDue);
    if (batch.length > 0) this.#events.outcomes(batch);
  }
}
