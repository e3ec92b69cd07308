/** `edgefour control`: the API, DNS and the link, without an edge. Also what `up` starts as its child. */
import { openDataFolder } from '../../config/data-folder.ts';
import { readConfig } from '../../config/read.ts';
import type { startControl } from '../../control/control.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Command } from '../command.ts';
import type { ControlFacts } from '../family.ts';
import { hold, LEAVING_MS } from '../lock.ts';
import { logFor } from '../log.ts';
import { tell } from '../output.ts';
import { writeReadyFile } from '../ready-file.ts';
import { runRole } from '../role.ts';

interface Code {
  readonly startControl: typeof startControl;
}

export const command: Command = {
  summary: 'Run the control alone: API, DNS, the link that edges join.',
  usage: '[settings]',
  roles: ['up', 'control'],
  run: (args) =>
    runRole<Code, ControlFacts>({
      load: () => import('../../control/control.ts'),
      start: (code) => start(code, args),
      alone(facts) {
        tell(`edgefour: control is ready: API ${facts.api}, DNS ${facts.dns || 'off'}`);
        const { readyFile } = readConfig(args, command.roles).config;
        if (readyFile !== undefined) writeReadyFile(readyFile, facts);
      },
    }),
};

async function start({ startControl }: Code, args: readonly string[]) {
  const { config } = readConfig(args, command.roles);
  const folder = openDataFolder(config.data);
  const lock = await hold(folder.locks.control, LEAVING_MS, systemClock);
  const { stop, ...facts } = await startControl(config, folder, { log: logFor(config, 'control') });
  return { ready: Promise.resolve(facts), stop: () => stop().finally(() => lock.release()) };
}
