/** What an engine before this one has left in the kernel: a table that outlives its process, with its owner's name on it. */
import { readFileSync } from 'node:fs';
import { isNetAdmin } from './probe.ts';

export type Left = 'nothing' | 'ours' | 'of another';

export async function whatIsLeft(owner: string): Promise<Left> {
  if (!mayChangeNetwork()) return 'nothing';
  const loaded = await Promise.all([import('../../../lib/ffi/netlink.ts'), import('./elements.ts')]).catch(
    () => undefined,
  );
  if (!loaded) return 'nothing';
  const [{ Netlink }, { getTable, readOwner }] = loaded;
  let left: Left = 'nothing';
  const asking = new Netlink();
  asking.get(getTable(), (view, body, end) => (left = readOwner(view, body, end) === owner ? 'ours' : 'of another'));
  asking.close();
  return left;
}

function mayChangeNetwork(): boolean {
  return process.platform === 'linux' && isNetAdmin(readFileSync('/proc/self/status', 'latin1'));
}
