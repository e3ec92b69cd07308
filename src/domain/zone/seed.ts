/**
 * The records a world has from its first start: one account with its root key pair, a zone that needs no domain, the
 * enterprise plan it is bound to, and the local site with its entry addresses. Pure; control/seed.ts commits them.
 */
import type { Account, KeyPair } from '../account/account.ts';
import type { Site } from '../site/site.ts';
import { THIS_WRITE } from '../stamp.ts';
import { newPlan } from './plan.ts';
import type { Plan, Zone } from './zone.ts';

/** The values from settings and data folder; the rest of a first world is always the same. */
export interface Seed {
  readonly secretId: string;
  readonly secretKey: string;
  readonly zoneId: string;
  readonly site: string;
  /** Entry addresses of the local site as the settings have them: networks and single addresses. */
  readonly addresses: readonly string[];
}

interface FirstWorld {
  readonly account: Account;
  readonly keyPair: KeyPair;
  readonly plan: Plan;
  readonly zone: Zone;
  readonly site: Site;
}

/** wire: the form of the cloud's numbers (uin and AppId). */
export const ROOT_ACCOUNT = '100000000001';
const APP_ID = 1_250_000_001;
/** The same in every world, so that a Terraform configuration can name it. */
export const SEED_PLAN = 'edgeone-enterprise01';

export function firstWorld(seed: Seed, now: number): FirstWorld {
  const { secretId, secretKey } = seed;
  return {
    account: { id: ROOT_ACCOUNT, appId: APP_ID, features: [], rootKey: secretId },
    keyPair: { secretId, secretKey, account: ROOT_ACCOUNT, user: 'root', policies: [], createdAt: now },
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
    site: { id: seed.site, pool: seed.addresses, areas: ['mainland', 'overseas'] },
  };
}
