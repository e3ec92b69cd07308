/** What the kernel engine can do on this machine. Read by create.ts before there is an engine, and by the engine. */
import type { Capabilities } from '../engine.ts';
import { FORWARD6, systemSysctls } from './sysctl.ts';

export const NOT_ASKED = 'another engine is asked for';

/** `isAsked`: by name. `isRetiring`: it only drains what an earlier life left. */
export function kernelCapabilities(isAsked: boolean, isRetiring: boolean): Capabilities {
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
