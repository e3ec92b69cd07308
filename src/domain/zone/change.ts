/**
 * What may be done to a zone, and what it is then. Pure: the zone as it will be, or the fault; a request that changes
 * nothing returns the very same record. Names and plans are other files' business; `now` is in ms since 1970. Called by
 * api/actions/zone. Source: spec section 6.3.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import { THIS_WRITE } from '../stamp.ts';
import type { ProxyStatus } from '../status.ts';
import { aliasFault, zoneNameFault } from './name.ts';
import { covers } from './plan.ts';
import type { Plan, Zone, ZoneType } from './zone.ts';

export const ZONE_AREAS = ['global', 'mainland', 'overseas'] as const;
type ZoneArea = (typeof ZONE_AREAS)[number];

/** Access types that need a product EdgeFour does not have. */
function typeFault(type: ZoneType): Fault<'ResourceNotFound.DNSPodDomainNotInAccount' | 'OperationDenied'> | undefined {
  if (type === 'dnsPodAccess')
    return refuse('ResourceNotFound.DNSPodDomainNotInAccount', 'EdgeFour has no DNSPod, so no domain is hosted there.');
  if (type === 'ai' || type === 'pages')
    return refuse('OperationDenied', `EdgeFour has no zones of type ${type}; use partial or noDomainAccess.`);
  return undefined;
}

interface NewZone extends Pick<Zone, 'id' | 'account' | 'name' | 'alias' | 'type' | 'tags'> {
  readonly area: ZoneArea | undefined;
  readonly plan: Plan | undefined;
}

export function newZone({ plan, area, ...zone }: NewZone, now: number) {
  const bare = zone.type === 'noDomainAccess';
  if (bare && zone.name !== '')
    return refuse('InvalidParameterValue', 'ZoneName: must be empty where Type is noDomainAccess.');
  const fault = typeFault(zone.type) ?? (bare ? undefined : zoneNameFault(zone.name)) ?? aliasFault(zone.alias);
  if (fault) return fault;
  const made: Zone = {
    ...zone,
    area: area ?? (bare ? '' : 'overseas'),
    paused: false,
    changed: THIS_WRITE,
    vanityNameServers: { enabled: false, servers: [] },
    createdAt: now,
    modifiedAt: now,
    ...(plan && { planId: plan.id }),
  };
  if (plan && !covers(plan, made.area)) return refuse('OperationDenied', notCovered(plan, made.area));
  return made;
}

const notCovered = (plan: Plan, area: string): string => `Plan ${plan.id} is for ${plan.area}, the zone for ${area}.`;

interface ZoneChange {
  readonly type?: ZoneType | undefined;
  readonly name?: string | undefined;
  readonly alias?: string | undefined;
  readonly area?: ZoneArea | undefined;
  readonly vanityNameServers?: Zone['vanityNameServers'] | undefined;
}

export function changeZone(zone: Zone, change: ZoneChange, plan: Plan | undefined, now: number) {
  if (zone.paused) return refuse('OperationDenied.ErrZoneIsAlreadyPaused', `Enable zone ${zone.id} first.`);
  const type = change.type ?? zone.type;
  const alias = change.alias ?? zone.alias;
  const area = change.area ?? zone.area;
  const vanityNameServers = change.vanityNameServers ?? zone.vanityNameServers;
  const name = zone.type === 'noDomainAccess' ? namedNow(zone, type, change) : keptName(zone, type, change);
  if (typeof name !== 'string') return name;
  const fault = (type === zone.type ? undefined : typeFault(type)) ?? aliasFault(alias);
  if (fault) return fault;
  if (plan && area !== zone.area && !covers(plan, area))
    return refuse('OperationDenied.PlanNotSupportModifyZoneArea', notCovered(plan, area));
  const same =
    type === zone.type &&
    name === zone.name &&
    alias === zone.alias &&
    area === zone.area &&
    JSON.stringify(vanityNameServers) === JSON.stringify(zone.vanityNameServers);
  return same ? zone : { ...zone, type, name, alias, area, vanityNameServers, modifiedAt: now };
}

/** The name of a zone without a domain after the change: none, unless it goes over to CNAME access. */
function namedNow(zone: Zone, type: ZoneType, change: ZoneChange) {
  if (change.vanityNameServers)
    return refuse(
      'OperationDenied.NoDomainAccessZoneOnlySupportModifyAreaAndAliasZoneName',
      `Zone ${zone.id} has no domain, so it has no name servers.`,
    );
  if (type === 'partial')
    return change.name
      ? (zoneNameFault(change.name) ?? change.name)
      : refuse('InvalidParameter.ZoneNameIsRequired', `ZoneName: which domain is zone ${zone.id} for?`);
  if (type !== zone.type)
    return refuse(
      'OperationDenied.NoDomainAccessZoneOnlyAllowModifiedToCNAME',
      `Zone ${zone.id} has no domain; its Type can become partial.`,
    );
  if (change.name)
    return refuse(
      'OperationDenied.NoDomainAccessZoneOnlySupportModifyType',
      `Zone ${zone.id} takes a ZoneName together with Type partial.`,
    );
  return '';
}

/** A zone with a domain keeps it. */
function keptName(zone: Zone, type: ZoneType, change: ZoneChange) {
  if (type === 'noDomainAccess') return refuse('InvalidParameterValue', 'Type: a zone keeps its domain.');
  if (change.name && change.name !== zone.name)
    return refuse('InvalidParameterValue', `ZoneName: zone ${zone.id} is ${zone.name} and stays it.`);
  return zone.name;
}

/** Why the zone can't be disabled while an instance of it has this status. */
export function pauseFault(
  proxy: string,
  status: ProxyStatus,
): Fault<'OperationDenied.L4ProxyInProgressStatus' | 'OperationDenied.L4ProxyInStoppingStatus'> | undefined {
  if (status === 'progress') return refuse('OperationDenied.L4ProxyInProgressStatus', `${proxy} is being deployed.`);
  if (status === 'stopping') return refuse('OperationDenied.L4ProxyInStoppingStatus', `${proxy} is being stopped.`);
  return undefined;
}

/** Enabling and disabling close and open every listener of the zone, so the edges have to apply it: a new stamp. */
export function switchZone(zone: Zone, paused: boolean, now: number): Zone {
  if (zone.paused === paused) return zone;
  return { ...zone, paused, ...(!paused && { enabledAt: now }), changed: THIS_WRITE, modifiedAt: now };
}

/**
 * not: deleting the instances along. Users' clients connect to them; a caller deletes each by its own call.
 */
export function deletionFault(
  zone: Zone,
  proxies: number,
): Fault<'OperationDenied.DisableZoneNotCompleted' | 'OperationDenied.DeleteZonePreCheckFailed'> | undefined {
  if (!zone.paused) return refuse('OperationDenied.DisableZoneNotCompleted', `Disable zone ${zone.id} first.`);
  if (proxies > 0)
    return refuse(
      'OperationDenied.DeleteZonePreCheckFailed',
      `Zone ${zone.id} has ${proxies} L4 proxies: delete them.`,
    );
  return undefined;
}
