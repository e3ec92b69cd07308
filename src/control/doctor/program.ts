/** Whether the files on disk are still those that run on this data folder. Reads, and changes nothing. */
import { type Program, seeProgram, whatIsWrong } from '../../program/watch.ts';
import { type Finding, ok, warn } from '../../observe/finding.ts';

export async function programFindings(program: Program | undefined): Promise<Finding[]> {
  if (!program) return [];
  const wrong = whatIsWrong(program, await seeProgram(program.root));
  if (wrong === undefined) return [ok('program', `version ${program.version} is running, and is what is on disk`)];
  return [warn('program', wrong, 'edgefour up --upgrade, with the settings of the one that runs.')];
}
