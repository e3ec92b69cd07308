/**
 * Who may call: accounts, key pairs, CAM policies. Record keys: `account/<id>`, `key/<secretId>`,
 * `policy/<account>/<name>`.
 */
export interface Account {
  readonly id: string;
  /** The number the cloud shows as AppId (TypeKey of the time series). */
  readonly appId: number;
  /** Account betas, e.g. `accelerate-mainland`. */
  readonly features: readonly string[];
  /** The SecretId of the pair that the settings gave; another one given there replaces it. */
  readonly rootKey?: string;
}

export interface KeyPair {
  readonly secretId: string;
  readonly secretKey: string;
  readonly account: string;
  /** `root` may do everything; any other user only what its policies allow. */
  readonly user: string;
  readonly policies: readonly string[];
  /** Temporary (STS) keys: the token every call must carry, and its end in ms since 1970. */
  readonly token?: string;
  readonly expiresAt?: number;
  readonly createdAt: number;
}

export interface Policy {
  readonly name: string;
  readonly account: string;
  /** The CAM document as it was put, already checked. */
  readonly document: PolicyDocument;
}

export interface PolicyDocument {
  readonly version: '2.0';
  readonly statement: readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly effect: 'allow' | 'deny';
  /** `teo:CreateL4Proxy`, `teo:Describe*`, `*`. */
  readonly action: readonly string[];
  /** `qcs::teo::uin/…:zone/zone-…`, with `*` anywhere; `*` for all. */
  readonly resource: readonly string[];
}
