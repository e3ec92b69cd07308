/**
 * What conntrack tells of a connection, read from its netlink messages; and the requests that ask for connections or end
 * one. Pure. Constants are named as in linux/netfilter/nfnetlink_conntrack.h.
 */
import { formatAddress } from '../../../lib/net/address.ts';
import { attribute, eachAttribute, type Message, u16, u32 } from '../../../lib/netlink.ts';
import type { Endpoint } from '../../pass-through/pass-through.ts';

const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT = { GET: 1, DELETE: 2 } as const;
/** Event groups, as a bit mask. */
export const CT_DESTROY_GROUP = 1 << 2;
const CTA = {
  TUPLE_ORIG: 1,
  TUPLE_REPLY: 2,
  STATUS: 3,
  PROTOINFO: 4,
  MARK: 8,
  COUNTERS_ORIG: 9,
  COUNTERS_REPLY: 10,
  ID: 12,
  TIMESTAMP: 20,
  MARK_MASK: 21,
} as const;
const CTA_TUPLE = { IP: 1, PROTO: 2 } as const;
const CTA_IP = { V4_SRC: 1, V4_DST: 2, V6_SRC: 3, V6_DST: 4 } as const;
const CTA_PROTO = { NUM: 1, SRC_PORT: 2, DST_PORT: 3 } as const;
const [AF_INET, AF_INET6] = [2, 10];

export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;

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

export interface Tuple {
  readonly source: Endpoint;
  readonly destination: Endpoint;
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
  /** Whole packets, IP headers included; 0 where nf_conntrack_acct is off. */
  readonly bytesIn: number;
  readonly packetsIn: number;
  readonly bytesOut: number;
  readonly packetsOut: number;
  /** Milliseconds since 1970; undefined where nf_conntrack_timestamp is off, or while it lives. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const NOWHERE: Tuple = { source: { address: '', port: 0 }, destination: { address: '', port: 0 } };

/** `undefined` where it is not about TCP or UDP, or lacks what every connection has. */
export function readFlow(view: DataView, body: number, end: number): Flow | undefined {
  const flow: Writable<Flow> = {
    family: 4,
    protocol: 0,
    original: NOWHERE,
    reply: NOWHERE,
    mark: 0,
    id: 0,
    status: 0,
    state: TCP_STATE.none,
    bytesIn: 0,
    packetsIn: 0,
    bytesOut: 0,
    packetsOut: 0,
    startedAt: undefined,
    endedAt: undefined,
  };
  eachAttribute(view, body, end, (type, at, to) => {
    if (type === CTA.TUPLE_ORIG) flow.original = readTuple(view, at, to, flow);
    else if (type === CTA.TUPLE_REPLY) flow.reply = readTuple(view, at, to);
    else if (type === CTA.MARK) flow.mark = number32(view, at, to);
    else if (type === CTA.ID) flow.id = number32(view, at, to);
    else if (type === CTA.STATUS) flow.status = number32(view, at, to);
    else if (type === CTA.PROTOINFO) flow.state = readState(view, at, to);
    else if (type === CTA.COUNTERS_ORIG) [flow.packetsIn, flow.bytesIn] = readPair(view, at, to);
    else if (type === CTA.COUNTERS_REPLY) [flow.packetsOut, flow.bytesOut] = readPair(view, at, to);
    else if (type === CTA.TIMESTAMP) [flow.startedAt, flow.endedAt] = readTimes(view, at, to);
  });
  const isWhole = flow.original !== NOWHERE && flow.reply !== NOWHERE;
  return isWhole && (flow.protocol === IPPROTO_TCP || flow.protocol === IPPROTO_UDP) ? flow : undefined;
}

/** What a count needs, without the work of the rest. */
export interface Brief {
  mark: number;
  /** TCP_STATE; none for UDP. */
  state: number;
  startedAt: number | undefined;
}

export function readBrief(view: DataView, body: number, end: number): Brief {
  const brief: Brief = { mark: 0, state: TCP_STATE.none, startedAt: undefined };
  eachAttribute(view, body, end, (type, at, to) => {
    if (type === CTA.MARK) brief.mark = number32(view, at, to);
    else if (type === CTA.PROTOINFO) brief.state = readState(view, at, to);
    else if (type === CTA.TIMESTAMP) brief.startedAt = readTimes(view, at, to)[0];
  });
  return brief;
}

/** Just the mark, for those that need nothing else. */
export function readMark(view: DataView, body: number, end: number): number {
  let mark = 0;
  eachAttribute(view, body, end, (type, at, to) => {
    if (type === CTA.MARK) mark = number32(view, at, to);
  });
  return mark;
}

/** Every connection whose mark is `mark` under `mask`. */
export function getFlows(mark: number, mask: number): Message {
  const attributes = [attribute(CTA.MARK, u32(mark)), attribute(CTA.MARK_MASK, u32(mask))];
  return { type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT.GET, flags: 0, family: 0, attributes };
}

/** Ends this very connection, not one that has taken its addresses meanwhile. */
export function deleteFlow(
  { family, protocol, original, id }: Flow,
  bytesOf: (address: string) => Uint8Array,
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
    type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT.DELETE,
    flags: 0,
    family: family === 4 ? AF_INET : AF_INET6,
    attributes: [attribute(CTA.TUPLE_ORIG, tuple), attribute(CTA.ID, u32(id))],
  };
}

