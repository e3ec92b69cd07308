/** `edgefour control`: the API, DNS and the link, without an edge. Also what `up` starts as its child. */
import { readConfig } from '../../config/read.ts';
import type { Command } from '../command.ts';
import { tell } from '../output.ts';
import { type ControlCode, startControlRole } from '../run/control-role.ts';
import type { ControlFacts } from '../run/ipc.ts';
import { ReadyFile } from '../run/ready-file.ts';
import { CONTROL_FLAGS, runWith } from '../../program/v8-flags.ts';
import { runRole } from '../run/role.ts';
import { UPGRADE } from '../run/start-flags.ts';
import { isSupervised } from '../run/superior.ts';

export const command: Command = {
  summary: 'Run the control alone: API, DNS, the link that edges join.',
  usage: '[settings]',
  roles: ['up', 'control'],
  shown: ['control'],
  flags: UPGRADE,
  run(args) {
    if (!isSupervised()) runWith(CONTROL_FLAGS);
    return runRole<ControlCode, ControlFacts>({
      load: () => import('../../control/control.ts'),
      start(code, last) {
        const { config, flags } = readConfig(args, command.roles, UPGRADE);
        return startControlRole(code, { config, isUpgrade: flags.has('upgrade'), last });
      },
      alone(facts) {
        tell(`edgefour: control is ready: API ${facts.api}, DNS ${facts.dns || 'off'}`);
        new ReadyFile(readConfig(args, command.roles, UPGRADE).config.readyFile).write(facts);
      },
    });
  },
};
