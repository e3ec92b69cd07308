/**
 * Orders the sites of an instance for one asker by rendezvous hashing: the same asker always gets the same order, askers
 * spread evenly, and a site that goes away moves only those whom it served. Pure; knows nothing of geography: DNS
 * steering is not anycast.
 */

/** `seed` is what the order depends on beside the sites: the asker's network and the instance. */
export function nearest(sites: readonly string[], seed: string): string[] {
  if (sites.length < 2) return [...sites];
  const ranked = sites.map((site) => ({ site, rank: hash(`${seed} ${site}`) }));
  ranked.sort((a, b) => a.rank - b.rank || (a.site < b.site ? -1 : 1));
  return ranked.map(({ site }) => site);
}

/** FNV-1a with a final mix; 32 bits. Spreading is all that is asked of it. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
