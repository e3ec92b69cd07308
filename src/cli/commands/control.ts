/** `edgefour control`: the API, DNS and the link, without an edge. Also what `up` starts as its child. */
import { openDataFolder } from '../../config/data-folder.ts';
import { readConfig } from '../../config/read.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Command } from '../command.ts';
import type { ControlFacts } from '../family.ts';
import { hold, LEAVING_MS } from '../lock.ts';
import { logFor } from '../log.ts';
import { tell } from '../output.ts';
import { writeReadyFile } from '../ready-file.ts';
import { runRole } from '../role.ts';

export const command: Command = {
  summary: 'Run the control alone: API, DNS, the link that edges join.',
  usage: '[settings]',
  roles: ['up', 'control'],
  run(args) {
    const { config } = readConfig(args, command.roles);
    async function start() {
      const folder = openDataFolder(config.data);
      const lock = await hold(folder.locks.control, LEAVING_MS, systemClock);
      const { startControl } = await import('../../control/control.ts');
      const { stop, ...facts } = await startControl(config, folder, { log: logFor(config, 'control') });
      return { ready: Promise.resolve(facts), stop: () => stop().finally(() => lock.release()) };
    }
    return runRole<ControlFacts>(start, (facts) => {
      tell(`edgefour: control is ready: API ${facts.api}, DNS ${facts.dns || 'off'}`);
      if (config.readyFile !== undefined) writeReadyFile(config.readyFile, facts);
    });
  },
};
