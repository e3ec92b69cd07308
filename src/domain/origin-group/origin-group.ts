/** A named set of origins. Record key: `origin-group/<zone>/<id>`. */
export interface OriginGroup {
  readonly id: string;
  readonly zone: string;
  readonly name: string;
  readonly type: 'GENERAL' | 'HTTP';
  readonly hostHeader: string;
  readonly records: readonly OriginRecord[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface OriginRecord {
  readonly id: string;
  /** IPv4, IPv6 or a domain name; no port. */
  readonly host: string;
  readonly type: 'IP_DOMAIN' | 'COS' | 'AWS_S3';
  /** 0–100; absent means equal shares. */
  readonly weight?: number;
}
