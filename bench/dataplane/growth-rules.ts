/** The rules that the growth benchmark puts into an engine: those that are measured, and all the others beside them. Pure. */
import { DEFAULT_CARE } from '../../src/domain/l4-rule/options.ts';
import type { Listener } from '../../src/engines/engine.ts';

/** limit: as many as the agent has under way at once (reconcile.ts). */
const AT_ONCE = 64;
/** The others' entry ports begin here, clear of those that are measured. */
const OTHERS_FROM = 10_000;

interface Wanted {
  readonly id: string;
  readonly entry: string;
  readonly port: number;
  readonly originPort: number;
  readonly origins: readonly string[];
  /** By origin; 1 where there is none. */
  readonly weights?: readonly number[];
  readonly protocol?: Listener['protocol'];
}

export function rule({ id, entry, port, originPort, origins, weights, protocol = 'TCP' }: Wanted): Listener {
  return {
    id,
    zone: 'bench',
    proxy: 'bench',
    protocol,
    entries: [entry],
    ports: [{ from: port, to: port }],
    originPorts: { from: originPort, to: originPort },
    targets: origins.map((address, i) => ({ number: i, address, weight: weights?.[i] ?? 1, tier: 0 })),
    mode: 'OFF',
    persistSeconds: 0,
    failover: 'origin',
    options: {
      connectTimeoutMs: 5000,
      idleSeconds: 300,
      drain: { how: 'drain', seconds: 30 },
      recordOneIn: 0,
      ...DEFAULT_CARE,
    },
  };
}

/** So many rules on ports of their own, TCP and UDP in turn. */
export function others(entry: string, count: number, origins: readonly string[]): Listener[] {
  return Array.from({ length: count }, (_, i) =>
    rule({
      id: `other-${i}`,
      entry,
      port: OTHERS_FROM + (i >> 1),
      originPort: 9000,
      origins,
      protocol: i % 2 === 0 ? 'TCP' : 'UDP',
    }),
  );
}

/** All of ORIGINS_NET. */
export const ORIGINS_NET = '10.91.0.0/16';

/** Addresses of so many origins, at most 250 in each network: 10.91.0.1, 10.91.0.2 … */
export function originAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `10.91.${Math.floor(i / 250)}.${(i % 250) + 1}`);
}

/** Does all of it, as many at once as the agent does. */
export async function each<T>(all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  const queue = all.values();
  const work = async (): Promise<void> => {
    for (const one of queue) await run(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
