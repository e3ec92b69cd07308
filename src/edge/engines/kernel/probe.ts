/**
 * Can this machine run the engine? One line says what is missing and what to change. The kernel itself is asked, by
 * checking the very table that would be made, because neither versions nor modules say what a container allows.
 */
import type { Refusal } from './nft.ts';
import { type Sysctls, switchedOff } from './sysctl.ts';
import { baseText } from './table.ts';

export interface ProbeDeps {
  readonly platform: string;
  /** The text of /proc/self/status. */
  status(): string;
  /** Checks without changing anything. */
  check(text: string): Promise<Refusal>;
  readonly sysctls: Sysctls;
}

const CAP_NET_ADMIN = 12n;

/** `asked`: switches that are off don't matter, because they will be set. */
export async function whyUnavailable(deps: ProbeDeps, asked: boolean): Promise<string | undefined> {
  if (deps.platform !== 'linux') return `nftables is Linux's; this is ${deps.platform}`;
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(deps.status())?.[1] ?? '0';
  if (((BigInt(`0x${mask}`) >> CAP_NET_ADMIN) & 1n) === 0n)
    return 'it needs CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_ADMIN in the unit, or root)';
  const refusal = await deps.check(baseText());
  if (refusal !== '') return `the kernel does not take its table: ${refusal}`;
  const off = asked ? [] : switchedOff(deps.sysctls).map(({ name }) => name);
  if (off.length > 0)
    return `${off.join(', ')} ${off.length > 1 ? 'are' : 'is'} not 1; set ${off.length > 1 ? 'them' : 'it'}, or ask for it with --engine kernel`;
  return undefined;
}
