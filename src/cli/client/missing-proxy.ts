/**
 * Says why a list about an instance is empty. wire: the cloud answers a list about an instance that is not there with nothing,
 * as if it were there and had none; a person is told which of the two it is. Called by `edgefour api`.
 */
import type { Client } from './api-client.ts';

export async function missingProxy(
  client: Client,
  { ZoneId, ProxyId }: Record<string, unknown>,
  answer: Record<string, unknown>,
): Promise<string | undefined> {
  if (answer['TotalCount'] !== 0 || typeof ZoneId !== 'string' || typeof ProxyId !== 'string') return undefined;
  const Filters = [{ Name: 'proxy-id', Values: [ProxyId] }];
  const { TotalCount } = await client.call<{ TotalCount: number }>('DescribeL4Proxy', { ZoneId, Filters });
  if (TotalCount > 0) return undefined;
  return `Zone ${ZoneId} has no L4 proxy ${ProxyId}; \`edgefour status\` lists those it has.`;
}
