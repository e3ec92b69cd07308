/**
 * The claims behind the entry addresses of instances: taking them, giving them back, and seeing that no two instances
 * on one address want the same port. What is taken is decided in domain/address-pool; here it meets the records.
 */
import { joined, left, othersOn } from '../../domain/address-pool/claim.ts';
import { addressesOf, type ClaimsOf, entriesFor, type EntryWish } from '../../domain/address-pool/entries.ts';
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import { type NameRule, portClash } from '../../domain/l4-rule/ports.ts';
import type { AddressClaim } from '../../domain/site/site.ts';
import { Fault, refuse } from '../../faults/fault.ts';
import { keys } from '../../store/records.ts';
import type { Tx } from './transaction.ts';

type Writes = Pick<Tx, 'get' | 'peek' | 'put' | 'delete' | 'list' | 'count' | 'around'>;

/**
 * The addresses that the instance has from now on, with the claims on them written; what it had and no longer needs is
 * given back. For a new instance, and whenever its settings or its state change: sites may have come, pools changed.
 */
export function renewEntries(tx: Writes, proxy: L4Proxy, ifNone: EntryWish['ifNone']) {
  const sites = tx.list(keys.sites()).map(({ value }) => value);
  const wish = { ...proxy, fits: fitsBeside(tx, proxy), ifNone };
  const entries = entriesFor(proxy.entries, sites, wish, claimsOf(tx), tx.around.rng);
  if (entries instanceof Fault) return entries;
  const before = addressesOf(proxy.entries);
  const after = addressesOf(entries);
  release(tx, proxy, without(before, after));
  for (const { site, ip } of without(after, before)) {
    const key = keys.address(site, ip);
    tx.put(key, joined(tx.get(key), proxy, proxy.staticIp === 'on'));
  }
  return entries;
}

/** Claims as the search for an address looks at them: many, so unguarded; the one it picks is guarded when written. */
function claimsOf(tx: Writes): ClaimsOf {
  return (site, family) => ({
    count: tx.count(keys.addresses(site, family)),
    at: (ip) => tx.peek(keys.address(site, ip)),
  });
}

interface At {
  readonly site: string;
  readonly ip: string;
}

export function release(tx: Writes, proxy: L4Proxy, addresses: readonly At[]): void {
  for (const { site, ip } of addresses) {
    const key = keys.address(site, ip);
    const held = tx.get(key);
    const rest = held && left(held, proxy);
    if (rest) tx.put(key, rest);
    else if (held) tx.delete(key);
  }
}

function without(addresses: readonly At[], others: readonly At[]): At[] {
  return addresses.filter(({ site, ip }) => !others.some((other) => other.site === site && other.ip === ip));
}

/**
 * Whether the ports of the instance, as it will be, are free wherever it shares its address.
 * order: whoever changes ports on a shared address writes its claim again, unchanged; so of two instances that reach for
 * the same port at once one commits and the other, guarded by the claim it read, decides again and sees the first.
 */
export function sharedPortFault(
  tx: Writes,
  proxy: L4Proxy,
  nameOf: NameRule = (id) => id,
): Fault<'OperationDenied.L4PortLackOfResources'> | undefined {
  for (const { site, ip } of addressesOf(proxy.entries)) {
    const key = keys.address(site, ip);
    const held = tx.get(key);
    const others = othersOn(held, proxy);
    if (!held || others.length === 0) continue;
    tx.put(key, held);
    const rules = others.flatMap(({ zone, name }) => tx.peek(keys.proxy(zone, name))?.rules ?? []);
    // The other instance may be another account's, so the message does not name it.
    const own = new Set(proxy.rules.map(({ id }) => id));
    const clash = portClash([...proxy.rules, ...rules], (id) => (own.has(id) ? nameOf(id) : 'another instance'));
    if (clash !== undefined) {
      const detail = `${ip} at site ${site} is shared with ${others.length} other instances. ${clash}`;
      return refuse('OperationDenied.L4PortLackOfResources', detail);
    }
  }
  return undefined;
}

/** Whether an instance that has rules already can come to an address that others hold. Guards what it compares with. */
function fitsBeside(tx: Writes, proxy: L4Proxy): (claim: AddressClaim) => boolean {
  if (proxy.rules.length === 0) return () => true;
  return (claim) => {
    const rules = othersOn(claim, proxy).flatMap(({ zone, name }) => tx.get(keys.proxy(zone, name))?.rules ?? []);
    return portClash([...proxy.rules, ...rules]) === undefined;
  };
}
