/**
 * One uring worker with little memory, ended with its test. Loads the engine only when it is called, because on a machine
 * without koffi it cannot be loaded.
 */
import type { TestContext } from 'node:test';
import type { SupervisedWorker } from '../../src/engines/uring/host/supervised-worker.ts';
import { TargetStates } from '../../src/engines/flow/target-states.ts';

/** `events`: how it dies and comes back. `logged`: each line, with its level. */
export async function oneWorker(
  t: TestContext,
  events: string[],
  logged: (line: string) => void = () => {},
): Promise<SupervisedWorker> {
  const { SupervisedWorker } = await import('../../src/engines/uring/host/supervised-worker.ts');
  const { outcomeMemory } = await import('../../src/engines/uring/worker/outcomes.ts');
  const worker = new SupervisedWorker(
    0,
    {
      slots: 64,
      descriptors: 256,
      buffers: 64,
      states: new TargetStates().memory,
      outcomes: outcomeMemory(),
      toa: undefined,
      sourcePorts: undefined,
    },
    {
      firstFailure() {},
      log: (level, message) => logged(`${level} ${message}`),
      died: () => events.push('died'),
      back: () => events.push('back'),
    },
  );
  t.after(() => worker.end(0));
  return worker;
}
