/**
 * What may be done to an instance, and what it is then. Pure: the instance as it will be, or the fault. A request that
 * changes nothing returns the very same record, so that its caller writes nothing. `now` is in ms since 1970. Called by
 * api/actions/l4-proxy. Source of the guards: spec section 4.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import { THIS_WRITE } from '../stamp.ts';
import type { ProxyStatus } from '../status.ts';
import type { Plan, Zone } from '../zone/zone.ts';
import { conflictOf } from './combinations.ts';
import type { L4Proxy, OnOff } from './l4-proxy.ts';

/**
 * 1 to 50 of a-z, 0-9 and single hyphens inside. The name is the first label of the CNAME and a part of the record's
 * key, and never changes.
 */
export const PROXY_NAME = /^(?=.{1,50}$)[a-z0-9]+(?:-[a-z0-9]+)*$/;

const LIVE_PLANS: ReadonlySet<Plan['status']> = new Set(['normal', 'expiring-soon']);

/** In a zone that is paused nothing is set up, changed or switched; deleting goes on. */
export function pauseFault(zone: Zone): Fault<'OperationDenied.ErrZoneIsAlreadyPaused'> | undefined {
  if (!zone.paused) return undefined;
  return refuse('OperationDenied.ErrZoneIsAlreadyPaused', `Enable zone ${zone.id} first.`);
}

/** Why the zone's plan does not carry L4 proxies now. What runs goes on, and can be switched off and deleted. */
export function planFault(zone: Zone, plan: Plan | undefined, now: number): Fault<'OperationDenied'> | undefined {
  const need = 'L4 proxies need an enterprise plan';
  if (!plan) return refuse('OperationDenied', `Zone ${zone.id} is bound to no plan; ${need}.`);
  const named = `Plan ${plan.id} of zone ${zone.id}`;
  if (plan.type !== 'plan-enterprise') return refuse('OperationDenied', `${named} is of type ${plan.type}; ${need}.`);
  if (!LIVE_PLANS.has(plan.status)) return refuse('OperationDenied', `${named} is ${plan.status}.`);
  if (plan.expiresAt <= now) return refuse('OperationDenied', `${named} has expired.`);
  return undefined;
}

/** An instance that an operator has banned takes no changes. */
export function banFault(proxy: L4Proxy): Fault<'OperationDenied.L4ProxyInBannedStatus'> | undefined {
  if (!proxy.banned) return undefined;
  return refuse('OperationDenied.L4ProxyInBannedStatus', `An operator has banned ${proxy.id}.`);
}

/** For what only makes sense on an instance that is on: new rules, switching rules on. */
export function offlineFault(proxy: L4Proxy): Fault<'OperationDenied.L4ProxyInOfflineStatus'> | undefined {
  if (proxy.want === 'online') return undefined;
  return refuse('OperationDenied.L4ProxyInOfflineStatus', `${proxy.id} is switched off.`);
}

interface SettingsChange {
  readonly ipv6?: OnOff | undefined;
  readonly accelerateMainland?: OnOff | undefined;
}

function altered(proxy: L4Proxy, to: Partial<L4Proxy>, now: number): L4Proxy {
  return { ...proxy, ...to, changed: THIS_WRITE, updatedAt: now };
}

/** Addresses are decided by api/handling/entry-addresses.ts. */
export function changeSettings(
  proxy: L4Proxy,
  change: SettingsChange,
  status: ProxyStatus,
  features: readonly string[],
  now: number,
) {
  const banned = banFault(proxy);
  if (banned) return banned;
  if (status === 'progress' || status === 'stopping')
    return refuse('OperationDenied.L4ProxyInProcessStatus', `${proxy.id} is ${status}.`);
  if (status === 'offline') return refuse('OperationDenied.L4ProxyInOfflineStatus', `${proxy.id} is switched off.`);
  const ipv6 = change.ipv6 ?? proxy.ipv6;
  const accelerateMainland = change.accelerateMainland ?? proxy.accelerateMainland;
  if (ipv6 === proxy.ipv6 && accelerateMainland === proxy.accelerateMainland) return proxy;
  const next = altered(proxy, { ipv6, accelerateMainland }, now);
  return conflictOf(next, features) ?? next;
}

export function switchProxy(proxy: L4Proxy, want: L4Proxy['want'], now: number) {
  return banFault(proxy) ?? (proxy.want === want ? proxy : altered(proxy, { want }, now));
}

/** An operator's act. What its owner wants is kept, and counts again once the ban is lifted. */
export function banProxy(proxy: L4Proxy, banned: boolean, now: number): L4Proxy {
  return proxy.banned === banned ? proxy : altered(proxy, { banned }, now);
}

/**
 * wire: clients switch an instance off and wait before they delete it. One that failed may go as well: Terraform
 * deletes it without switching it off first, and would never get rid of it.
 */
export function deletionFault(proxy: L4Proxy, status: ProxyStatus): Fault<'FailedOperation'> | undefined {
  if (status === 'offline' || status === 'fail') return undefined;
  return refuse('FailedOperation', `${proxy.id} is ${status}; set its status to offline and wait until it is.`);
}
