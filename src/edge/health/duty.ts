/**
 * Which edges of a site probe a check, so that fifty edges are no storm for its origin: the same two by every edge's own reckoning,
 * and others for each check. Pure. Called by others.ts.
 */
import { crc32 } from 'node:zlib';

/** limit: one alone may be wrong about an origin, or gone. */
const PROBERS = 2;

/** Which checks the edge probes among these: all where they are no more than two, or none is told. */
export function dutyOf(edge: string, edges: readonly string[]): (check: string) => boolean {
  const isTold = edges.includes(edge);
  if (edges.length <= PROBERS) return () => edges.length === 0 || isTold;
  const own = crc32(edge);
  const others = edges
    .filter((other) => other !== edge)
    .map((other) => ({ number: crc32(other), isBefore: other < edge }));
  return (check) => {
    if (!isTold) return false;
    const seed = crc32(check);
    const lot = mixed(own, seed);
    let before = 0;
    for (const { number, isBefore } of others) {
      const drawn = mixed(number, seed);
      if (drawn < lot || (drawn === lot && isBefore)) before += 1;
    }
    return before < PROBERS;
  };
}

/** Murmur3's last step: CRCs alone are linear, and the order of edges would be nearly the same for all checks. */
function mixed(a: number, b: number): number {
  let h = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
