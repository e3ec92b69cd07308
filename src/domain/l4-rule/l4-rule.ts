/**
 * A forwarding rule of an L4 proxy: one record's part, never a record of its own, so that port overlaps, the rule cap
 * and all-or-nothing batches are decided inside one record. Text fields are kept as the caller wrote them, because
 * Describe must echo them (Terraform compares).
 */
import type { HealthChecker } from '../load-balancer/health-checker.ts';
import type { Limits } from '../limit/limit.ts';
import type { Stamp } from '../stamp.ts';
import type { Mode, Protocol } from './modes.ts';

export const ORIGIN_TYPES = ['IP_DOMAIN', 'ORIGIN_GROUP', 'LB'] as const;
type OriginType = (typeof ORIGIN_TYPES)[number];

export interface L4Rule {
  readonly id: string;
  readonly protocol: Protocol;
  /** As written: `80`, `81-85`. */
  readonly portRange: readonly string[];
  readonly originType: OriginType;
  readonly originValue: readonly string[];
  readonly originPortRange: string;
  /** Absent where the caller never named one (it means OFF; Terraform must not see a default it did not write). */
  readonly mode?: Mode;
  readonly sessionPersist?: 'on' | 'off';
  /** Seconds, 30–3600; any value is kept and echoed while sessionPersist is not `on`. */
  readonly sessionPersistTime?: number;
  readonly tag?: string;
  /** The state that the API's user wants; the true one is derived (domain/status.ts). */
  readonly want: 'online' | 'offline';
  /** The revision of the write that last changed this rule. */
  readonly changed: Stamp;
  /** EdgeFour's own: how the rule's origins are checked. It goes before that of a balancer or a group. */
  readonly checker?: HealthChecker;
  /** EdgeFour's own settings, beyond the cloud's fields. */
  readonly options?: RuleOptions;
}

type UdpHeader = 'first' | 'each';

export interface RuleOptions {
  /** The fate of connections when the rule changes or goes. Default: drain, 30 s. */
  readonly drain?: { readonly how: 'keep' | 'drain' | 'reset'; readonly seconds: number };
  readonly connectTimeoutMs?: number;
  readonly idleSeconds?: number;
  /** Which datagrams of a UDP session carry PPV2's header. Default: the first, as in the cloud. */
  readonly udpHeader?: UdpHeader;
  /** Connection records: all, off, or one in N. */
  readonly records?: 'all' | 'off' | number;
  /** The fate of TCP connections with an origin that went down. Default: keep. */
  readonly unhealthy?: 'keep' | 'drain' | 'reset';
  /** Whether dials that fail take an origin out of use. Default: on. */
  readonly passive?: 'on' | 'off';
  /** Whether the kernel engine may have several origins that nobody checks. Default: off. */
  readonly kernelUnchecked?: 'on' | 'off';
  /** In so many seconds the share of an origin that came back grows to its whole. Default: 0, at once. */
  readonly slowStartSeconds?: number;
  /** These go before those of the instance. */
  readonly limits?: Limits;
}
