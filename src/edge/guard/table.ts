/**
 * The guard's table in the kernel: elements and counters through netlink, which answers at once, everything else through
 * nft. Opened by guard.ts when there is something to limit.
 */
import { elementMessages } from '../../lib/nft/batch.ts';
import type { Netlink } from '../../lib/ffi/netlink.ts';
import { getCounters, getRules, readNamedCounter } from '../../lib/nft/elements.ts';
import { NFNL_SUBSYS_NFTABLES, tableOf } from '../../lib/nft/nf-tables.ts';
import { type Refusal, runNft } from '../../lib/nft/nft.ts';
import type { ElementChange } from '../../lib/nft/transaction.ts';
import { CANARY, GUARD_NAME, MAPS } from './layout.ts';

const NAMED = { name: GUARD_NAME };

export interface GuardTable {
  nft(text: string): Promise<Refusal>;
  /** One transaction. */
  swap(changes: readonly ElementChange[]): Refusal;
  /** Nobody has removed or flushed it. */
  isWhole(): boolean;
  counters(seen: (name: string, packets: number) => void): void;
  close(): void;
}

export async function openTable(): Promise<GuardTable> {
  const [{ Netlink: Socket }, { errnoName }] = await Promise.all([
    import('../../lib/ffi/netlink.ts'),
    import('../../lib/ffi/libc.ts'),
  ]);
  const asking: Netlink = new Socket();
  return {
    nft: (text) => runNft(text),
    swap(changes) {
      const table = tableOf(GUARD_NAME, Object.fromEntries([...MAPS, ...changes.map(declared)]));
      const code = asking.transact(NFNL_SUBSYS_NFTABLES, elementMessages(table, changes));
      return code === 0 ? '' : errnoName(code);
    },
    isWhole() {
      let rules = 0;
      asking.dump(getRules(NAMED, CANARY), () => (rules += 1));
      return rules > 0;
    },
    counters(seen) {
      asking.dump(getCounters(NAMED), (view, body, end) => {
        const { name, packets } = readNamedCounter(view, body, end);
        if (name !== '') seen(name, packets);
      });
    },
    close: () => asking.close(),
  };
}

/** A map as it is, a set of bans by what stands in it. */
function declared({ set, elements }: ElementChange): [string, string] {
  return [set, MAPS.get(set) ?? `{ type ${elements[0]?.key.includes(':') ? 'ipv6_addr' : 'ipv4_addr'}; }`];
}
