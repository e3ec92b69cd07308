/**
 * How nf_tables spells what our sets hold: the constants of linux/netfilter/nf_tables.h, and each part of a key or of what
 * it leads to, as text and as bytes. Pure. Read by elements.ts, written by batch.ts; which sets there are, their tables say
 * (the kernel engine's, the guard's).
 */
import { formatAddress, parseAddress } from '../../lib/net/address.ts';

export const NFNL_SUBSYS_NFTABLES = 10;
export const NFPROTO_INET = 1;
export const NFT_MSG = {
  NEWTABLE: 0,
  GETTABLE: 1,
  DELTABLE: 2,
  NEWCHAIN: 3,
  GETCHAIN: 4,
  DELCHAIN: 5,
  NEWRULE: 6,
  GETRULE: 7,
  DELRULE: 8,
  NEWSET: 9,
  GETSET: 10,
  DELSET: 11,
  NEWSETELEM: 12,
  GETSETELEM: 13,
  DELSETELEM: 14,
  GETGEN: 16,
  GETOBJ: 19,
} as const;
export const NFTA_SET_ELEM_LIST = { TABLE: 1, SET: 2, ELEMENTS: 3 } as const;
export const NFTA_LIST_ELEM = 1;
export const NFTA_SET_ELEM = {
  KEY: 1,
  DATA: 2,
  TIMEOUT: 4,
  USERDATA: 6,
  EXPR: 7,
  KEY_END: 10,
  EXPRESSIONS: 11,
} as const;
export const NFTA_DATA = { VALUE: 1, VERDICT: 2 } as const;
export const NFTA_VERDICT = { CODE: 1, CHAIN: 2 } as const;
export const VERDICT_CODES = { jump: -3, goto: -4 } as const;
/** nft's own type of a comment among an element's user data. */
export const UDATA_COMMENT = 0;

export type Part = 'mark' | 'count' | 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service' | 'ct_dir' | 'verdict';

export interface Format {
  readonly key: readonly Part[];
  /** Empty in a set. */
  readonly data: readonly Part[];
}

/** A type without a name is declared by an expression that has it. */
const TYPES_OF: Readonly<Record<string, Part>> = { 'numgen inc mod 2': 'count', 'ct mark': 'mark' };

/** A set's declaration says what its elements are made of. */
function formatOf(declaration: string): Format {
  const [, key = '', data = ''] = /\{ type(?:of)? ([^:;]+)(?: : ([^;]+))?;/.exec(declaration) ?? [];
  const parts = (list: string): Part[] =>
    list.split(' . ').flatMap((part) => (part === '' ? [] : [TYPES_OF[part] ?? (part as Part)]));
  return { key: parts(key.trim()), data: parts(data.trim()) };
}

/** A table of the family inet: its name, and what the elements of its sets are made of. */
export interface Table<Set extends string = string> {
  readonly name: string;
  readonly formats: Readonly<Record<Set, Format>>;
}

/** `sets`: by name, as nft declares them. */
export function tableOf<Set extends string>(name: string, sets: Readonly<Record<Set, string>>): Table<Set> {
  const formats = Object.entries<string>(sets).map(([set, declaration]) => [set, formatOf(declaration)]);
  return { name, formats: Object.fromEntries(formats) as Record<Set, Format> };
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A mark as nft writes it: eight digits, so that texts compare. Many thousands are read at once, which toString is slow for. */
export function hex(mark: number): string {
  return `0x${BYTES[mark >>> 24]}${BYTES[(mark >>> 16) & 255]}${BYTES[(mark >>> 8) & 255]}${BYTES[mark & 255]}`;
}

interface Spelling {
  readonly size: number;
  read(view: DataView, at: number): string;
  write(text: string, view: DataView, at: number): void;
}

const address = (size: 4 | 16): Spelling => ({
  size,
  read: (view, at) => formatAddress(new Uint8Array(view.buffer, view.byteOffset + at, size)),
  write: (text, view, at) => new Uint8Array(view.buffer, view.byteOffset + at).set(parseAddress(text) ?? []),
});

const SPELLINGS: Readonly<Record<Part, Spelling>> = {
  // A mark is a number of the machine, the rest is as on the wire.
  mark: {
    size: 4,
    read: (view, at) => hex(view.getUint32(at, true)),
    write: (text, view, at) => view.setUint32(at, Number(text), true),
  },
  count: {
    size: 4,
    read: (view, at) => `${view.getUint32(at, true)}`,
    write: (text, view, at) => view.setUint32(at, Number(text), true),
  },
  ipv4_addr: address(4),
  ipv6_addr: address(16),
  inet_proto: {
    size: 1,
    read: (view, at) => (view.getUint8(at) === 17 ? 'udp' : 'tcp'),
    write: (text, view, at) => view.setUint8(at, text === 'udp' ? 17 : 6),
  },
  inet_service: {
    size: 2,
    read: (view, at) => `${view.getUint16(at)}`,
    write: (text, view, at) => view.setUint16(at, Number(text)),
  },
  ct_dir: {
    size: 1,
    read: (view, at) => (view.getUint8(at) === 0 ? 'original' : 'reply'),
    write: (text, view, at) => view.setUint8(at, text === 'original' ? 0 : 1),
  },
  verdict: { size: 0, read: () => '', write() {} },
};

/** Each part of a concatenation begins at a multiple of four bytes. */
const aligned = (size: number): number => (size + 3) & ~3;

/** `a . b . c` of what stands in [at, end); parts that are not there are empty. */
export function readParts(parts: readonly Part[], view: DataView, at: number, end: number): string {
  let next = at;
  const texts = parts.map((part) => {
    const spelling = SPELLINGS[part];
    const text = next + spelling.size <= end ? spelling.read(view, next) : '';
    next += aligned(spelling.size);
    return text;
  });
  return texts.join(' . ');
}

export function writeParts(parts: readonly Part[], text: string): Uint8Array {
  const texts = text.split(' . ');
  const sizes = parts.map((part) => (parts.length > 1 ? aligned(SPELLINGS[part].size) : SPELLINGS[part].size));
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    SPELLINGS[part].write(texts[i] ?? '', view, at);
    at += sizes[i] ?? 0;
  }
  return bytes;
}
