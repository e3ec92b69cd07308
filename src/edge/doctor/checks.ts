/** What an edge says about this machine: each check is a file of this folder and a line here. `edgefour doctor` runs them. */
import process from 'node:process';
import type { Config } from '../../config/read.ts';
import { kernelEngineState } from '../../engines/kernel/doctor.ts';
import { uringFacts } from '../../engines/uring/engine.ts';
import type { Check } from '../../observe/finding.ts';
import { pingState } from '../health/probes/icmp.ts';
import { collisionFindings } from './collisions.ts';
import { entryFindings } from './entries.ts';
import { healthCheckFinding } from './health-checks.ts';
import { kernelEngineFindings } from './kernel-engine.ts';
import { kernelTableFindings } from './kernel-tables.ts';
import { limitFacts, limitFinding } from './limits.ts';
import { nodeFinding, processFacts, processFindings } from './process.ts';
import { portFacts, sourcePortFinding } from './source-ports.ts';
import { uringFindings } from './uring.ts';

interface Subject {
  readonly config: Config;
  /** The EdgeFour of this data folder runs. */
  readonly isRunning: boolean;
}

export const EDGE_CHECKS: readonly Check<Subject>[] = [
  () => [nodeFinding()],
  async () => uringFindings(await uringFacts()),
  async ({ config: { engine, addresses } }) =>
    kernelEngineFindings(await kernelEngineState(addresses), engine, addresses),
  async () => [limitFinding(await limitFacts())],
  () => [healthCheckFinding(pingState())],
  ({ config, isRunning }) => kernelTableFindings(config.data, isRunning),
  () => processFindings(processFacts()),
  ({ config }) => (process.platform === 'linux' ? [sourcePortFinding(config.sourcePorts, portFacts())] : []),
  ({ config, isRunning }) => collisionFindings(config, isRunning),
  ({ config }) => entryFindings(config.addresses),
];
