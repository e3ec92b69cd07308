/** `edgefour doctor`: looks at this machine with the settings `up` would get, and says what to change. Changes nothing. */
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { checkDataFolder, type DataFolder, dataFolder } from '../../config/data-folder.ts';
import { type Config, readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import type { Command } from '../command.ts';
import { budgetFindings } from '../../control/doctor/budgets.ts';
import { bad, type Finding, ok, warn } from '../../observe/finding.ts';
import { kernelEngineFacts, kernelEngineFindings } from '../../edge/doctor/kernel-engine.ts';
import { lastRules } from '../../edge/doctor/places.ts';
import { kernelTableFindings } from '../../edge/doctor/kernel-tables.ts';
import { collisionFindings } from '../../edge/doctor/collisions.ts';
import { entryFinding, port443Finding, portFinding } from '../../control/doctor/network.ts';
import { worldFindings } from '../../control/doctor/world.ts';
import { programFindings } from '../../control/doctor/program.ts';
import { processFindings, system } from '../../edge/doctor/process.ts';
import { portFacts, sourcePortFinding } from '../../edge/doctor/source-ports.ts';
import { uringFindings } from '../../edge/doctor/uring.ts';
import { write, writeJson } from '../output.ts';
import { readRunning } from '../client/session.ts';

export const command: Command = {
  summary: 'Check this machine: what would stop EdgeFour, what it would miss.',
  usage: '[settings] [--json]',
  roles: ['up'],
  flags: { json: { help: 'For programs.' } },
  notes: ['Exit code 0: it would run. 1: something is in the way.'],
  async run(args) {
    const { config, flags } = readConfig(args, command.roles, command.flags);
    const findings = await examine(config);
    if (flags.has('json')) writeJson(findings);
    else write(asText(findings));
    return findings.some(({ state }) => state === 'bad') ? 1 : 0;
  },
};

async function examine(config: Config): Promise<Finding[]> {
  const { uringFacts } = await import('../../engines/uring/engine.ts');
  const [firstNetwork] = config.addresses;
  const file = readRunning(config);
  const running = file !== undefined;
  return [
    node(),
    ...(await programFindings(file?.program)),
    ...uringFindings(await uringFacts()),
    ...kernelEngineFindings(await kernelEngineFacts(config.engine, config.addresses)),
    ...kernelTableFindings(await lookedAt(config), running),
    ...processFindings(system()),
    ...(process.platform === 'linux' ? [sourcePortFinding(config.sourcePorts, portFacts())] : []),
    ...(await collisionFindings(config, running)),
    ...dataFindings(dataFolder(config.data)),
    ...(await worldFindings(config, dataFolder(config.data), async () => (await lastRules(config)).length)),
    await portFinding('API', config.listen, false, 'listen', running),
    ...(config.dns ? [await portFinding('DNS', config.dns, true, 'dns', running)] : []),
    ...(await Promise.all(config.addresses.map((network) => entryFinding(network)))),
    ...(firstNetwork === undefined ? [] : [await port443Finding(firstNetwork)]),
    ...budgetFindings(),
  ];
}

async function lookedAt(config: Config) {
  const { lookAtTables } = await import('../../edge/tables/tables.ts');
  return lookAtTables(dataFolder(config.data).path);
}

function node(): Finding {
  const [major = 0] = process.versions.node.split('.').map(Number);
  const text = `${process.version} on ${process.platform}-${process.arch}`;
  return major >= 26 ? ok('Node', text) : bad('Node', text, 'EdgeFour runs on Node 26: `npm ci` brings it along.');
}

/** limit: the log of changes and the connection records of a busy day fit with room to spare. */
const ROOMY_BYTES = 1024 ** 3;

function dataFindings(folder: DataFolder): Finding[] {
  try {
    const known = checkDataFolder(folder);
    const mode = known ? statSync(folder.path).mode & 0o777 : 0o700;
    const { bavail, bsize } = statfsSync(existing(folder.path));
    const free = bavail * bsize;
    return [
      mode === 0o700
        ? ok('data', `${folder.path} ${known ? 'is ours, mode 0700' : 'is new'}`)
        : warn('data', `${folder.path} has mode 0${mode.toString(8)}`, 'chmod 700; the next start does it too.'),
      free >= ROOMY_BYTES
        ? ok('disk', `${(free / ROOMY_BYTES).toFixed(1)} GiB free`)
        : warn('disk', `${Math.floor(free / 1024 ** 2)} MiB free`, 'Make room, or move the data folder.'),
    ];
  } catch (error) {
    if (!(error instanceof Usage)) throw error;
    return [bad('data', error.message)];
  }
}

function existing(path: string): string {
  try {
    statSync(path);
    return path;
  } catch {
    return existing(dirname(path));
  }
}

function asText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ about }) => about.length));
  const lines = findings.map(({ about, state, text, fix }) => {
    const advice = fix === undefined ? '' : `${' '.repeat(width + 7)}→ ${fix}\n`;
    return `${state.padEnd(5)} ${about.padEnd(width)} ${text}\n${advice}`;
  });
  return lines.join('');
}
