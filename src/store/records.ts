/**
 * Which records exist and under which keys: the only place that spells a key. A Key carries the type of its record, so
 * that reading and writing are checked by the compiler.
 */
import type { Account, KeyPair, Policy } from '../domain/account/account.ts';
import type { L4Proxy } from '../domain/l4-proxy/l4-proxy.ts';
import type { LoadBalancer } from '../domain/load-balancer/load-balancer.ts';
import type { AddressList, AddressListPart, BanRecord, Side } from '../domain/limit/networks.ts';
import type { OriginGroup, OriginSecrets } from '../domain/origin-group/origin-group.ts';
import { hostKey, type SetOriginState } from '../domain/origin-group/origin-state.ts';
import type { LastUse, Use } from '../domain/origin-group/use.ts';
import type { AddressClaim, Edge, Site } from '../domain/site/site.ts';
import { THIS_WRITE } from '../domain/stamp.ts';
import type { Plan, Zone, ZoneNameClaim } from '../domain/zone/zone.ts';
import type { Stored } from './store.ts';

declare const record: unique symbol;
/** A key whose record is a T. */
export type Key<T> = string & { readonly [record]: T };
/** A prefix under which every record is a T. */
export type Prefix<T> = string & { readonly [record]: T };

const key = <T>(...parts: string[]): Key<T> => parts.join('/') as Key<T>;
const prefix = <T>(...parts: string[]): Prefix<T> => `${parts.join('/')}/` as Prefix<T>;

/** Leads from an instance's id to its record. Record key: `proxy-id/<id>`. */
interface ProxyPlace {
  readonly zone: string;
  readonly name: string;
}

/** Who has a name that is unique in its zone. */
interface NameHolder {
  readonly id: string;
}

export const keys = {
  zone: (id: string) => key<Zone>('zone', id),
  zones: () => prefix<Zone>('zone'),
  zoneName: (name: string) => key<ZoneNameClaim>('zone-name', name.toLowerCase()),
  zoneNames: () => prefix<ZoneNameClaim>('zone-name'),
  plan: (id: string) => key<Plan>('plan', id),
  plans: () => prefix<Plan>('plan'),
  proxy: (zone: string, name: string) => key<L4Proxy>('proxy', zone, name),
  proxies: (zone: string) => prefix<L4Proxy>('proxy', zone),
  allProxies: () => prefix<L4Proxy>('proxy'),
  proxyPlace: (id: string) => key<ProxyPlace>('proxy-id', id),
  proxyPlaces: () => prefix<ProxyPlace>('proxy-id'),
  originGroup: (zone: string, id: string) => key<OriginGroup>('origin-group', zone, id),
  originGroups: (zone: string) => prefix<OriginGroup>('origin-group', zone),
  allOriginGroups: () => prefix<OriginGroup>('origin-group'),
  originGroupName: (zone: string, name: string) => key<NameHolder>('origin-group-name', zone, name),
  originGroupNames: () => prefix<NameHolder>('origin-group-name'),
  originSecrets: (zone: string, group: string) => key<OriginSecrets>('origin-group-secret', zone, group),
  allOriginSecrets: () => prefix<OriginSecrets>('origin-group-secret'),
  originState: (zone: string, host: string) => key<SetOriginState>('origin-state', zone, hostKey(host)),
  originStates: (zone: string) => prefix<SetOriginState>('origin-state', zone),
  allOriginStates: () => prefix<SetOriginState>('origin-state'),
  use: (used: string, user: string) => key<Use>('uses', used, user),
  uses: (used: string) => prefix<Use>('uses', used),
  allUses: () => prefix<Use>('uses'),
  lastUse: (used: string) => key<LastUse>('last-use', used),
  allLastUses: () => prefix<LastUse>('last-use'),
  loadBalancer: (zone: string, id: string) => key<LoadBalancer>('load-balancer', zone, id),
  loadBalancers: (zone: string) => prefix<LoadBalancer>('load-balancer', zone),
  allLoadBalancers: () => prefix<LoadBalancer>('load-balancer'),
  loadBalancerName: (zone: string, name: string) => key<NameHolder>('load-balancer-name', zone, name),
  loadBalancerNames: () => prefix<NameHolder>('load-balancer-name'),
  addressList: (zone: string, name: string) => key<AddressList>('address-list', zone, name),
  addressLists: (zone: string) => prefix<AddressList>('address-list', zone),
  allAddressLists: () => prefix<AddressList>('address-list'),
  addressListPart: (zone: string, name: string, side: Side, part: number) =>
    key<AddressListPart>('address-part', zone, name, side, `${part}`),
  addressListSide: (zone: string, name: string, side: Side) =>
    prefix<AddressListPart>('address-part', zone, name, side),
  addressListParts: (zone: string) => prefix<AddressListPart>('address-part', zone),
  allAddressListParts: () => prefix<AddressListPart>('address-part'),
  /** `/` of the network is `_`. */
  ban: (proxy: string, network: string) => key<BanRecord>('network-ban', proxy, network.replace('/', '_')),
  bans: (proxy: string) => prefix<BanRecord>('network-ban', proxy),
  allBans: () => prefix<BanRecord>('network-ban'),
  site: (id: string) => key<Site>('site', id),
  sites: () => prefix<Site>('site'),
  edge: (id: string) => key<Edge>('edge', id),
  edges: () => prefix<Edge>('edge'),
  /** The family is a part of its own, so that counting tells whether a site's IPv4 or IPv6 addresses are all taken. */
  address: (site: string, ip: string) => key<AddressClaim>('address', site, ip.includes(':') ? 'v6' : 'v4', ip),
  addresses: (site: string, family: 4 | 6) => prefix<AddressClaim>('address', site, `v${family}`),
  allAddresses: () => prefix<AddressClaim>('address'),
  account: (id: string) => key<Account>('account', id),
  accounts: () => prefix<Account>('account'),
  keyPair: (secretId: string) => key<KeyPair>('key', secretId),
  keyPairs: () => prefix<KeyPair>('key'),
  policy: (account: string, name: string) => key<Policy>('policy', account, name),
  policies: (account: string) => prefix<Policy>('policy', account),
  allPolicies: () => prefix<Policy>('policy'),
} as const;

/** The records that an edge follows. Never keys, policies or accounts: an edge has no use for a secret. */
export const EDGE_PREFIXES = [
  'site/',
  'zone/',
  'proxy/',
  'origin-group/',
  'origin-state/',
  'load-balancer/',
  'address-list/',
  'address-part/',
  'network-ban/',
] as const;

/** Replaces THIS_WRITE stamps by the record's own revision; see domain/stamp.ts. */
export function stamped<T>({ value, revision }: Stored): T {
  const { changed, rules } = value as { changed?: number; rules?: unknown };
  if (changed === undefined) return value as T;
  const fresh = (stamp: number): number => (stamp === THIS_WRITE ? revision : stamp);
  // A head (View.heads) has a number in the place of its rules.
  if (!Array.isArray(rules)) return { ...(value as object), changed: fresh(changed) } as T;
  const all = rules as readonly { changed: number }[];
  const stampedRules = all.map((rule) => (rule.changed === THIS_WRITE ? { ...rule, changed: revision } : rule));
  return { ...(value as object), changed: fresh(changed), rules: stampedRules } as T;
}
