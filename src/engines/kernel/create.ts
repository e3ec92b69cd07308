/**
 * How an edge gets the kernel engine: looked at first, where it costs nothing, and made on a thread of its own when a rule
 * comes to it, or at once where rules of an earlier life wait in the kernel. Where it can't be used there is an engine
 * that says why, and nothing of an earlier life stays in the way of the others.
 */
import { readFileSync } from 'node:fs';
import type { InheritedParts } from '../../handoff/inherited.ts';
import { runNft } from '../../linux/nft/nft.ts';
import { KERNEL_TABLE, type TableOwner } from '../table-owner.ts';
import type { Capabilities, Engine, EngineEvents, EngineFactory } from '../engine.ts';
import { absentEngine } from '../hosting/forward.ts';
import { lazyEngine } from '../hosting/lazy-engine.ts';
import { hostEngine } from '../hosting/worker-engine.ts';
import { whyUnavailable } from './probe.ts';
import { FORWARD6, systemSysctls } from './sysctl.ts';
import { TABLE } from './table/sets.ts';

export interface KernelSetting {
  /** `auto` changes nothing of the machine but our own table; by name, the engine sets the switches it needs. */
  readonly use: 'no' | 'auto' | 'by name';
  /** `keep`: the table goes on forwarding when the engine stops. */
  readonly onStop: 'keep' | 'flush';
  /** Whose table it is. */
  readonly owner: string;
  /** Whose it may have been: dead by now. */
  readonly former?: readonly string[];
  /** A file of its own; what was counted outlives the process there. */
  readonly books?: string;
  /** Where it writes connection records itself, `capBytes` together with whoever else writes there. Absent: it only tells them. */
  readonly records?: { readonly folder: string; readonly capBytes: number };
  /** Packets of established connections may go past everything; default: they do where it can be had. */
  readonly fastPath?: boolean;
  /** Of the process before this one, whose engine lives until they are served here. */
  readonly sockets?: InheritedParts | undefined;
  /** It takes no rule: what an earlier life left in the kernel drains, then the table goes. */
  readonly isRetiring?: boolean;
  /** How much of what ended may wait to be heard; for tests that want it to run over. */
  readonly eventsBytes?: number;
}

const SOURCE = { module: new URL('./open.ts', import.meta.url).href, factory: 'createKernelEngine' };

/** `tables`: whose what is in the kernel is. An edge that lives keeps its own; of any other it is taken over. */
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
    return isLeft || (isAsked && !isOthers) ? make() : lazyEngine('kernel', capabilitiesOf(isAsked, false), make);
  };
}

const NOT_ASKED = 'another engine is asked for';

export function capabilitiesOf(isAsked: boolean, isRetiring: boolean): Capabilities {
  return {
    ...(isRetiring && { unavailable: NOT_ASKED }),
    modes: ['OFF'],
    protocols: ['TCP', 'UDP'],
    // Asked by name, a rule with IPv6 says what is to be done for it.
    ipv6: isAsked || systemSysctls.read(FORWARD6) === '1',
    nextOrigin: false,
    translates: true,
  };
}

export function systemProbe() {
  return {
    platform: process.platform,
    status: () => readFileSync('/proc/self/status', 'latin1'),
    check: (text: string) => runNft(text, '-c'),
    sysctls: systemSysctls,
  };
}

/** An engine that takes nothing and has nothing. `isSuccessor`: rules of an earlier life serve until it begins. */
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
