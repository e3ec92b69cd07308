/**
 * The program that sees packets leave, on every Ethernet interface. One that the forward chain has stamped (table.ts) as of an
 * established connection of a rule teaches it what the kernel has done to it on the long way: new addresses and ports, the
 * link header, the interface. The packet is known again by what was kept when it came (carry.ts, `keep`). Nothing is
 * learned of one that was changed in any other way: its class, its hops by more than one, its sequence numbers. Pure.
 */
import {
  add,
  addRegister,
  and,
  assemble,
  call,
  exit,
  jump,
  type Line,
  load,
  map,
  mapValue,
  move,
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
} from '../../../linux/ebpf/asm.ts';
import { IPPROTO_UDP } from '../../../linux/abi.ts';
import { BPF_ANY, BPF_NOEXIST } from '../../../linux/ebpf/abi.ts';
import { ENDING_MASK, RULE_MASK, TOLD } from '../table/marks.ts';
import { ENTRY, KEY, SEEN, STAMPED, TOTAL_V6 } from './layout.ts';
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

/** limit: how long nothing of a connection may pass conntrack in one direction; its time-outs are longer. */
const FRESH_NS = 1_000_000_000;
/** What a hop less is to the checksum of an IPv4 header. */
const HOP_LESS = 0xfffe;

/** The new entry, on the stack. */
const AT = { word: -4, entry: -8 - ENTRY.bytes } as const;
const on = (field: number): number => AT.entry + field;

/** For packets that leave. R8: what was kept when this one came; R9: the stamp. */
export function learnProgram(maps: Maps): Uint8Array<ArrayBuffer> {
  return assemble([
    move(R6, R1),
    load('word', R9, R6, SKB.mark),
    move(R2, R9),
    shiftRight(R2, 30),
    when(R2, '!=', STAMPED >>> 30, 'next'),
    // It was for us alone.
    set(R2, 0),
    store('word', R6, SKB.mark, R2),
    ...recognize(maps),
    ...words(ENTRY.bytes).map((part) => storeNumber('word', R10, on(part), 0)),
    load('word', R2, R6, SKB.protocol),
    load('byte', R3, R8, SEEN.key + KEY.sort + 1),
    when(R3, '==', 6, 'v6'),
    ...FAMILIES.flatMap(compare),

    'next',
    set(R0, TCX_NEXT),
    exit(),

    'same',
    ...describe(maps),
    ...lookUp(maps.flows, R8, SEEN.key),
    when(R0, '==', 0, 'new'),
    move(R7, R0),
    ...refresh(),
    jump('next'),

    'new',
    ...insert(maps),
    jump('next'),
  ]);
}

/** It is the packet that this processor has seen come last. */
function recognize({ seen }: Maps): Line[] {
  return [
    move(R2, R9),
    and(R2, ENDING_MASK),
    when(R2, '!=', 0, 'next'),
    load('word', R2, R6, SKB.vlan_present),
    when(R2, '!=', 0, 'next'),
    ...myOwn(seen, AT.word),
    when(R0, '==', 0, 'next'),
    move(R8, R0),
    load('word', R2, R8, SEEN.isFresh),
    when(R2, '==', 0, 'next'),
    storeNumber('word', R8, SEEN.isFresh, 0),
    load('word', R2, R6, SKB.tc_index),
    load('word', R3, R8, SEEN.nonce),
    whenRegister(R2, '!=', R3, 'next'),
    load('word', R2, R6, SKB.ingress_ifindex),
    load('word', R3, R8, SEEN.from),
    whenRegister(R2, '!=', R3, 'next'),
  ];
}

