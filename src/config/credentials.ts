/**
 * The root key pair and the zone that exists from the start, as kept in the data folder (0600). The environment wins
 * over the file and is kept in it, so that a second terminal finds the pair.
 */
import { readFileSync } from 'node:fs';
import { cloudId, type Rng } from '../lib/rng.ts';
import type { DataFolder } from './data-folder.ts';
import { writeFileAtomic } from './file.ts';
import type { Config } from './read.ts';
import { Usage } from './usage.ts';

export interface Credentials {
  readonly secretId: string;
  readonly secretKey: string;
  readonly zoneId: string;
}

/** What the folder holds; undefined before the first start. Throws Usage where the file can't be read. */
export function readCredentials(folder: DataFolder): Credentials | undefined {
  try {
    const { secretId, secretKey, zoneId } = JSON.parse(
      readFileSync(folder.credentials, 'utf8'),
    ) as Partial<Credentials>;
    if (secretId && secretKey && zoneId) return { secretId, secretKey, zoneId };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    if (code !== undefined)
      throw new Usage(
        `Can't read ${folder.credentials} (${code}). Run as its owner, or set EDGEFOUR_SECRET_ID and EDGEFOUR_SECRET_KEY.`,
      );
  }
  throw new Usage(
    `${folder.credentials} is damaged. Restore it from a backup, or remove it to get a new key pair and zone.`,
  );
}

/** What this start uses: settings first, then the file, then new ones; kept in the file. */
export function keepCredentials(folder: DataFolder, config: Config, rng: Rng): Credentials {
  const kept = readCredentials(folder);
  const credentials = {
    secretId: config.secretId ?? kept?.secretId ?? `AKID${letters(rng, 32)}`,
    secretKey: config.secretKey ?? kept?.secretKey ?? letters(rng, 32),
    zoneId: config.zone ?? kept?.zoneId ?? cloudId(rng, 'zone'),
  };
  const same = kept?.secretId === credentials.secretId && kept.secretKey === credentials.secretKey;
  if (!same || kept.zoneId !== credentials.zoneId)
    writeFileAtomic(folder.credentials, `${JSON.stringify(credentials, null, 2)}\n`);
  return credentials;
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function letters(rng: Rng, length: number): string {
  return Array.from({ length }, () => ALPHANUMERIC[rng.below(ALPHANUMERIC.length)]).join('');
}
