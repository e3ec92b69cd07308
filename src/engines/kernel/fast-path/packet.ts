/**
 * What both programs of the fast path are written in: the kernel's names for a packet's fields and for its helpers, the two
 * families as tables, and a few phrases of instructions. Registers: R6 is the packet's context all the way, R7 where its
 * bytes begin; R8 and R9 are each program's own. Pure.
 */
import {
  add,
  addRegister,
  and,
  call,
  type Line,
  load,
  map,
  move,
  R1,
  R10,
  R2,
  R3,
  R4,
  R6,
  R7,
  shiftRight,
  store,
  storeNumber,
  whenRegister,
} from '../../../linux/ebpf/asm.ts';

/** Descriptors. */
export interface Maps {
  readonly flows: number;
  readonly totals: number;
  readonly seen: number;
  readonly generation: number;
}

/** struct __sk_buff */
export const SKB = {
  len: 0,
  pkt_type: 4,
  mark: 8,
  protocol: 16,
  vlan_present: 20,
  ingress_ifindex: 36,
  ifindex: 40,
  tc_index: 44,
  data: 76,
  data_end: 80,
  gso_size: 176,
} as const;

export const BPF = {
  map_lookup_elem: 1,
  map_update_elem: 2,
  skb_store_bytes: 9,
  l4_csum_replace: 11,
  redirect: 23,
  csum_diff: 28,
  ktime_get_coarse_ns: 160,
} as const;
/** Whoever comes after us may have the packet. */
export const TCX_NEXT = -1;

export const ETHERNET = 14;
export const TCP = { bytes: 20, numbers: 4, offset: 12, flags: 13, check: 16 } as const;
export const UDP = { bytes: 8, check: 6 } as const;

export interface Family {
  readonly name: 4 | 6;
  /** ETH_P_IP, ETH_P_IPV6, in network order. */
  readonly protocol: number;
  readonly header: number;
  /** From the beginning of the IP header: its length, of which these bytes are no part; what comes after it, how many hops it may go, its addresses. */
  readonly length: number;
  readonly uncounted: number;
  readonly next: number;
  readonly hops: number;
  readonly source: number;
  readonly address: 4 | 16;
}
export const FAMILIES: readonly Family[] = [
  { name: 4, protocol: 0x0008, header: 20, length: 2, uncounted: 0, next: 9, hops: 8, source: 12, address: 4 },
  { name: 6, protocol: 0xdd86, header: 40, length: 4, uncounted: 40, next: 6, hops: 7, source: 8, address: 16 },
];

export const words = (bytes: number): number[] => Array.from({ length: bytes / 4 }, (_, i) => 4 * i);

export const copy = (from: number, at: number, to: number, place: number, bytes: number): Line[] =>
  words(bytes).flatMap((part) => [load('word', R2, from, at + part), store('word', to, place + part, R2)]);

/** R0: where the value is, or 0. */
export const lookUp = (mapFd: number, base: number, offset: number): Line[] => [
  map(R1, mapFd),
  move(R2, base),
  add(R2, offset),
  call(BPF.map_lookup_elem),
];

/** The one element of an array that is this processor's; `at`: a word of the stack. */
export const myOwn = (mapFd: number, at: number): Line[] => [
  storeNumber('word', R10, at, 0),
  ...lookUp(mapFd, R10, at),
];

/** What follows may read `bytes` of the packet; a shorter one goes to `otherwise`. */
export const reaches = (bytes: number, otherwise: string): Line[] => [
  move(R3, R7),
  add(R3, bytes),
  load('word', R4, R6, SKB.data_end),
  whenRegister(R3, '>', R4, otherwise),
];

/** A number of 32 bits as a checksum adds: 16 of them. */
export const fold = (sum: number): Line[] =>
  [0, 1].flatMap(() => [move(R3, sum), shiftRight(R3, 16), and(sum, 0xffff), addRegister(sum, R3)]);
