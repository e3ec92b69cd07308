/**
 * Binds what a rule is to listen on and does not yet: sockets that the previous process handed over first, else new ones;
 * all of them or none. It refuses to close what the rule no longer needs: workers do. Called by uring-engine.ts.
 */
import type { Inherited } from '../../../handoff/inherited.ts';
import { isHeldByUs } from '../../../linux/udp-holders.ts';
import { bindReason } from '../../flow/causes.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import type { Ranges } from '../steer/ranges.ts';
import { inheritPoint } from './inherited-sockets.ts';
import { closeAll, openPoint, MOST_PORTS_IN_ALL_WORKERS } from './listening-sockets.ts';
import type { BoundPoint } from './listening-sockets.ts';

/** limit: the rest of the descriptors is for connections. */
const MOST_LISTENING = 3 / 4;

export interface Binding {
  readonly ranges: Ranges;
  readonly inherited: Inherited | undefined;
  readonly workers: number;
  /** Of all workers together. */
  readonly descriptors: number;
}

/** Adds to `points` what is wanted and not there. The reason, in words, if one point cannot be had; then `points` is as before. */
export function bindMissing(
  rule: string,
  points: Map<string, BoundPoint>,
  wanted: ReadonlyMap<string, BindPoint>,
  { ranges, inherited, workers, descriptors }: Binding,
  boundInWideRanges: number,
): string | undefined {
  const missing = [...wanted.values()].filter(({ key }) => !points.has(key));
  const isWide = wanted.size > MOST_PORTS_IN_ALL_WORKERS;
  if (isWide) {
    const unbound = missing.filter(({ key }) => !inherited?.has(key));
    const room = Math.max(0, Math.floor(descriptors * MOST_LISTENING) - boundInWideRanges);
    const tooMany = whyTooMany(unbound, room, descriptors, () => ranges.lacking);
    if (tooMany !== undefined) return tooMany;
  }
  const made: BoundPoint[] = [];
  for (const [i, point] of missing.entries()) {
    const only = isWide ? i % workers : undefined;
    const steered = ranges.whySteered(rule, point);
    const fds = steered ?? inheritPoint(point, inherited, workers, only) ?? openPoint(point, workers, only);
    if (typeof fds === 'string') {
      for (const { fds } of made) closeAll(fds);
      return steered ?? bindReason(fds, point, wanted.size, isHeldByUs);
    }
    made.push({ point, fds });
  }
  for (const bound of made) points.set(bound.point.key, bound);
  return undefined;
}

/** Why these sockets are more than there is room for, in words. `whyNotOne`: why one socket cannot take them all. Pure. */
export function whyTooMany(
  missing: readonly BindPoint[],
  room: number,
  descriptors: number,
  whyNotOne: () => string | undefined,
): string | undefined {
  const first = missing[0];
  const last = missing.at(-1);
  if (!first || !last || missing.length <= room) return undefined;
  const what = `${first.protocol} ports ${first.port} to ${last.port}: ${missing.length} sockets are needed, ${room} fit`;
  const raise = `${what} (of ${descriptors} descriptors). Raise the limit of open files (LimitNOFILE, ulimit -Hn)`;
  const why = first.protocol === 'TCP' ? whyNotOne() : undefined;
  return why === undefined ? raise : `${raise}, or give CAP_BPF and CAP_NET_ADMIN: then one socket does (now: ${why})`;
}
