/**
 * `edgefour reset`: back to the state of the first start, with the same key pair and zone. Through the API while EdgeFour
 * runs, so that edges follow; by removing files while it does not.
 */
import { rmSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { EdgeFourReset } from '../../api/actions/edgefour/EdgeFourReset.ts';
import { checkDataFolder, type DataFolder, dataFolder } from '../../config/data-folder.ts';
import { type Config, readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import { acquireLock } from '../../store/sqlite/lock.ts';
import type { Command } from '../command.ts';
import { tell } from '../output.ts';
import { openSession } from '../client/session.ts';

export const command: Command = {
  summary: 'Go back to the state of the first start; key pair and zone stay.',
  usage: '[--yes] [settings]',
  roles: ['client'],
  flags: { yes: { help: 'Do not ask. Without a terminal it does not ask.' } },
  async run(args) {
    const { config, flags } = readConfig(args, command.roles, command.flags);
    const folder = dataFolder(config.data);
    if (!flags.has('yes') && !(await sure(config.endpoint ?? folder.path))) return 1;
    if (config.endpoint !== undefined) await throughApi(config);
    else await onThisMachine(config, folder);
    return 0;
  },
};

async function sure(what: string): Promise<boolean> {
  if (!process.stdin.isTTY) return true;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test(await lines.question(`Delete every instance, rule, key and policy of ${what}? [y/N] `));
  } finally {
    lines.close();
  }
}

async function throughApi(config: Config): Promise<void> {
  const { client } = openSession(config);
  let deleted = 0;
  for (;;) {
    const answer = await client.call<{ Deleted: number; Remaining: number }>(
      'EdgeFourReset',
      {},
      EdgeFourReset.service,
    );
    deleted += answer.Deleted;
    if (answer.Remaining === 0) break;
    tell(`edgefour: ${answer.Remaining} records to go …`);
  }
  await client.call('EdgeFourClearFaults', {}, EdgeFourReset.service);
  tell(`edgefour: ${deleted} records deleted; the world is as at its first start.`);
}

/** A process that holds one of the locks is running, and must do it itself. */
async function onThisMachine(config: Config, folder: DataFolder): Promise<void> {
  if (!checkDataFolder(folder)) throw new Usage(`${folder.path} has no EdgeFour in it; there is nothing to reset.`);
  const locks = Object.values(folder.locks).map((path) => acquireLock(path));
  try {
    if (locks.includes(undefined)) return await throughApi(config);
    for (const path of [
      folder.world,
      `${folder.world}-wal`,
      `${folder.world}-shm`,
      folder.acks,
      folder.counters,
      folder.edge,
    ])
      rmSync(path, { recursive: true, force: true });
    tell(`edgefour: ${folder.path} is as at its first start.`);
  } finally {
    for (const lock of locks) lock?.release();
  }
}
