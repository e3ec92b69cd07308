import { string } from '../../../shape/shape.ts';
import { action } from '../../action.ts';
import { groupOf, zoneOf } from '../../handling/lookups.ts';
import { deleteGroup } from '../../handling/origin-groups.ts';
import { usersOf } from '../../handling/uses.ts';

const USED = {
  'l4-proxy': 'OperationDenied.OriginGroupL4Used',
  'load-balancer': 'OperationDenied.OriginGroupLBUsed',
} as const;

export const DeleteOriginGroup = action({
  summary: 'Delete an origin group that no rule and no load balancer uses.',
  access: 'write',
  touches: 'zone',
  request: { ZoneId: string('Zone ID.'), GroupId: string('Origin group ID.') },
  response: {},
  errors: [
    'FailedOperation',
    'OperationDenied',
    'OperationDenied.OriginGroupAccelerationDomainUsed',
    'OperationDenied.OriginGroupL4Used',
    'OperationDenied.OriginGroupLBUsed',
    'OperationDenied.OriginGroupRuleEngineUsed',
    'ResourceNotFound',
    'UnauthorizedOperation.CamUnauthorized',
  ],
  example: {
    title: 'Delete a group',
    request: { ZoneId: 'zone-24wjy25v1cwi', GroupId: 'og-30l5kv5z2bse' },
    response: {},
  },
  handle(tx, { ZoneId, GroupId }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const group = tx.must(groupOf(tx, zone.id, GroupId));
    const [user] = usersOf(tx, group.id);
    if (user) throw tx.refuse(USED[user.kind], `${user.id} uses ${group.id}.`);
    deleteGroup(tx, group);
    return {};
  },
});
