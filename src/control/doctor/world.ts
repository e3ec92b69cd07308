/** The desired state on disk: whole, damaged, or gone while an edge still has rules. Reads, and changes nothing. */
import { existsSync } from 'node:fs';
import type { DataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/read.ts';
import { bad, type Finding, ok, warn } from '../../observe/finding.ts';

/** `served`: how many rules the edge of this folder serves. */
export async function worldFindings(
  config: Config,
  folder: DataFolder,
  served: () => Promise<number>,
): Promise<Finding[]> {
  if (config.store !== undefined && !config.store.startsWith('sqlite:')) return [];
  const path = config.store?.slice('sqlite:'.length) ?? folder.world;
  if (!existsSync(path)) return goneFindings(path, await served());
  const { damageOf } = await import('../../store/sqlite/salvage.ts');
  try {
    const damaged = damageOf(path);
    if (damaged.length === 0) return [ok('world', `${path} is whole, each record as it was written`)];
    const fix =
      'edgefour backup FILE saves what can be read; end EdgeFour, put FILE in its place, remove its -wal, start.';
    return damaged.map((line) => warn('world', `${path} is damaged: ${line}`, fix));
  } catch (error) {
    return [bad('world', `${path} can't be looked at: ${(error as Error).message}`)];
  }
}

function goneFindings(path: string, rules: number): Finding[] {
  if (rules === 0) return [];
  return [
    warn(
      'world',
      `${path} is not there, and the edge of this folder serves ${rules} rules`,
      'Restore a backup of it; to begin with nothing, and end these rules: edgefour up --new-world on.',
    ),
  ];
}
