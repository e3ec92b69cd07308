/**
 * `edgefour up`: a small process that keeps control and edge alive beside each other, tells a person where they are, and
 * ends them in order. It holds no state but the lock, so killing it loses nothing.
 */
import { readConfig } from '../../config/read.ts';
import { openDataFolder } from '../../config/data-folder.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Command } from '../command.ts';
import { hold } from '../lock.ts';
import { supervise } from '../supervise.ts';

export const command: Command = {
  summary: 'Run control and one edge on this machine (what `npm start` does).',
  usage: '[settings]',
  roles: ['up'],
  async run(args) {
    const { config } = readConfig(args, ['up']);
    const folder = openDataFolder(config.data);
    const lock = await hold(folder.locks.up, 0, systemClock);
    try {
      return await supervise(args, config, folder);
    } finally {
      lock.release();
    }
  },
};
