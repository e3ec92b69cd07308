/** Small texts of nft that chains of rules are made of. Pure. */
import { type Family, IP, WIDTH } from '../layout.ts';

/** FNV-1a: short, and only names depend on it. */
export function digest(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(text.length - 1 - i), 0x85ebca6b);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

export function over(number: number): string {
  return `limit rate over ${number}/second burst ${number} packets`;
}

/** The first `bits` of the source address. */
export function masked(family: Family, bits: number): string {
  return `${IP[family]} saddr${bits === WIDTH[family] ? '' : ` & ${maskOf(bits, family)}`}`;
}

/** As an address: /24 → 255.255.255.0. */
function maskOf(bits: number, family: Family): string {
  const width = family === 4 ? 4 : 16;
  const bytes = Array.from({ length: width }, (_, i) => (0xff << (8 - Math.max(0, Math.min(8, bits - 8 * i)))) & 0xff);
  if (family === 4) return bytes.join('.');
  const word = (i: number): string => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16);
  return Array.from({ length: 8 }, (_, i) => word(i)).join(':');
}
