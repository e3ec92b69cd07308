/**
 * Addresses and ports of the rules that this machine last served, read from the edge's own copy of its world without writing
 * to it: firewall and other programs are compared with them. Without a copy any rule may come, and only addresses are known.
 */
import type { Config } from '../../config/read.ts';
import { dataFolder } from '../../config/data-folder.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import type { Packet, Place } from './firewall.ts';

/** limit: a look at the firewall for each; of more rules than this the rest is like the first. */
const MOST_PLACES = 2_000;

export async function lastRules(config: Config): Promise<readonly PlannedRule[]> {
  const [{ listGenerations, readGeneration }, { Planner }, { join }] = await Promise.all([
    import('../last-good/generation.ts'),
    import('../../plan/planner.ts'),
    import('node:path'),
  ]);
  for (const generation of await listGenerations(join(dataFolder(config.data).edge, 'world'))) {
    const found = await readGeneration(generation);
    if (typeof found === 'string') continue;
    const { records } = found.replica;
    const planner = new Planner({ id: config.site, records: config.records }, (key) => records.get(key)?.value);
    planner.reset(records.keys());
    return [...planner.plan.rules.values()];
  }
  return [];
}

/** `networks`: the entry addresses that there are. `mayLead`: the kernel engine may get rules. */
export function placesOf(
  rules: readonly PlannedRule[],
  networks: readonly string[],
  mayLead: boolean,
): readonly Place[] {
  const places = rules.length > 0 ? rules.flatMap((rule) => ofRule(rule)).slice(0, MOST_PLACES) : networks.map(ofAny);
  return places.map(({ after, ...place }) =>
    after && mayLead && !place.before.isLoopback ? { ...place, after } : place,
  );
}

function ofAny(network: string): Place {
  const isLoopback = isLoop(network);
  const family = network.includes(':') ? 6 : 4;
  const before: Packet = { to: network, isLoopback, isLed: false };
  return { rule: '', family, before, after: { isLoopback, isLed: true } };
}

function isLoop(network: string): boolean {
  return network === '::1' || network.startsWith('127.');
}

function ofRule({ id, protocol, entries, ports, origins, originPorts }: PlannedRule): Place[] {
  const [origin] = origins;
  const host = origin && /^[\d.]+$|:/.test(origin.host) ? { to: origin.host } : {};
  return entries.map((to) => {
    const isLoopback = isLoop(to);
    return {
      rule: id,
      family: to.includes(':') ? 6 : 4,
      before: { protocol, to, ports, isLoopback, isLed: false },
      after: { protocol, ...host, ports: [originPorts], isLoopback, isLed: true },
    };
  });
}
