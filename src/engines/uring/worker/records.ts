/**
 * Connection records on their way from a worker to the agent's thread: a ring of fixed-size entries in shared memory, one
 * writer, one reader, no locks and no objects until the reader makes them. A full ring loses records and counts them; it
 * never makes a connection wait. Written by tcp/ and udp/, read by host/worker-life.ts.
 */
import { END_CAUSES } from '../../../domain/fact/fact.ts';
import type { ConnectionRecord } from '../../../domain/fact/fact.ts';
import { formatAddress } from '../../../lib/net/address.ts';

/** limit: at 20,000 connections a second and four readings a second a worker writes 5,000 between two readings. */
const ENTRIES = 8192;
const ENTRY_BYTES = 112;
const HEADER_BYTES = 64;
/** Header words: entries written and entries read so far. */
const WRITTEN = 0;
const READ = 1;
const DOUBLES = { number: 0, startedAt: 1, at: 2, bytesIn: 3, bytesOut: 4 } as const;
const RULE_WORD = 10;
const CAUSE_BYTE = 44;
const UDP_BYTE = 45;
const FAMILY_BYTE = 46;
const PORTS_BYTE = 52;
const ADDRESSES_BYTE = 60;
const ADDRESS_BYTES = 16;
const STILL_OPEN = 255;

export const PARTY = { client: 0, entry: 1, origin: 2 } as const;
type Party = (typeof PARTY)[keyof typeof PARTY];

export function recordMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + ENTRIES * ENTRY_BYTES);
}

class Layout {
  readonly head: Int32Array;
  readonly doubles: Float64Array;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  constructor(memory: SharedArrayBuffer) {
    this.head = new Int32Array(memory, 0, 2);
    this.doubles = new Float64Array(memory, HEADER_BYTES);
    this.words = new Int32Array(memory, HEADER_BYTES);
    this.bytes = new Uint8Array(memory, HEADER_BYTES);
  }
}

/** Begin, fill in the parties, commit. */
export class RecordWriter {
  readonly #at: Layout;
  #entry = 0;
  #number = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#at = new Layout(memory);
  }

  /** The number of a new connection or session: with the worker's name, the id of its records. */
  nextNumber(): number {
    return ++this.#number;
  }

  /** False: the ring is full and the record is lost. `cause` is a number of END_CAUSES, or -1 while it lives. */
  begin(
    number: number,
    rule: number,
    udp: boolean,
    cause: number,
    startedAt: number,
    at: number,
    bytesIn: number,
    bytesOut: number,
  ): boolean {
    const { head, doubles, words, bytes } = this.#at;
    const written = head[WRITTEN]!;
    if (((written - Atomics.load(head, READ)) | 0) >= ENTRIES) return false;
    this.#entry = (written & (ENTRIES - 1)) * ENTRY_BYTES;
    const d = this.#entry >> 3;
    doubles[d + DOUBLES.number] = number;
    doubles[d + DOUBLES.startedAt] = startedAt;
    doubles[d + DOUBLES.at] = at;
    doubles[d + DOUBLES.bytesIn] = bytesIn;
    doubles[d + DOUBLES.bytesOut] = bytesOut;
    words[(this.#entry >> 2) + RULE_WORD] = rule;
    bytes[this.#entry + CAUSE_BYTE] = cause < 0 ? STILL_OPEN : cause;
    bytes[this.#entry + UDP_BYTE] = udp ? 1 : 0;
    bytes[this.#entry + FAMILY_BYTE + PARTY.origin] = 0;
    return true;
  }

  /** `size` bytes (4 or 16) of an address at `from`, and its port. */
  party(party: Party, memory: Uint8Array, from: number, size: number, port: number): void {
    const { bytes } = this.#at;
    bytes[this.#entry + FAMILY_BYTE + party] = size;
    bytes[this.#entry + PORTS_BYTE + 2 * party] = port >> 8;
    bytes[this.#entry + PORTS_BYTE + 2 * party + 1] = port & 255;
    const to = this.#entry + ADDRESSES_BYTE + ADDRESS_BYTES * party;
    for (let i = 0; i < size; i++) bytes[to + i] = memory[from + i]!;
  }

  commit(): void {
    Atomics.add(this.#at.head, WRITTEN, 1);
  }
}

export interface RuleName {
  readonly id: string;
  readonly proxy: string;
}

export class RecordReader {
  readonly #at: Layout;
  readonly #worker: string;

  /** `worker` makes the connection numbers of one worker's life unique. */
  constructor(memory: SharedArrayBuffer, worker: string) {
    this.#at = new Layout(memory);
    this.#worker = worker;
  }

  /**
   * The records since the last call. order: all are read before the caller has one in hand, because it may call again while it
   * deals with one.
   */
  take(nameOf: (rule: number) => RuleName | undefined): readonly ConnectionRecord[] {
    const { head } = this.#at;
    const records: ConnectionRecord[] = [];
    const end = Atomics.load(head, WRITTEN);
    for (let at = head[READ]!; at !== end; at = (at + 1) | 0) {
      const record = this.#record((at & (ENTRIES - 1)) * ENTRY_BYTES, nameOf);
      if (record) records.push(record);
    }
    Atomics.store(head, READ, end);
    return records;
  }

  #record(entry: number, nameOf: (rule: number) => RuleName | undefined): ConnectionRecord | undefined {
    const { doubles, words, bytes } = this.#at;
    const rule = nameOf(words[(entry >> 2) + RULE_WORD]!);
    if (!rule) return undefined;
    const d = entry >> 3;
    const cause = bytes[entry + CAUSE_BYTE]!;
    const origin = this.#party(entry, PARTY.origin);
    const end = cause === STILL_OPEN ? undefined : END_CAUSES[cause];
    return {
      id: `${this.#worker}-${doubles[d + DOUBLES.number]!.toString(36)}`,
      rule: rule.id,
      proxy: rule.proxy,
      protocol: bytes[entry + UDP_BYTE] === 1 ? 'UDP' : 'TCP',
      client: this.#party(entry, PARTY.client) ?? NOBODY,
      entry: this.#party(entry, PARTY.entry) ?? NOBODY,
      ...(origin && { origin }),
      startedAt: Math.round(doubles[d + DOUBLES.startedAt]!),
      at: Math.round(doubles[d + DOUBLES.at]!),
      bytesIn: doubles[d + DOUBLES.bytesIn]!,
      bytesOut: doubles[d + DOUBLES.bytesOut]!,
      ...(end && { end }),
    };
  }

  #party(entry: number, party: Party): { address: string; port: number } | undefined {
    const { bytes } = this.#at;
    const size = bytes[entry + FAMILY_BYTE + party]!;
    if (size === 0) return undefined;
    const from = entry + ADDRESSES_BYTE + ADDRESS_BYTES * party;
    const port = (bytes[entry + PORTS_BYTE + 2 * party]! << 8) | bytes[entry + PORTS_BYTE + 2 * party + 1]!;
    return { address: formatAddress(bytes.slice(from, from + size)), port };
  }
}

const NOBODY = { address: '0.0.0.0', port: 0 };
