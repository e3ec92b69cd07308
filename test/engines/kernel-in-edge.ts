/** The kernel engine in the edge's namespace: a factory for an engine thread that goes there first. */
import type { EngineFactory } from '../../src/edge/engine.ts';
import { createKernelEngineWith } from '../../src/edge/engines/kernel/create.ts';
import { enter } from './kernel-namespaces.ts';

/** Tells the thread where to go, because an engine's source has no arguments. */
export const EDGE_NAMESPACE = 'TEST_EDGE_NAMESPACE';

function created(onStop: 'keep' | 'flush'): EngineFactory {
  return (events) => {
    enter(process.env[EDGE_NAMESPACE] ?? '');
    return createKernelEngineWith({ asked: true, onStop }, events);
  };
}

export const createFlushing = created('flush');
export const createKeeping = created('keep');
