/**
 * How an edge gets the kernel engine. It is probed first, which costs nothing, and made on a thread of its own when the first
 * rule comes to it, or at once where rules of an earlier life wait in the kernel. Where it can't be used there is an engine
 * that says why, and nothing of an earlier life stays in the way of the others. Called by engines/registry.ts.
 */
import type { Engine, EngineEvents, EngineFactory } from '../engine.ts';
import { absentEngine } from '../hosting/forward.ts';
import { lazyEngine } from '../hosting/lazy-engine.ts';
import { hostEngine } from '../hosting/worker-engine.ts';
import { KERNEL_TABLE, type TableOwner } from '../table-owner.ts';
import { kernelCapabilities, NOT_ASKED } from './capabilities.ts';
import { systemProbe, whyUnavailable } from './probe.ts';
import type { KernelSetting } from './setting.ts';
import { TABLE } from './table/sets.ts';

const SOURCE = { module: new URL('./engine.ts', import.meta.url).href, factory: 'createKernelEngine' };

/** `tables` says who owns what is in the kernel: an edge that lives keeps its table, one of a dead edge is taken over. */
export function kernelFactory(setting: Omit<KernelSetting, 'owner' | 'former'>, tables: TableOwner): EngineFactory {
  return async (events, inheritance) => {
    const isAsked = setting.use === 'by name';
    const whose = tables.whose(KERNEL_TABLE);
    const isOthers = typeof whose === 'object';
    const isLeft = whose === 'ours' || whose === 'abandoned';
    const isRetiring = setting.use === 'no' && isLeft;
    const why = setting.use === 'no' && !isRetiring ? NOT_ASKED : await whyUnavailable(systemProbe(), isAsked);
    if (why !== undefined) return absent(why, isLeft, events, tables, inheritance !== undefined);
    async function make(): Promise<Engine> {
      const claim = tables.claim(KERNEL_TABLE);
      if (claim.why !== '') throw new Error(claim.why);
      const own = { owner: tables.id, former: claim.former, isRetiring, sockets: inheritance?.sockets.parts };
      return hostEngine('kernel', { ...SOURCE, options: { ...setting, ...own } }, events);
    }
    // With the other engines to choose from, rules need not wait for that edge to end.
    if (isOthers && !isAsked) return absent(tables.claim(KERNEL_TABLE).why, false, events, tables, false);
    return isLeft || (isAsked && !isOthers) ? make() : lazyEngine('kernel', kernelCapabilities(isAsked, false), make);
  };
}

/** An engine that takes nothing. `isLeft`: rules of an earlier life are in the kernel; `isSuccessor`: they serve until it begins. */
async function absent(
  unavailable: string,
  isLeft: boolean,
  events: EngineEvents,
  tables: TableOwner,
  isSuccessor: boolean,
): Promise<Engine> {
  let mustClear = isLeft && tables.claim(KERNEL_TABLE).why === '';
  async function clear(): Promise<void> {
    if (!mustClear) return;
    mustClear = false;
    const refusal = tables.remove(KERNEL_TABLE);
    const facts = { table: TABLE, reason: unavailable, ...(refusal && { refusal }) };
    events.log('warn', 'rules of an earlier life are taken out of the kernel', facts);
  }
  if (!isSuccessor) await clear();
  const engine = absentEngine('kernel', unavailable);
  return { ...engine, succession: { ...engine.succession, begin: clear } };
}
