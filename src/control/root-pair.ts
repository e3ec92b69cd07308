/** Which root key pair and zone this start uses: settings first, then what the data folder kept, then new ones. */
import { type Credentials, readCredentials, writeCredentials } from '../config/credentials.ts';
import type { DataFolder } from '../config/data-folder.ts';
import type { Config } from '../config/read.ts';
import { newKeyPair } from '../domain/account/new-key.ts';
import type { Clock } from '../lib/clock.ts';
import { cloudId, type Rng } from '../lib/rng.ts';

/** Durable in the data folder once it returns, so that a second terminal and the next start find them. */
export function keepCredentials(folder: DataFolder, config: Config, clock: Clock, rng: Rng): Credentials {
  const kept = readCredentials(folder);
  const pair =
    pairOf(config) ?? kept ?? newKeyPair(rng, { account: '', user: 'root', policies: [], createdAt: clock.now() });
  const zoneId = config.zone ?? kept?.zoneId ?? cloudId(rng, 'zone');
  const { secretId, secretKey } = pair;
  const same = kept?.secretId === secretId && kept.secretKey === secretKey && kept.zoneId === zoneId;
  if (!same) writeCredentials(folder, { secretId, secretKey, zoneId });
  return { secretId, secretKey, zoneId };
}

function pairOf({ secretId, secretKey }: Config) {
  return secretId !== undefined && secretKey !== undefined ? { secretId, secretKey } : undefined;
}
