/** The kernel engine on the system it runs on: what its thread makes. Everything about whether it can be is in create.ts. */
import { systemClock } from '../../lib/clock.ts';
import { Inherited } from '../../handoff/inherited.ts';
import { Netlink } from '../../linux/netlink/socket.ts';
import { runNft } from '../../linux/nft/nft.ts';
import { systemRng } from '../../lib/rng.ts';
import type { Engine, EngineEvents } from '../engine.ts';
import { openCounterFile } from './account/counter-file.ts';
import { openConntrack } from './conntrack/conntrack.ts';
import { capabilitiesOf, type KernelSetting } from './create.ts';
import { openKernelEngine } from './engine.ts';
import { chooseFastPath } from './fast-path/choose.ts';
import { openFastPath } from './fast-path/fast-path.ts';
import { openPeerResetter } from './conntrack/reset-peers.ts';
import { openRecordLog } from './account/record-log.ts';
import { systemSysctls } from './sysctl.ts';

export function createKernelEngine(events: EngineEvents, setting: KernelSetting): Promise<Engine> {
  const isAsked = setting.use === 'by name';
  const asking = new Netlink();
  const system = {
    clock: systemClock,
    rng: systemRng,
    sysctls: systemSysctls,
    asking,
    conntrack: openConntrack(setting.eventsBytes),
    farewell: openPeerResetter(),
    nft: (text: string) => runNft(text),
    books: (handle: number) => openCounterFile(setting.books, handle),
  };
  const { onStop, owner, former = [], records, sockets, isRetiring = false } = setting;
  // order: asked when it is made. A thread that is started again later comes after nobody.
  const isSuccessor = sockets !== undefined && !new Inherited(sockets).hasBegun;
  const isWanted = setting.fastPath !== false && !isRetiring;
  const log = events.log.bind(events);
  const fastPath = () =>
    chooseFastPath({ isWanted, isAsked, sysctls: systemSysctls, open: () => openFastPath(asking), log });
  const gone = (count: number): void =>
    log('error', 'connection records are gone: something removed their file', { records: count });
  const recordLog = records && { records: (batch: Float64Array) => openRecordLog(records, batch, systemClock, gone) };
  const life = { isAsked, isSuccessor, isRetiring, onStop, owner, former, fastPath };
  const options = { ...system, ...recordLog, ...life, capabilities: capabilitiesOf(isAsked, isRetiring) };
  return openKernelEngine(options, events);
}
