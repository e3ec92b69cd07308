/** `edgefour edge`: one edge, which follows a control. Also what `up` starts as its child. */
import { openDataFolder } from '../../config/data-folder.ts';
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import type { startEdge } from '../../edge/agent.ts';
import { systemClock } from '../../lib/clock.ts';
import { VERSION } from '../../lib/version.ts';
import { parseLinkAddress } from '../../link/address.ts';
import type { Command } from '../command.ts';
import type { EdgeFacts } from '../family.ts';
import { hold, LEAVING_MS } from '../lock.ts';
import { logFor } from '../log.ts';
import { tell } from '../output.ts';
import { runRole } from '../role.ts';

interface Code {
  readonly startEdge: typeof startEdge;
}

export const command: Command = {
  summary: 'Run one edge alone; it follows a control and forwards.',
  usage: '[--join SOCKET|URL] [settings]',
  roles: ['up', 'edge'],
  run: (args) =>
    runRole<Code, EdgeFacts>({
      load: () => import('../../edge/agent.ts'),
      start: (code) => start(code, args),
      alone: ({ engines }) => tell(`edgefour: the edge is ready (${engines.join(', ')})`),
    }),
};

async function start({ startEdge }: Code, args: readonly string[]) {
  const { config } = readConfig(args, command.roles);
  const folder = openDataFolder(config.data);
  const join = config.join ?? folder.socket;
  const address = parseLinkAddress(join);
  if ('bad' in address) throw new Usage(`--join ${address.bad}.`);
  const lock = await hold(folder.locks.edge, LEAVING_MS, systemClock);
  const { edge: edgeId, site, engine, records, toaKinds } = config;
  const flush = config.flush === 'on';
  const rules = { engine, records, flush, toaKinds };
  const identity = { dataDir: folder.path, edgeId, site, join, version: VERSION };
  const edge = await startEdge({ ...identity, ...rules }, { log: logFor(config, 'edge'), clock: systemClock });
  const engines = edge.engines.filter(({ unavailable }) => unavailable === undefined).map(({ name }) => name);
  return {
    ready: edge.ready.then(() => ({ engines })),
    stop: () => edge.stop(config.drain * 1_000).finally(() => lock.release()),
  };
}
