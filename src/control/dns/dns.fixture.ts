/**
 * What the tests of this folder share: a small world, questions as bytes and answers as objects, both by dns-packet, which
 * here is the second opinion. Not loaded by the product.
 */
import { Buffer } from 'node:buffer';
import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  type RecordType,
} from 'dns-packet';
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import type { Zone } from '../../domain/zone/zone.ts';
import { silentLog } from '../../observe/log.ts';
import { keys } from '../../store/records.ts';
import type { Stored, View } from '../../store/store.ts';
import { type Transport, writeReply } from './reply.ts';
import { respond } from './respond.ts';
import { type DnsWorld, type IsLost, recordWorld, type Serves } from './world.ts';

export const DOMAIN = 'edgefour.test';
export const ZONE = 'zone-3kq782jghthh';
export const MYPROXY = `myproxy.3kq782jghthh.${DOMAIN}`;

export const zone = (over: Partial<Zone> = {}): Zone => ({
  id: ZONE,
  account: 'root',
  name: '',
  alias: '',
  type: 'noDomainAccess',
  area: '',
  paused: false,
  changed: 1,
  planId: 'plan-1',
  tags: [],
  vanityNameServers: { enabled: false, servers: [] },
  createdAt: 0,
  modifiedAt: 0,
  ...over,
});

export const proxy = (over: Partial<L4Proxy> = {}): L4Proxy => ({
  id: 'sid-3kq7it9slfmc',
  zone: ZONE,
  account: 'root',
  name: 'myproxy',
  area: 'overseas',
  ipv6: 'off',
  staticIp: 'off',
  accelerateMainland: 'off',
  entries: { local: { v4: '127.44.0.1', v6: '2001:db8::1' } },
  want: 'online',
  banned: false,
  rules: [],
  changed: 1,
  updatedAt: 0,
  ...over,
});

/** A world of these records; `reads` counts the records read. */
export function worldOf(
  records: readonly (Zone | L4Proxy)[],
  serves: Serves = () => true,
  isLost: IsLost = () => false,
): DnsWorld & { reads: number } {
  const stored = new Map<string, Stored>();
  for (const value of records) {
    const key = 'zone' in value ? keys.proxy(value.zone, value.name) : keys.zone(value.id);
    stored.set(key, { key, value, revision: 7 });
  }
  const mustNotScan = (): never => {
    throw new Error('a lookup must not scan');
  };
  const view: View = {
    revision: 7,
    get(key) {
      counted.reads += 1;
      return stored.get(key);
    },
    list: mustNotScan,
    heads: mustNotScan,
    count: () => stored.size,
  };
  const world = recordWorld({
    store: { read: async (fn) => fn(view) },
    domain: DOMAIN,
    nameServer: '192.0.2.53',
    serves,
    isLost,
  });
  const counted = { ...world, reads: 0 };
  return counted;
}

export interface Asking {
  readonly name?: string;
  readonly type?: RecordType | 'ANY';
  readonly edns?: Partial<OptAnswer>;
  readonly packet?: Packet;
}

export function question({ name = MYPROXY, type = 'A', edns, packet }: Asking = {}): Buffer {
  const opt: OptAnswer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 4096,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
    ...edns,
  };
  return encode({
    type: 'query',
    id: 4711,
    flags: 0x0100,
    questions: [{ name, type: type as RecordType }],
    additionals: edns === undefined ? [] : [opt],
    ...packet,
  });
}

/** `rcode` is the whole one, with the OPT record's part. */
export type Answered = DecodedPacket & { rcode: string; opt: OptAnswer | undefined; bytes: Buffer };

export function decoded(bytes: Buffer): Answered {
  const packet = decode(bytes) as DecodedPacket & { rcode: string };
  const opt = packet.additionals?.find((record) => record.type === 'OPT');
  return {
    ...packet,
    rcode: opt && opt.extendedRcode > 0 ? `RCODE_${opt.extendedRcode << 4}` : packet.rcode,
    opt,
    bytes,
  };
}

/** The data of a record as text; '' where it is a structure. */
export function dataOf(record: Answer): string {
  if (!('data' in record)) return '';
  const parts = Array.isArray(record.data) ? record.data : [record.data];
  return parts.map((part) => (typeof part === 'string' || Buffer.isBuffer(part) ? part.toString() : '')).join('');
}

export async function ask(
  world: DnsWorld,
  asking: Asking | Buffer = {},
  transport: Transport = 'udp',
): Promise<Answered | undefined> {
  const bytes = Buffer.isBuffer(asking) ? asking : question(asking);
  const exchange = await respond(bytes, '198.51.100.7', world, silentLog);
  return exchange && decoded(writeReply(exchange.query, exchange.reply, transport));
}
