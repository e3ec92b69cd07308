/**
 * Waits until an instance and its rules are no longer on their way to a state, telling a person how it goes. Used by
 * `edgefour api … --wait`.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Client } from './api-client.ts';
import { tell } from '../output.ts';
import { statusPage } from './status.ts';

const LOOK_EVERY_MS = 100;
const TELL_EVERY_MS = 1_000;
const ON_ITS_WAY = new Set(['progress', 'stopping']);

interface Item {
  readonly Status: string;
  readonly ProxyId?: string;
  readonly RuleId?: string;
}

/** Resolves with those that ended as `fail`; with everything still on its way when the time is up. */
export async function settled(
  client: Client,
  zoneId: string,
  proxyId: string,
  clock: Clock,
  forMs: number,
): Promise<Item[]> {
  const since = clock.monotonic();
  let told = since;
  for (;;) {
    const items = await look(client, zoneId, proxyId);
    const moving = items.filter(({ Status }) => ON_ITS_WAY.has(Status));
    const now = clock.monotonic();
    if (moving.length === 0) return items.filter(({ Status }) => Status === 'fail');
    if (now - since > forMs) return moving;
    if (now - told >= TELL_EVERY_MS) {
      told = now;
      const why = await reasons(client, zoneId, proxyId);
      tell(
        [
          `waiting (${Math.round((now - since) / 1_000)} s): ${moving.length} of ${items.length} in progress`,
          ...why,
        ].join('; '),
      );
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/** Says what stands in the way, as status does; nothing where this key may not ask for that. */
export async function reasons(client: Client, ZoneId: string, ProxyId: string): Promise<string[]> {
  const asked = statusPage(client, { ZoneId, ProxyId });
  const { Edges, Instances } = await asked.catch(() => ({ Edges: [], Instances: [] }));
  const notes = Instances.flatMap(({ Notes, Failures }) => [...Notes, ...Failures]);
  if (Edges.some(({ Alive }) => Alive)) return notes;
  return notes.length > 0 ? notes : Edges.map(({ EdgeId, SeenTime }) => `edge ${EdgeId} is silent since ${SeenTime}`);
}

async function look(client: Client, ZoneId: string, proxyId: string): Promise<Item[]> {
  const Filters = [{ Name: 'proxy-id', Values: [proxyId] }];
  const { L4Proxies } = await client.call<{ L4Proxies: Item[] }>('DescribeL4Proxy', { ZoneId, Filters });
  const page = { ZoneId, ProxyId: proxyId, Offset: 0, Limit: 1_000 };
  const { L4ProxyRules } = await client.call<{ L4ProxyRules: Item[] }>('DescribeL4ProxyRules', page);
  return [...L4Proxies, ...L4ProxyRules];
}
