/** A zone (site in the cloud's console) and the plan it is bound to. Record keys: `zone/<id>`, `plan/<id>`. */
import type { Stamp } from '../stamp.ts';

export const ZONE_TYPES = ['full', 'partial', 'noDomainAccess', 'dnsPodAccess', 'pages', 'ai'] as const;
export type ZoneType = (typeof ZONE_TYPES)[number];

export interface Zone {
  readonly id: string;
  readonly account: string;
  /** Empty for noDomainAccess. */
  readonly name: string;
  readonly alias: string;
  readonly type: ZoneType;
  /** Empty for noDomainAccess. */
  readonly area: '' | 'mainland' | 'overseas' | 'global';
  readonly paused: boolean;
  /** When its owner, who had paused it, enabled it again; ms since 1970. */
  readonly enabledAt?: number;
  /** The revision that last switched `paused`. */
  readonly changed: Stamp;
  /** Absent until a plan is bound: the zone is `initializing` and cannot run L4. */
  readonly planId?: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly vanityNameServers: { readonly enabled: boolean; readonly servers: readonly string[] };
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/**
 * The zones that go by a name, in one record, so that uniqueness is one record's business. Record key: `zone-name/<name>`, in
 * lower case.
 */
export interface ZoneNameClaim {
  readonly zones: readonly Pick<Zone, 'id' | 'account' | 'alias' | 'type'>[];
}

export interface Plan {
  readonly id: string;
  readonly account: string;
  readonly type: 'plan-personal' | 'plan-basic' | 'plan-standard' | 'plan-enterprise';
  readonly area: 'mainland' | 'overseas' | 'global';
  readonly status: 'normal' | 'expiring-soon' | 'expired' | 'isolated' | 'overdue-isolated';
  readonly autoRenewal: boolean;
  readonly enabledAt: number;
  readonly expiresAt: number;
}
