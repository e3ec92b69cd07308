/**
 * IPv4 and IPv6 addresses as text and as bytes in network order. Pure: no names are resolved here, and what is not a
 * plain address (zone ids, octal tricks, ports) is refused. Callers: pass-through encoders, entry addresses, validation.
 */

/** 4 bytes for IPv4, 16 for IPv6; `undefined` where the text is neither. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

export function addressFamily(text: string): 4 | 6 | undefined {
  const bytes = parseAddress(text);
  return bytes && (bytes.length === 4 ? 4 : 6);
}

/** The 16-byte form: an IPv4 address becomes ::ffff:a.b.c.d. */
export function mappedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 16) return bytes;
  const mapped = new Uint8Array(16);
  mapped.set([0xff, 0xff], 10);
  mapped.set(bytes, 12);
  return mapped;
}

export function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((b) => b === 0);
}

/** The IPv4 address inside ::ffff:a.b.c.d; any other address as it is. What denies addresses must look at this one. */
export function unmappedBytes(bytes: Uint8Array): Uint8Array {
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** Whether one host can be meant: not unspecified (which a socket takes for this host), not multicast or broadcast. */
export function isUnicast(bytes: Uint8Array): boolean {
  const address = unmappedBytes(bytes);
  if (address.length === 16) return byteAt(address, 0) !== 0xff && address.some((b) => b !== 0);
  const isBroadcast = address.every((b) => b === 255);
  return byteAt(address, 0) !== 0 && byteAt(address, 0) >> 4 !== 0xe && !isBroadcast;
}

/** Text of 4 or 16 bytes; IPv6 as RFC 5952 writes it. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (isMapped(bytes)) return `::ffff:${bytes.subarray(12).join('.')}`;
  const words = Array.from({ length: 8 }, (_, i) => (byteAt(bytes, 2 * i) << 8) | byteAt(bytes, 2 * i + 1));
  const gap = longestZeros(words);
  const hex = words.map((word) => word.toString(16));
  if (gap.length < 2) return hex.join(':');
  return `${hex.slice(0, gap.start).join(':')}::${hex.slice(gap.start + gap.length).join(':')}`;
}

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

function parseV4(text: string): Uint8Array | undefined {
  const match = V4.exec(text);
  if (!match) return undefined;
  const parts = match.slice(1);
  // not: 010.0.0.1, which some readers take as octal: two programs must never read two addresses from one text.
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return undefined;
  return Uint8Array.from(parts, Number);
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseWords(halves[0] ?? '');
  const tail = halves.length === 2 ? parseWords(halves[1] ?? '') : [];
  if (!head || !tail) return undefined;
  // `::` stands for at least one word.
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  // An embedded IPv4 address is the end of the whole text, not of the part before `::`.
  if (halves.length === 2 && (halves[0] ?? '').includes('.')) return undefined;
  const words = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255]));
}

function parseWords(text: string): number[] | undefined {
  if (text === '') return [];
  const words: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) words.push(Number.parseInt(part, 16));
    else {
      const v4 = i === parts.length - 1 ? parseV4(part) : undefined;
      if (!v4) return undefined;
      words.push((byteAt(v4, 0) << 8) | byteAt(v4, 1), (byteAt(v4, 2) << 8) | byteAt(v4, 3));
    }
  }
  return words;
}

function longestZeros(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** 0 beyond the end. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}
