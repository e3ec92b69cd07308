/**
 * How dials to origins go, from the table's own counters of handshakes and UDP sessions: these see every one, whatever share
 * of them has a record. Only what has grown since the last look is told. It judges nothing. Opened by account.ts.
 */
import type { Netlink } from '../../../linux/netlink/socket.ts';
import { getElements, readElements } from '../../../linux/nft/elements.ts';
import { DIAL_SETS, type DialSet, LAYOUT } from '../table/sets.ts';

/** Of a TCP handshake, and of a UDP session. */
type DialStep = 'begun' | 'ok' | 'refused' | 'opened' | 'answered';
/** So many with the origin at this place have come so far. */
export type TakeDials = (step: DialStep, address: string, port: number, count: number) => void;

/** So many datagrams have come back by now, because no program was there, of connections with this mark. */
export type TakeUnheard = (mark: number, count: number) => void;

/** What the elements of a set count, by their direction. */
const STEPS: Readonly<Record<string, Readonly<Record<string, DialStep>>>> = {
  dials: { original: 'begun', reply: 'ok' },
  rejected: { '': 'refused' },
  sessions: { original: 'opened', reply: 'answered' },
};
const ORDER: readonly DialStep[] = ['begun', 'refused', 'ok', 'opened', 'answered'];
const DIAL_SET_NAMES = Object.keys(DIAL_SETS) as DialSet[];

interface Grown {
  readonly set: DialSet;
  readonly key: string;
  readonly count: number;
}

export class DialReader {
  readonly #asking: Pick<Netlink, 'dump'>;
  /** By set: packets at the last look, by key. An element that is gone begins at 0 when it comes back. */
  readonly #counted = new Map<DialSet, ReadonlyMap<string, number>>();

  /** What an earlier engine has seen is not told again. */
  constructor(asking: Pick<Netlink, 'dump'>) {
    this.#asking = asking;
    for (const set of DIAL_SET_NAMES) this.#grown(set);
  }

  /** order: what has begun, then failures, then successes, so that one in the same look ends a row of failures. */
  read(take: TakeDials): void {
    const grown = DIAL_SET_NAMES.flatMap((set) => (set === 'unheard' ? [] : this.#grown(set))).flatMap((one) => {
      const [address = '', port, direction = ''] = one.key.split(' . ');
      const step = STEPS[one.set.slice(0, -1)]?.[direction];
      return step ? [{ step, address, port: Number(port), count: one.count }] : [];
    });
    grown.sort((a, b) => ORDER.indexOf(a.step) - ORDER.indexOf(b.step));
    for (const { step, address, port, count } of grown) take(step, address, port, count);
  }

  unheard(take: TakeUnheard): void {
    for (const { key, count } of this.#grown('unheard')) take(Number(key), count);
  }

  #grown(set: DialSet): Grown[] {
    const before = this.#counted.get(set);
    const counted = new Map<string, number>();
    const grown: Grown[] = [];
    this.#asking.dump(getElements(LAYOUT, set), (view, body, end) =>
      readElements(LAYOUT, set, view, body, end, ({ key }, { packets }) => {
        counted.set(key, packets);
        const last = before?.get(key) ?? 0;
        const count = packets - (packets < last ? 0 : last);
        if (count > 0) grown.push({ set, key, count });
      }),
    );
    this.#counted.set(set, counted);
    return grown;
  }
}
