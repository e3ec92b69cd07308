/** A command that is one action on one instance, named by its id alone: its zone is looked up. */
import type { AnyAction } from '../../api/action.ts';
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import { show } from '../output.ts';
import type { Command } from '../command.ts';
import { openSession } from './session.ts';
import { zoneOf } from './status.ts';

export function instanceCommand(name: string, action: string, definition: AnyAction): Command {
  const flags = { json: { help: 'For programs.' } };
  return {
    summary: definition.summary,
    usage: '<ProxyId>',
    roles: ['client'],
    flags,
    async run(args) {
      const reading = readConfig(args, ['client'], flags);
      const [ProxyId] = reading.words;
      if (ProxyId === undefined || reading.words.length > 1) throw new Usage(`It is: edgefour ${name} <ProxyId>`);
      const { client } = openSession(reading.config);
      const ZoneId = await zoneOf(client, ProxyId);
      show(await client.call(action, { ZoneId, ProxyId }, definition.service), reading.flags.has('json'));
      return 0;
    },
  };
}
