/** `edgefour status`: edges, instances and rules as they really are: state, engine, why this engine, what failed. */
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import { systemClock } from '../../lib/clock.ts';
import { openSession } from '../client/session.ts';
import { healthy, readStatus } from '../client/status.ts';
import { statusText } from '../client/status-text.ts';
import type { Command } from '../command.ts';
import { write, writeJson } from '../output.ts';

export const command: Command = {
  summary: 'Edges, instances and rules: state, engine, why this engine, what failed.',
  usage: '[ProxyId] [--zone ZONE_ID] [--json]',
  roles: ['client'],
  flags: { json: { help: 'For programs.' } },
  notes: ['Exit code 1 when a rule or an instance has failed, an instance has no live edge, or no edge is alive.'],
  async run(args) {
    const { config, flags, words } = readConfig(args, command.roles, command.flags);
    if (words.length > 1) throw new Usage('It is: edgefour status [ProxyId]');
    const { client } = openSession(config);
    const status = await readStatus(client, { ZoneId: config.zone, ProxyId: words[0] });
    if (flags.has('json')) writeJson(status);
    else write(statusText(status, systemClock.now()));
    return healthy(status) ? 0 : 1;
  },
};
