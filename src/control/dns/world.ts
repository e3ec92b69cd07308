/**
 * The addresses that names of the zone lead to, from the store's records: `<ProxyName>.<zone id without "zone-">.<domain>` is the
 * entry addresses of one instance. Two reads by key per question, never a scan. Decides nothing about DNS (answer.ts
 * does). Made by control's composition root.
 */
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import type { Zone } from '../../domain/zone/zone.ts';
import { type Key, keys, stamped } from '../../store/records.ts';
import type { Store, View } from '../../store/store.ts';
import { EMPTY, type Node } from './answer.ts';
import { nearest } from './nearest.ts';

/** Whether the entry address has left the machines of its site; then it is never answered. */
export type IsLost = (site: string, address: string) => boolean;

interface Found {
  readonly node: Node | undefined;
  /** For the SOA: the revision of the world, in DNS's 32 bits. */
  readonly serial: number;
}

export interface DnsWorld {
  /** The zone served, lower case, without a dot at its end. */
  readonly domain: string;
  /**
   * What stands at a name, given its labels below the domain in lower case. `network` (subnet.ts) is where the asker is.
   * Rejects only when the store does.
   */
  lookup(labels: readonly string[], network: string): Promise<Found>;
}

interface WorldOptions {
  readonly store: Pick<Store, 'read'>;
  readonly domain: string;
  /** The address of this name server; a wildcard address gives none. */
  readonly nameServer: string;
  readonly serves: Serves;
  readonly isLost: IsLost;
}

/** Whether a live edge of the site serves the instance; true while nothing is known yet, so that a start answers with addresses. */
export type Serves = (site: string, proxy: L4Proxy) => boolean;

/** limit: enough to fail over, small enough for one datagram without EDNS. */
const ADDRESSES = 4;
/** Names as the cloud allows them; there are no others. */
const LABEL = /^[a-z0-9-]{1,63}$/;

export function recordWorld(options: WorldOptions): DnsWorld {
  const { store, domain, serves, isLost } = options;
  const own = ownAddress(options.nameServer);

  function at(view: View, labels: readonly string[], network: string): Node | undefined {
    const [first = '', second = ''] = labels;
    if (labels.length === 0) return { ...EMPTY, apex: true };
    if (labels.length > 2 || !labels.every((label) => LABEL.test(label))) return undefined;
    if (labels.length === 1) {
      if (first === 'ns') return own;
      return read(view, keys.zone(`zone-${first}`)) === undefined ? undefined : EMPTY;
    }
    const proxy = read(view, keys.proxy(`zone-${second}`, first));
    const zone = proxy && read(view, keys.zone(proxy.zone));
    return proxy && instance(proxy, zone, { serves, isLost }, network);
  }
  return {
    domain,
    lookup: (labels, network) =>
      store.read((view) => ({ node: at(view, labels, network), serial: view.revision % 0x1_0000_0000 })),
  };
}

/** The entry addresses at sites that serve it; at all of them when none seems to (fail open), but never one that has left its site; none while the instance is off. */
function instance(
  proxy: L4Proxy,
  zone: Pick<Zone, 'paused'> | undefined,
  { serves, isLost }: Pick<WorldOptions, 'serves' | 'isLost'>,
  network: string,
): Node {
  const text = [`id=${proxy.id}`];
  if (proxy.banned || proxy.want === 'offline' || zone?.paused !== false) return { ...EMPTY, text };
  const all = Object.keys(proxy.entries);
  const serving = all.filter((site) => serves(site, proxy));
  const sites = nearest(serving.length > 0 ? serving : all, `${network} ${proxy.id}`);
  const addresses = (family: 'v4' | 'v6'): string[] =>
    sites
      .flatMap((site) => {
        const address = proxy.entries[site]?.[family];
        return address === undefined || isLost(site, address) ? [] : address;
      })
      .slice(0, ADDRESSES);
  return {
    apex: false,
    v4: addresses('v4'),
    v6: proxy.ipv6 === 'on' ? addresses('v6') : [],
    text,
    steered: sites.length > ADDRESSES,
  };
}

function read<T>(view: View, key: Key<T>): T | undefined {
  const stored = view.get(key);
  return stored && stamped<T>(stored);
}

function ownAddress(host: string): Node {
  if (host === '0.0.0.0' || host === '::') return EMPTY;
  return host.includes(':') ? { ...EMPTY, v6: [host] } : { ...EMPTY, v4: [host] };
}
