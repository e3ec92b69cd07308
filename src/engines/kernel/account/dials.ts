/**
 * How dials to origins go, from the table's own counters of handshakes: these see every TCP connection, whatever share of them
 * has a record. Only what has grown since the last look is told. It judges nothing. Opened by account.ts.
 */
import type { Netlink } from '../../../linux/netlink/socket.ts';
import { getElements, readElements } from '../../../linux/nft/elements.ts';
import { type DialSet, LAYOUT } from '../table/sets.ts';

type DialStep = 'begun' | 'ok' | 'refused';
/** So many handshakes with the origin at this place have come so far. */
export type TakeDials = (step: DialStep, address: string, port: number, count: number) => void;

interface Grown {
  readonly step: DialStep;
  readonly address: string;
  readonly port: number;
  readonly count: number;
}

export class DialReader {
  readonly #asking: Pick<Netlink, 'dump'>;
  /** By set: packets at the last look, by key. An element that is gone begins at 0 when it comes back. */
  readonly #counted = new Map<DialSet, ReadonlyMap<string, number>>();

  /** What an earlier engine has seen is not told again. */
  constructor(asking: Pick<Netlink, 'dump'>) {
    this.#asking = asking;
    for (const set of ['dials4', 'dials6', 'rejected4', 'rejected6'] as const) this.#grown(set);
  }

  /** order: begun, refused, ok; so that a success in the same look ends a row of failures. */
  read(take: TakeDials): void {
    for (const family of [4, 6] as const) {
      const grown = this.#grown(`dials${family}`);
      const [begun, ok] = [grown.filter(({ step }) => step === 'begun'), grown.filter(({ step }) => step === 'ok')];
      const refused = this.#grown(`rejected${family}`);
      for (const { step, address, port, count } of [...begun, ...refused, ...ok]) take(step, address, port, count);
    }
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
        if (count === 0) return;
        const [address = '', port, direction] = key.split(' . ');
        const step = direction === undefined ? 'refused' : direction === 'reply' ? 'ok' : 'begun';
        grown.push({ step, address, port: Number(port), count });
      }),
    );
    this.#counted.set(set, counted);
    return grown;
  }
}
