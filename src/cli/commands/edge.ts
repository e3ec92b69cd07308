/** `edgefour edge`: one edge, which follows a control. Also what `up` starts as its child. */
import { readConfig } from '../../config/read.ts';
import type { Command } from '../command.ts';
import { tell } from '../output.ts';
import { type EdgeCode, startEdgeRole } from '../run/edge-role.ts';
import type { EdgeFacts } from '../run/ipc.ts';
import { runRole } from '../run/role.ts';
import { UPGRADE } from '../run/start-flags.ts';

export const command: Command = {
  summary: 'Run one edge alone; it follows a control and forwards.',
  usage: '[--join SOCKET|URL] [settings]',
  roles: ['up', 'edge'],
  shown: ['edge'],
  flags: UPGRADE,
  run: (args) =>
    runRole<EdgeCode, EdgeFacts>({
      load: () => import('../../edge/agent.ts'),
      start(code, last) {
        const { config, flags } = readConfig(args, command.roles, UPGRADE);
        return startEdgeRole(code, { config, isUpgrade: flags.has('upgrade'), last });
      },
      alone: ({ engines }) => tell(`edgefour: the edge is ready (${engines.join(', ')})`),
    }),
};
