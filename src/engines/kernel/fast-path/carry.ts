/**
 * The program that sees packets come, on every Ethernet interface. One of a connection that was learned (learn.ts) gets done
 * to it what the kernel did to those before it, and leaves at once. All others go their usual way, the long one; and so does
 * now and then one of these (`until`, `generation`): it keeps the connection alive in conntrack, and routes, neighbours and
 * filters are asked anew.
 *
 * It carries nothing that would have to be thought about: fragments, options, the first and the last packets of a TCP
 * connection, what is too big for where it goes, what has no hop left. Pure.
 */
import {
  add,
  addAtomically,
  addRegister,
  and,
  assemble,
  call,
  exit,
  jump,
  type Line,
  load,
  mapValue,
  move,
  network16,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  set,
  shiftLeft,
  shiftRight,
  store,
  storeNumber,
  when,
  whenRegister,
  xor,
} from '../../../linux/ebpf/asm.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../../../linux/abi.ts';
import { ENTRY, KEY, SEEN, TOTAL } from './layout.ts';
import {
  BPF,
  copy,
  ETHERNET,
  FAMILIES,
  type Family,
  fold,
  lookUp,
  type Maps,
  myOwn,
  reaches,
  SKB,
  TCP,
  TCX_NEXT,
  UDP,
  words,
} from './packet.ts';

const PACKET_HOST = 0;
const BPF_F_PSEUDO_HDR = 1 << 4;
const BPF_F_MARK_MANGLED_0 = 1 << 5;
/** FIN, SYN, RST. */
const EDGE = 0x07;
/** Version 4, and no options. */
const PLAIN = 0x45;
/** More fragments to come, or an offset; in network order. */
const FRAGMENT = 0xff3f;

/** Places on the stack. Below them the new header, from AT.header down. */
const AT = { key: -40, isEdge: -44, word: -48, size: -52, header: -56 } as const;

/** For packets that come. */
export function carryProgram(maps: Maps): Uint8Array<ArrayBuffer> {
  return assemble([
    move(R6, R1),
    load('word', R2, R6, SKB.pkt_type),
    when(R2, '!=', PACKET_HOST, 'next'),
    load('word', R2, R6, SKB.vlan_present),
    when(R2, '!=', 0, 'next'),
    load('word', R2, R6, SKB.protocol),
    ...FAMILIES.map(({ name, protocol }) => when(R2, '==', protocol, `v${name}`)),

    'next',
    set(R0, TCX_NEXT),
    exit(),

    ...FAMILIES.flatMap((family) => [
      `v${family.name}`,
      ...read(family),
      ...measure(family),
      ...lookUp(maps.flows, R10, AT.key),
      when(R0, '==', 0, missed(family)),
      move(R9, R0),
      load('word', R2, R10, AT.isEdge),
      when(R2, '!=', 0, 'edge'),
      ...doubt(family, maps),
      ...count(family, maps),
      ...rewrite(family),
      ...send(family),
      missed(family),
      ...keep(family, maps),
    ]),

    'edge',
    ...end(maps),
    jump('next'),
  ]);
}

const missed = ({ name }: Family): string => `miss${name}`;

/** The packet's key, onto the stack; R8: its protocol. */
function read({ name, header, next, hops, source, address }: Family): Line[] {
  const l4 = ETHERNET + header;
  const plain = [
    load('byte', R2, R7, ETHERNET),
    when(R2, '!=', PLAIN, 'next'),
    load('half', R2, R7, ETHERNET + 6),
    and(R2, FRAGMENT),
    when(R2, '!=', 0, 'next'),
  ];
  return [
    load('word', R7, R6, SKB.data),
    ...reaches(l4 + UDP.bytes, 'next'),
    ...(name === 4 ? plain : []),
    load('byte', R2, R7, ETHERNET + hops),
    when(R2, '<', 2, 'next'),
    storeNumber('word', R10, AT.isEdge, 0),
    load('byte', R8, R7, ETHERNET + next),
    when(R8, '==', IPPROTO_UDP, `key${name}`),
    when(R8, '!=', IPPROTO_TCP, 'next'),
    ...reaches(l4 + TCP.bytes, 'next'),
    load('byte', R2, R7, l4 + TCP.flags),
    and(R2, EDGE),
    store('word', R10, AT.isEdge, R2),
    `key${name}`,
    move(R2, R8),
    add(R2, name << 8),
    store('word', R10, AT.key + KEY.sort, R2),
    ...[KEY.source, KEY.destination].flatMap((place, i) => [
      ...copy(R7, ETHERNET + source + i * address, R10, AT.key + place, address),
      ...words(16 - address).map((part) => storeNumber('word', R10, AT.key + place + address + part, 0)),
    ]),
    ...copy(R7, l4, R10, AT.key + KEY.ports, 4),
  ];
}

