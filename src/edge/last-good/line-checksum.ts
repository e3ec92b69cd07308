/**
 * Lines that prove they are whole: each starts with a checksum over itself and over the checksum of the line before, so
 * a flipped bit, a lost line, lines in another order or another file's lines all show at the first wrong line. Pure; it
 * reads no file. generation.ts writes and reads files of such lines.
 */
import { crc32 } from 'node:zlib';

/** The chain as it stands after a line; the next line needs it. */
export type Chain = number;
export const CHAIN_START: Chain = 0;
/** Checksum in hexadecimal, and a blank. */
export const CHECKSUM_BYTES = 9;

const CHECKSUM = /^[0-9a-f]{8} $/;

/** `text` has no line feed but may end with one. */
export function withChecksum(text: string, before: Chain): { readonly line: string; readonly chain: Chain } {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const chain = crc32(body, before);
  return { line: `${chain.toString(16).padStart(8, '0')} ${body}\n`, chain };
}

/** The text of a line; undefined where it is not the line that followed. `line` has no line feed. */
export function checked(
  line: Uint8Array,
  before: Chain,
): { readonly body: Uint8Array; readonly chain: Chain } | undefined {
  const head = Buffer.from(line.buffer, line.byteOffset, Math.min(line.byteLength, CHECKSUM_BYTES)).toString('latin1');
  if (!CHECKSUM.test(head)) return undefined;
  const body = line.subarray(CHECKSUM_BYTES);
  const chain = crc32(body, before);
  return Number.parseInt(head, 16) === chain ? { body, chain } : undefined;
}
