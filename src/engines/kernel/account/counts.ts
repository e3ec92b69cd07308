/**
 * The table's own counters, added up per rule. A counter that is smaller than it was belongs to a new element, which began
 * at 0. Bytes: of UDP the payload, of TCP whole IP packets (recorder.ts says why).
 */
import type { Netlink } from '../../../linux/netlink/socket.ts';
import { elementRequest } from '../../../linux/nft/batch.ts';
import { type Counted, getElements, readElements } from '../../../linux/nft/elements.ts';
import { sameElement } from '../../../linux/nft/transaction.ts';
import { counterRestarted } from './balance.ts';
import { COLUMN } from './counter-file.ts';
import type { Total } from '../fast-path/layout.ts';
import { IPPROTO_UDP } from '../../../linux/abi.ts';
import { indexOf } from '../table/marks.ts';
import type { Element, Contents } from '../table/sets.ts';
import type { KernelRule } from '../rules.ts';
import { LAYOUT, type SetName } from '../table/sets.ts';

/** order: told after fresh, else a connection that comes in between would seem to be in no sample. */
const COUNTED = ['fresh', 'refused', 'seen4', 'seen6', 'told'] as const satisfies readonly SetName[];
const UDP_HEADERS = { seen4: 28, seen6: 48 } as const;

type Asking = Pick<Netlink, 'dump' | 'get'>;

type At = (index: number) => KernelRule | undefined;

/** Of all rules. False where the table is gone. */
export function readCounts(asking: Asking, at: At): boolean {
  return readSets(asking, at, COUNTED);
}

/** Only what the audit needs. */
export function readTold(asking: Asking, at: At): boolean {
  return readSets(asking, at, ['told']);
}

function readSets(asking: Asking, at: At, sets: readonly CountedSet[]): boolean {
  return sets.every((set) => {
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
export function readLast(asking: Asking, rule: KernelRule, after: Contents): void {
  for (const set of COUNTED) {
    const elements = [...rule.pieces.elements].flatMap(([key, one]) => {
      const next = after.elements.get(key);
      return one.set === set && !(next && sameElement(next, one)) ? [one] : [];
    });
    if (elements.length === 0) continue;
    asking.get(elementRequest(LAYOUT, set, elements), (view, body, end) =>
      readElements(LAYOUT, set, view, body, end, (element, counted) => {
        absorb(rule, set, element, counted);
        const column = columnOf(set, element);
        rowIn(rule, element).fill(0, column, column + (column < COLUMN.seen4 ? 1 : 2));
      }),
    );
  }
}

/** limit: nearly every rule has one index, and reading keys is what takes the time with 10,000 rules. */
function rowIn({ row, rows }: KernelRule, { key }: Element): Float64Array {
  return rows.size === 1 ? row : (rows.get(indexOf(Number.parseInt(key, 16))) ?? row);
}

type CountedSet = (typeof COUNTED)[number];

/** Of `seen4` and `seen6` two each way: packets, bytes. */
function columnOf(set: CountedSet, { key }: Element): number {
  return COLUMN[set] + (key.endsWith('reply') ? 2 : 0);
}

/** Adds what a counter has grown by. Exported for its test. */
export function absorb(rule: KernelRule, set: CountedSet, element: Element, now: Counted): void {
  const { counted, row: books } = rule;
  const row = rowIn(rule, element);
  const column = columnOf(set, element);
  const before = row[column] ?? 0;
  const isNew = now.packets < before;
  const packets = now.packets - (isNew ? 0 : before);
  row[column] = now.packets;
  if (set === 'told') {
    if (isNew) counterRestarted(rule, before);
    const beyond = (books[COLUMN.beyond] ?? 0) - packets;
    counted.unrecorded.sampled += Math.max(0, beyond);
    books[COLUMN.beyond] = Math.min(0, beyond);
  } else if (set === 'fresh') {
    books[COLUMN.beyond] = (books[COLUMN.beyond] ?? 0) + packets;
    counted.connections += packets;
  } else if (set === 'refused') {
    if (packets > 0) counted.dropped['no-origin'] = (counted.dropped['no-origin'] ?? 0) + packets;
  } else {
    const bytes = now.bytes - (isNew ? 0 : (row[column + 1] ?? 0));
    row[column + 1] = now.bytes;
    const payload = element.comment === 'UDP' ? bytes - packets * UDP_HEADERS[set] : bytes;
    addPackets(rule, element.key.endsWith('original'), packets, payload);
  }
}

/** What the fast path has carried, which no counter of the table has seen. */
export function addCarried(
  rule: KernelRule,
  { isOriginal, isV6, protocol }: Total,
  packets: number,
  bytes: number,
): void {
  const headers = protocol === IPPROTO_UDP ? packets * UDP_HEADERS[isV6 ? 'seen6' : 'seen4'] : 0;
  rule.counted.fastPackets += packets;
  addPackets(rule, isOriginal, packets, bytes - headers);
}

function addPackets({ counted }: KernelRule, isIn: boolean, packets: number, bytes: number): void {
  if (isIn) {
    counted.packetsIn += packets;
    counted.bytesIn += bytes;
  } else {
    counted.packetsOut += packets;
    counted.bytesOut += bytes;
  }
}
