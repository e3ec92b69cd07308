/** The cloud's L4Proxy: an instance as DescribeL4Proxy shows it, and its DDoS settings as CreateL4Proxy takes them. */
import { addressesOf } from '../../domain/address-pool/entries.ts';
import { AREAS, type DdosConfig, type L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import { PROXY_STATUSES, proxyStatus, type ZoneSwitch } from '../../domain/status.ts';
import { cloudTime } from '../../shape/time.ts';
import {
  type Infer,
  integer,
  list,
  nullable,
  object,
  oneOf,
  onOff,
  optional,
  string,
  unsigned,
} from '../../shape/shape.ts';
import type { Head } from '../../store/store.ts';
import type { Defaults } from '../handling/transaction.ts';
import type { Surroundings } from '../handling/transaction.ts';

export const DDOS_PROTECTION_CONFIG = object(
  {
    LevelMainland: optional(
      oneOf(['PLATFORM', 'BASE30_MAX300', 'BASE60_MAX600'], 'Protection in the Chinese mainland; default PLATFORM.', {
        emptyIsAbsent: true,
      }),
    ),
    MaxBandwidthMainland: optional(
      unsigned('Bandwidth of the mainland protection, Gbit/s: 30 to 300 or 60 to 600, as the level says.'),
    ),
    LevelOverseas: optional(
      oneOf(['PLATFORM', 'ANYCAST300', 'ANYCAST_ALLIN'], 'Protection outside the mainland; default PLATFORM.', {
        emptyIsAbsent: true,
      }),
    ),
  },
  'DDoS protection.',
);
type DdosProtectionConfig = Infer<typeof DDOS_PROTECTION_CONFIG.fields>;

export const L4_PROXY = object(
  {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    ProxyName: string('Instance name.'),
    Area: oneOf(AREAS, 'Acceleration area.'),
    Cname: string('The name to point clients at.'),
    Ips: list(string('IP address.'), 'Entry addresses, where StaticIp is on.'),
    Status: oneOf(PROXY_STATUSES, 'Status.'),
    Ipv6: onOff('IPv6 access.'),
    StaticIp: onOff('Static IP.'),
    AccelerateMainland: onOff('Network optimisation for the Chinese mainland.'),
    DDosProtectionConfig: nullable(DDOS_PROTECTION_CONFIG),
    L4ProxyRuleCount: integer('Number of forwarding rules.'),
    UpdateTime: string('When the instance itself last changed.', { format: 'time' }),
  },
  'A Layer 4 proxy instance.',
);

export function showProxy(
  proxy: Head<L4Proxy>,
  zone: ZoneSwitch,
  around: Pick<Surroundings, 'facts' | 'domain'>,
  defaults: Defaults,
) {
  return {
    ZoneId: proxy.zone,
    ProxyId: proxy.id,
    ProxyName: proxy.name,
    Area: proxy.area,
    Cname: `${proxy.name}.${proxy.zone.replace(/^zone-/, '')}.${around.domain}`,
    Ips: proxy.staticIp === 'on' ? addressesOf(proxy.entries).map(({ ip }) => ip) : [],
    Status: proxyStatus(proxy, zone, around.facts.acks),
    Ipv6: proxy.ipv6,
    StaticIp: proxy.staticIp,
    AccelerateMainland: proxy.accelerateMainland,
    // wire: null unless the caller gave one; Terraform would write defaults it never asked for into its state.
    DDosProtectionConfig: proxy.ddos === undefined ? null : showDdos(proxy.ddos, defaults),
    L4ProxyRuleCount: proxy.rules,
    UpdateTime: cloudTime(proxy.updatedAt),
  } satisfies Infer<typeof L4_PROXY.fields>;
}

function showDdos(config: DdosConfig, defaults: Defaults): DdosProtectionConfig {
  const { levelMainland, maxBandwidthMainland, levelOverseas } = config;
  const platform = { LevelMainland: 'PLATFORM', MaxBandwidthMainland: 0, LevelOverseas: 'PLATFORM' } as const;
  return {
    ...(defaults === 'shown' && platform),
    ...(levelMainland && { LevelMainland: levelMainland }),
    ...(maxBandwidthMainland !== undefined && { MaxBandwidthMainland: maxBandwidthMainland }),
    ...(levelOverseas && { LevelOverseas: levelOverseas }),
  };
}

export function readDdos(config: DdosProtectionConfig): DdosConfig {
  const { LevelMainland, MaxBandwidthMainland, LevelOverseas } = config;
  return {
    ...(LevelMainland && { levelMainland: LevelMainland }),
    ...(MaxBandwidthMainland !== undefined && { maxBandwidthMainland: MaxBandwidthMainland }),
    ...(LevelOverseas && { levelOverseas: LevelOverseas }),
  };
}
