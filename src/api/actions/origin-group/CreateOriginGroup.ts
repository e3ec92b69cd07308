import { createGroup, MOST_GROUPS } from '../../../domain/origin-group/change.ts';
import { optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { groupTools, putGroup } from '../../handling/origin-groups.ts';
import { GROUP_NAME, GROUP_TYPE, HOST_HEADER, readRecords, SENT_RECORDS } from '../../models/OriginGroup.ts';

export const CreateOriginGroup = action({
  summary: 'Create an origin group: origins with weights, for L4 rules and load balancers.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    Name: optional(GROUP_NAME),
    Type: GROUP_TYPE,
    Records: SENT_RECORDS,
    HostHeader: optional(HOST_HEADER),
  },
  response: { OriginGroupId: string('ID of the new group.') },
  errors: [
    'FailedOperation',
    'InternalError.ConfigLocked',
    'InvalidParameter.HostHeaderInvalid',
    'InvalidParameter.InvalidAwsRegion',
    'InvalidParameter.InvalidOriginGroupType',
    'InvalidParameter.InvalidOriginIp',
    'InvalidParameter.OriginNameExists',
    'InvalidParameter.OriginRecordFormatError',
    'InvalidParameter.OriginRecordWeightValue',
    'InvalidParameter.OriginThirdPartyParamFormatError',
    'LimitExceeded',
    'OperationDenied',
    'OperationDenied.ConfigLocked',
    'OperationDenied.LoadBalancingZoneIsNotActive',
    'ResourceNotFound',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.NoPermission',
  ],
  example: {
    title: 'Create a group of two origins, one of which takes three quarters',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      Name: 'web',
      Type: 'GENERAL',
      Records: [
        { Record: '10.0.0.8', Weight: 75 },
        { Record: '10.0.0.9', Weight: 25 },
      ],
    },
    response: { OriginGroupId: 'og-30l5kv5z2bse' },
  },
  handle(tx, { ZoneId, Name: name = '', Type: type, Records, HostHeader: hostHeader = '' }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    if (zone.paused) throw tx.refuse('OperationDenied.LoadBalancingZoneIsNotActive', `Enable zone ${zone.id} first.`);
    // Not guarded: calls at one moment may go over by a few, which harms nobody.
    if (tx.count(keys.originGroups(zone.id)) >= MOST_GROUPS)
      throw tx.refuse('LimitExceeded', `Zone ${zone.id} has ${MOST_GROUPS} origin groups.`);
    const wish = { id: tx.id('og'), zone: zone.id, name, type, hostHeader };
    const made = tx.must(createGroup(wish, readRecords(Records), groupTools(tx)));
    tx.must(putGroup(tx, made));
    return { OriginGroupId: made.group.id };
  },
});
