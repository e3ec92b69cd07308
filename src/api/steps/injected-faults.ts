/**
 * Faults on demand: the next calls of an action fail with a code, or just take longer, so that CI can test what its
 * code does then. They live in this process only and end with it. The composition root makes one for
 * handlers and the pipeline; the step is the pipeline's.
 */
import { Fault } from '../../faults/fault.ts';
import type { ApiContext, Call } from '../call.ts';
import type { FaultOnDemand, FaultsOnDemand } from '../handling/transaction.ts';

/** limit: their list stays readable. */
const MAX_FAULTS = 1000;

export class InjectedFaults implements FaultsOnDemand {
  readonly #actions: ReadonlySet<string>;
  #faults: FaultOnDemand[] = [];

  /** The actions there are. Those of EdgeFour itself are never struck, or no call could clear the faults. */
  constructor(actions: Iterable<string>) {
    this.#actions = new Set([...actions].filter((name) => !name.startsWith('EdgeFour')));
  }

  add(fault: FaultOnDemand): void {
    if (!this.#actions.has(fault.action)) {
      throw new Fault('InvalidParameterValue', `There is no action \`${fault.action}\` that a fault could strike.`);
    }
    if (this.#faults.length >= MAX_FAULTS) throw new Fault('LimitExceeded', `At most ${MAX_FAULTS} faults at a time.`);
    this.#faults.push(fault);
  }

  /** In the order they were added, which is the order they strike in. */
  list(): FaultOnDemand[] {
    return [...this.#faults];
  }

  clear(): void {
    this.#faults = [];
  }

  take(action: string): FaultOnDemand | undefined {
    const index = this.#faults.findIndex((fault) => fault.action === action);
    const fault = this.#faults[index];
    if (!fault) return undefined;
    if (fault.times > 1) this.#faults[index] = { ...fault, times: fault.times - 1 };
    else this.#faults.splice(index, 1);
    return fault;
  }
}

/** order: after every other check, so that only a call that would have worked uses up a fault. */
export async function inject(call: Call, api: ApiContext): Promise<void> {
  const fault = api.around.faults.take(call.actionName ?? '');
  if (!fault) return;
  if (fault.delayMs > 0) await api.around.clock.sleep(fault.delayMs);
  if (fault.code) throw new Fault(fault.code, 'This failure was asked for with `edgefour fault add`.');
}
