/** Tables of EdgeFour that are in the kernel, and whose they are: what an edge would find at its start. Changes nothing. */
import { dataFolder } from '../../config/data-folder.ts';
import { lookAtTables } from '../tables/tables.ts';
import { bad, type Finding, ok, warn } from '../../observe/finding.ts';

/** `data`: the folder; `isRunning`: its EdgeFour. */
export async function kernelTableFindings(data: string, isRunning: boolean): Promise<Finding[]> {
  const { found, left } = await lookAtTables(dataFolder(data).path);
  if (left !== undefined) return [bad(ABOUT, left)];
  const there = found.filter(({ whose }) => whose !== 'nobody' && !(isRunning && whose === 'ours'));
  if (there.length === 0) return [ok(ABOUT, isRunning ? 'none but those of the edge that runs' : 'none')];
  return there.map(({ table, whose }) => {
    const name = `inet ${table}`;
    if (typeof whose === 'object')
      return warn(ABOUT, `${name} is of another edge that runs (${whose.living}): ${BESIDE}`, NAMESPACE);
    const of = whose === 'ours' ? 'of this data folder, whose edge does not run' : 'of an edge that is dead';
    return warn(
      ABOUT,
      `${name} is ${of}; it is in force`,
      `The next start takes it over. Or: nft delete table ${name}`,
    );
  });
}

const ABOUT = 'kernel tables';
const BESIDE = 'rules of the kernel engine, and limits, fail beside it';
const NAMESPACE = 'End that edge, or run this one in a network namespace of its own.';
