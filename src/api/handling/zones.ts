/**
 * What handlers of zones and plans share: the claim on a zone's name and the place in a plan, both kept right when many
 * reach for them at once. What is allowed is decided in domain/zone; here it meets the records.
 */
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import { proxyStatus } from '../../domain/status.ts';
import { claimed, released } from '../../domain/zone/name.ts';
import { bindFault } from '../../domain/zone/plan.ts';
import { type ActiveStatus, activeStatus } from '../../domain/zone/status.ts';
import type { Plan, Zone } from '../../domain/zone/zone.ts';
import type { FaultCode } from '../../faults/catalogue.ts';
import { Fault, refuse } from '../../faults/fault.ts';
import { keys } from '../../store/records.ts';
import type { Head } from '../../store/store.ts';
import { isTerraform } from './defaults.ts';
import type { Tx } from './transaction.ts';

type Reads = Pick<Tx, 'get' | 'list' | 'caller' | 'now'>;
type Writes = Reads & Pick<Tx, 'put' | 'delete'>;

/** Takes the zone's name for it, or changes what the claim says of it. */
export function claimName(tx: Writes, zone: Zone): Exclude<ReturnType<typeof claimed>, { zones: unknown }> | undefined {
  if (zone.name === '') return undefined;
  const key = keys.zoneName(zone.name);
  const claim = claimed(tx.get(key), zone);
  if (claim instanceof Fault) return claim;
  tx.put(key, claim);
  return undefined;
}

export function releaseName(tx: Writes, zone: Zone): void {
  if (zone.name === '') return;
  const key = keys.zoneName(zone.name);
  const claim = tx.get(key);
  const left = claim && released(claim, zone);
  if (left) tx.put(key, left);
  else tx.delete(key);
}

/**
 * The plan, with room for one more zone; `full` is the code for one that has none.
 * order: it is written again, unchanged, so that of two zones that reach for its last place at once one commits and the
 * other decides again and sees the first.
 */
export function planToBind<Full extends FaultCode>(tx: Writes, id: string, full: Full) {
  const plan = tx.get(keys.plan(id));
  if (plan?.account !== tx.caller.account) return refuse('InvalidParameter.PlanNotFound', `There is no plan ${id}.`);
  const fault = bindFault(plan, zonesByPlan(tx).get(id)?.length ?? 0, tx.now, full);
  if (fault) return fault;
  tx.put(keys.plan(id), plan);
  return plan;
}

/** All of the account's zones, in order of their ids, for decisions. */
function zonesOfCaller(tx: Reads): Zone[] {
  return tx
    .list(keys.zones())
    .map(({ value }) => value)
    .filter((zone) => zone.account === tx.caller.account);
}

/** Those of them that policies let the caller see, for answers. */
export function zonesSeen(tx: Reads): Zone[] {
  return zonesOfCaller(tx).filter((zone) => isSeen(tx, zone));
}

export function isSeen({ caller }: Pick<Tx, 'caller'>, zone: Pick<Zone, 'id' | 'account'>): boolean {
  return zone.account === caller.account && caller.sees?.(zone.id) !== false;
}

export function plansOfCaller(tx: Reads): Plan[] {
  return tx
    .list(keys.plans())
    .map(({ value }) => value)
    .filter((plan) => plan.account === tx.caller.account);
}

export function zonesByPlan(tx: Reads): ReadonlyMap<string, readonly Zone[]> {
  return Map.groupBy(zonesOfCaller(tx), (zone) => zone.planId ?? '');
}

/**
 * wire: enabling a zone takes the cloud minutes, and Terraform's provider waits until it has seen `inactive`. It asks after
 * a second, then every three to ten; instances that come online sooner would have it wait for 18 minutes.
 */
const ENABLING_MS = 20_000;

/** Whether anything of the zone is online. wire: the zone that exists from the start is active from the start. */
export async function activeStatusOf(
  tx: Pick<Tx, 'heads' | 'around' | 'caller' | 'now'>,
  zone: Zone,
): Promise<ActiveStatus> {
  const isEnabling = zone.enabledAt !== undefined && tx.now - zone.enabledAt < ENABLING_MS;
  if (isEnabling && isTerraform(tx.caller)) return activeStatus(zone, false);
  if (zone.id === tx.around.firstZone || zone.paused) return activeStatus(zone, true);
  for await (const proxy of proxiesOf(tx, zone.id))
    if (proxyStatus(proxy, zone, tx.around.facts.acks) === 'online') return activeStatus(zone, true);
  return activeStatus(zone, false);
}

/** limit: instances held in memory at a time; a zone can have 100,000. */
const SLICE = 256;

/** The zone's instances, read a slice at a time, with a pause between slices in which other calls get their turn. */
export async function* proxiesOf(tx: Pick<Tx, 'heads' | 'around'>, zone: string): AsyncGenerator<Head<L4Proxy>> {
  for (let offset = 0; ; offset += SLICE) {
    const slice = tx.heads(keys.proxies(zone), { offset, limit: SLICE });
    for (const { value } of slice) yield value;
    if (slice.length < SLICE) return;
    await tx.around.clock.sleep(0);
  }
}
