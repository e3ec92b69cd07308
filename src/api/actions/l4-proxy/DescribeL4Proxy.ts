import type { L4Proxy } from '../../../domain/l4-proxy/l4-proxy.ts';
import { list, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import type { Head } from '../../../store/store.ts';
import { action } from '../../action.ts';
import { defaultsFor } from '../../handling/defaults.ts';
import { findProxy, type Reads, zoneOf } from '../../handling/lookups.ts';
import { filters, pageFields, pageOf, readFilters } from '../../models/Filter.ts';
import { L4_PROXY, showProxy } from '../../models/L4Proxy.ts';
import type { Tx } from '../../handling/transaction.ts';

const FILTERS = ['proxy-id', 'ddos-protection-type'] as const;

export const DescribeL4Proxy = action({
  summary: 'List the Layer 4 proxy instances of a zone.',
  access: 'read',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ...pageFields(),
    Filters: filters(FILTERS),
  },
  response: {
    TotalCount: unsigned('How many instances match.'),
    L4Proxies: list(L4_PROXY, 'The instances.'),
  },
  errors: [
    'InternalError.ProxyServer',
    'InvalidParameterValue',
    'ResourceNotFound',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.NoPermission',
    'UnauthorizedOperation.Unknown',
  ],
  example: {
    title: 'Look up one instance by its ID',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      Offset: 0,
      Limit: 20,
      Filters: [{ Name: 'proxy-id', Values: ['sid-2qwk27xf7j9g'] }],
    },
    response: {
      TotalCount: 1,
      L4Proxies: [
        {
          ZoneId: 'zone-24wjy25v1cwi',
          ProxyId: 'sid-2qwk27xf7j9g',
          ProxyName: 'myproxy',
          Area: 'overseas',
          Cname: 'myproxy.24wjy25v1cwi.edgefour.test',
          Ips: [],
          Status: 'online',
          Ipv6: 'off',
          StaticIp: 'off',
          AccelerateMainland: 'off',
          DDosProtectionConfig: null,
          L4ProxyRuleCount: 1,
          UpdateTime: '2023-09-22T15:31:04+00:00',
        },
      ],
    },
  },
  handle(tx, { ZoneId, Filters, ...page }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const wanted = tx.must(readFilters(Filters, FILTERS));
    const defaults = defaultsFor(tx);
    const { total, proxies } = select(tx, zone.id, wanted, pageOf(page));
    return { TotalCount: total, L4Proxies: proxies.map((proxy) => showProxy(proxy, zone, tx.around, defaults)) };
  },
});

type Wanted = ReadonlyMap<(typeof FILTERS)[number], ReadonlySet<string>>;

/** Reads no more than the answer needs: one page, or the named instances; only a filter by protection reads them all. */
function select(
  tx: Reads & Pick<Tx, 'heads' | 'count'>,
  zone: string,
  wanted: Wanted,
  page: { readonly offset: number; readonly limit: number },
): { readonly total: number; readonly proxies: readonly Head<L4Proxy>[] } {
  const prefix = keys.proxies(zone);
  const ids = wanted.get('proxy-id');
  const levels = wanted.get('ddos-protection-type');
  if (!ids && !levels) return { total: tx.count(prefix), proxies: tx.heads(prefix, page).map(({ value }) => value) };
  const found = ids
    ? [...ids].flatMap((id) => findProxy(tx, zone, id) ?? []).map((proxy) => ({ ...proxy, rules: proxy.rules.length }))
    : tx.heads(prefix).map(({ value }) => value);
  const matching = levels ? found.filter((proxy) => levelsOf(proxy).some((level) => levels.has(level))) : found;
  return { total: matching.length, proxies: matching.slice(page.offset, page.offset + page.limit) };
}

/** wire: the values of `ddos-protection-type` are published nowhere; here they are the levels of the parts of the world. */
function levelsOf({ area, ddos }: Head<L4Proxy>): string[] {
  const mainland = area === 'overseas' ? [] : [ddos?.levelMainland ?? 'PLATFORM'];
  return area === 'mainland' ? mainland : [...mainland, ddos?.levelOverseas ?? 'PLATFORM'];
}
