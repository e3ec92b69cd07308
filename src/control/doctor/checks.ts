/** What control says about this machine: each check is a file of this folder and a line here. `edgefour doctor` runs them. */
import { dataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/read.ts';
import type { Check } from '../../observe/finding.ts';
import type { Program } from '../../program/watch.ts';
import { budgetFindings } from './budgets.ts';
import { dataFindings } from './data.ts';
import { portFindings } from './ports.ts';
import { programFindings } from './program.ts';
import { worldFindings } from './world.ts';

interface Subject {
  readonly config: Config;
  /** The EdgeFour of this data folder runs. */
  readonly isRunning: boolean;
  /** What it was started from. */
  readonly program: Program | undefined;
  /** How many rules the edge of this data folder serves. */
  readonly served: () => Promise<number>;
}

export const CONTROL_CHECKS: readonly Check<Subject>[] = [
  ({ program }) => programFindings(program),
  ({ config }) => dataFindings(dataFolder(config.data)),
  ({ config, served }) => worldFindings(config, dataFolder(config.data), served),
  ({ config, isRunning }) => portFindings(config, isRunning),
  () => budgetFindings(),
];