/** How big it leaves, onto the stack: where it is cut into segments on its way out, one of those. */
function measure({ name, header, length, uncounted }: Family): Line[] {
  return [
    load('word', R2, R6, SKB.gso_size),
    when(R2, '==', 0, `whole${name}`),
    add(R2, header),
    when(R8, '==', IPPROTO_UDP, `datagrams${name}`),
    load('byte', R3, R7, ETHERNET + header + TCP.offset),
    shiftRight(R3, 4),
    shiftLeft(R3, 2),
    addRegister(R2, R3),
    jump(`size${name}`),
    `datagrams${name}`,
    add(R2, UDP.bytes),
    jump(`size${name}`),
    `whole${name}`,
    // A frame may be padded; what counts is what IP says.
    load('half', R2, R7, ETHERNET + length),
    network16(R2),
    add(R2, uncounted),
    load('word', R3, R6, SKB.len),
    add(R3, -ETHERNET),
    whenRegister(R2, '>', R3, 'next'),
    `size${name}`,
    store('word', R10, AT.size, R2),
  ];
}

/** R9: its entry, which may be too old, or of another interface, or lead where nothing so big has gone. */
function doubt(family: Family, { generation }: Maps): Line[] {
  const miss = missed(family);
  return [
    call(BPF.ktime_get_coarse_ns),
    load('double', R2, R9, ENTRY.until),
    whenRegister(R2, '<=', R0, miss),
    mapValue(R1, generation),
    load('word', R1, R1, 0),
    load('word', R2, R9, ENTRY.generation),
    whenRegister(R1, '!=', R2, miss),
    load('word', R1, R6, SKB.ifindex),
    load('word', R2, R9, ENTRY.from),
    whenRegister(R1, '!=', R2, miss),

    load('word', R2, R10, AT.size),
    load('word', R3, R9, ENTRY.size),
    whenRegister(R2, '>', R3, miss),
  ];
}

function count(family: Family, { totals }: Maps): Line[] {
  return [
    load('word', R2, R9, ENTRY.total),
    store('word', R10, AT.word, R2),
    ...lookUp(totals, R10, AT.word),
    when(R0, '==', 0, missed(family)),
    load('word', R1, R10, AT.size),
    load('word', R2, R6, SKB.gso_size),
    when(R2, '==', 0, `octets${family.name}`),
    load('word', R1, R6, SKB.len),
    add(R1, -ETHERNET),
    `octets${family.name}`,
    // This processor's own, and nothing comes in between.
    load('double', R2, R0, TOTAL.octets),
    addRegister(R2, R1),
    store('double', R0, TOTAL.octets, R2),
    load('double', R2, R0, TOTAL.packets),
    add(R2, 1),
    store('double', R0, TOTAL.packets, R2),
    addAtomically(R9, ENTRY.octets, R1),
    set(R1, 1),
    addAtomically(R9, ENTRY.packets, R1),
  ];
}

/** Where the new frame begins on the stack. limit: the IP header's words have to lie at multiples of four. */
const frameAt = ({ header }: Family): number => AT.header - 4 * Math.ceil((ETHERNET + header + 4) / 4) + (ETHERNET % 4);

