/**
 * Which root key pair and zone this start uses: settings first, then what the data folder kept, then what the world has
 * where that file is damaged, then new ones.
 */
import { type Credentials, readCredentials, writeCredentials } from '../config/credentials.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { isPassing } from '../config/patient-file.ts';
import type { Config } from '../config/read.ts';
import { Usage } from '../config/usage.ts';
import { ROOT_ACCOUNT } from '../domain/zone/seed.ts';
import type { Zone } from '../domain/zone/zone.ts';
import { newKeyPair } from '../domain/account/new-key.ts';
import type { Clock } from '../lib/clock.ts';
import { cloudId, type Rng } from '../lib/rng.ts';
import type { Log } from '../observe/log.ts';
import { type Key, keys } from '../store/records.ts';
import type { Store, View } from '../store/store.ts';

interface RootPairParts {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/**
 * Durable in the data folder once it returns, so that a second terminal and the next start find them; where the disk takes
 * nothing, a pair that is known otherwise is used all the same. Throws Usage.
 */
export async function keepCredentials({ folder, config, clock, rng, log }: RootPairParts, store: Store) {
  const kept = await keptOrKnown(folder, store, log);
  const pair =
    pairOf(config) ?? kept ?? newKeyPair(rng, { account: '', user: 'root', policies: [], createdAt: clock.now() });
  const zoneId = config.zone ?? kept?.zoneId ?? cloudId(rng, 'zone');
  const { secretId, secretKey } = pair;
  const same = kept?.secretId === secretId && kept.secretKey === secretKey && kept.zoneId === zoneId;
  const credentials: Credentials = { secretId, secretKey, zoneId };
  if (same && !kept.isFromWorld) return credentials;
  try {
    writeCredentials(folder, credentials);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    if (!isPassing(error) || !(pairOf(config) ?? kept))
      throw new Usage(
        `Can't write ${folder.credentials} (${reason}). Make room, or choose another with --data FOLDER.`,
      );
    log.warn('the root key pair cannot be kept in the data folder; the next start tries again', { reason });
  }
  return credentials;
}

type Kept = Credentials & { readonly isFromWorld?: true };

async function keptOrKnown(folder: DataFolder, store: Store, log: Log): Promise<Kept | undefined> {
  try {
    return readCredentials(folder);
  } catch (error) {
    const known = await store.read(knownTo);
    if (!known) throw error;
    log.warn('the root key pair is taken from the desired state', { reason: (error as Error).message });
    return known;
  }
}

/** The pair that the last start had, and the zone that exists from the start: the oldest without a domain. */
function knownTo(view: View): Kept | undefined {
  const account = valueOf(view, keys.account(ROOT_ACCOUNT));
  const pair = account?.rootKey === undefined ? undefined : valueOf(view, keys.keyPair(account.rootKey));
  const zones = view.list(keys.zones()).map(({ value }) => value as Zone);
  const [zone] = zones
    .filter(({ account: owner, type }) => owner === ROOT_ACCOUNT && type === 'noDomainAccess')
    .toSorted((a, b) => a.createdAt - b.createdAt);
  return pair && zone && { secretId: pair.secretId, secretKey: pair.secretKey, zoneId: zone.id, isFromWorld: true };
}

function valueOf<T>(view: View, key: Key<T>): T | undefined {
  return view.get(key)?.value as T | undefined;
}

function pairOf({ secretId, secretKey }: Config) {
  return secretId !== undefined && secretKey !== undefined ? { secretId, secretKey } : undefined;
}
