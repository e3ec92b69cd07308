/**
 * Connections as conntrack tells of them over netlink, and the requests that list connections, keep one or end one. Pure: it
 * asks nothing itself. The kernel engine and the limits of edge/guard/ do. Constants are named as in
 * linux/netfilter/nfnetlink_conntrack.h.
 */
import { AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP } from '../abi.ts';
import { formatAddress } from '../../lib/net/address.ts';
import { attribute, HEADER_BYTES, type Message, Places, u16, u32 } from './messages.ts';
import type { FilterStep } from './events.ts';

const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT = { NEW: 0, GET: 1, DELETE: 2 } as const;
/** Event groups, as a bit mask. */
export const CT_DESTROY_GROUP = 1 << 2;
const CTA = {
  TUPLE_ORIG: 1,
  TUPLE_REPLY: 2,
  STATUS: 3,
  PROTOINFO: 4,
  TIMEOUT: 7,
  MARK: 8,
  COUNTERS_ORIG: 9,
  COUNTERS_REPLY: 10,
  ID: 12,
  ZONE: 18,
  TIMESTAMP: 20,
  MARK_MASK: 21,
  STATUS_MASK: 26,
} as const;
const CTA_TUPLE = { IP: 1, PROTO: 2 } as const;
const CTA_IP = { V4_SRC: 1, V4_DST: 2, V6_SRC: 3, V6_DST: 4 } as const;
const CTA_PROTO = { NUM: 1, SRC_PORT: 2, DST_PORT: 3 } as const;
/** CTA_COUNTERS_PACKETS and _BYTES; CTA_TIMESTAMP_START and _STOP. */
const CTA_PAIR = { FIRST: 1, SECOND: 2 } as const;

/**
 * Lets through events about connections whose mark has all bits of `mark`: others have connections too, and on a machine
 * that is no edge alone most of what is told is about them. linux/filter.h: the loads at SKF_AD_NLATTR find an attribute
 * by type (X) from an offset (A) on.
 */
export function markFilter(mark: number): readonly FilterStep[] {
  const LD_IMM = 0x00;
  const LDX_IMM = 0x01;
  const LD_ABS_W = 0x20;
  const TAX = 0x07;
  const LD_IND_W = 0x40;
  const AND = 0x54;
  const JEQ = 0x15;
  const RET = 0x06;
  const SKF_AD_NLATTR = 0xffff_f000 + 12;
  return [
    { code: LD_IMM, k: HEADER_BYTES },
    { code: LDX_IMM, k: CTA.MARK },
    { code: LD_ABS_W, k: SKF_AD_NLATTR },
    { code: JEQ, k: 0, ifTrue: 5 },
    { code: TAX, k: 0 },
    { code: LD_IND_W, k: 4 },
    { code: AND, k: mark },
    { code: JEQ, k: mark, ifFalse: 1 },
    { code: RET, k: 0xffff },
    { code: RET, k: 0 },
  ];
}

/** linux/netfilter/nf_conntrack_tcp.h: enum tcp_conntrack. */
export const TCP_STATE = {
  none: 0,
  synSent: 1,
  synRecv: 2,
  established: 3,
  finWait: 4,
  closeWait: 5,
  lastAck: 6,
  timeWait: 7,
  close: 8,
} as const;
/** linux/netfilter/nf_conntrack_common.h: enum ip_conntrack_status. */
export const IPS = { SEEN_REPLY: 2, ASSURED: 4 } as const;

interface Place {
  readonly address: string;
  readonly port: number;
}

export interface Tuple {
  readonly source: Place;
  readonly destination: Place;
}

