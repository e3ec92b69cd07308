/** An L4 proxy instance with its rules: the aggregate of the product. Record key: `proxy/<zone>/<name>`. */
import type { L4Rule } from '../l4-rule/l4-rule.ts';
import type { Limits } from '../limit/limit.ts';
import type { Stamp } from '../stamp.ts';

export const AREAS = ['mainland', 'overseas', 'global'] as const;
export type Area = (typeof AREAS)[number];
export type OnOff = 'on' | 'off';

export interface DdosConfig {
  readonly levelMainland?: 'PLATFORM' | 'BASE30_MAX300' | 'BASE60_MAX600';
  /** Gbit/s. */
  readonly maxBandwidthMainland?: number;
  readonly levelOverseas?: 'PLATFORM' | 'ANYCAST300' | 'ANYCAST_ALLIN';
}

/** The entry addresses an instance has at one site. Not both absent. */
export interface EntryAddresses {
  readonly v4?: string;
  readonly v6?: string;
}

export interface L4Proxy {
  readonly id: string;
  readonly zone: string;
  readonly account: string;
  readonly name: string;
  readonly area: Area;
  readonly ipv6: OnOff;
  readonly staticIp: OnOff;
  readonly accelerateMainland: OnOff;
  readonly ddos?: DdosConfig;
  /** Site → addresses; decided when the instance is created or its IPv6 setting changes. */
  readonly entries: Readonly<Record<string, EntryAddresses>>;
  readonly want: 'online' | 'offline';
  /** An operator's act; the instance forwards nothing until it is lifted. */
  readonly banned: boolean;
  /** Of each of its rules, where the rule does not say. */
  readonly limits?: Limits;
  readonly rules: readonly L4Rule[];
  /** The revision that last changed the instance itself (not merely one of its rules). */
  readonly changed: Stamp;
  /** Milliseconds since 1970. */
  readonly updatedAt: number;
}
