/**
 * The table's own counters, added up per rule. A counter that is smaller than it was belongs to a new element, which began
 * at 0. Bytes: of UDP the payload, of TCP whole IP packets (recorder.ts says why).
 */
import type { Netlink } from '../../../lib/ffi/netlink.ts';
import { elementRequest } from '../../../lib/nft/batch.ts';
import { type Counted, getElements, readElements } from '../../../lib/nft/elements.ts';
import { sameElement } from '../../../lib/nft/transaction.ts';
import { indexOf } from './marks.ts';
import type { Element, Pieces } from './pieces.ts';
import type { KernelRule } from './registry.ts';
import { LAYOUT, type SetName } from './table.ts';

const COUNTED = ['fresh', 'refused', 'seen4', 'seen6'] as const satisfies readonly SetName[];
const UDP_HEADERS = { seen4: 28, seen6: 48 } as const;

type Asking = Pick<Netlink, 'dump' | 'get'>;

/** Of all rules. False where the table is gone. */
export function readCounts(asking: Asking, at: (index: number) => KernelRule | undefined): boolean {
  return COUNTED.every((set) => {
    const code = asking.dump(getElements(LAYOUT, set), (view, body, end) =>
      readElements(LAYOUT, set, view, body, end, (element, counted) => {
        const rule = at(indexOf(Number.parseInt(element.key, 16)));
        if (rule) absorb(rule, set, element, counted);
      }),
    );
    return code === 0;
  });
}

/** Of one rule, before its elements become these: one that goes takes its counter along. */
export function readLast(asking: Asking, rule: KernelRule, after: Pieces): void {
  for (const set of COUNTED) {
    const elements = [...rule.pieces.elements].flatMap(([key, one]) => {
      const next = after.elements.get(key);
      return one.set === set && !(next && sameElement(next, one)) ? [one] : [];
    });
    if (elements.length === 0) continue;
    asking.get(elementRequest(LAYOUT, set, elements), (view, body, end) =>
      readElements(LAYOUT, set, view, body, end, (element, counted) => {
        absorb(rule, set, element, counted);
        rule.read.delete(nameOf(set, element));
      }),
    );
  }
}

type CountedSet = (typeof COUNTED)[number];

function nameOf(set: CountedSet, { key }: Element): string {
  return `${set} ${key}`;
}

function absorb({ counted, read }: KernelRule, set: CountedSet, element: Element, now: Counted): void {
  const { key, comment } = element;
  const name = nameOf(set, element);
  const before = read.get(name);
  read.set(name, now);
  const isNew = !before || now.packets < before.packets;
  const packets = now.packets - (isNew ? 0 : before.packets);
  const bytes = now.bytes - (isNew ? 0 : before.bytes);
  if (packets === 0) return;
  if (set === 'fresh') counted.connections += packets;
  else if (set === 'refused') counted.dropped['no-origin'] = (counted.dropped['no-origin'] ?? 0) + packets;
  else {
    const payload = comment === 'UDP' ? bytes - packets * UDP_HEADERS[set] : bytes;
    if (key.endsWith('original')) {
      counted.packetsIn += packets;
      counted.bytesIn += payload;
    } else {
      counted.packetsOut += packets;
      counted.bytesOut += payload;
    }
  }
}

/** What the table has counted before this engine began is not this engine's. */
export function forget({ counted }: KernelRule): void {
  Object.assign(counted, { connections: 0, bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 });
  delete counted.dropped['no-origin'];
}
