/**
 * Reads the table's own counters and adds them up per rule. A counter that is smaller than it was belongs to a new element,
 * which began at 0. Bytes: of UDP the payload, of TCP whole IP packets (recorder.ts says why). Called by account.ts.
 */
import type { Netlink } from '../../../linux/netlink/socket.ts';
import { elementRequest } from '../../../linux/nft/batch.ts';
import { type Counted, getElements, readElements } from '../../../linux/nft/elements.ts';
import { sameElement } from '../../../linux/nft/transaction.ts';
import { COLUMN, counterRestarted, type RuleAccount } from './balance.ts';
import { IPPROTO_UDP } from '../../../linux/abi.ts';
import { indexOf } from '../table/marks.ts';
import type { Element, Contents } from '../table/sets.ts';
import { LAYOUT, type SetName } from '../table/sets.ts';

/** order: told after fresh, else a connection that opens in between would seem to be in no sample. */
const COUNTED = ['fresh', 'refused', 'seen4', 'seen6', 'told'] as const satisfies readonly SetName[];
const UDP_HEADERS = { seen4: 28, seen6: 48 } as const;

type Asking = Pick<Netlink, 'dump' | 'get'>;

type At = (index: number) => RuleAccount | undefined;

/** Of all rules. False where the table is gone. */
export function readCounts(asking: Asking, at: At): boolean {
  return readSets(asking, at, COUNTED);
}

/** Of all rules, as far as the balance needs them. */
export function readTold(asking: Asking, at: At): boolean {
  return readSets(asking, at, ['told']);
}

function readSets(asking: Asking, at: At, sets: readonly CountedSet[]): boolean {
  return sets.every((set) => {
    const code = asking.dump(getElements(LAYOUT, set), (view, body, end) =>
      readElements(LAYOUT, set, view, body, end, (element, counted) => {
        const account = at(indexOf(Number.parseInt(element.key, 16)));
        if (account) absorb(account, set, element, counted);
      }),
    );
    return code === 0;
  });
}

/** Of one rule, before what it has in the table becomes `after`: an element that goes takes its counter along. */
export function readLast(asking: Asking, account: RuleAccount, before: Contents, after: Contents): void {
  for (const set of COUNTED) {
    const elements = [...before.elements].flatMap(([key, one]) => {
      const next = after.elements.get(key);
      return one.set === set && !(next && sameElement(next, one)) ? [one] : [];
    });
    if (elements.length === 0) continue;
    asking.get(elementRequest(LAYOUT, set, elements), (view, body, end) =>
      readElements(LAYOUT, set, view, body, end, (element, counted) => {
        absorb(account, set, element, counted);
        const column = columnOf(set, element);
        rowIn(account, element).fill(0, column, column + (column < COLUMN.seen4 ? 1 : 2));
      }),
    );
  }
}

/** limit: nearly every rule has one index, and reading keys is what takes the time with 10,000 rules. */
function rowIn({ row, rows }: RuleAccount, { key }: Element): Float64Array {
  return rows.size === 1 ? row : (rows.get(indexOf(Number.parseInt(key, 16))) ?? row);
}

type CountedSet = (typeof COUNTED)[number];

/** Of `seen4` and `seen6` two each way: packets, bytes. */
function columnOf(set: CountedSet, { key }: Element): number {
  return COLUMN[set] + (key.endsWith('reply') ? 2 : 0);
}

/** Adds what a counter has grown by. Exported for its test. */
export function absorb(account: RuleAccount, set: CountedSet, element: Element, now: Counted): void {
  const { counted, row: sums } = account;
  const row = rowIn(account, element);
  const column = columnOf(set, element);
  const before = row[column] ?? 0;
  const isNew = now.packets < before;
  const packets = now.packets - (isNew ? 0 : before);
  row[column] = now.packets;
  if (set === 'told') {
    if (isNew) counterRestarted(account, before);
    const beyond = (sums[COLUMN.beyond] ?? 0) - packets;
    counted.unrecorded.sampled += Math.max(0, beyond);
    sums[COLUMN.beyond] = Math.min(0, beyond);
  } else if (set === 'fresh') {
    sums[COLUMN.beyond] = (sums[COLUMN.beyond] ?? 0) + packets;
    counted.connections += packets;
  } else if (set === 'refused') {
    if (packets > 0) counted.dropped['no-origin'] = (counted.dropped['no-origin'] ?? 0) + packets;
  } else {
    const bytes = now.bytes - (isNew ? 0 : (row[column + 1] ?? 0));
    row[column + 1] = now.bytes;
    const payload = element.comment === 'UDP' ? bytes - packets * UDP_HEADERS[set] : bytes;
    addPackets(account, element.key.endsWith('original'), packets, payload);
  }
}

/** Which packets a sum is about. */
interface Direction {
  readonly isOriginal: boolean;
  readonly isV6: boolean;
  readonly protocol: number;
}

/** Adds what the fast path has carried, which no counter of the table has seen. `bytes`: IP headers included. */
export function addCarried(
  account: RuleAccount,
  { isOriginal, isV6, protocol }: Direction,
  packets: number,
  bytes: number,
): void {
  const headers = protocol === IPPROTO_UDP ? packets * UDP_HEADERS[isV6 ? 'seen6' : 'seen4'] : 0;
  account.counted.fastPackets += packets;
  addPackets(account, isOriginal, packets, bytes - headers);
}

function addPackets({ counted }: RuleAccount, isIn: boolean, packets: number, bytes: number): void {
  if (isIn) {
    counted.packetsIn += packets;
    counted.bytesIn += bytes;
  } else {
    counted.packetsOut += packets;
    counted.bytesOut += bytes;
  }
}
