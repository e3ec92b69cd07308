/**
 * What a client shows as proof of ownership for a zone. EdgeFour asks for none (a named zone is `finished` at once); the
 * values are made from the zone's id, so that they are the same each time they are read.
 */
import type { Zone } from './zone.ts';

export interface Proof {
  readonly dns?: { readonly subdomain: string; readonly type: 'TXT'; readonly value: string };
  readonly file?: { readonly path: string; readonly content: string };
  /** Name servers to move the domain to. Empty: EdgeFour hosts no customers' domains. */
  readonly nameServers?: readonly string[];
}

/** undefined where there is no domain to own. */
export function proofOf(zone: Zone): Proof | undefined {
  const token = zone.id.replace(/^zone-/, '');
  if (zone.type === 'noDomainAccess') return undefined;
  if (zone.type === 'full') return { nameServers: [] };
  return {
    dns: { subdomain: 'edgeonereclaim', type: 'TXT', value: `reclaim-${token}` },
    file: { path: `/.well-known/teo-verification/${token}.txt`, content: token },
  };
}
