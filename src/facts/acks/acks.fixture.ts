/** Acks in a world of three sites, on a clock of the test. */
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { Ack } from '../../domain/fact/ack.ts';
import { Acks } from './acks.ts';

const SITES = { paris: ['overseas'], beijing: ['mainland'], tokyo: ['overseas', 'mainland'] } as const;

export function world(clock = new ManualClock(), acks = new Acks(clock)) {
  for (const [id, areas] of Object.entries(SITES)) acks.site(id, areas);
  const ack = (edge: string, site: string, applied: number, more: Partial<Ack> = {}) =>
    acks.report({
      edge,
      site,
      version: '1',
      applied,
      failed: [],
      placed: [],
      fresh: false,
      engines: [],
      alarms: [],
      ...more,
    });
  const join = (edge: string, site: string) => acks.heard({ edge, site, version: '1' });
  /** Time in which these edges, all of paris, go on saying that they are there. */
  async function pass(ms: number, ...edges: string[]): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      for (const edge of edges) acks.heard({ edge, site: 'paris', version: '1' });
      await clock.advance(Math.min(left, 1_000));
    }
  }
  return { clock, acks, ack, join, pass };
}