/** The frame as it leaves, up to its ports, onto the stack: all of it is written by one call. */
function rewrite(family: Family): Line[] {
  const { name, header, hops, source, address } = family;
  const at = frameAt(family);
  const ip = at + ETHERNET;
  const check = ip + 10;
  const summed = [
    load('half', R2, R10, check),
    xor(R2, 0xffff),
    load('word', R3, R9, ENTRY.head),
    addRegister(R2, R3),
    ...fold(R2),
    xor(R2, 0xffff),
    store('half', R10, check, R2),
  ];
  return [
    load('half', R2, R9, ENTRY.link),
    store('half', R10, at, R2),
    ...copy(R9, ENTRY.link + 2, R10, at + 2, ETHERNET - 2),
    ...copy(R7, ETHERNET, R10, ip, source),
    ...copy(R9, ENTRY.newSource, R10, ip + source, address),
    ...copy(R9, ENTRY.newDestination, R10, ip + source + address, address),
    ...copy(R9, ENTRY.newPorts, R10, ip + header, 4),
    load('byte', R2, R10, ip + hops),
    add(R2, -1),
    store('byte', R10, ip + hops, R2),
    ...(name === 4 ? summed : []),
  ];
}

/** order: the checksum first, as its helper wants to know what has changed, not what is. */
function send(family: Family): Line[] {
  const { name, header } = family;
  const l4 = ETHERNET + header;
  const change = (what: number, flags: number): Line[] => [
    move(R1, R6),
    set(R2, l4 + TCP.check),
    set(R3, 0),
    load('word', R4, R9, what),
    set(R5, flags),
    when(R8, '==', IPPROTO_TCP, `sum${name}-${what}`),
    set(R2, l4 + UDP.check),
    set(R5, flags | BPF_F_MARK_MANGLED_0),
    `sum${name}-${what}`,
    call(BPF.l4_csum_replace),
  ];
  return [
    ...change(ENTRY.addresses, BPF_F_PSEUDO_HDR),
    ...change(ENTRY.portsDelta, 0),
    move(R1, R6),
    set(R2, 0),
    move(R3, R10),
    add(R3, frameAt(family)),
    set(R4, l4 + 4),
    set(R5, 0),
    call(BPF.skb_store_bytes),
    load('word', R1, R9, ENTRY.to),
    set(R2, 0),
    call(BPF.redirect),
    exit(),
  ];
}

/** The packet goes the long way; what it is like now is kept until it leaves. */
function keep({ header, hops }: Family, { seen }: Maps): Line[] {
  const l4 = ETHERNET + header;
  return [
    load('word', R2, R10, AT.isEdge),
    when(R2, '!=', 0, 'next'),
    ...myOwn(seen, AT.word),
    when(R0, '==', 0, 'next'),
    load('word', R2, R0, SEEN.nonce),
    add(R2, 1),
    and(R2, 0xffff),
    store('word', R0, SEEN.nonce, R2),
    store('word', R6, SKB.tc_index, R2),
    load('word', R2, R6, SKB.ifindex),
    store('word', R0, SEEN.from, R2),
    ...copy(R10, AT.key, R0, SEEN.key, KEY.bytes),
    // With the traffic class, and in IPv4 the length.
    ...copy(R7, ETHERNET, R0, SEEN.first, 4),
    load('byte', R2, R7, ETHERNET + hops),
    store('word', R0, SEEN.hops, R2),
    load('word', R2, R10, AT.size),
    store('word', R0, SEEN.size, R2),
    storeNumber('double', R0, SEEN.numbers, 0),
    storeNumber('word', R0, SEEN.isFresh, 1),
    when(R8, '==', IPPROTO_UDP, 'next'),
    ...reaches(l4 + TCP.bytes, 'next'),
    ...copy(R7, l4 + TCP.numbers, R0, SEEN.numbers, 8),
    jump('next'),
  ];
}

/** One side ends it: what follows, either way, is for conntrack to see. */
function end({ flows }: Maps): Line[] {
  const mark = (entry: number): Line[] => [
    store('double', entry, ENTRY.until, R8),
    storeNumber('word', entry, ENTRY.ended, 1),
  ];
  return [
    call(BPF.ktime_get_coarse_ns),
    move(R8, R0),
    ...mark(R9),
    ...copy(R9, ENTRY.newDestination, R10, AT.key + KEY.source, 16),
    ...copy(R9, ENTRY.newSource, R10, AT.key + KEY.destination, 16),
    load('half', R2, R9, ENTRY.newPorts + 2),
    store('half', R10, AT.key + KEY.ports, R2),
    load('half', R2, R9, ENTRY.newPorts),
    store('half', R10, AT.key + KEY.ports + 2, R2),
    ...lookUp(flows, R10, AT.key),
    when(R0, '==', 0, 'next'),
    ...mark(R0),
  ];
}
