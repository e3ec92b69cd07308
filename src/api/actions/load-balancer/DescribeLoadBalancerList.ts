import type { LoadBalancer } from '../../../domain/load-balancer/load-balancer.ts';
import { list, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { defaultsFor } from '../../handling/defaults.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { referrersOf } from '../../handling/uses.ts';
import { filters, pageFields, pageOf, readFilters } from '../../models/Filter.ts';
import { LOAD_BALANCER, showBalancer } from '../../models/LoadBalancer.ts';

/** wire: in camel case, unlike the filters of other lists. */
const FILTERS = ['InstanceName', 'InstanceId'] as const;
/** limit: of a page; spec section 17. */
const MOST_SHOWN = 100;

export const DescribeLoadBalancerList = action({
  summary: 'List the load balancers of a zone, with the health of their origins.',
  access: 'read',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ...pageFields(MOST_SHOWN),
    Filters: filters(FILTERS),
  },
  response: {
    TotalCount: unsigned('How many load balancers match.'),
    LoadBalancerList: list(LOAD_BALANCER, 'The load balancers.'),
  },
  errors: ['FailedOperation', 'InvalidParameterValue', 'ResourceNotFound'],
  example: {
    title: 'Look up one load balancer by its ID',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      Offset: 0,
      Limit: 20,
      Filters: [{ Name: 'InstanceId', Values: ['lb-2qwk27xf7j9g'] }],
    },
    response: {
      TotalCount: 1,
      LoadBalancerList: [
        {
          InstanceId: 'lb-2qwk27xf7j9g',
          Name: 'web',
          Type: 'GENERAL',
          HealthChecker: {
            Type: 'TCP',
            Port: 8080,
            Interval: 30,
            Timeout: 5,
            HealthThreshold: 3,
            CriticalThreshold: 2,
            Path: '',
            ExpectedCodes: [],
            Headers: [],
            SendContext: '',
            RecvContext: '',
          },
          SteeringPolicy: 'Pritory',
          FailoverPolicy: 'OtherRecordInOriginGroup',
          OriginGroupHealthStatus: [
            {
              OriginGroupID: 'og-30l5kv5z2bse',
              OriginGroupName: 'web',
              OriginType: 'GENERAL',
              Priority: 'priority_1',
              OriginHealthStatus: [{ Origin: '10.0.0.8', Healthy: 'Undetected' }],
            },
          ],
          Status: 'Running',
          L4UsedList: ['sid-2qwk27xf7j9g'],
          L7UsedList: [],
          References: [
            {
              InstanceType: 'application-proxy',
              InstanceId: 'sid-2qwk27xf7j9g',
              InstanceName: 'myproxy',
              ZoneId: 'zone-24wjy25v1cwi',
              ZoneName: '',
              AliasZoneName: '',
            },
          ],
        },
      ],
    },
  },
  handle(tx, { ZoneId, Filters, ...page }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const wanted = tx.must(readFilters(Filters, FILTERS));
    const names = wanted.get('InstanceName');
    const ids = wanted.get('InstanceId');
    const matching = tx
      .list(keys.loadBalancers(zone.id))
      .map(({ value }) => value)
      .filter(({ id, name }) => ids?.has(id) !== false && names?.has(name) !== false);
    const { offset, limit } = pageOf(page);
    const { acks, health } = tx.around.facts;
    const around = { acks, health, defaults: defaultsFor(tx) };
    const show = (balancer: LoadBalancer) => {
      const groups = new Map(
        balancer.groups.flatMap(({ group: id }) => {
          const group = tx.peek(keys.originGroup(zone.id, id));
          return group ? [[id, group] as const] : [];
        }),
      );
      return showBalancer(balancer, referrersOf(tx, zone.id, balancer.id), zone, { ...around, groups });
    };
    return { TotalCount: matching.length, LoadBalancerList: matching.slice(offset, offset + limit).map(show) };
  },
});
