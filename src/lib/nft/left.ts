/** What a process before this one has left in the kernel: a table that outlives it, with its owner's name on it. */
import { readFileSync } from 'node:fs';

export type Left = 'nothing' | 'ours' | 'of another';

export async function whatIsLeft(table: string, owner: string): Promise<Left> {
  if (!mayChangeNetwork()) return 'nothing';
  const loaded = await Promise.all([import('../ffi/netlink.ts'), import('./elements.ts')]).catch(() => undefined);
  if (!loaded) return 'nothing';
  const [{ Netlink }, { getTable, readOwner }] = loaded;
  let left: Left = 'nothing';
  const asking = new Netlink();
  asking.get(
    getTable({ name: table }),
    (view, body, end) => (left = readOwner(view, body, end) === owner ? 'ours' : 'of another'),
  );
  asking.close();
  return left;
}

const CAP_NET_ADMIN = 12n;

/** `status`: the text of /proc/self/status. */
export function isNetAdmin(status: string): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

export function mayChangeNetwork(): boolean {
  return process.platform === 'linux' && isNetAdmin(readFileSync('/proc/self/status', 'latin1'));
}
