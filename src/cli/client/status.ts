/** What EdgeFourDescribeStatus answers, read page by page, and whether all is well. Used by `status` and by `api … --wait`. */
import { EdgeFourDescribeStatus } from '../../api/actions/edgefour/EdgeFourDescribeStatus.ts';
import type { Infer } from '../../shape/shape.ts';
import type { Client } from './api-client.ts';

export type Status = Infer<typeof EdgeFourDescribeStatus.response>;

interface Scope {
  readonly ZoneId?: string | undefined;
  readonly ProxyId?: string | undefined;
}

const PAGE = 200;

/** All instances in scope. */
export async function readStatus(client: Client, scope: Scope): Promise<Status> {
  const status = await statusPage(client, { ...scope, Offset: 0, Limit: PAGE });
  while (status.Instances.length < status.TotalCount) {
    const { Instances } = await statusPage(client, { ...scope, Offset: status.Instances.length, Limit: PAGE });
    if (Instances.length === 0) break;
    status.Instances.push(...Instances);
  }
  return status;
}

export function statusPage(client: Client, fields: Scope & { Offset?: number; Limit?: number }): Promise<Status> {
  return client.call<Status>('EdgeFourDescribeStatus', fields, EdgeFourDescribeStatus.service);
}

/** The zone of an instance that is named by its id alone; undefined: there is no such instance. */
export async function zoneOf(client: Client, ProxyId: string): Promise<string | undefined> {
  return (await statusPage(client, { ProxyId })).Instances[0]?.ZoneId;
}

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
