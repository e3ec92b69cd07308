/** The data folder and its disk: whether it is ours, private and roomy. Reads, and changes nothing. */
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkDataFolder, type DataFolder } from '../../config/data-folder.ts';
import { Usage } from '../../config/usage.ts';
import { bad, type Finding, ok, warn } from '../../observe/finding.ts';

/** limit: the log of changes and the connection records of a busy day fit with room to spare. */
const ROOMY_BYTES = 1024 ** 3;

export function dataFindings(folder: DataFolder): Finding[] {
  try {
    const isKnown = checkDataFolder(folder);
    return [modeFinding(folder.path, isKnown), diskFinding(folder.path)];
  } catch (error) {
    if (!(error instanceof Usage)) throw error;
    return [bad('data', error.message)];
  }
}

function modeFinding(path: string, isKnown: boolean): Finding {
  const mode = isKnown ? statSync(path).mode & 0o777 : 0o700;
  if (mode === 0o700) return ok('data', `${path} ${isKnown ? 'is ours, mode 0700' : 'is new'}`);
  return warn('data', `${path} has mode 0${mode.toString(8)}`, 'chmod 700; the next start does it too.');
}

function diskFinding(path: string): Finding {
  const { bavail, bsize } = statfsSync(existing(path));
  const free = bavail * bsize;
  if (free >= ROOMY_BYTES) return ok('disk', `${(free / ROOMY_BYTES).toFixed(1)} GiB free`);
  return warn('disk', `${Math.floor(free / 1024 ** 2)} MiB free`, 'Make room, or move the data folder.');
}

/** The folder, or the nearest one above it that is there. */
function existing(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) ? path : existing(dirname(path));
}
