/** Health of origins where there are none: for tests of what else an edge reports, and as a frame for facts of a test's own. */
import { type HealthReport, type HealthTimes, type OriginFact, TIME_BOUNDS_MS } from '../../src/domain/fact/health.ts';
import type { HealthSource } from '../../src/edge/report/health-sender.ts';
import { Signal } from '../../src/lib/signal.ts';

const none = { counts: [...TIME_BOUNDS_MS, 0].map(() => 0), sumMs: 0 };
export const NO_TIMES: HealthTimes = { probe: none, lag: none, flip: none };

export function quietHealth(): HealthSource {
  const nothing = { keys: () => [], facts: () => [] };
  return {
    checks: { changed: new Signal(), ...nothing },
    origins: { changed: new Signal(), ...nothing },
    failOpen: () => 0,
    times: () => NO_TIMES,
  };
}

export function healthReport(edge: string, site: string, more: Partial<HealthReport> = {}): HealthReport {
  const gone = { checks: [], origins: [] };
  return { edge, site, checks: [], origins: [], gone, failOpen: 0, times: NO_TIMES, ...more };
}

/** Of a balancer's group; its key is what it is called. */
export function originFact(key: string, more: Partial<OriginFact> = {}): OriginFact {
  const names = { key, zone: 'z', origin: key, host: key, group: 'og', check: 'lb' };
  const options = { passive: true, slowStartSeconds: 0 };
  const told = { state: 'up', since: 0, by: 'probe', reason: '', changes: 0, rules: 1, dials: 0 } as const;
  return { ...names, ...options, ...told, ...more };
}