export interface Flow {
  readonly family: 4 | 6;
  /** IPPROTO_TCP or IPPROTO_UDP. */
  readonly protocol: number;
  /** The client and the entry. */
  readonly original: Tuple;
  /** The origin, and the address it sees as its client. */
  readonly reply: Tuple;
  readonly mark: number;
  /** Unique among those that live. */
  readonly id: number;
  readonly status: number;
  /** TCP_STATE; none for UDP. */
  readonly state: number;
  /** Seconds until the kernel forgets it, if nothing comes; of one that is gone, 0. */
  readonly timeout: number;
  /** Whole packets, IP headers included; 0 where nf_conntrack_acct is off. */
  readonly bytesIn: number;
  readonly packetsIn: number;
  readonly bytesOut: number;
  readonly packetsOut: number;
  /** Milliseconds since 1970; undefined where nf_conntrack_timestamp is off, or while it lives. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
}

/** Used again for each message. */
const whole = new Places();
const part = new Places();

/** `undefined` where it is not about TCP or UDP, or lacks what every connection has. */
export function readFlow(view: DataView, body: number, end: number): Flow | undefined {
  whole.find(view, body, end);
  const original = readTuple(view, CTA.TUPLE_ORIG);
  const protocol = part.at(CTA_PROTO.NUM, 1) === 0 ? 0 : view.getUint8(part.at(CTA_PROTO.NUM));
  const reply = original && readTuple(view, CTA.TUPLE_REPLY);
  if (!original || !reply || (protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP)) return undefined;
  const mark = read32(view, whole.at(CTA.MARK, 4));
  const id = read32(view, whole.at(CTA.ID, 4));
  const status = read32(view, whole.at(CTA.STATUS, 4));
  const timeout = read32(view, whole.at(CTA.TIMEOUT, 4));
  const state = readState(view);
  part.find(view, whole.at(CTA.COUNTERS_ORIG), whole.end(CTA.COUNTERS_ORIG));
  const packetsIn = read64(view, CTA_PAIR.FIRST);
  const bytesIn = read64(view, CTA_PAIR.SECOND);
  part.find(view, whole.at(CTA.COUNTERS_REPLY), whole.end(CTA.COUNTERS_REPLY));
  const packetsOut = read64(view, CTA_PAIR.FIRST);
  const bytesOut = read64(view, CTA_PAIR.SECOND);
  part.find(view, whole.at(CTA.TIMESTAMP), whole.end(CTA.TIMESTAMP));
  return {
    family: original.source.address.includes(':') ? 6 : 4,
    protocol,
    original,
    reply,
    mark,
    id,
    status,
    state,
    timeout,
    bytesIn,
    packetsIn,
    bytesOut,
    packetsOut,
    startedAt: readTime(view, CTA_PAIR.FIRST),
    endedAt: readTime(view, CTA_PAIR.SECOND),
  };
}

/** What a count needs, without the work of the rest. */
export interface Brief {
  mark: number;
  id: number;
  /** TCP_STATE; none for UDP. */
  state: number;
  startedAt: number | undefined;
}

export function readBrief(view: DataView, body: number, end: number): Brief {
  whole.find(view, body, end);
  const mark = read32(view, whole.at(CTA.MARK, 4));
  const id = read32(view, whole.at(CTA.ID, 4));
  const state = readState(view);
  part.find(view, whole.at(CTA.TIMESTAMP), whole.end(CTA.TIMESTAMP));
  return { mark, id, state, startedAt: readTime(view, CTA_PAIR.FIRST) };
}

/** Every connection whose mark is `mark` under `mask`. */
export function getFlows(mark: number, mask: number): Message {
  const attributes = [attribute(CTA.MARK, u32(mark)), attribute(CTA.MARK_MASK, u32(mask))];
  return { type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT.GET, flags: 0, family: 0, attributes };
}

/**
 * Every connection whose mark is `mark` under `mask` and that no packet has answered. limit: Linux before 5.15 does not know
 * the status as a filter, and tells the others too.
 */
export function getUnanswered(mark: number, mask: number): Message {
  const all = getFlows(mark, mask);
  const status = [attribute(CTA.STATUS, u32(0)), attribute(CTA.STATUS_MASK, u32(IPS.SEEN_REPLY))];
  return { ...all, attributes: [...all.attributes, ...status] };
}

/** The connection between the addresses of this one, in the zone where all are that nobody has moved. */
export function getFlow(flow: Flow, bytesOf: (address: string) => Uint8Array): Message {
  return aboutFlow(IPCTNL_MSG_CT.GET, flow, bytesOf, []);
}

/** Ends this very connection, not one that has taken its addresses meanwhile. */
export function deleteFlow(flow: Flow, bytesOf: (address: string) => Uint8Array, zone = 0): Message {
  return aboutFlow(IPCTNL_MSG_CT.DELETE, flow, bytesOf, [...inZone(zone), ofId(flow)]);
}

/** The kernel forgets it so many seconds from now, if nothing comes. */
export function keepFlow(flow: Flow, seconds: number, bytesOf: (address: string) => Uint8Array, zone = 0): Message {
  const more = [...inZone(zone), ofId(flow), attribute(CTA.TIMEOUT, u32(seconds))];
  return aboutFlow(IPCTNL_MSG_CT.NEW, flow, bytesOf, more);
}

const inZone = (zone: number) => (zone === 0 ? [] : [attribute(CTA.ZONE, u16(zone))]);
const ofId = ({ id }: Flow) => attribute(CTA.ID, u32(id));

function aboutFlow(
  type: number,
  { family, protocol, original }: Flow,
  bytesOf: (address: string) => Uint8Array,
  more: Message['attributes'],
): Message {
  const [source, destination] = family === 4 ? [CTA_IP.V4_SRC, CTA_IP.V4_DST] : [CTA_IP.V6_SRC, CTA_IP.V6_DST];
  const tuple = [
    attribute(CTA_TUPLE.IP, [
      attribute(source, bytesOf(original.source.address)),
      attribute(destination, bytesOf(original.destination.address)),
    ]),
    attribute(CTA_TUPLE.PROTO, [
      attribute(CTA_PROTO.NUM, Uint8Array.of(protocol)),
      attribute(CTA_PROTO.SRC_PORT, u16(original.source.port)),
      attribute(CTA_PROTO.DST_PORT, u16(original.destination.port)),
    ]),
  ];
  return {
    type: (NFNL_SUBSYS_CTNETLINK << 8) | type,
    flags: 0,
    family: family === 4 ? AF_INET : AF_INET6,
    attributes: [attribute(CTA.TUPLE_ORIG, tuple), ...more],
  };
}

/** Leaves `part` at its CTA_TUPLE_PROTO. `undefined` without both addresses. */
function readTuple(view: DataView, type: number): Tuple | undefined {
  part.find(view, whole.at(type), whole.end(type));
  const proto = part.at(CTA_TUPLE.PROTO);
  const protoEnd = part.end(CTA_TUPLE.PROTO);
  part.find(view, part.at(CTA_TUPLE.IP), part.end(CTA_TUPLE.IP));
  const isV6 = part.has(CTA_IP.V6_SRC);
  const source = readAddress(view, isV6 ? CTA_IP.V6_SRC : CTA_IP.V4_SRC);
  const destination = readAddress(view, isV6 ? CTA_IP.V6_DST : CTA_IP.V4_DST);
  part.find(view, proto, protoEnd);
  if (source === '' || destination === '') return undefined;
  return {
    source: { address: source, port: read16(view, part.at(CTA_PROTO.SRC_PORT, 2)) },
    destination: { address: destination, port: read16(view, part.at(CTA_PROTO.DST_PORT, 2)) },
  };
}

function readAddress(view: DataView, type: number): string {
  const v4 = part.at(type, 4);
  if (v4 !== 0)
    return `${view.getUint8(v4)}.${view.getUint8(v4 + 1)}.${view.getUint8(v4 + 2)}.${view.getUint8(v4 + 3)}`;
  const v6 = part.at(type, 16);
  return v6 === 0 ? '' : formatAddress(new Uint8Array(view.buffer, view.byteOffset + v6, 16));
}

/** CTA_PROTOINFO_TCP, and in it CTA_PROTOINFO_TCP_STATE: 1 and 1. */
function readState(view: DataView): number {
  part.find(view, whole.at(CTA.PROTOINFO), whole.end(CTA.PROTOINFO));
  part.find(view, part.at(1), part.end(1));
  const at = part.at(1, 1);
  return at === 0 ? TCP_STATE.none : view.getUint8(at);
}

/** Milliseconds of what conntrack has in nanoseconds. */
function readTime(view: DataView, type: number): number | undefined {
  return part.at(type, 8) === 0 ? undefined : Math.floor(read64(view, type) / 1e6);
}

/** Of `part`. not: getBigUint64. It makes an object of every number; beyond 2^53 these are no counts any more. */
function read64(view: DataView, type: number): number {
  const at = part.at(type, 8);
  return at === 0 ? 0 : view.getUint32(at) * 4294967296 + view.getUint32(at + 4);
}

function read32(view: DataView, at: number): number {
  return at === 0 ? 0 : view.getUint32(at);
}

function read16(view: DataView, at: number): number {
  return at === 0 ? 0 : view.getUint16(at);
}
