/**
 * Can this machine run the engine? One line says what is missing and what to change. The cheapest is looked at first; in the
 * end the kernel itself is asked, by checking the very table that would be made, because neither versions nor modules say
 * what a container allows. It changes nothing. Called by create.ts and by doctor.
 */
import { readFileSync } from 'node:fs';
import { isNetAdmin } from '../../linux/nft/net-admin.ts';
import { type Refusal, runNft } from '../../linux/nft/nft.ts';
import { type Sysctls, switchedOff, systemSysctls } from './sysctl.ts';
import { baseText } from './table/base.ts';

export interface ProbeDeps {
  readonly platform: string;
  /** The text of /proc/self/status. */
  readonly status: () => string;
  /** Checks without changing anything. */
  readonly check: (text: string) => Promise<Refusal>;
  readonly sysctls: Sysctls;
}

/** `isAsked`: switches that are off don't matter, because they will be set. */
export async function whyUnavailable(deps: ProbeDeps, isAsked: boolean): Promise<string | undefined> {
  if (deps.platform !== 'linux') return `nftables is Linux's; this is ${deps.platform}`;
  if (!isNetAdmin(deps.status()))
    return 'it needs CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_ADMIN in the unit, or root)';
  const off = isAsked ? [] : switchedOff(deps.sysctls).map(({ name }) => name);
  if (off.length > 0) return `sysctl ${off.join(', ')} must be 1; set that, or let --engine kernel set it`;
  // not: with the fast path. A mere check of `ct packets` switches nf_conntrack_acct on.
  const refusal = await deps.check(baseText({ isGuarded: true, stamp: [], owner: '', isTried: true }));
  return refusal === '' ? undefined : `the kernel does not take its table: ${refusal}`;
}

export function systemProbe(): ProbeDeps {
  return {
    platform: process.platform,
    status: () => readFileSync('/proc/self/status', 'latin1'),
    check: (text) => runNft(text, '-c'),
    sysctls: systemSysctls,
  };
}
