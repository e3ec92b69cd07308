/** Reads the networks of lists that sets are made of. Pure but for the clock, by which it gives way to everything else. */
import { disjoint, type Sorted, sorted } from '../../../domain/limit/networks.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { ListSet } from '../contents/difference.ts';
import type { Networks } from './script.ts';

/** limit: a part at a turn of the event loop; what follows is a tenth of a second for 100,000 networks. */
export async function networksOf(lists: readonly ListSet[], clock: Clock): Promise<Networks> {
  const networks = new Map<string, readonly string[]>();
  for (const [parts, sets] of Map.groupBy(lists, ({ parts }) => parts)) {
    const read: Sorted[] = [];
    for (const part of parts) {
      read.push(sorted(part));
      await clock.sleep(0);
    }
    const found = disjoint(read);
    for (const { name, family } of sets) networks.set(name, found[`v${family}`]);
    await clock.sleep(0);
  }
  return networks;
}
