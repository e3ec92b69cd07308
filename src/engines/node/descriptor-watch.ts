/** Tells the budget what the rest of the process holds, and an operator where connections had to wait. Asked by the sweep. */
import { openDescriptors } from '../../linux/descriptors.ts';
import type { EngineEvents } from '../engine.ts';
import type { Budget } from './budget.ts';

export class DescriptorWatch {
  readonly #budget: Budget;
  readonly #descriptors: number;
  readonly #events: Pick<EngineEvents, 'log'>;
  #waitsTold = 0;

  /** `descriptors`: that the process may have. */
  constructor(budget: Budget, descriptors: number, events: Pick<EngineEvents, 'log'>) {
    this.#budget = budget;
    this.#descriptors = descriptors;
    this.#events = events;
    this.measure();
  }

  measure(): void {
    const total = openDescriptors();
    if (total !== undefined) this.#budget.setOthers(Math.max(0, total - this.#budget.held));
  }

  tell(): void {
    const { waits, refusals, held } = this.#budget;
    if (waits <= this.#waitsTold) return;
    this.#events.log('warn', 'out of descriptors: new connections wait; raise the limit (ulimit -n)', {
      descriptors: this.#descriptors,
      held,
      waited: waits - this.#waitsTold,
      refused: refusals,
    });
    this.#waitsTold = waits;
  }
}
