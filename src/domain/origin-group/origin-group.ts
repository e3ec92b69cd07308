/** A named set of origins, for rules and load balancers to send traffic to. Record key: `origin-group/<zone>/<id>`. */
import type { HealthChecker } from '../load-balancer/health-checker.ts';
import type { Stamp } from '../stamp.ts';

export const GROUP_TYPES = ['GENERAL', 'HTTP'] as const;
type GroupType = (typeof GROUP_TYPES)[number];
export const RECORD_TYPES = ['IP_DOMAIN', 'COS', 'AWS_S3'] as const;
type RecordType = (typeof RECORD_TYPES)[number];

export interface OriginGroup {
  readonly id: string;
  readonly zone: string;
  /** Empty where the caller gave none; else no other group of the zone has it. */
  readonly name: string;
  readonly type: GroupType;
  readonly hostHeader: string;
  readonly records: readonly OriginRecord[];
  /** EdgeFour's own: how they are checked where their balancer does not say. */
  readonly checker?: HealthChecker;
  /** The revision that last changed the type, the records or the check: what edges have to apply. */
  readonly changed: Stamp;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface OriginRecord {
  readonly id: string;
  /** IPv4, IPv6 or a domain name; no port. */
  readonly host: string;
  readonly type: RecordType;
  /** 0–100; absent means equal shares. */
  readonly weight?: number;
  /** Object storage that wants credentials; they are in OriginSecrets. */
  readonly private?: boolean;
}

/**
 * Credentials of a group's object storage, by record. Record key: `origin-group-secret/<zone>/<group>`.
 * not: in the group itself, which every edge follows; edges have no use for a secret.
 */
export interface OriginSecrets {
  readonly parameters: Readonly<Record<string, readonly PrivateParameter[]>>;
}

export interface PrivateParameter {
  readonly name: PrivateName;
  readonly value: string;
}

export const PRIVATE_NAMES = ['AccessKeyId', 'SecretAccessKey', 'SignatureVersion', 'Region'] as const;
type PrivateName = (typeof PRIVATE_NAMES)[number];
