/**
 * Which connections stay when there are too many: never more than `most`, nor more than `perNetwork` of one network. The
 * one that has been idle longest makes room, of the network that holds most: a network that opens many connections
 * pays with its own. Where none is idle the newcomer is refused. Pure; called by tcp.ts.
 */
interface Seat {
  readonly network: string;
  /** Ends the connection. */
  readonly end: () => void;
}

export type Bound = 'most' | 'perNetwork';

interface Taken extends Seat {
  isBusy: boolean;
  /** Rises with time. */
  since: number;
}

export class Seats {
  readonly #bounds: Readonly<Record<Bound, number>>;
  /** A connection was ended, or not let in, because of this bound. */
  readonly #full: (bound: Bound) => void;
  /** In each the one that has been idle longest comes first. */
  readonly #networks = new Map<string, Set<Taken>>();
  #count = 0;
  #turn = 0;

  constructor(bounds: Readonly<Record<Bound, number>>, full: (bound: Bound) => void) {
    this.#bounds = bounds;
    this.#full = full;
  }

  /** Undefined: it has no seat. The connection counts as idle until it is `busy`. */
  take(seat: Seat): Taken | undefined {
    const own = this.#networks.get(seat.network);
    if (own && own.size >= this.#bounds.perNetwork && !this.#makeRoom('perNetwork', [own])) return undefined;
    if (this.#count >= this.#bounds.most && !this.#makeRoom('most', this.#largest())) return undefined;
    const taken = { ...seat, isBusy: false, since: (this.#turn += 1) };
    const network = this.#networks.get(seat.network);
    if (network) network.add(taken);
    else this.#networks.set(seat.network, new Set([taken]));
    this.#count += 1;
    return taken;
  }

  busy(taken: Taken): void {
    taken.isBusy = true;
  }

  idle(taken: Taken): void {
    taken.isBusy = false;
    taken.since = this.#turn += 1;
    const network = this.#networks.get(taken.network);
    if (network?.delete(taken)) network.add(taken);
  }

  /** May be called twice. */
  leave(taken: Taken): void {
    const network = this.#networks.get(taken.network);
    if (!network?.delete(taken)) return;
    this.#count -= 1;
    if (network.size === 0) this.#networks.delete(taken.network);
  }

  #makeRoom(bound: Bound, among: readonly ReadonlySet<Taken>[]): boolean {
    this.#full(bound);
    let oldest: Taken | undefined;
    for (const network of among) {
      const idle = network.values().find(({ isBusy }) => !isBusy);
      if (idle && (!oldest || idle.since < oldest.since)) oldest = idle;
    }
    if (!oldest) return false;
    this.leave(oldest);
    oldest.end();
    return true;
  }

  /** limit: as many networks as connections, looked through when all seats are taken. Those without an idle one can't give way. */
  #largest(): readonly ReadonlySet<Taken>[] {
    const idle = [...this.#networks.values()].filter((network) => network.values().some(({ isBusy }) => !isBusy));
    const most = Math.max(...idle.map(({ size }) => size));
    return idle.filter(({ size }) => size === most);
  }
}
