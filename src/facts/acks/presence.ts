/**
 * Which edges are there, and what each site still serves by them. Reads what acks.ts remembers, and changes nothing: `edges`
 * gives it after a look at who has become silent. Made by acks.ts.
 */
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import type { PresenceReader } from '../readers.ts';
import type { EdgeState, KnownEdges } from './edge-state.ts';

export function presenceOf(edges: () => KnownEdges): PresenceReader {
  return {
    isAlive: (id) => edges().byId.get(id)?.alive === true,
    aliveAt: (site) => [...(edges().sites.get(site)?.alive ?? [])].map(({ id }) => id),
    silent: () => [...edges().silent].map(({ id }) => id),
    get isSilent() {
      const { byId, alive } = edges();
      return byId.size > 0 && alive.size === 0;
    },
    serves(id, proxy) {
      const site = edges().sites.get(id);
      if (!site || site.edges.size === 0) return true;
      for (const edge of site.alive) if (!hasFailed(edge, proxy)) return true;
      return false;
    },
    isLost(id, address) {
      const site = edges().sites.get(id);
      if (!site || site.edges.size === 0) return false;
      for (const { said } of site.alive.size > 0 ? site.alive : site.edges) if (!said.lost.has(address)) return false;
      return true;
    },
  };
}

/** The edge could not apply the instance, or none of the rules that it is to have. */
function hasFailed({ failed }: EdgeState, { id, rules }: Pick<L4Proxy, 'id' | 'rules'>): boolean {
  if (failed.size === 0) return false;
  const wanted = rules.filter(({ want }) => want === 'online');
  return failed.has(id) || (wanted.length > 0 && wanted.every((rule) => failed.has(rule.id)));
}
