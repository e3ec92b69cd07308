/** The kernel engine in the edge's namespace: a factory for an engine thread that goes there first. */
import type { Engine, EngineEvents } from '../../src/engines/engine.ts';
import type { KernelSetting } from '../../src/engines/kernel/setting.ts';
import { createKernelEngine } from '../../src/engines/kernel/engine.ts';
import { enter } from './kernel-namespaces.ts';

/** Tells the thread where to go, because an engine's source has no arguments. */
export const EDGE_NAMESPACE = 'TEST_EDGE_NAMESPACE';

export function createInEdge(events: EngineEvents, setting: KernelSetting): Promise<Engine> {
  enter(process.env[EDGE_NAMESPACE] ?? '');
  return createKernelEngine(events, setting);
}
