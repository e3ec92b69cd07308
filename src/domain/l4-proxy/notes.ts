/** Notes for a person about an instance beside its status, one sentence each. Pure. */
import { poolOf } from '../address-pool/pool.ts';
import { serves, type Site } from '../site/site.ts';
import type { Zone } from '../zone/zone.ts';
import type { L4Proxy } from './l4-proxy.ts';

const OFF_AND_ON = 'switch it off and on to give it one';

export function notesOf(proxy: L4Proxy, zone: Pick<Zone, 'paused'>, sites: readonly Site[]): string[] {
  const notes: string[] = [];
  if (proxy.banned) notes.push('banned by an operator');
  if (zone.paused) notes.push(`zone ${proxy.zone} is paused`);
  if (proxy.want === 'offline') notes.push('switched off');
  const level = [proxy.ddos?.levelMainland, proxy.ddos?.levelOverseas].find((level) => level && level !== 'PLATFORM');
  if (level) notes.push(`DDoS protection ${level} is kept and shown, and filters nothing here; limits do`);
  for (const site of sites) {
    if (!serves(site, proxy.area)) continue;
    const { v4, v6 } = proxy.entries[site.id] ?? {};
    if (v4 === undefined && v6 === undefined) notes.push(`no entry address at site ${site.id}; ${OFF_AND_ON}`);
    else if (v6 === undefined && proxy.ipv6 === 'on') notes.push(`no IPv6 entry address at site ${site.id}`);
    for (const ip of [v4, v6])
      if (ip !== undefined && !poolOf(site, ip.includes(':') ? 6 : 4).has(ip))
        notes.push(`${ip} is no longer in the pool of site ${site.id}; ${OFF_AND_ON}`);
  }
  return notes;
}
