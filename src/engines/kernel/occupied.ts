/**
 * Whether the kernel engine's table leads a place somewhere, whichever edge owns the table. A door of this engine: it reads
 * the table and nothing else. Called by edge/tables/tables.ts.
 */
import type { Netlink } from '../../linux/netlink/socket.ts';
import { getElements, readElements } from '../../linux/nft/elements.ts';
import { LAYOUT } from './table/sets.ts';
import type { PlannedRule } from '../../plan/plan.ts';

type Place = Pick<PlannedRule, 'protocol' | 'entries' | 'ports'>;

const MAPS = ['entry4', 'entry6', 'span4', 'span6'] as const;

/** One address and port of the place that it leads, as a person writes it. */
export function occupiedPort(asking: Pick<Netlink, 'dump'>, { protocol, entries, ports }: Place): string | undefined {
  let occupied: string | undefined;
  for (const map of MAPS)
    asking.dump(getElements(LAYOUT, map), (view, body, end) =>
      readElements(LAYOUT, map, view, body, end, ({ key }) => {
        const [address = '', its = '', span = ''] = key.split(' . ');
        const [from = 0, to = from] = span.split('-').map(Number);
        if (its !== protocol.toLowerCase() || !entries.includes(address)) return;
        const hit = ports.find((port) => port.from <= to && from <= port.to);
        if (hit) occupied = `${protocol} ${address} port ${Math.max(from, hit.from)}`;
      }),
    );
  return occupied;
}
