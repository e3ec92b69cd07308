/** Whether this process may change what the kernel does with packets: nftables answers no question without it. */
import { readFileSync } from 'node:fs';

const CAP_NET_ADMIN = 12n;

/** `status`: the text of /proc/self/status. */
export function isNetAdmin(status: string): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

export function mayChangeNetwork(): boolean {
  return process.platform === 'linux' && isNetAdmin(readFileSync('/proc/self/status', 'latin1'));
}