/** It has only been translated; what is new in it goes to the stack. */
function compare({ name, protocol, header, hops, next, source, address }: Family): Line[] {
  const l4 = ETHERNET + header;
  return [
    `v${name}`,
    when(R2, '!=', protocol, 'next'),
    load('word', R7, R6, SKB.data),
    ...reaches(l4 + UDP.bytes, 'next'),
    load('word', R2, R7, ETHERNET),
    load('word', R3, R8, SEEN.first),
    whenRegister(R2, '!=', R3, 'next'),
    load('byte', R2, R7, ETHERNET + hops),
    add(R2, 1),
    load('word', R3, R8, SEEN.hops),
    whenRegister(R2, '!=', R3, 'next'),
    load('byte', R2, R7, ETHERNET + next),
    load('byte', R3, R8, SEEN.key + KEY.sort),
    whenRegister(R2, '!=', R3, 'next'),
    when(R2, '==', IPPROTO_UDP, `ports${name}`),
    ...reaches(l4 + TCP.bytes, 'next'),
    ...words(8).flatMap((part) => [
      load('word', R2, R7, l4 + TCP.numbers + part),
      load('word', R3, R8, SEEN.numbers + part),
      whenRegister(R2, '!=', R3, 'next'),
    ]),
    `ports${name}`,
    load('half', R2, R7, 0),
    store('half', R10, on(ENTRY.link), R2),
    ...copy(R7, 2, R10, on(ENTRY.link + 2), ETHERNET - 2),
    ...copy(R7, ETHERNET + source, R10, on(ENTRY.newSource), address),
    ...copy(R7, ETHERNET + source + address, R10, on(ENTRY.newDestination), address),
    ...copy(R7, l4, R10, on(ENTRY.newPorts), 4),
    jump('same'),
  ];
}

/** The rest of the entry. */
function describe({ generation }: Maps): Line[] {
  const difference = (from: number, to: number, bytes: number): Line[] => [
    move(R1, R8),
    add(R1, SEEN.key + from),
    set(R2, bytes),
    move(R3, R10),
    add(R3, on(to)),
    set(R4, bytes),
    set(R5, 0),
    call(BPF.csum_diff),
    ...fold(R0),
  ];
  return [
    ...difference(KEY.source, ENTRY.newSource, 32),
    store('word', R10, on(ENTRY.addresses), R0),
    add(R0, HOP_LESS),
    ...fold(R0),
    store('word', R10, on(ENTRY.head), R0),
    ...difference(KEY.ports, ENTRY.newPorts, 4),
    store('word', R10, on(ENTRY.portsDelta), R0),

    load('word', R2, R8, SEEN.from),
    store('word', R10, on(ENTRY.from), R2),
    load('word', R2, R6, SKB.ifindex),
    store('word', R10, on(ENTRY.to), R2),
    mapValue(R1, generation),
    load('word', R2, R1, 0),
    store('word', R10, on(ENTRY.generation), R2),

    and(R9, RULE_MASK | TOLD),
    load('byte', R2, R8, SEEN.key + KEY.sort),
    addRegister(R9, R2),
    // 4 or 6.
    load('byte', R2, R8, SEEN.key + KEY.sort + 1),
    and(R2, 2),
    shiftLeft(R2, Math.log2(TOTAL_V6 / 2)),
    addRegister(R9, R2),
    store('word', R10, on(ENTRY.total), R9),

    load('word', R2, R8, SEEN.size),
    store('word', R10, on(ENTRY.size), R2),
    call(BPF.ktime_get_coarse_ns),
    add(R0, FRESH_NS),
    store('double', R10, on(ENTRY.until), R0),
  ];
}

/** R7: the entry that is there, which packets may be using. */
function refresh(): Line[] {
  return [
    // Another connection with the same addresses and ports gets an entry of its own.
    ...[ENTRY.total, ...words(36).map((part) => ENTRY.newSource + part)].flatMap((field) => [
      load('word', R2, R7, field),
      load('word', R3, R10, on(field)),
      whenRegister(R2, '!=', R3, 'new'),
    ]),
    load('half', R2, R10, on(ENTRY.link)),
    store('half', R7, ENTRY.link, R2),
    ...copy(R10, on(ENTRY.link + 2), R7, ENTRY.link + 2, ETHERNET - 2),
    ...[ENTRY.from, ENTRY.to, ENTRY.size, ENTRY.generation].flatMap((field) => copy(R10, on(field), R7, field, 4)),
    load('double', R2, R10, on(ENTRY.until)),
    store('double', R7, ENTRY.until, R2),
  ];
}

/** order: the total first; a packet that finds none would be in no sum, so it would have to go the long way. */
function insert({ totals, flows }: Maps): Line[] {
  const put = (mapFd: number, key: readonly Line[], value: number, flags: number): Line[] => [
    map(R1, mapFd),
    ...key,
    move(R3, R10),
    add(R3, value),
    set(R4, flags),
    call(BPF.map_update_elem),
  ];
  return [
    // Its value: what the new entry has counted, which is nothing.
    ...put(totals, [move(R2, R10), add(R2, on(ENTRY.total))], on(ENTRY.packets), BPF_NOEXIST),
    ...put(flows, [move(R2, R8), add(R2, SEEN.key)], AT.entry, BPF_ANY),
  ];
}
