import { changeZone, ZONE_AREAS } from '../../../domain/zone/change.ts';
import { oneOf, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { readVanity, VANITY_NAME_SERVERS } from '../../models/Zone.ts';
import { claimName } from '../../handling/zones.ts';

export const ModifyZone = action({
  summary: 'Change the access type, area, alias or name servers of a zone. What is absent stays.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    Type: optional(
      oneOf(
        ['full', 'partial', 'dnsPodAccess', 'noDomainAccess', 'ai', 'pages'],
        'Access type. A zone without a domain can become partial.',
        { emptyIsAbsent: true },
      ),
    ),
    VanityNameServers: optional(VANITY_NAME_SERVERS),
    AliasZoneName: optional(string('Tells zones of one name apart: up to 200 of 0-9, A-Z, a-z, `.`, `-` and `_`.')),
    Area: optional(oneOf(ZONE_AREAS, 'Acceleration area.', { emptyIsAbsent: true })),
    ZoneName: optional(string('Domain, where a zone without one becomes partial.')),
  },
  response: {},
  errors: [
    'InvalidParameter.LengthExceedsLimit',
    'InvalidParameter.ZoneNameIsRequired',
    'InvalidParameterValue',
    'InvalidParameterValue.TopLevelDomainNotSupport',
    'InvalidParameterValue.ZoneNameInvalid',
    'InvalidParameterValue.ZoneNameNotSupportPunyCode',
    'InvalidParameterValue.ZoneNameNotSupportSubDomain',
    'InvalidParameterValue.ZoneSameAsName',
    'OperationDenied',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'OperationDenied.NoDomainAccessZoneOnlyAllowModifiedToCNAME',
    'OperationDenied.NoDomainAccessZoneOnlySupportModifyAreaAndAliasZoneName',
    'OperationDenied.NoDomainAccessZoneOnlySupportModifyType',
    'OperationDenied.PlanNotSupportModifyZoneArea',
    'ResourceInUse.Cname',
    'ResourceInUse.NS',
    'ResourceInUse.OthersCname',
    'ResourceInUse.OthersNS',
    'ResourceNotFound',
    'ResourceNotFound.DNSPodDomainNotInAccount',
  ],
  example: {
    title: 'Give a zone without a domain an alias',
    request: { ZoneId: 'zone-3kq782jghthh', AliasZoneName: 'games' },
    response: {},
  },
  handle(tx, { ZoneId, Type: type, ZoneName: name, AliasZoneName: alias, Area: area, VanityNameServers: vanity }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const plan = zone.planId === undefined ? undefined : tx.get(keys.plan(zone.planId));
    const vanityNameServers = vanity && readVanity(vanity);
    const changed = tx.must(changeZone(zone, { type, name, alias, area, vanityNameServers }, plan, tx.now));
    if (changed === zone) return {};
    tx.must(claimName(tx, changed));
    tx.put(keys.zone(zone.id), changed);
    return {};
  },
});
