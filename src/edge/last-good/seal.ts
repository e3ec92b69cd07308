/**
 * Lines that prove they are whole: each starts with a checksum over itself and over the checksum of the line before, so
 * a flipped bit, a lost line, lines in another order or another file's lines all show at the first wrong line. Pure.
 * generation.ts writes and reads files of them.
 */
import { crc32 } from 'node:zlib';

/** The chain as it stands after a line; the next line needs it. */
export type Chain = number;
export const CHAIN_START: Chain = 0;
/** Checksum in hexadecimal, and a blank. */
export const SEAL_BYTES = 9;

const SEAL = /^[0-9a-f]{8} $/;

/** `text` has no line feed but may end with one. */
export function seal(text: string, before: Chain): { readonly line: string; readonly chain: Chain } {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const chain = crc32(body, before);
  return { line: `${chain.toString(16).padStart(8, '0')} ${body}\n`, chain };
}

/** What was sealed; undefined where the line is not the one that followed. `line` has no line feed. */
export function unseal(
  line: Uint8Array,
  before: Chain,
): { readonly body: Uint8Array; readonly chain: Chain } | undefined {
  const head = Buffer.from(line.buffer, line.byteOffset, Math.min(line.byteLength, SEAL_BYTES)).toString('latin1');
  if (!SEAL.test(head)) return undefined;
  const body = line.subarray(SEAL_BYTES);
  const chain = crc32(body, before);
  return Number.parseInt(head, 16) === chain ? { body, chain } : undefined;
}
