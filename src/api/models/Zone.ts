/** The cloud's Zone, as DescribeZones shows it. */
import { proofOf } from '../../domain/zone/ownership.ts';
import { planStatus } from '../../domain/zone/plan.ts';
import { type ActiveStatus, cnameStatus, ZONE_STATUSES, zoneStatus } from '../../domain/zone/status.ts';
import { type Plan, type Zone, ZONE_TYPES } from '../../domain/zone/zone.ts';
import { cloudTime } from '../../shape/time.ts';
import {
  boolean,
  type Infer,
  integer,
  list,
  nullable,
  object,
  oneOf,
  onOff,
  optional,
  string,
} from '../../shape/shape.ts';
import { OWNERSHIP_VERIFICATION, showProof } from './OwnershipVerification.ts';
import { RESOURCE } from './Resource.ts';
import { showTags, TAGS } from './Tag.ts';

export const VANITY_NAME_SERVERS = object(
  {
    Switch: onOff('Whether the zone has name servers of its own name.'),
    Servers: optional(list(string('Name server.'), 'Name servers.')),
  },
  'Name servers of the own name.',
);
type VanityNameServers = Infer<typeof VANITY_NAME_SERVERS.fields>;
const VANITY_IPS = list(
  object({ Name: string('Name server.'), IPv4: string('Its IPv4 address.') }, 'A name server and its address.'),
  'Addresses of the name servers of the own name.',
);
const NAME_SERVERS = list(string('Name server.'), 'Name servers to move to.');
const OLD_SERVERS = list(string('Name server.'), 'Name servers the domain uses now.');
const FAKE = integer('Whether another zone has the same name: 0 or 1.');
const SPEED_UP = oneOf(['enabled', 'disabled'], 'CNAME acceleration.');

const NS_DETAIL = object(
  {
    CnameSpeedUp: SPEED_UP,
    IsFake: FAKE,
    OwnershipVerification: nullable(OWNERSHIP_VERIFICATION),
    OriginalNameServers: OLD_SERVERS,
    NameServers: NAME_SERVERS,
    VanityNameServers: VANITY_NAME_SERVERS,
    VanityNameServersIps: VANITY_IPS,
  },
  'A zone with NS access.',
);
const CNAME_DETAIL = object(
  { IsFake: FAKE, OwnershipVerification: nullable(OWNERSHIP_VERIFICATION) },
  'A zone with CNAME access.',
);
const WORK_MODE = object(
  { ConfigGroupType: string('Configuration group.'), WorkMode: string('How changes of it take effect.') },
  'How changes of a configuration group take effect.',
);
/** The cloud's configuration groups, all of them L7. */
const GROUPS = ['l7_acceleration', 'edge_functions', 'web_security'] as const;

export const ZONE = object(
  {
    ZoneId: string('Zone ID.'),
    ZoneName: string('Domain of the zone; empty where it has none.'),
    AliasZoneName: string('What tells zones of one name apart.'),
    Area: string('Acceleration area; empty where none was given to a zone without a domain.'),
    Type: oneOf(ZONE_TYPES, 'Access type.'),
    Tags: TAGS,
    Resources: list(RESOURCE, 'The plan, as the cloud bills it.'),
    NSDetail: nullable(NS_DETAIL),
    CNAMEDetail: nullable(CNAME_DETAIL),
    DNSPodDetail: nullable(object({ IsFake: FAKE }, 'A zone hosted by DNSPod.')),
    CreatedOn: string('When it was created.', { format: 'time' }),
    ModifiedOn: string('When it last changed.', { format: 'time' }),
    Status: oneOf(ZONE_STATUSES, 'Whether the name servers were moved.'),
    CnameStatus: oneOf(['finished', 'pending'], 'Whether ownership is proved.'),
    ActiveStatus: oneOf(['active', 'inactive', 'paused'], 'Whether the zone works.'),
    LockStatus: oneOf(['enable', 'disable', 'plan_migrate'], 'Whether it can be changed.'),
    Paused: boolean('Whether it is disabled.'),
    IsFake: FAKE,
    CnameSpeedUp: SPEED_UP,
    OwnershipVerification: nullable(OWNERSHIP_VERIFICATION),
    OriginalNameServers: OLD_SERVERS,
    NameServers: NAME_SERVERS,
    VanityNameServers: nullable(VANITY_NAME_SERVERS),
    VanityNameServersIps: VANITY_IPS,
    WorkModeInfos: list(WORK_MODE, 'How changes take effect.'),
  },
  'A zone.',
);

/** `plan` with the number of zones bound to it; undefined where the zone is bound to none. */
export function showZone(
  zone: Zone,
  plan: { readonly record: Plan; readonly zones: number } | undefined,
  active: ActiveStatus,
  now: number,
): Infer<typeof ZONE.fields> {
  const proof = showProof(proofOf(zone));
  const vanity = showVanity(zone.vanityNameServers);
  const servers = { OriginalNameServers: [], NameServers: [], VanityNameServers: vanity, VanityNameServersIps: [] };
  const common = { IsFake: 0, OwnershipVerification: proof };
  return {
    ZoneId: zone.id,
    ZoneName: zone.name,
    AliasZoneName: zone.alias,
    Area: zone.area,
    Type: zone.type,
    Tags: showTags(zone.tags),
    Resources: plan ? [showResource(plan.record, plan.zones, now)] : [],
    NSDetail: zone.type === 'full' ? { CnameSpeedUp: 'disabled', ...common, ...servers } : null,
    CNAMEDetail: zone.type === 'partial' ? common : null,
    DNSPodDetail: null,
    CreatedOn: cloudTime(zone.createdAt),
    ModifiedOn: cloudTime(zone.modifiedAt),
    Status: zoneStatus(zone),
    CnameStatus: cnameStatus(zone),
    ActiveStatus: active,
    LockStatus: 'enable',
    Paused: zone.paused,
    CnameSpeedUp: 'disabled',
    ...common,
    ...servers,
    WorkModeInfos: GROUPS.map((group) => ({ ConfigGroupType: group, WorkMode: 'immediate_effect' })),
  };
}

function showVanity({ enabled, servers }: Zone['vanityNameServers']): VanityNameServers {
  return { Switch: enabled ? 'on' : 'off', Servers: [...servers] };
}

export function readVanity({ Switch, Servers = [] }: VanityNameServers): Zone['vanityNameServers'] {
  return { enabled: Switch === 'on', servers: Servers };
}

function showResource(plan: Plan, zones: number, now: number): Infer<typeof RESOURCE.fields> {
  const status = planStatus(plan, now);
  return {
    Id: plan.id,
    PayMode: 0,
    CreateTime: cloudTime(plan.enabledAt),
    EnableTime: cloudTime(plan.enabledAt),
    ExpireTime: cloudTime(plan.expiresAt),
    Status: status === 'normal' || status === 'expiring-soon' ? 'normal' : 'isolated',
    Sv: [],
    AutoRenewFlag: plan.autoRenewal ? 1 : 2,
    PlanId: plan.id,
    Area: plan.area,
    Group: 'plan',
    ZoneNumber: zones,
    Type: '',
  };
}
