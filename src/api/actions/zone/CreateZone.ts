import { newZone, ZONE_AREAS } from '../../../domain/zone/change.ts';
import { proofOf } from '../../../domain/zone/ownership.ts';
import { checkedTags } from '../../../domain/zone/tags.ts';
import { boolean, nullable, oneOf, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { OWNERSHIP_VERIFICATION, showProof } from '../../models/OwnershipVerification.ts';
import { readTags, TAGS } from '../../models/Tag.ts';
import { claimName, planToBind } from '../../handling/zones.ts';

export const CreateZone = action({
  summary: 'Create a zone: what L4 proxies belong to. One of type noDomainAccess needs no domain.',
  access: 'write',
  touches: 'account',
  request: {
    Type: optional(
      oneOf(['partial', 'full', 'noDomainAccess', 'dnsPodAccess', 'ai'], 'Access type; default partial.', {
        emptyIsAbsent: true,
      }),
    ),
    ZoneName: optional(string('Domain such as example.com; empty where Type is noDomainAccess.')),
    Area: optional(oneOf(ZONE_AREAS, 'Acceleration area; default overseas.', { emptyIsAbsent: true })),
    PlanId: optional(string('Plan to bind the zone to. Without one it is initializing and runs nothing.')),
    AliasZoneName: optional(string('Tells zones of one name apart: up to 200 of 0-9, A-Z, a-z, `.`, `-` and `_`.')),
    Tags: optional(TAGS),
    AllowDuplicates: optional(boolean('Deprecated; ignored.')),
    JumpStart: optional(boolean('Deprecated; ignored.')),
  },
  response: {
    ZoneId: string('Zone ID.'),
    OwnershipVerification: nullable(OWNERSHIP_VERIFICATION),
  },
  errors: [
    'InvalidParameter.LengthExceedsLimit',
    'InvalidParameter.PlanNotFound',
    'InvalidParameterValue',
    'InvalidParameterValue.InvalidTagValue',
    'InvalidParameterValue.TopLevelDomainNotSupport',
    'InvalidParameterValue.ZoneNameInvalid',
    'InvalidParameterValue.ZoneNameNotSupportPunyCode',
    'InvalidParameterValue.ZoneNameNotSupportSubDomain',
    'InvalidParameterValue.ZoneSameAsName',
    'LimitExceeded.ZoneBindPlan',
    'OperationDenied',
    'ResourceInUse.Cname',
    'ResourceInUse.NS',
    'ResourceInUse.OthersCname',
    'ResourceInUse.OthersNS',
    'ResourceNotFound.DNSPodDomainNotInAccount',
  ],
  example: {
    title: 'Create a zone without a domain on a plan',
    request: { Type: 'noDomainAccess', PlanId: 'edgeone-enterprise01' },
    response: { ZoneId: 'zone-3kq782jghthh', OwnershipVerification: null },
  },
  handle(tx, { Type = 'partial', ZoneName = '', Area, PlanId, AliasZoneName = '', Tags }) {
    const plan = PlanId ? tx.must(planToBind(tx, PlanId, 'LimitExceeded.ZoneBindPlan')) : undefined;
    const { account } = tx.caller;
    const tags = tx.must(checkedTags(readTags(Tags)));
    const asked = { id: tx.id('zone'), account, name: ZoneName, alias: AliasZoneName, type: Type, tags };
    const zone = tx.must(newZone({ ...asked, area: Area, plan }, tx.now));
    tx.must(claimName(tx, zone));
    tx.put(keys.zone(zone.id), zone);
    return { ZoneId: zone.id, OwnershipVerification: showProof(proofOf(zone)) };
  },
});
