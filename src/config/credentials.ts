/**
 * The root key pair and the zone that exists from the start, as kept in the data folder (0600). Control decides what they
 * are (control/first-start.ts); the command line reads them here.
 */
import { readFileSync } from 'node:fs';
import type { DataFolder } from './data-folder.ts';
import { writeFileAtomic } from './file.ts';
import { Usage } from './usage.ts';

export interface Credentials {
  readonly secretId: string;
  readonly secretKey: string;
  readonly zoneId: string;
}

/** The folder's key pair; undefined before the first start. Throws Usage where the file can't be read. */
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

export function writeCredentials(folder: DataFolder, credentials: Credentials): void {
  writeFileAtomic(folder.credentials, `${JSON.stringify(credentials, null, 2)}\n`);
}
