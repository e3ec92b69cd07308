/** Whether the files on disk are still those that run on this data folder. Called by commands/doctor.ts. */
import { seeProgram, whatIsWrong } from '../../lib/program-watch.ts';
import type { RunningFile } from '../session.ts';
import { type Finding, ok, warn } from './finding.ts';

export async function programFindings(running: RunningFile | undefined): Promise<Finding[]> {
  const program = running?.program;
  if (!program) return [];
  const wrong = whatIsWrong(program, await seeProgram(program.root));
  if (wrong === undefined) return [ok('program', `version ${program.version} is running, and is what is on disk`)];
  return [warn('program', wrong, 'edgefour up --upgrade, with the settings of the one that runs.')];
}
