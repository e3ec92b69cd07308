/**
 * Response rate limiting: how many datagrams one network gets per second, so that forged questions cannot flood a
 * victim through this server. Of the answers over the budget every second one goes out truncated (a real asker then comes
 * over TCP), the others not at all. Pure but for the clock; memory is bounded. Called by udp.ts.
 */
import { BUDGETS } from '../../config/budgets.ts';
import type { Clock } from '../../lib/clock.ts';

/** `unknown`: truncated as well, because no more networks are counted. */
type Verdict = 'answer' | 'truncate' | 'drop' | 'unknown';

export interface ResponseLimit {
  judge(network: string): Verdict;
}

const NETWORKS = BUDGETS['dns-udp-networks'].most;

export function createResponseLimit(perSecond: number, clock: Pick<Clock, 'monotonic'>): ResponseLimit {
  if (perSecond === 0) return { judge: () => 'answer' };
  let second = -1;
  const spent = new Map<string, number>();
  return {
    judge(network) {
      const now = Math.floor(clock.monotonic() / 1000);
      if (now !== second) spent.clear();
      second = now;
      if (spent.size >= NETWORKS && !spent.has(network)) return 'unknown';
      const count = (spent.get(network) ?? 0) + 1;
      spent.set(network, count);
      if (count <= perSecond) return 'answer';
      return (count - perSecond) % 2 === 1 ? 'truncate' : 'drop';
    },
  };
}
