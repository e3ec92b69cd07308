import type { L4Proxy } from '../../../domain/l4-proxy/l4-proxy.ts';
import type { L4Rule } from '../../../domain/l4-rule/l4-rule.ts';
import type { Stamp } from '../../../domain/stamp.ts';
import type { Zone } from '../../../domain/zone/zone.ts';
import { list, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { findProxy, originsChanged, type Reads, zoneOf } from '../../handling/lookups.ts';
import type { OriginView } from '../../handling/origin-views.ts';
import { ruleOrigins } from '../../handling/rule-origins.ts';
import { EDGE_STATUS, INSTANCE_STATUS, showEdge, showInstance } from '../../models/EdgeFourStatus.ts';
import { MOST_LIMIT, pageOf } from '../../models/Filter.ts';
import type { Tx } from '../../handling/transaction.ts';
import { zonesSeen } from '../../handling/zones.ts';

export const EdgeFourDescribeStatus = action({
  summary: 'Show how things really are: edges, instances, and for each rule its engine, why this one, and failures.',
  access: 'read',
  touches: 'seen',
  service: 'edgefour',
  request: {
    ZoneId: optional(string('Zone ID; not sent, all zones of the account.')),
    ProxyId: optional(string('L4 proxy instance ID; not sent, all instances.')),
    Offset: optional(unsigned('How many instances to skip; default 0.')),
    Limit: optional(unsigned('How many instances to return; default 20, at most 1000.', { max: MOST_LIMIT })),
  },
  response: {
    Alarms: list(string('One alarm.'), 'What is wrong with control itself: why nothing can be changed.'),
    Edges: list(EDGE_STATUS, 'The edges.'),
    TotalCount: unsigned('How many instances there are.'),
    Instances: list(INSTANCE_STATUS, 'The instances.'),
  },
  errors: ['ResourceNotFound'],
  example: {
    title: 'The status of one instance',
    request: { ProxyId: 'sid-2qwk27xf7j9g' },
    response: {
      Alarms: [],
      Edges: [
        {
          EdgeId: 'edge-local',
          Site: 'local',
          Alive: true,
          AppliedRevision: 17,
          SeenTime: '2026-01-31T08:00:00+00:00',
          Version: '0.1.0',
          Engines: ['node'],
          Alarms: [],
        },
      ],
      TotalCount: 1,
      Instances: [
        {
          ZoneId: 'zone-24wjy25v1cwi',
          ProxyId: 'sid-2qwk27xf7j9g',
          ProxyName: 'myproxy',
          Area: 'overseas',
          Status: 'online',
          Want: 'online',
          Entries: [{ Site: 'local', Addresses: ['127.44.12.34'] }],
          Notes: ['no IPv6 entry address at site local'],
          Failures: [],
          Rules: [
            {
              RuleId: 'rule-2qzkbvx3hxl1',
              RuleTag: 'web',
              Protocol: 'TCP',
              PortRange: ['80'],
              OriginValue: ['10.0.0.8'],
              OriginPortRange: '8080',
              ClientIPPassThroughMode: 'PPV2',
              Options: {},
              Status: 'online',
              Want: 'online',
              Placements: [
                { EdgeId: 'edge-local', Engine: 'node', Why: 'the only engine here', Failure: '', Unresolved: [] },
              ],
              Failures: [],
            },
          ],
        },
      ],
    },
  },
  handle(tx, { ZoneId, ProxyId, ...page }) {
    const zones = ZoneId === undefined ? zonesSeen(tx) : [tx.must(zoneOf(tx, ZoneId))];
    const { total, proxies } = ProxyId === undefined ? paged(tx, zones, pageOf(page)) : named(tx, zones, ProxyId);
    if (ProxyId !== undefined && total === 0) throw tx.refuse('ResourceNotFound', `There is no L4 proxy ${ProxyId}.`);
    const sites = tx.list(keys.sites()).map(({ value }) => value);
    const edges = tx.around.facts.acks.edges();
    const origins = ruleOrigins(tx);
    const bySite = Map.groupBy(edges, ({ site }) => site);
    return {
      Alarms: [...tx.around.alarms()],
      Edges: edges.map(showEdge),
      TotalCount: total,
      Instances: proxies.map(({ proxy, zone }) => {
        const changed = (rule: L4Rule): Stamp => originsChanged(tx, zone.id, rule);
        const of = (rule: L4Rule): OriginView[] => origins(zone.id, rule);
        return showInstance(proxy, zone, sites, bySite, tx.around, { changed, of });
      }),
    };
  },
});

type Lists = Reads & Pick<Tx, 'list' | 'count'>;
interface Selection {
  readonly total: number;
  readonly proxies: readonly { readonly proxy: L4Proxy; readonly zone: Zone }[];
}

function named(tx: Lists, zones: readonly Zone[], id: string): Selection {
  const proxies = zones.flatMap((zone) => {
    const proxy = findProxy(tx, zone.id, id);
    return proxy ? [{ proxy, zone }] : [];
  });
  return { total: proxies.length, proxies };
}

/** Goes through the zones by their counts, so that only the records of the page are read. */
function paged(
  tx: Lists,
  zones: readonly Zone[],
  page: { readonly offset: number; readonly limit: number },
): Selection {
  let total = 0;
  const proxies: { proxy: L4Proxy; zone: Zone }[] = [];
  for (const zone of zones) {
    const prefix = keys.proxies(zone.id);
    const count = tx.count(prefix);
    const offset = Math.max(0, page.offset - total);
    const limit = page.limit - proxies.length;
    if (offset < count && limit > 0)
      proxies.push(...tx.list(prefix, { offset, limit }).map(({ value: proxy }) => ({ proxy, zone })));
    total += count;
  }
  return { total, proxies };
}
