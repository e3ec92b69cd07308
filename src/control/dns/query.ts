/**
 * Reads one DNS query from untrusted bytes: header, one question, the OPT record. Bounded by the datagram, never throws,
 * follows no compression pointer and resolves nothing. What can't be read becomes `problem`, the code to answer with; only
 * what must not be answered at all (no header, or itself an answer) is undefined. Called by respond.ts.
 */
import type { Buffer } from 'node:buffer';
import { readSubnet, type Subnet } from './subnet.ts';
import { OPCODE, RCODE, TYPE } from './codes.ts';

interface Edns {
  readonly version: number;
  /** The largest datagram the asker takes; under 512 means 512 (RFC 6891 §6.2.3). */
  readonly payload: number;
  readonly dnssecOk: boolean;
  readonly subnet: Subnet | undefined;
}

export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  /** Name, type and class exactly as asked, to be sent back bit for bit (0x20 case); empty where unreadable. */
  readonly question: Buffer;
  /** The name's labels as asked, one character per byte. */
  readonly labels: readonly string[];
  readonly type: number;
  readonly class: number;
  readonly edns: Edns | undefined;
  /** Bytes received. */
  readonly size: number;
  readonly problem: number | undefined;
}

const HEADER = 12;
/** limit: RFC 1035 §3.1. */
const NAME_BYTES = 255;
/** limit: OPT, TSIG and SIG(0) are all that a query may carry; more is an attack. */
const ADDITIONALS = 4;

export function readQuery(bytes: Buffer): Query | undefined {
  if (bytes.length < HEADER) return undefined;
  const flags = bytes.readUInt16BE(2);
  // not: answering an answer, which would let two servers talk for ever.
  if ((flags & 0x8000) !== 0) return undefined;
  const head = {
    id: bytes.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & 0x0100) !== 0,
    size: bytes.length,
  };
  const blank = { question: bytes.subarray(0, 0), labels: [], type: 0, class: 0, edns: undefined };
  if (head.opcode !== OPCODE.QUERY) return { ...head, ...blank, problem: RCODE.NOTIMP };

  const name = readName(bytes, HEADER);
  const one = bytes.readUInt16BE(4) === 1;
  if (!one || name === undefined || name.end + 4 > bytes.length) return { ...head, ...blank, problem: RCODE.FORMERR };
  const asked = {
    question: bytes.subarray(HEADER, name.end + 4),
    labels: name.labels,
    type: bytes.readUInt16BE(name.end),
    class: bytes.readUInt16BE(name.end + 2),
  };
  const bare = bytes.readUInt16BE(6) === 0 && bytes.readUInt16BE(8) === 0;
  const read = bare ? readEdns(bytes, name.end + 4) : 'malformed';
  const edns = read === 'malformed' ? undefined : read;
  // An IXFR brings its SOA along; a transfer is refused whatever the rest says.
  const transfer = asked.type === TYPE.IXFR || asked.type === TYPE.AXFR;
  if (transfer) return { ...head, ...asked, edns, problem: RCODE.REFUSED };
  if (read === 'malformed') return { ...head, ...asked, edns, problem: RCODE.FORMERR };
  const problem = edns !== undefined && edns.version > 0 ? RCODE.BADVERS : undefined;
  return { ...head, ...asked, edns, problem };
}

function readName(bytes: Buffer, from: number): { labels: string[]; end: number } | undefined {
  const labels: string[] = [];
  let at = from;
  for (;;) {
    const length = bytes[at];
    // not: compression; a question has no earlier name to point to, so a pointer there is an attack.
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) return { labels, end: at };
    if (at + length > bytes.length || at + length - from >= NAME_BYTES) return undefined;
    labels.push(bytes.toString('latin1', at, at + length));
    at += length;
  }
}

/** The OPT record among the additionals; undefined where there is none. */
function readEdns(bytes: Buffer, from: number): Edns | undefined | 'malformed' {
  const count = bytes.readUInt16BE(10);
  if (count > ADDITIONALS) return 'malformed';
  let found: Edns | undefined;
  let at = from;
  for (let i = 0; i < count; i++) {
    const fixed = skipName(bytes, at);
    if (fixed === undefined || fixed + 10 > bytes.length) return 'malformed';
    const data = fixed + 10;
    const end = data + bytes.readUInt16BE(fixed + 8);
    if (end > bytes.length) return 'malformed';
    if (bytes.readUInt16BE(fixed) === TYPE.OPT) {
      if (found !== undefined || fixed !== at + 1) return 'malformed';
      const subnet = readOptions(bytes.subarray(data, end));
      if (subnet === 'malformed') return 'malformed';
      found = {
        payload: bytes.readUInt16BE(fixed + 2),
        version: bytes.readUInt8(fixed + 5),
        dnssecOk: (bytes.readUInt8(fixed + 6) & 0x80) !== 0,
        subnet,
      };
    }
    at = end;
  }
  return found;
}

/** Where the name ends. A pointer ends a name; it is stepped over, not followed. */
function skipName(bytes: Buffer, from: number): number | undefined {
  let at = from;
  while (at - from < NAME_BYTES) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return undefined;
    at += 1 + length;
  }
  return undefined;
}

const CLIENT_SUBNET = 8;

function readOptions(data: Buffer): Subnet | undefined | 'malformed' {
  let subnet: Subnet | undefined | 'malformed';
  let at = 0;
  while (at < data.length) {
    if (at + 4 > data.length) return 'malformed';
    const end = at + 4 + data.readUInt16BE(at + 2);
    if (end > data.length) return 'malformed';
    if (data.readUInt16BE(at) === CLIENT_SUBNET) subnet ??= readSubnet(data.subarray(at + 4, end));
    at = end;
  }
  return subnet;
}
