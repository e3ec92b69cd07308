/**
 * The origins of pools as addresses: their names are followed like those of rules, and a pool whose addresses are other ones
 * is told anew. It checks nothing (edge/health/checks.ts does) and judges no address. origins.ts owns one; the plan's feed
 * says which pools there are.
 */
import { Signal } from '../../lib/signal.ts';
import type { PlannedCheck, PlannedPool } from '../../plan/plan.ts';
import type { OriginNames } from './names.ts';
import { addressesOf, originNames } from './targets.ts';

/** An address of a pool's origin. */
export interface PoolMember {
  readonly group: string;
  readonly host: string;
  readonly address: string;
}

/** No members: there is nothing to check. */
export interface ResolvedPool {
  readonly check: PlannedCheck;
  readonly members: readonly PoolMember[];
}

export class Pools {
  /** As a pool is from now on. */
  readonly changed = new Signal<ResolvedPool>();
  readonly #names: Pick<OriginNames, 'use' | 'addresses' | 'changed'>;
  /** By the owner of their check, as names know it. */
  readonly #pools = new Map<string, PlannedPool>();

  constructor(names: Pick<OriginNames, 'use' | 'addresses' | 'changed'>) {
    this.#names = names;
    names.changed.listen((owners) => {
      for (const owner of owners) {
        const pool = this.#pools.get(owner);
        if (pool) this.#tell(pool);
      }
    });
  }

  /** By the owner of their check; undefined: there is no such pool any more. */
  take(changes: ReadonlyMap<string, PlannedPool | undefined>): void {
    for (const [id, pool] of changes) {
      // A rule has names of its own.
      const owner = `pool ${id}`;
      const before = this.#pools.get(owner);
      this.#names.use(owner, originNames(pool?.origins ?? []));
      if (pool) this.#pools.set(owner, pool);
      else this.#pools.delete(owner);
      if (pool) this.#tell(pool);
      else if (before) this.changed.tell({ check: before.check, members: [] });
    }
  }

  #tell({ check, origins }: PlannedPool): void {
    const members = origins.flatMap(({ group, host }) =>
      addressesOf(host, this.#names).map((address) => ({ group, host, address })),
    );
    this.changed.tell({ check, members });
  }
}
