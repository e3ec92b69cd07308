/** What a person should know about an instance beside its status, one sentence each. Pure. */
import { serves, type Site } from '../site/site.ts';
import type { Zone } from '../zone/zone.ts';
import type { L4Proxy } from './l4-proxy.ts';

export function notesOf(proxy: L4Proxy, zone: Pick<Zone, 'paused'>, sites: readonly Site[]): string[] {
  const notes: string[] = [];
  if (proxy.banned) notes.push('banned by an operator');
  if (zone.paused) notes.push(`zone ${proxy.zone} is paused`);
  if (proxy.want === 'offline') notes.push('switched off');
  for (const site of sites) {
    const entry = proxy.entries[site.id];
    if (entry === undefined && serves(site, proxy.area)) notes.push(`no entry address at site ${site.id}`);
    if (entry && entry.v6 === undefined && proxy.ipv6 === 'on') notes.push(`no IPv6 entry address at site ${site.id}`);
  }
  return notes;
}
