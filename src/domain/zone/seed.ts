/**
 * The records a world has from its first start: one account with its root key pair, a zone that needs no domain, the
 * enterprise plan it is bound to, and the local site with its entry addresses. Pure; store/seed.ts commits them.
 */
import type { Account, KeyPair } from '../account/account.ts';
import { AREAS } from '../l4-proxy/l4-proxy.ts';
import type { Site } from '../site/site.ts';
import { THIS_WRITE } from '../stamp.ts';
import { newPlan } from './plan.ts';
import type { Plan, Zone } from './zone.ts';

/** What the settings and the data folder say; the rest of a first world is always the same. */
export interface Seed {
  readonly secretId: string;
  readonly secretKey: string;
  readonly zoneId: string;
  /** Networks and single addresses of the local site. */
  readonly pool: readonly string[];
}

export interface FirstWorld {
  readonly account: Account;
  readonly keyPair: KeyPair;
  readonly plan: Plan;
  readonly zone: Zone;
  readonly site: Site;
}

/** wire: the cloud's account number (uin) and application number have twelve and ten digits. */
export const ROOT_ACCOUNT = '100000000001';
const ROOT_APP_ID = 1_300_000_001;
/** The same in every world, so that a Terraform configuration can name it. */
export const SEED_PLAN = 'edgeone-enterprise01';
export const LOCAL_SITE = 'local';

export function firstWorld(seed: Seed, now: number): FirstWorld {
  return {
    account: { id: ROOT_ACCOUNT, appId: ROOT_APP_ID, features: [], rootKey: seed.secretId },
    keyPair: {
      secretId: seed.secretId,
      secretKey: seed.secretKey,
      account: ROOT_ACCOUNT,
      user: 'root',
      policies: [],
      createdAt: now,
    },
    plan: newPlan({ id: SEED_PLAN, account: ROOT_ACCOUNT, type: 'plan-enterprise', area: 'global' }, now),
    zone: {
      id: seed.zoneId,
      account: ROOT_ACCOUNT,
      name: '',
      alias: '',
      type: 'noDomainAccess',
      area: '',
      paused: false,
      changed: THIS_WRITE,
      planId: SEED_PLAN,
      tags: [],
      vanityNameServers: { enabled: false, servers: [] },
      createdAt: now,
      modifiedAt: now,
    },
    site: { id: LOCAL_SITE, pool: seed.pool, areas: AREAS },
  };
}