function readTuple(view: DataView, from: number, to: number, flow?: Writable<Flow>): Tuple {
  let [source, destination, sourcePort, destinationPort] = ['', '', 0, 0];
  eachAttribute(view, from, to, (part, at, end) => {
    eachAttribute(view, at, end, (type, at, end) => {
      if (part === CTA_TUPLE.IP) {
        const address = readAddress(view, at, end);
        if (type === CTA_IP.V4_SRC || type === CTA_IP.V6_SRC) source = address;
        else if (type === CTA_IP.V4_DST || type === CTA_IP.V6_DST) destination = address;
        if (flow && (type === CTA_IP.V6_SRC || type === CTA_IP.V6_DST)) flow.family = 6;
      } else if (part === CTA_TUPLE.PROTO) {
        if (type === CTA_PROTO.NUM && flow && end > at) flow.protocol = view.getUint8(at);
        else if (type === CTA_PROTO.SRC_PORT) sourcePort = number16(view, at, end);
        else if (type === CTA_PROTO.DST_PORT) destinationPort = number16(view, at, end);
      }
    });
  });
  if (source === '' || destination === '') return NOWHERE;
  return {
    source: { address: source, port: sourcePort },
    destination: { address: destination, port: destinationPort },
  };
}

function readAddress(view: DataView, at: number, end: number): string {
  const length = end - at;
  if (length !== 4 && length !== 16) return '';
  return formatAddress(new Uint8Array(view.buffer, view.byteOffset + at, length));
}

function readState(view: DataView, from: number, to: number): number {
  let state: number = TCP_STATE.none;
  eachAttribute(view, from, to, (protocol, at, end) => {
    // CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE.
    if (protocol !== 1) return;
    eachAttribute(view, at, end, (type, at, end) => {
      if (type === 1 && end > at) state = view.getUint8(at);
    });
  });
  return state;
}

/** CTA_COUNTERS_PACKETS and CTA_COUNTERS_BYTES: 1 and 2. */
function readPair(view: DataView, from: number, to: number): [packets: number, bytes: number] {
  const pair: [number, number] = [0, 0];
  eachAttribute(view, from, to, (type, at, end) => {
    if (end - at === 8 && (type === 1 || type === 2)) pair[type - 1] = Number(view.getBigUint64(at));
  });
  return pair;
}

/** CTA_TIMESTAMP_START and _STOP, in nanoseconds. */
function readTimes(view: DataView, from: number, to: number): [start: number | undefined, stop: number | undefined] {
  const times: [number | undefined, number | undefined] = [undefined, undefined];
  eachAttribute(view, from, to, (type, at, end) => {
    if (end - at === 8 && (type === 1 || type === 2)) times[type - 1] = Number(view.getBigUint64(at) / 1_000_000n);
  });
  return times;
}

function number32(view: DataView, at: number, end: number): number {
  return end - at === 4 ? view.getUint32(at) : 0;
}

function number16(view: DataView, at: number, end: number): number {
  return end - at === 2 ? view.getUint16(at) : 0;
}
