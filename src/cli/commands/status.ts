/** `edgefour status`: edges, instances and rules as they really are: state, engine, why this engine, what failed. */
import { EdgeFourDescribeStatus } from '../../api/actions/edgefour/EdgeFourDescribeStatus.ts';
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import type { Command } from '../command.ts';
import { write, writeJson } from '../output.ts';
import { openSession } from '../client/session.ts';
import { type Status, statusText } from '../client/status-text.ts';

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
    const [ProxyId] = words;
    const scope = {
      ...(config.zone !== undefined && { ZoneId: config.zone }),
      ...(ProxyId !== undefined && { ProxyId }),
    };
    const page = (Offset: number) =>
      client.call<Status>('EdgeFourDescribeStatus', { ...scope, Offset, Limit: PAGE }, EdgeFourDescribeStatus.service);
    const status = await page(0);
    while (status.Instances.length < status.TotalCount) {
      const { Instances } = await page(status.Instances.length);
      if (Instances.length === 0) break;
      status.Instances.push(...Instances);
    }
    if (flags.has('json')) writeJson(status);
    else write(statusText(status));
    return healthy(status) ? 0 : 1;
  },
};

const PAGE = 200;

/** Nothing has failed, and every instance has a live edge at one of its sites, as far as their edges are known. */
export function healthy({ Edges, Instances }: Status): boolean {
  const known = new Set(Edges.map(({ Site }) => Site));
  const live = new Set(Edges.flatMap(({ Alive, Site }) => (Alive ? Site : [])));
  const failed = Instances.some(
    ({ Status, Rules }) => Status === 'fail' || Rules.some((rule) => rule.Status === 'fail'),
  );
  const isSilent = Instances.some(({ Entries }) => {
    const sites = Entries.flatMap(({ Site }) => (known.has(Site) ? Site : []));
    return sites.length > 0 && !sites.some((site) => live.has(site));
  });
  return !failed && !isSilent && live.size > 0;
}
