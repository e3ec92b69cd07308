/**
 * How the kernel engine is made on this machine: looked at first, and where it can't be, an engine that says why. As
 * `auto` makes it, it changes nothing of the machine but its own table; asked for by name, it sets the switches it needs.
 */
import { readFileSync } from 'node:fs';
import { systemClock } from '../../../lib/clock.ts';
import { systemRng } from '../../../lib/rng.ts';
import type { Capabilities, Engine, EngineEvents, EngineFactory } from '../../engine.ts';
import { runNft } from './nft.ts';
import { whyUnavailable } from './probe.ts';
import { systemSysctls } from './sysctl.ts';

export interface CreateOptions {
  /** `--engine kernel`. */
  readonly asked: boolean;
  readonly onStop: 'keep' | 'flush';
}

export const createKernelEngine: EngineFactory = (events) =>
  createKernelEngineWith({ asked: false, onStop: 'keep' }, events);

export async function createKernelEngineWith(options: CreateOptions, events: EngineEvents): Promise<Engine> {
  const probe = {
    platform: process.platform,
    status: () => readFileSync('/proc/self/status', 'latin1'),
    check: (text: string) => runNft(text, '-c'),
    sysctls: systemSysctls,
  };
  const why = await whyUnavailable(probe, options.asked);
  if (why !== undefined) return absent(why);
  // order: koffi is touched only after the probe has said that this is Linux.
  const [{ openKernelEngine }, { openConntrack }, { openFarewell }, { Netlink }] = await Promise.all([
    import('./engine.ts'),
    import('./conntrack.ts'),
    import('./farewell.ts'),
    import('../../../lib/ffi/netlink.ts'),
  ]);
  const capabilities: Capabilities = {
    modes: ['OFF'],
    protocols: ['TCP', 'UDP'],
    ipv6: true,
    nextOrigin: false,
    translates: true,
  };
  return openKernelEngine(
    {
      clock: systemClock,
      rng: systemRng,
      capabilities,
      ...options,
      sysctls: systemSysctls,
      asking: new Netlink(),
      conntrack: openConntrack(),
      farewell: openFarewell(),
      nft: (text) => runNft(text),
    },
    events,
  );
}

/** An engine that takes nothing and has nothing. */
function absent(unavailable: string): Engine {
  const nothing: Capabilities = { unavailable, modes: [], protocols: [], ipv6: false, nextOrigin: false };
  return {
    name: 'kernel',
    capabilities: () => nothing,
    apply: () => Promise.resolve({ ok: false, reason: unavailable }),
    remove: () => Promise.resolve(),
    prune: () => Promise.resolve(),
    counters: () => Promise.resolve(new Map()),
    stop: () => Promise.resolve(),
  };
}
