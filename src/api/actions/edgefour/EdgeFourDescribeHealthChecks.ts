import { list, object, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { OWN_HEALTH_CHECKER, showOwnChecker } from '../../models/EdgeFourHealthChecker.ts';
import { pageFields, pageOf } from '../../models/Filter.ts';

const HEALTH_CHECK = object(
  {
    OriginGroupId: optional(string('Origin group ID, where the check is of a group.')),
    LoadBalancerId: optional(string('Load balancer ID, where it is of a load balancer.')),
    Checker: OWN_HEALTH_CHECKER,
  },
  'A check.',
);

export const EdgeFourDescribeHealthChecks = action({
  summary: 'List the checks that origin groups and load balancers of a zone have of their own, as they were set.',
  access: 'read',
  touches: 'zone',
  service: 'edgefour',
  request: { ZoneId: string('Zone ID.'), ...pageFields() },
  response: {
    TotalCount: unsigned('How many there are.'),
    HealthChecks: list(
      HEALTH_CHECK,
      'The checks, those of load balancers first. EdgeFourDescribeStatus has those of rules.',
    ),
  },
  errors: ['ResourceNotFound'],
  example: {
    title: 'The checks of a zone',
    request: { ZoneId: 'zone-24wjy25v1cwi' },
    response: {
      TotalCount: 1,
      HealthChecks: [
        {
          OriginGroupId: 'og-30l5kv5z2bse',
          Checker: { Type: 'TCP', Port: 6379, Interval: 10, Send: 'PING\r\n', Expect: '+PONG' },
        },
      ],
    },
  },
  handle(tx, { ZoneId, ...page }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const checks = [
      ...tx.list(keys.loadBalancers(zone.id)).map(({ value: { id, checker } }) => ({ LoadBalancerId: id, checker })),
      ...tx.list(keys.originGroups(zone.id)).map(({ value: { id, checker } }) => ({ OriginGroupId: id, checker })),
    ].flatMap(({ checker, ...owner }) => (checker ? { ...owner, Checker: showOwnChecker(checker) } : []));
    const { offset, limit } = pageOf(page);
    return { TotalCount: checks.length, HealthChecks: checks.slice(offset, offset + limit) };
  },
});
