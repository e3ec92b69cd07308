/** `edgefour control`: the API, DNS and the link, without an edge. Also what `up` starts as its child. */
import process from 'node:process';
import { openDataFolder } from '../../config/data-folder.ts';
import { writeFileAtomic } from '../../config/file.ts';
import { readConfig } from '../../config/read.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Command } from '../command.ts';
import { hold, LEAVING_MS } from '../lock.ts';
import { logFor } from '../log.ts';
import { tell } from '../output.ts';
import { runRole } from '../role.ts';

export const command: Command = {
  summary: 'Run the control alone: API, DNS, the link that edges join.',
  usage: '[settings]',
  roles: ['up', 'control'],
  async run(args) {
    const { config } = readConfig(args, command.roles);
    const folder = openDataFolder(config.data);
    const lock = await hold(folder.locks.control, LEAVING_MS, systemClock);
    const { startControl } = await import('../../control/control.ts');
    const start = async () => {
      const control = await startControl(config, folder, { log: logFor(config).with({ role: 'control' }) });
      const { stop, ...facts } = control;
      return { facts, stop };
    };
    try {
      return await runRole(start, (ready) => {
        tell(`edgefour: control is ready: API ${ready.api}, DNS ${ready.dns || 'off'}`);
        if (config.readyFile !== undefined)
          writeFileAtomic(config.readyFile, `${JSON.stringify({ ...ready, pid: process.pid })}\n`);
      });
    } finally {
      lock.release();
    }
  },
};
