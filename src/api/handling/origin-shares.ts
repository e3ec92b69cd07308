/**
 * What part of its group's connections an origin takes, where its group is the records' and not a rule's own list: of such a list
 * no index tells the rules. Called by the handler of EdgeFourDescribeOrigins.
 */
import { keys } from '../../store/records.ts';
import { dialsOf, kindOf, originsAt, type OriginView, viewOf } from './origin-views.ts';
import type { Tx } from './transaction.ts';

/** limit: of fewer, what edges have told already of one origin and not yet of another would be all that is seen. */
const FEWEST = 100;

/** In whole percent, of the connections that were made at its protocol and port; undefined while there are few. */
export function originShares(tx: Pick<Tx, 'peek' | 'around'>): (origin: OriginView) => number | undefined {
  const groups = new Map<string, ReadonlyMap<string, number>>();
  function dialsIn(zone: string, id: string): ReadonlyMap<string, number> {
    const known = groups.get(id) ?? countDials(zone, id);
    groups.set(id, known);
    return known;
  }
  function countDials(zone: string, id: string): ReadonlyMap<string, number> {
    const hosts = new Set(tx.peek(keys.originGroup(zone, id))?.records.map(({ host }) => host));
    const sums = new Map<string, number>();
    for (const origin of originsAt(tx, zone, hosts).map(viewOf))
      if (origin.word.group === id) sums.set(kindOf(origin), (sums.get(kindOf(origin)) ?? 0) + dialsOf(origin));
    return sums;
  }
  return (origin) => {
    const { zone, group } = origin.word;
    const all = group === '' ? 0 : (dialsIn(zone, group).get(kindOf(origin)) ?? 0);
    return all < FEWEST ? undefined : Math.min(100, Math.round((dialsOf(origin) / all) * 100));
  };
}
