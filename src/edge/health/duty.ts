/**
 * Which edges of a site probe a check, so that fifty edges are no storm for its origin: the same two by every edge's own reckoning,
 * and others for each check. Pure. Called by others.ts.
 */
import { crc32 } from 'node:zlib';

/** limit: one alone may be wrong about an origin, or gone. */
const PROBERS = 2;

/** Whether the edge is one of those that probe the check: all are where they are no more than two. */
export function isProber(edge: string, check: string, edges: readonly string[]): boolean {
  if (edges.length <= PROBERS) return edges.length === 0 || edges.includes(edge);
  const seed = crc32(check);
  const own = lot(edge, seed);
  let before = 0;
  let isThere = false;
  for (const other of edges) {
    const drawn = lot(other, seed);
    if (other === edge) isThere = true;
    else if (drawn < own || (drawn === own && other < edge)) before += 1;
  }
  return isThere && before < PROBERS;
}

const lot = (edge: string, seed: number): number => mixed(crc32(edge), seed);

/** Murmur3's last step: CRCs alone are linear, and the order of edges would be nearly the same for all checks. */
function mixed(a: number, b: number): number {
  let h = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
