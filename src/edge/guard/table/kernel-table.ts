/**
 * The guard's table in the kernel: elements and counters through netlink, which answers at once, everything else through
 * nft. Opened by written-table.ts when there is something to limit.
 */
import { elementMessages } from '../../../linux/nft/batch.ts';
import type { Netlink } from '../../../linux/netlink/socket.ts';
import {
  getCounters,
  getElements,
  getNames,
  getRules,
  readElements,
  readName,
  readNamedCounter,
} from '../../../linux/nft/elements.ts';
import { NFNL_SUBSYS_NFTABLES, tableOf } from '../../../linux/nft/nf-tables.ts';
import { type Refusal, runNft } from '../../../linux/nft/nft.ts';
import type { Element, ElementChange } from '../../../linux/nft/transaction.ts';
import type { Found } from './adopt.ts';

import { CANARY, GUARD_NAME, MAPS } from '../layout.ts';
import type { Placeholders } from './placeholders.ts';

const NAMED = { name: GUARD_NAME };

export interface KernelTable {
  nft(text: string): Promise<Refusal>;
  /** One transaction. */
  swap(changes: readonly ElementChange[]): Refusal;
  /** It has not been removed or flushed by another program. */
  isWhole(): boolean;
  /** All that is in it. */
  found(): Found;
  counters(seen: (name: string, packets: number) => void): void;
  readonly placeholders: Placeholders;
  close(): void;
}

export async function openTable(): Promise<KernelTable> {
  const [{ Netlink: Socket }, { errnoName }, { Placeholders: Real }] = await Promise.all([
    import('../../../linux/netlink/socket.ts'),
    import('../../../linux/ffi/libc.ts'),
    import('./placeholders.ts'),
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
    found: () => findAll(asking),
    counters(seen) {
      asking.dump(getCounters(NAMED), (view, body, end) => {
        const { name, packets } = readNamedCounter(view, body, end);
        if (name !== '') seen(name, packets);
      });
    },
    placeholders: new Real(asking),
    close: () => asking.close(),
  };
}

/** Its name says the family (bans.ts). */
const BAN = /^ban-.*-([46])-\d+$/;

function findAll(asking: Netlink): Found {
  const named = (what: 'CHAIN' | 'SET'): Set<string> => {
    const names = new Set<string>();
    asking.dump(getNames(NAMED, what), (view, body, end) => {
      const name = readName(NAMED, what, view, body, end);
      if (name !== undefined) names.add(name);
    });
    return names;
  };
  const sets = named('SET');
  const counters = new Set<string>();
  asking.dump(getCounters(NAMED), (view, body, end) => void counters.add(readNamedCounter(view, body, end).name));
  const bans = [...sets].filter((name) => BAN.test(name));
  const formats = bans.map((name): [string, string] => [name, `{ type ipv${BAN.exec(name)?.[1]}_addr; }`]);
  const table = tableOf(GUARD_NAME, Object.fromEntries([...MAPS, ...formats]));
  const elementsOf = (set: string): Element[] => {
    const elements: Element[] = [];
    asking.dump(getElements(NAMED, set), (view, body, end) =>
      readElements(table, set, view, body, end, (element) => elements.push(element)),
    );
    return elements;
  };
  const leads = [...MAPS.keys()].flatMap((map) => elementsOf(map));
  return { chains: named('CHAIN'), sets, counters, leads, bans: bans.flatMap((name) => elementsOf(name)) };
}

/** A map as it is, a set of bans by what stands in it. */
function declared({ set, elements }: ElementChange): [string, string] {
  return [set, MAPS.get(set) ?? `{ type ${elements[0]?.key.includes(':') ? 'ipv6_addr' : 'ipv4_addr'}; }`];
}
