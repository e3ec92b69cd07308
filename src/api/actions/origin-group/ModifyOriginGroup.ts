import { changeGroup } from '../../../domain/origin-group/change.ts';
import { generalFault, l4UseFault } from '../../../domain/origin-group/check.ts';
import { optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { groupOf, openZoneOf } from '../../handling/lookups.ts';
import { groupTools, NO_SECRETS, putGroup } from '../../handling/origin-groups.ts';
import { unsteadyOnGroup } from '../../handling/steady.ts';
import { groupUsersOf } from '../../handling/uses.ts';
import { GROUP_NAME, GROUP_TYPE, HOST_HEADER, readRecords, SENT_RECORDS } from '../../models/OriginGroup.ts';

export const ModifyOriginGroup = action({
  summary: 'Change an origin group. Rules on it follow; their connections to origins that stay are kept.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    GroupId: string('Origin group ID.'),
    Name: optional(GROUP_NAME),
    Type: optional({ ...GROUP_TYPE, emptyIsAbsent: true }),
    Records: optional(SENT_RECORDS),
    HostHeader: optional(HOST_HEADER),
  },
  response: {},
  errors: [
    'FailedOperation',
    'InvalidParameter.HostHeaderInvalid',
    'InvalidParameter.InvalidAwsRegion',
    'InvalidParameter.InvalidOriginGroupType',
    'InvalidParameter.InvalidOriginIp',
    'InvalidParameter.OriginL4RecordIPV4MixDomain',
    'InvalidParameter.OriginL4RecordMultiDomain',
    'InvalidParameter.OriginNameExists',
    'InvalidParameter.OriginRecordFormatError',
    'InvalidParameter.OriginRecordWeightValue',
    'InvalidParameter.OriginThirdPartyParamFormatError',
    'OperationDenied',
    'OperationDenied.AccelerationDomainStatusNotInOnline',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'OperationDenied.L4StatusNotInOnline',
    'OperationDenied.LoadBalanceStatusNotInOnline',
    'ResourceNotFound',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.Unknown',
  ],
  example: {
    title: 'Replace the origins of a group',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      GroupId: 'og-30l5kv5z2bse',
      Records: [{ Record: '10.0.0.9' }, { Record: '10.0.0.10' }],
    },
    response: {},
  },
  handle(tx, { ZoneId, GroupId, Name, Type, Records, HostHeader }) {
    const zone = tx.must(openZoneOf(tx, ZoneId));
    const group = tx.must(groupOf(tx, zone.id, GroupId));
    const secrets = tx.get(keys.originSecrets(zone.id, group.id)) ?? NO_SECRETS;
    const change = {
      // wire: "" is what Terraform sends for a name that its user left out; a group does not lose its name by it.
      ...(Name && { name: Name }),
      ...(Type && { type: Type }),
      ...(HostHeader !== undefined && { hostHeader: HostHeader }),
      ...(Records && { records: readRecords(Records) }),
    };
    const before = { group, secrets };
    const next = tx.must(changeGroup(before, change, groupTools(tx)));
    if (next === before) return {};
    const users = groupUsersOf(tx, zone.id, group.id);
    tx.must(unsteadyOnGroup(tx, zone, users));
    for (const { id, type } of users.balancers) if (type === 'GENERAL') tx.must(generalFault(next.group.type, id));
    for (const { id } of users.proxies) tx.must(l4UseFault(next.group, id));
    tx.must(putGroup(tx, next, group));
    return {};
  },
});
